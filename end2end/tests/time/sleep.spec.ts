import type { Page } from "@playwright/test";
import { markers, watchMarkers } from "../../fixtures/markers";
import { expect, test } from "../../fixtures/test";

const HOURS = 60 * 60;

/** The events that a laptop sends to its pages when it is opened. */
async function wake(page: Page): Promise<void> {
  await page.evaluate(() => {
    document.dispatchEvent(new Event("visibilitychange"));
    window.dispatchEvent(new Event("online"));
  });
}

test("eight hours of sleep cost one refresh", async ({ browserApi, account, security, user, page, traffic, clock }) => {
  await watchMarkers(page);
  await page.clock.install();
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await account.expectAtRest();
  const before = traffic.refreshes().length;

  // The clocks continue, and everything that was due meanwhile happens now, once.
  await clock.advance(8 * HOURS);
  const renewed = page.waitForResponse((response) => response.url().endsWith("/api/auth/refresh"));
  await page.clock.fastForward(8 * HOURS * 1_000);
  await wake(page);
  expect((await renewed).status()).toBe(200);
  await account.expectFor(user);
  // Thirteen more minutes awake: nothing is made up for. The server does not use the page's clock, so no minute of it
  // may pass while a response is pending.
  for (let minutes = 0; minutes < 13; minutes++) {
    await account.expectAtRest();
    await page.clock.runFor(60_000);
    await wake(page);
  }
  await account.expectAtRest();
  await account.expectFor(user);
  expect(traffic.refreshes()).toHaveLength(before + 1);
  expect(await markers(page)).toEqual(["signed-in"]);
  await page.reload();
  await account.expectFor(user);
  await security.open();
  await security.expectNoAlarm();
});

test("eight hours of sleep that the page's clock has missed cost one refresh, too", async ({
  browserApi,
  account,
  user,
  page,
  traffic,
  clock,
  consoleGuard,
}) => {
  // The page trusts its token until the server refuses it.
  consoleGuard.expectStatus(401, "/api/me");
  await watchMarkers(page);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await account.expectAtRest();
  const before = traffic.refreshes().length;

  await clock.advance(8 * HOURS);
  await wake(page);
  await account.displayName.fill("Robin the late riser");
  await page.getByRole("button", { name: "Save name" }).click();
  await expect(page.getByText("Saved.")).toBeVisible();
  await account.expectFor(user);
  expect(traffic.refreshes()).toHaveLength(before + 1);
  expect(await markers(page)).toEqual(["signed-in"]);
});
