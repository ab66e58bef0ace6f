import { expect, type Locator, type Page } from "@playwright/test";

/** A refresh token as the server reports it. */
export interface LiveToken {
  generation: number;
  parent: number | null;
  state: string | null;
  blacklisted: string | null;
  replays: number;
  gave_away: boolean;
  holders: string[];
  lost_by: string[];
}

/** A live session as the server reports it. */
export interface Play {
  design: string;
  session: { generation: number; confirmed: boolean; revoke_reason: string | null };
  tokens: LiveToken[];
  owner: { refresh: number | null; access: number | null };
  thief: { refresh: number | null; access: number | null };
  done: { who: string; answer: { status: number; code: string | null } | null; given: number | null }[];
  fallout: { who: string; kind: string; generation: number; answer: { status: number; code: string | null } }[];
}

/**
 * The live session of the lab: an owner, an attacker, and a session with the lab's own product, or with a model of
 * another design.
 */
export class LivePlay {
  /** The session that was started last. */
  id = "";

  constructor(readonly page: Page) {}

  get region(): Locator {
    return this.page.getByRole("region", { name: "Live, on this server" });
  }
  /** The last step, and the state after it. */
  get outcome(): Locator {
    return this.region.getByRole("status");
  }
  get picture(): Locator {
    return this.region.getByRole("img", { name: /as a tree/ });
  }
  get owner(): Locator {
    return this.region.getByRole("group", { name: "The owner" });
  }
  get thief(): Locator {
    return this.region.getByRole("group", { name: "The thief" });
  }
  /** The tokens, the oldest first. */
  get tokens(): Locator {
    return this.region.getByRole("table", { name: /^The refresh tokens/ }).locator("tbody tr");
  }
  /** The results of the tests after the end. */
  get fallout(): Locator {
    return this.region.getByRole("list", { name: "Retried after the session ended" }).getByRole("listitem");
  }
  /** The responses to the steps, line by line. */
  get steps(): Locator {
    return this.region.getByRole("table", { name: /^What was done/ }).locator("tbody tr");
  }
  button(name: string): Locator {
    return this.region.getByRole("button", { name, exact: true });
  }

  /** Starts a session, and waits until it is displayed and followed. */
  async start(design?: string): Promise<void> {
    if (design) await this.region.getByRole("group", { name: "Who gives out the tokens" }).getByLabel(design, { exact: true }).check();
    const followed = this.page.waitForRequest(/\/api\/lab\/plays\/[^/]+\/events$/);
    await this.page.getByRole("button", { name: /^Start (a|another) play$/ }).click();
    const path = new URL((await followed).url()).pathname;
    this.id = path.split("/")[4] ?? "";
    await expect(this.tokens).toHaveCount(1);
  }

  /** Clicks a button, and waits until the result is displayed. */
  async press(name: string): Promise<void> {
    const before = await this.steps.count();
    await this.button(name).click();
    await expect(this.steps).toHaveCount(before + 1);
  }

  /**
   * The lab uses the system's time, which no test can advance, so this takes as long as the lab product's grace period.
   */
  async letGracePass(): Promise<void> {
    await this.button("Wait until the grace is over").click();
    await expect(this.outcome).toContainText("The grace is over.");
  }

  /** Sends an action without the page, as another visitor with the same link could. */
  async act(act: object): Promise<void> {
    const { origin } = new URL(this.page.url());
    const answer = await this.page.request.post(`/api/lab/plays/${this.id}/acts`, { headers: { origin }, data: act });
    expect(answer.status(), await answer.text()).toBe(200);
  }

  /** The session as the server reports it. */
  async told(): Promise<Play> {
    const answer = await this.page.request.get(`/api/lab/plays/${this.id}`);
    expect(answer.status(), await answer.text()).toBe(200);
    return (await answer.json()) as Play;
  }
}
