import { refreshCookie, scan, stored } from "../../fixtures/storage-scan";
import { expect, test } from "../../fixtures/test";

const NOT_FINISHED = "Signing out is not finished yet";
const MARKER = [{ place: "localStorage", text: "keyturn.pending_logout = 1" }];

test("signing out offline is finished when the network is back", async ({ browserApi, account, user, page, context, consoleGuard }) => {
  consoleGuard.allow(/ERR_INTERNET_DISCONNECTED/);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const cookie = await refreshCookie(context);

  await context.setOffline(true);
  await account.signOutButton.click();
  await account.expectSession("anonymous");
  await expect(page.getByText(NOT_FINISHED)).toBeVisible();
  await expect(page.locator("body")).not.toContainText(user.email);
  expect(stored(await scan(page))).toEqual(MARKER);
  expect((await refreshCookie(context))?.value).toBe(cookie?.value);

  const told = page.waitForResponse((response) => response.url().endsWith("/api/auth/logout"));
  await context.setOffline(false);
  expect((await told).status()).toBe(204);
  await expect(page.getByText(NOT_FINISHED)).toBeHidden();
  await expect(page.getByText("You are signed out")).toBeVisible();
  await expect.poll(async () => stored(await scan(page))).toEqual([]);
  expect(await refreshCookie(context)).toBeUndefined();
});

test("a reload after signing out offline stays signed out, and ends the session", async ({
  browserApi,
  account,
  user,
  page,
  context,
  traffic,
  server,
  consoleGuard,
}) => {
  consoleGuard.allow(/ERR_FAILED/);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const cookie = await refreshCookie(context);
  const refreshes = traffic.refreshes().length;

  // The API is unreachable, the pages are not: as behind a proxy that has lost its server.
  await page.route("**/api/**", (route) => route.abort());
  await account.signOutButton.click();
  await account.expectSession("anonymous");
  await expect(page.getByText(NOT_FINISHED)).toBeVisible();
  await page.goto("/account");
  await account.expectSession("anonymous");
  await expect(page.getByText(NOT_FINISHED)).toBeVisible();
  await expect(page.locator("body")).not.toContainText(user.email);
  await expect(account.signOutButton).toBeHidden();
  expect(stored(await scan(page))).toEqual(MARKER);

  await page.unroute("**/api/**");
  const told = page.waitForResponse((response) => response.url().endsWith("/api/auth/logout"));
  await page.goto("/account");
  expect((await told).status()).toBe(204);
  await account.expectSession("anonymous");
  await expect(page.getByText("You signed out")).toBeVisible();
  await expect.poll(async () => stored(await scan(page))).toEqual([]);
  expect(traffic.refreshes()).toHaveLength(refreshes);

  // On the server, and not only in this browser.
  const refused = await page.request.post("/api/auth/refresh", {
    headers: { origin: server.origin, "x-requested-with": "keyturn", cookie: `__Host-refresh=${cookie?.value}` },
  });
  expect(await refused.json()).toMatchObject({ code: "session_revoked", reason: "logout" });
});

test("signing in replaces a sign-out that was not finished", async ({ browserApi, account, login, user, page, consoleGuard }) => {
  consoleGuard.allow(/ERR_FAILED/);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await page.route("**/api/auth/logout", (route) => route.abort());
  await account.signOutButton.click();
  await expect(page.getByText(NOT_FINISHED)).toBeVisible();
  await login.signIn(user);
  await account.expectFor(user);
  expect(stored(await scan(page))).toEqual([]);
  await page.reload();
  await account.expectFor(user);
});
