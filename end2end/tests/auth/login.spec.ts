import { expect, test } from "../../fixtures/test";

test("a registered person signs in", async ({ login, account, user }) => {
  await login.open();
  await login.expectSession("anonymous");
  await login.signIn(user);
  await account.expectFor(user);
});

test("signing in works with the keyboard alone", async ({ login, account, user }) => {
  await login.open();
  await expect(login.submit).toBeEnabled();
  await login.email.focus();
  await login.page.keyboard.type(user.email);
  await login.password.focus();
  await login.page.keyboard.type(user.password);
  await login.page.keyboard.press("Enter");
  await account.expectFor(user);
});

test("a wrong password is refused without saying which of the two was wrong", async ({ login, user, consoleGuard }) => {
  consoleGuard.expectStatus(401, "/api/auth/login");
  await login.open();
  await login.signIn({ email: user.email, password: "certainly not this one" });
  await expect(login.alert).toBeVisible();
  const forWrongPassword = await login.alert.innerText();
  await login.expectHere();
  await login.expectSession("anonymous");
  await expect(login.email).toHaveValue(user.email);

  await login.open();
  await login.signIn({ email: "unknown@example.com", password: "certainly not this one" });
  await expect(login.alert).toHaveText(forWrongPassword);
});

test("the right password works after a wrong one", async ({ login, account, user, consoleGuard }) => {
  consoleGuard.expectStatus(401, "/api/auth/login");
  await login.open();
  await login.signIn({ email: user.email, password: "certainly not this one" });
  await expect(login.alert).toBeVisible();
  await login.signIn(user);
  await account.expectFor(user);
});
