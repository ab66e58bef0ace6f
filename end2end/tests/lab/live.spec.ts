import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test as base } from "../../fixtures/test";
import { LivePlay } from "../../pages/live-play";

const test = base.extend<{ play: LivePlay }>({
  play: async ({ lab, page }, use) => {
    await lab.open();
    await use(new LivePlay(page));
  },
});

test.use({ labIsOpen: true });

async function expectNothingFound(page: Page): Promise<void> {
  // Only this section; the lab is a long page, and other tests check the rest.
  const { violations } = await new AxeBuilder({ page }).include('section[aria-labelledby="live"]').analyze();
  expect(violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) }))).toEqual([]);
}

test("a thief who comes second is found out, and nothing is left to anybody", async ({ play }) => {
  await play.start();
  await expect(play.outcome).toContainText("The owner holds the live token, and no one else has any.");
  await play.press("Steal now");
  await expect(play.thief).toContainText("Holds refresh token 1.");
  await play.press("Renew");
  await expect(play.tokens.nth(0)).toContainText("rotated");
  await expect(play.tokens.nth(1)).toContainText("active");
  await play.letGracePass();
  await play.press("Thief renews");

  await expect(play.outcome).toHaveText(/^Thief renews with token 1: 401 refresh_reused: .* The session is over \(reuse_detected\)\. Refused from now on: /);
  await expect(play.fallout).toHaveText([
    "Owner, refresh token 2 401 session_revoked",
    "Owner, access token 2 401 invalid_token",
    "Thief, refresh token 1 401 session_revoked",
  ]);
  await expect(play.picture).toContainText("lost by owner");
  await expect(play.picture).toContainText("lost by thief");
  const { session, tokens, fallout } = await play.told();
  expect(session.revoke_reason).toBe("reuse_detected");
  expect(tokens).toMatchObject([
    { state: "ended", blacklisted: "rotated", gave_away: true, lost_by: ["thief"] },
    { state: "blacklisted", blacklisted: "reuse_detected", gave_away: false, lost_by: ["owner"] },
  ]);
  expect(fallout.map(({ answer }) => answer.status)).toEqual([401, 401, 401]);

  // The owner notices at the next request, and has to sign in again.
  await play.press("Renew");
  await expect(play.outcome).toHaveText(/^Owner renews with token 2: 401 session_revoked/);
  await expect(play.owner).toContainText("Holds no token.");
});

test("a thief who comes first is found out as soon as the owner comes", async ({ play }) => {
  await play.start();
  await play.press("Steal now");
  await play.press("Thief renews");
  await expect(play.outcome).toContainText("The thief holds the live token, the owner one that was used.");
  await play.letGracePass();
  await play.press("Renew");
  await expect(play.outcome).toHaveText(/^Owner renews with token 1: 401 refresh_reused/);
  await expect(play.fallout).toHaveCount(4);
  const { session, tokens } = await play.told();
  expect(session.revoke_reason).toBe("reuse_detected");
  expect(tokens.map(({ lost_by }) => lost_by)).toEqual([["owner"], ["thief"]]);
});

test("a lost answer is harmless, however late the retry", async ({ play }) => {
  await play.start();
  await play.press("Renew, and lose the answer");
  await expect(play.outcome).toContainText("No one holds the live token");
  await expect(play.tokens.nth(1)).toContainText("issued");
  expect((await play.told()).session.confirmed).toBe(false);
  await play.letGracePass();
  await play.press("Renew");
  await expect(play.outcome).toHaveText(/^Owner renews with token 1: 200: gives token 2 again/);
  await expect(play.tokens.nth(0)).toContainText("replayed");
  await expect(play.tokens.nth(1)).toContainText("active");
  const { session, owner } = await play.told();
  expect(session).toMatchObject({ confirmed: true, revoke_reason: null });
  expect(owner).toEqual({ refresh: 2, access: 2 });
});

test("any token can be replayed, with the keyboard, and what it gets depends on the time", async ({ play, page }) => {
  await play.start();
  await play.press("Renew, and lose the answer");
  const replay = play.button("Replay 1");
  await replay.focus();
  await page.keyboard.press("Enter");
  // Its heir was never used, so this one is forgiven whenever it comes.
  await expect(play.outcome).toHaveText(/^Thief comes with token 1: 200: gives token 2 again/);
  await expect(replay, "the keyboard stays where it was").toBeFocused();
  expect((await play.told()).thief).toEqual({ refresh: 2, access: 2 });

  // Now the successor is in use.
  await play.letGracePass();
  await replay.press("Enter");
  await expect(play.outcome).toHaveText(/^Thief comes with token 1: 401 refresh_reused/);
  await expect(play.tokens.nth(0)).toContainText("replayed 2 times");
  expect((await play.told()).tokens[0]).toMatchObject({ replays: 2, gave_away: true });
});

test("a sign-out revokes the thief's copy too, and the next play starts fresh", async ({ play }) => {
  await play.start();
  const first = play.id;
  await play.press("Steal now");
  await play.press("Sign out");
  await expect(play.outcome).toContainText(/Owner signs out with token \d+: 204: signed out\. The session is over \(logout\)\./);
  await expect(play.tokens.first()).toContainText("logout");
  await play.press("Thief renews");
  await expect(play.outcome).toHaveText(/^Thief renews with token 1: 401 session_revoked/);
  expect((await play.told()).session.revoke_reason).toBe("logout");

  await play.start();
  expect(play.id).not.toBe(first);
  await expect(play.steps).toHaveCount(1);
  await expect(play.fallout).toHaveCount(0);
});

// The attacker refreshes first, and the owner after every grace period.
const THEFTS = [
  { design: "Strict", forgives: false, answer: /^Owner renews with token 1: 401: treated as token theft\./, fallout: [401, 401, 401, 401] },
  { design: "SimpleJWT", forgives: false, answer: /^Owner renews with token 1: 401: no longer valid\. .* The thief’s token is good for a new one\.$/, fallout: [] },
  { design: "Supabase", forgives: true, answer: /^Owner renews with token 1: 200: gives token 2 again/, fallout: [] },
  // Access tokens that are never looked up outlive their session.
  { design: "SuperTokens", forgives: true, answer: /^Owner renews with token 1: 401: treated as token theft\. The session is over\./, fallout: [401, 200, 401, 200] },
  { design: "Auth0", forgives: true, answer: /^Owner renews with token 1: 401: treated as token theft\. The session is over\./, fallout: [401, 200, 401, 200] },
];
for (const { design, forgives, answer, fallout } of THEFTS) {
  test(`the same theft with ${design}`, async ({ play }) => {
    await play.start(design);
    await expect(play.region.getByText(`With ${design}: a model of it`)).toBeVisible();
    await play.press("Steal now");
    await play.press("Thief renews");
    if (forgives) await play.letGracePass();
    else await expect(play.button("Wait until the grace is over")).toBeHidden();
    await play.press("Renew");
    await expect(play.outcome).toHaveText(answer);
    await expect(play.fallout).toHaveText(fallout.map((status) => new RegExp(`${status}$`)));
    const told = await play.told();
    expect(told.session).toBeNull();
    expect(told.fallout.map(({ answer }) => answer.status)).toEqual(fallout);
    expect(told.tokens).toHaveLength(2);
  });
}

test("with a grace that issues a new token, a retry displaces the thief's token, and the tree forks", async ({ play, page }) => {
  await play.start("SuperTokens");
  // Without a pause, because the grace period is real time.
  for (const act of [{ act: "steal" }, { act: "renew", who: "thief" }, { act: "renew", who: "owner" }]) await play.act(act);
  await expect(play.outcome).toContainText("gives token 3 in place of the live one");
  await expect(play.tokens.nth(1)).toContainText("displaced");
  await expect(play.picture).toContainText("displaced");
  expect((await play.told()).tokens.map(({ parent }) => parent)).toEqual([null, 1, 1]);
  await expectNothingFound(page);
});

test("a play is in the address, so that a reload and a link lead back to it", async ({ play, page, context }) => {
  await play.start("SimpleJWT");
  await play.press("Steal now");
  await expect(page).toHaveURL((url) => url.searchParams.get("live") === play.id);
  await page.reload();
  await expect(play.steps).toHaveCount(2);
  await play.press("Thief renews");
  await expect(play.outcome).toHaveText(/^Thief renews with token 1: 200/);

  const elsewhere = new LivePlay(await context.newPage());
  await elsewhere.page.goto(page.url());
  await expect(elsewhere.steps).toHaveCount(3);
  await play.press("Renew");
  await expect(elsewhere.steps, "the other page sees it, too").toHaveCount(4);
});

test("a link to a play that is forgotten says so", async ({ play, page, consoleGuard }) => {
  consoleGuard.expectStatus(404, "/api/lab/plays/unknown");
  await page.goto("/lab?live=unknown");
  await expect(play.region.getByRole("alert")).toContainText("This play is not there any more");
  await expect(play.button("Start a play")).toBeEnabled();
});

test("all actions are streamed, also those of another visitor", async ({ play, page, traffic }) => {
  const streamed = page.waitForResponse(/\/api\/lab\/plays\/[^/]+\/events$/);
  await play.start();
  const stream = await streamed;
  expect(stream.request().resourceType()).toBe("eventsource");
  expect(stream.headers()["content-type"]).toBe("text/event-stream");
  await play.press("Renew");
  await play.act({ act: "renew", who: "owner" });
  await expect(play.tokens).toHaveCount(3);
  await expect(play.tokens.nth(0)).toContainText("superseded");
  expect(traffic.to(`/api/lab/plays/${play.id}`), "it was asked for once").toHaveLength(1);
  expect(traffic.to(`/api/lab/plays/${play.id}/events`)).toHaveLength(1);
});

test("where there is no stream, the page asks again", async ({ play, page, traffic, consoleGuard }) => {
  consoleGuard.expect(/net::ERR_FAILED.*\/events$/);
  await page.route(/\/api\/lab\/plays\/[^/]+\/events$/, (route) => route.abort());
  await play.start();
  await play.press("Renew");
  await expect(play.tokens).toHaveCount(2);
  expect(traffic.to(`/api/lab/plays/${play.id}`).length).toBeGreaterThan(1);
});

test("a play that is forgotten says so", async ({ play, page, consoleGuard }) => {
  await play.start();
  // As if an hour had passed: the server does not have this session.
  await page.route(/\/acts$/, (route) => route.continue({ url: route.request().url().replace(play.id, "forgotten") }));
  consoleGuard.expectStatus(404, "/acts");
  await play.button("Renew").click();
  await expect(play.region.getByRole("alert")).toContainText("There is no such play. Plays are kept for an hour at most: start a new one.");
  await expect(play.button("Start another play")).toBeEnabled();
});

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(colorScheme, () => {
    test.use({ colorScheme });

    test("axe finds nothing on a live play, whatever happened", async ({ play, page }) => {
      await play.start();
      await expectNothingFound(page);
      await play.press("Steal now");
      await play.press("Renew");
      await play.letGracePass();
      await play.press("Thief renews");
      await expect(play.fallout).not.toHaveCount(0);
      await play.region.getByText("What the words in the tree mean").click();
      await play.region.getByText("The row in the table").click();
      await expectNothingFound(page);
    });
  });
}

test("a live play fits a screen that is 320 pixels wide", async ({ play, page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await play.start();
  await play.press("Steal now");
  await play.press("Renew");
  await play.letGracePass();
  await play.press("Thief renews");
  await expect(play.fallout).not.toHaveCount(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
});
