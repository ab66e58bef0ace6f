import { expect, test } from "../../fixtures/test";

const ACCESS_LIFETIME = 15 * 60;

test("the access token is renewed before it ends, without anybody doing anything", async ({ browserApi, account, user, traffic, page }) => {
  await page.clock.install();
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  expect(traffic.refreshes()).toHaveLength(1);

  // The browser's own clock, as the page sees it: its timers fire now.
  const renewed = page.waitForResponse((response) => response.url().endsWith("/api/auth/refresh"));
  await page.clock.fastForward(ACCESS_LIFETIME * 1000 - 5_000);
  expect((await renewed).status()).toBe(200);
  expect(traffic.refreshes()).toHaveLength(2);
  await account.expectFor(user);
});

test("an access token that ended meanwhile is renewed once, and the request is sent again", async ({
  login,
  account,
  user,
  traffic,
  clock,
  page,
  consoleGuard,
}) => {
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  await page.getByRole("link", { name: "Keyturn" }).first().click();
  await expect(page).toHaveURL((url) => url.pathname === "/");
  await account.expectAtRest();

  // Only the server's clock: the page still trusts its token, as after a laptop's sleep.
  await clock.advance(ACCESS_LIFETIME + 1);
  consoleGuard.expect(/status of 401 .*\/api\/(me|auth\/session|account\/alarm)$/);
  await page.getByRole("link", { name: /account/i }).first().click();
  await account.expectFor(user);
  await expect.poll(() => traffic.refreshes().length).toBe(1);
  expect((await traffic.refreshes()[0]?.response())?.status()).toBe(200);
});

test("a session unused for eight days has expired, and the page says so", async ({
  browserApi,
  account,
  login,
  user,
  clock,
  page,
  consoleGuard,
}) => {
  consoleGuard.expectStatus(401, "/api/auth/refresh");
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await account.expectAtRest();
  await clock.advance(8 * 24 * 60 * 60);
  await page.reload();
  await login.expectHere();
  await login.expectSession("anonymous");
  await expect(page.getByText("Your session ran out")).toBeVisible();
  await login.signIn(user);
  await account.expectFor(user);
});

test("a session that is used keeps living past the seven days", async ({ browserApi, account, user, clock, page }) => {
  await browserApi.signIn(user);
  await account.open();
  for (const _ of [1, 2]) {
    await account.expectFor(user);
    await account.expectAtRest();
    await clock.advance(5 * 24 * 60 * 60);
    await page.reload();
  }
  await account.expectFor(user);
});
