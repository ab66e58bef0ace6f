import { setTimeout as pause } from "node:timers/promises";
import { lacking } from "../../fixtures/lacking";
import { expect, test } from "../../fixtures/lossy";
import type { Fate } from "../../fixtures/proxy";
import { AccountPage } from "../../pages/account.page";

const REFRESH = "/api/auth/refresh";
const TABS = 3;
/** In each direction. */
const LATENCY = 750;

/**
 * A laptop goes to sleep right after a response was lost, and wakes with several tabs on a slow connection. When the
 * waiting tabs all continued as soon as their lock wait timed out, this ended the session in 2 of 2 trials.
 */
for (const locks of [true, false]) {
  for (const trial of [1, 2]) {
    test(`tabs that wake together after a lost answer stay signed in, ${locks ? "with" : "without"} locks (${trial})`, async ({
      login,
      account,
      security,
      user,
      lossy,
      context,
      clock,
      page,
      consoleGuard,
    }) => {
      consoleGuard.allow(/net::ERR_|status of 409 .*\/api\/auth\/refresh$|preload/);
      if (!locks) await lacking(context, "locks", "BroadcastChannel", "storage events");
      await login.open();
      await login.signIn(user);
      await account.expectFor(user);
      const tabs = [account];
      for (let tab = 1; tab < TABS; tab++) tabs.push(await account.openAnother(user));

      // A refresh is processed, its response is lost, and the page is left before it can retry.
      const lost = new Promise<void>((resolve) => {
        lossy.intercept(REFRESH, () => {
          resolve();
          return "lost before its headers";
        });
      });
      await page.reload({ waitUntil: "commit" });
      await lost;
      await page.goto("about:blank");
      lossy.mend(REFRESH);
      // After the grace period.
      await clock.advance(12);

      // The request is delayed in the browser, so that its cookie is the one in the jar when the request leaves.
      await context.route("**/api/**", async (route) => {
        await pause(LATENCY);
        await route.continue();
      });
      const statuses: number[] = [];
      lossy.intercept(REFRESH, async ({ status }): Promise<Fate> => {
        statuses.push(status);
        await pause(LATENCY);
        return "delivered";
      });
      lossy.intercept("/api/me", async (): Promise<Fate> => {
        await pause(LATENCY);
        return "delivered";
      });
      await Promise.all(tabs.map((tab) => (tab.page.url() === "about:blank" ? tab.open() : tab.page.reload())));
      for (const tab of tabs) await tab.expectFor(user);
      // Superseded (409) is retried; nothing else was refused.
      expect(statuses.filter((status) => status !== 200 && status !== 409)).toEqual([]);

      lossy.mend(REFRESH);
      lossy.mend("/api/me");
      // Waits for pending requests.
      await context.unrouteAll({ behavior: "wait" });
      await clock.advance(60);
      for (const tab of tabs) {
        await tab.page.reload();
        await tab.expectFor(user);
      }
      await security.open();
      await security.expectNoAlarm();
    });
  }
}

test("tabs whose wait for the lock times out go on one at a time", async ({ login, account, user, lossy, context, consoleGuard }) => {
  consoleGuard.allow(/preload/);
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  const tabs: AccountPage[] = [account];
  for (let tab = 1; tab < 4; tab++) tabs.push(await account.openAnother(user));
  let [underWay, most] = [0, 0];
  await context.route(`**${REFRESH}`, async (route) => {
    underWay += 1;
    most = Math.max(most, underWay);
    await route.continue();
  });
  lossy.intercept(REFRESH, async (): Promise<Fate> => {
    await pause(2_500);
    underWay -= 1;
    return "delivered";
  });
  await Promise.all(tabs.map((tab) => tab.page.reload()));
  for (const tab of tabs) await tab.expectFor(user);
  expect(most).toBeLessThanOrEqual(2);
});
