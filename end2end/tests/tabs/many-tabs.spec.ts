import type { BrowserContext } from "@playwright/test";
import { lacking } from "../../fixtures/lacking";
import { markers, watchMarkers } from "../../fixtures/markers";
import { expect, test } from "../../fixtures/test";
import { AccountPage } from "../../pages/account.page";

// Real documents with a program each. Twice as many work as well, but take a busy machine with two cores over a minute.
const TABS = 25;

async function openTabs(context: BrowserContext, count: number): Promise<AccountPage[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const tab = new AccountPage(await context.newPage());
      await tab.open();
      return tab;
    }),
  );
}

test("twenty-five tabs without locks and BroadcastChannel refresh at once, and nobody is signed out", async ({
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

  // Beyond the time in which a used token is good by itself, so that the second wave cannot live on the first one's.
  await clock.advance(60);
  const before = traffic.refreshes().length;
  expect(before).toBeGreaterThanOrEqual(TABS);
  await Promise.all(tabs.map((tab) => tab.page.reload()));
  for (const tab of tabs) await tab.expectFor(user);
  for (const tab of tabs) expect(await markers(tab.page)).toEqual(["signed-in"]);
  const statuses = await Promise.all(traffic.refreshes().map(async (request) => (await request.response())?.status()));
  expect(statuses.length).toBeGreaterThanOrEqual(before + TABS);
  // Superseded (409) is a token that was long under way; its tab asked again.
  expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);
  await security.open();
  await security.expectNoAlarm();
});
