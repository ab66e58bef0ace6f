import type { BrowserContext } from "@playwright/test";
import { lacking } from "../../fixtures/lacking";
import { markers, watchMarkers } from "../../fixtures/markers";
import { expect, test } from "../../fixtures/test";
import { AccountPage } from "../../pages/account.page";

// Real documents, each with the app. Twice as many also work, but take over a minute on a busy machine with two cores.
const TABS = 25;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Less than the two seconds that a tab waits for the lock. */
const STEP = 1.5 * SECOND;

async function openTabs(context: BrowserContext, count: number): Promise<AccountPage[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const tab = new AccountPage(await context.newPage());
      await tab.open();
      return tab;
    }),
  );
}

/** The number of tabs that hold the cookie lock or wait for it. */
async function turns(tab?: AccountPage): Promise<number | undefined> {
  return tab?.page.evaluate(async () => {
    const { held, pending } = await navigator.locks.query();
    return (held?.length ?? 0) + (pending?.length ?? 0);
  });
}

test("twenty-five tabs without locks and BroadcastChannel refresh at the same time, and none is signed out", async ({
  browserApi,
  security,
  user,
  context,
  clock,
  traffic,
  consoleGuard,
}) => {
  test.setTimeout(180_000);
  consoleGuard.allow(/status of 409 .*\/api\/auth\/refresh$/);
  await lacking(context, "BroadcastChannel", "locks", "storage events");
  await watchMarkers(context);
  await browserApi.signIn(user);
  const tabs = await openTabs(context, TABS);
  for (const tab of tabs) await tab.expectFor(user);

  // Beyond the grace period of a used token, so that the second wave cannot rely on the first one's.
  await clock.advance(60);
  const before = traffic.refreshes().length;
  expect(before).toBeGreaterThanOrEqual(TABS);
  await Promise.all(tabs.map((tab) => tab.page.reload()));
  for (const tab of tabs) await tab.expectFor(user);
  for (const tab of tabs) expect(await markers(tab.page)).toEqual(["signed-in"]);
  const statuses = await Promise.all(traffic.refreshes().map(async (request) => (await request.response())?.status()));
  expect(statuses.length).toBeGreaterThanOrEqual(before + TABS);
  // Superseded (409) means that the token was under way for a long time; its tab retried.
  expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
  await security.open();
  await security.expectNoAlarm();
});

test("after twenty-five tabs were opened, an expiry costs two refreshes at most", async ({ browserApi, user, context, traffic }) => {
  test.setTimeout(240_000);
  await context.clock.install();
  await browserApi.signIn(user);
  const begin = Date.now();
  const tabs = await openTabs(context, TABS);
  for (const tab of tabs) await tab.expectFor(user);
  const opening = Date.now() - begin;
  const before = traffic.refreshes().length;
  expect(before).toBeGreaterThanOrEqual(TABS);

  // Time advances around the moments at which the tabs plan to refresh, which are random within 12 s before the last
  // minute. A step is shorter than the lock timeout, and everything that it triggers ends before the next step. The
  // pages' clocks run faster than the machine, so an instant refresh would seem to take seconds.
  await context.clock.pauseAt(begin + 14 * MINUTE - 13 * SECOND);
  for (let gone = 0; gone < opening + 15 * SECOND; gone += STEP) {
    await context.clock.runFor(STEP);
    await expect.poll(() => turns(tabs[0])).toBe(0);
  }
  const answers = await Promise.all(traffic.refreshes().map(async (request) => (await request.response())?.status()));
  expect(answers.filter((status) => status !== 200)).toEqual([]);
  const renewals = traffic.refreshes().length - before;
  expect(renewals).toBeGreaterThanOrEqual(1);
  expect(renewals).toBeLessThanOrEqual(2);

  // All of them continue to work.
  await context.clock.resume();
  await Promise.all(tabs.slice(0, 5).map((tab) => tab.page.reload()));
  for (const tab of tabs) await tab.expectFor(user);
});
