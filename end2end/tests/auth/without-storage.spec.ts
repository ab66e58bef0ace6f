import { lacking } from "../../fixtures/lacking";
import { refreshCookie } from "../../fixtures/storage-scan";
import { expect, test } from "../../fixtures/test";

test("where storage is refused, people sign in, reload and sign out as ever", async ({ login, account, user, context, page, consoleGuard }) => {
  // The other tab checks the sign-out. Without a marker in storage it may ask before the sign-out is complete.
  consoleGuard.allow(/status of 401 .*\/api\/(auth\/(refresh|session)|account\/alarm|me)$/);
  await lacking(context, "storage");
  await login.open();
  const refused = await page.evaluate(() =>
    ["localStorage", "sessionStorage"].map((area) => {
      try {
        return String(Reflect.get(window, area));
      } catch (error) {
        return (error as DOMException).name;
      }
    }),
  );
  expect(refused).toEqual(["SecurityError", "SecurityError"]);

  await login.signIn(user);
  await account.expectFor(user);
  await page.reload();
  await account.expectFor(user);
  const other = await account.openAnother(user);

  await account.signOut();
  await expect(page.getByText("You are signed out")).toBeVisible();
  expect(await refreshCookie(context)).toBeUndefined();
  await other.expectSession("anonymous");
  await page.reload();
  await account.expectSession("anonymous");
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
});

test("where storage is refused, a sign-out offline is finished when the network is back", async ({
  browserApi,
  account,
  user,
  context,
  page,
  consoleGuard,
}) => {
  consoleGuard.allow(/ERR_INTERNET_DISCONNECTED/);
  await lacking(context, "storage");
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await context.setOffline(true);
  await account.signOutButton.click();
  await account.expectSession("anonymous");
  await expect(page.getByText("Signing out is not finished yet")).toBeVisible();

  const told = page.waitForResponse((response) => response.url().endsWith("/api/auth/logout"));
  await context.setOffline(false);
  expect((await told).status()).toBe(204);
  await expect(page.getByText("You are signed out")).toBeVisible();
  expect(await refreshCookie(context)).toBeUndefined();
});
