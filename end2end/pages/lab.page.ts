import { expect, type Locator } from "@playwright/test";
import { BasePage } from "./base.page";

/** The lab's tables, by their API names, with their names on the page. */
const BENCHES = {
  storage: { title: "Where tokens are kept", start: "Run all" },
  forgery: { title: "Forged requests", start: "Run the forgeries" },
  scripts: { title: "Smuggled scripts", start: "Run the scripts" },
  races: { title: "Races", start: "Run the races" },
};
export type BenchName = keyof typeof BENCHES;

/** A table with its run. Cells are named `column.row`. */
export class Bench {
  private readonly title: string;
  readonly start: Locator;

  constructor(
    private readonly lab: LabPage,
    name: BenchName,
  ) {
    const { title, start } = BENCHES[name];
    this.title = title;
    this.start = lab.page.getByRole("button", { name: start, exact: true });
  }

  private get region(): Locator {
    return this.lab.page.getByRole("region", { name: this.title });
  }
  /** The progress of the run, in a line. */
  get progress(): Locator {
    return this.region.getByRole("status");
  }
  /** The number of finished steps. */
  async done(): Promise<number> {
    return Number(await this.region.getByRole("progressbar", { name: "Steps of the run" }).getAttribute("value"));
  }
  get problem(): Locator {
    return this.region.getByRole("alert");
  }
  get download(): Locator {
    return this.region.getByRole("link", { name: "Download the results (JSON)" });
  }
  get table(): Locator {
    return this.lab.page.getByRole("group", { name: this.title }).getByRole("table");
  }
  cell(place: string): Locator {
    return this.table.locator(`td[data-place="${place}"]`);
  }
  /** The verdicts of the table, by cell. */
  async verdicts(): Promise<Record<string, string>> {
    return this.table
      .locator("td[data-verdict]")
      .evaluateAll((cells) =>
        Object.fromEntries((cells as HTMLElement[]).map(({ dataset }) => [dataset["place"], dataset["verdict"] ?? ""])),
      );
  }
  async openEvidence(place: string): Promise<Locator> {
    await this.cell(place).getByRole("button").click();
    await expect(this.lab.evidence.getByRole("heading", { level: 2 })).toBeFocused();
    return this.lab.evidence;
  }
  async expectFinished(options?: { timeout: number }): Promise<void> {
    await expect(this.progress).toHaveText(/^Finished\./, options);
  }
}

/** The lab page: token storage and all other experiments. */
export class LabPage extends BasePage {
  readonly path = "/lab";

  bench(name: BenchName): Bench {
    return new Bench(this, name);
  }
  get storage(): Bench {
    return this.bench("storage");
  }

  /** Present if the browser blocked the runner's window. */
  get openRunner(): Locator {
    return this.page.getByRole("link", { name: "Open the runner" });
  }

  /** Selects the defence to turn off, by its API name. */
  async doWithout(defence: string): Promise<void> {
    await this.page.getByText(/^Without a defence:/).click();
    await this.page.locator(`input[name="without"][value="${defence}"]`).check();
  }

  get crowdTabs(): Locator {
    return this.page.getByRole("slider", { name: "Tabs", exact: true });
  }
  get crowdRequests(): Locator {
    return this.page.getByRole("slider", { name: "Requests of each tab, at once" });
  }
  /** Selects the number of concurrent refreshes. */
  async gather({ tabs, requests }: { tabs: number; requests: number }): Promise<void> {
    await this.crowdTabs.fill(String(tabs));
    await this.crowdRequests.fill(String(requests));
  }

  /** Selects CSRF defences, by their names in the table. */
  async putGuardsTogether(...guards: string[]): Promise<void> {
    const group = this.page.getByRole("group", { name: "Put guards together" });
    if (!(await group.isVisible())) await this.page.getByText("Put guards together").first().click();
    for (const guard of guards) await group.getByLabel(guard, { exact: true }).check();
  }
  get guardsOutcome(): Locator {
    return this.page.locator(".lab__guards").getByRole("status");
  }

  /** The evidence of the open cell. */
  get evidence(): Locator {
    return this.page.getByRole("region", { name: / · / });
  }
  get closeEvidence(): Locator {
    return this.evidence.getByRole("button", { name: "Close", exact: true });
  }
}
