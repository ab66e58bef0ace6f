import { expect, test } from "../../fixtures/test";

test("a browser that keeps no cookie is told so, before and after signing in @without-cookies", async ({
  login,
  account,
  user,
  context,
  page,
  consoleGuard,
}) => {
  // WebKit behaves like this over plain http; the script makes the other browsers behave the same.
  await page.addInitScript(() => {
    Object.defineProperty(Document.prototype, "cookie", { get: () => "", set: () => {} });
  });
  await page.clock.install();
  await login.open();
  await expect(page.getByText("This browser will not keep you signed in")).toBeVisible();

  // The session works until the access token expires.
  await login.signIn(user);
  await account.expectFor(user);
  await context.clearCookies();
  consoleGuard.expectStatus(401, "/api/auth/refresh");
  await page.clock.fastForward("15:00");
  await login.expectHere();
  await login.expectSession("anonymous");
  await expect(page.getByText("This browser did not keep your session")).toBeVisible();
});
