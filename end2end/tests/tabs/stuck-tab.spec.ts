import { mergeTests, type Page } from "@playwright/test";
import { test as everyday } from "../../fixtures/everyday";
import { expect, test } from "../../fixtures/lossy";
import type { Fate, Proxy } from "../../fixtures/proxy";
import { unanswered } from "../../fixtures/traffic";
import { AccountPage } from "../../pages/account.page";
import { SecurityPage } from "../../pages/security.page";

const REFRESH = "/api/auth/refresh";

/** How long a tab waits for the lock. */
const PATIENCE = 2_000;

/** Delays the response to the next refresh, which the server has processed by then. */
function holdUp(lossy: Proxy): { answered: Promise<void>; release: () => void } {
  let release = () => {};
  const released = new Promise<void>((resolve) => (release = resolve));
  const answered = new Promise<void>((resolve) => {
    lossy.intercept(REFRESH, async (): Promise<Fate> => {
      // Only this one.
      lossy.mend(REFRESH);
      resolve();
      await released;
      return "delivered";
    });
  });
  return { answered, release };
}

/** The number of tabs that hold the lock, and that wait for it, as any tab of the origin sees it. */
async function line(page: Page): Promise<{ held: number; pending: number }> {
  return page.evaluate(async () => {
    const { held = [], pending = [] } = await navigator.locks.query();
    const ours = (locks: LockInfo[]) => locks.filter(({ name }) => name === "keyturn.cookie").length;
    return { held: ours(held), pending: ours(pending) };
  });
}

test("a tab that crashes in the middle of a refresh leaves its turn to the next @chromium", async ({
  browserApi,
  account,
  user,
  lossy,
  context,
  clock,
  page,
}) => {
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const other = await account.openAnother(user);

  const { answered, release } = holdUp(lossy);
  await page.reload();
  await answered;
  // Its lock wait never times out, so only the other tab's release lets it continue.
  await other.page.clock.install();
  await other.page.clock.pauseAt(Date.now() + 1_000);
  await other.page.reload({ waitUntil: "commit" });
  await expect.poll(() => line(other.page)).toEqual({ held: 1, pending: 1 });

  // The server has rotated, and that response will never be read. A minute passes.
  await clock.advance(60);
  const crashed = page.waitForEvent("crash");
  const cdp = await context.newCDPSession(page);
  void cdp.send("Page.crash").catch(() => {});
  await crashed;
  await expect.poll(() => line(other.page)).toEqual({ held: 0, pending: 0 });
  // A slow page may still need timers to display itself; a crashed page's clock cannot be resumed.
  await page.close();
  await other.page.clock.resume();
  await other.expectFor(user);
  release();

  await other.page.reload();
  await other.expectFor(user);
  const security = new SecurityPage(other.page);
  await security.open();
  await security.expectNoAlarm();
});

const hidden = mergeTests(test, everyday);

hidden("a tab frozen with the lock delays the next by two seconds, and none is signed out @chromium", async ({
  login,
  account,
  security,
  user,
  lossy,
  context,
  page,
  server,
  traffic,
}) => {
  await page.goto(`${server.origin}/login`);
  await login.signIn(user);
  await account.expectFor(user);
  const other = new AccountPage(await context.newPage());
  await other.page.goto(`${server.origin}/account`);
  await other.expectFor(user);

  const { answered, release } = holdUp(lossy);
  await page.reload();
  await answered;
  // A stalled download in one tab also stalls the same download in others: a limit of Chromium's cache.
  await expect.poll(() => unanswered(page)).toEqual([REFRESH]);
  const events = await page.evaluateHandle(() => {
    const events: string[] = [];
    for (const name of ["freeze", "resume"]) document.addEventListener(name, () => events.push(name));
    return events;
  });
  const cdp = await context.newCDPSession(page);
  await cdp.send("Page.setWebLifecycleState", { state: "frozen" });
  await expect.poll(() => events.jsonValue()).toEqual(["freeze"]);
  const refreshes = traffic.refreshes().length;

  await other.page.clock.install();
  await other.page.clock.pauseAt(Date.now() + 1_000);
  await other.page.reload({ waitUntil: "commit" });
  await expect.poll(() => line(other.page)).toEqual({ held: 1, pending: 1 });
  await other.page.clock.runFor(PATIENCE - 100);
  expect(await line(other.page)).toEqual({ held: 1, pending: 1 });
  expect(traffic.refreshes()).toHaveLength(refreshes);
  await other.page.clock.runFor(200);
  await expect.poll(() => line(other.page)).toEqual({ held: 1, pending: 0 });
  // A slow page may still need timers to display itself.
  await other.page.clock.resume();
  await other.expectFor(user);
  expect(await line(other.page)).toEqual({ held: 1, pending: 0 });

  // The late response brings the same successor that the other tab already has.
  release();
  await cdp.send("Page.setWebLifecycleState", { state: "active" });
  await expect.poll(() => events.jsonValue()).toEqual(["freeze", "resume"]);
  await page.bringToFront();
  await account.expectFor(user);
  await expect.poll(() => line(page)).toEqual({ held: 0, pending: 0 });
  for (const tab of [account, other, account]) {
    await tab.page.bringToFront();
    await tab.page.reload();
    await tab.expectFor(user);
  }
  await page.goto(server.origin + security.path);
  await security.expectNoAlarm();
});
