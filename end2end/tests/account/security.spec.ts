import { expect, test } from "../../fixtures/test";

const NEW = "a lantern under fresh snow";

test("a new password ends every other session and keeps this page signed in", async ({
  api,
  browserApi,
  security,
  user,
}) => {
  const elsewhere = await api.signIn(user);
  await browserApi.signIn(user);
  await security.open();
  await security.change(user.password, NEW);
  await expect(security.page.getByText("Your password is changed. Every other session has ended.")).toBeVisible();
  await expect(security.newPassword).toHaveValue("");
  expect((await api.session(elsewhere.access_token)).status()).toBe(401);

  await security.page.reload();
  await security.expectSession("signed-in");
  await expect(security.timeline.first()).toContainText("The password was changed");
  await api.signIn({ ...user, password: NEW });
});

test("a wrong current password is said at its field, and what was typed stays", async ({
  browserApi,
  security,
  user,
  consoleGuard,
  traffic,
}) => {
  consoleGuard.expectStatus(401, "/api/account/password");
  consoleGuard.expectStatus(422, "/api/account/password");
  await browserApi.signIn(user);
  await security.open();
  await expect(security.changePassword).toBeEnabled();
  await security.change("certainly not this one", NEW);
  await expect(security.currentPassword).toHaveAttribute("aria-invalid", "true");
  await expect(security.currentPassword).toBeFocused();
  await expect(security.newPassword).toHaveValue(NEW);
  await security.expectSession("signed-in");

  await security.change(user.password, "short");
  await expect(security.newPassword).toHaveAttribute("aria-invalid", "true");
  // The refresh of the reload: a wrong password is not a refused token.
  expect(traffic.refreshes()).toHaveLength(1);
});

test("signing out everywhere ends this session too", async ({ api, browserApi, security, login, user }) => {
  const elsewhere = await api.signIn(user);
  await browserApi.signIn(user);
  await security.open();
  await expect(security.signOutEverywhere).toBeEnabled();
  await security.expectAtRest();
  await security.signOutEverywhere.click();
  await login.expectHere();
  await login.expectSession("anonymous");
  expect((await api.session(elsewhere.access_token)).status()).toBe(401);
  await login.page.reload();
  await login.expectSession("anonymous");
});

test("an account is deleted with its password, and not without", async ({
  api,
  browserApi,
  security,
  home,
  user,
  consoleGuard,
}) => {
  consoleGuard.expectStatus(401, "/api/account");
  await browserApi.signIn(user);
  await security.open();
  await expect(security.deleteAccount).toBeEnabled();
  await security.deleteAccount.click();
  await expect(security.page.getByText("Enter your password to confirm.")).toBeVisible();
  await security.deletionPassword.fill("certainly not this one");
  await security.deleteAccount.click();
  await expect(security.deletionPassword).toHaveAttribute("aria-invalid", "true");
  await security.expectSession("signed-in");

  await security.deletionPassword.fill(user.password);
  await security.deleteAccount.click();
  await home.expectHere();
  await home.expectSession("anonymous");
  expect((await api.post("/api/auth/login", { email: user.email, password: user.password })).status()).toBe(401);
});

test("a theft is on the timeline, with what to do", async ({ browserApi, security, thief, user }) => {
  await thief.rob(user);
  await browserApi.signIn(user);
  await security.open();
  await expect(security.timeline.filter({ hasText: "A used token was presented again" })).toContainText(
    "change your password",
  );
});
