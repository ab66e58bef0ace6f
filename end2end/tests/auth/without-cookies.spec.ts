import { expect, test } from "../../fixtures/test";

test("a browser that keeps no cookie is told so, before and after signing in @without-cookies", async ({
  login,
  account,
  user,
  context,
  page,
  consoleGuard,
}) => {
  // WebKit is such a browser by itself, over plain http; the others are made into one.
  await page.addInitScript(() => {
    Object.defineProperty(Document.prototype, "cookie", { get: () => "", set: () => {} });
  });
  await page.clock.install();
  await login.open();
  await expect(page.getByText("This browser will not keep you signed in")).toBeVisible();

  // It may be used until the access token ends.
  await login.signIn(user);
  await account.expectFor(user);
  await context.clearCookies();
  consoleGuard.expectStatus(401, "/api/auth/refresh");
  await page.clock.fastForward("15:00");
  await login.expectHere();
  await login.expectSession("anonymous");
  await expect(page.getByText("This browser did not keep your session")).toBeVisible();
});
