import { expect, test } from "../../fixtures/test";
import type { Locator, Page } from "@playwright/test";

/** All error messages of this field. */
function errorOf(field: Locator): Promise<string> {
  return field.evaluate((input) =>
    (input.getAttribute("aria-describedby") ?? "")
      .split(" ")
      .filter((id) => id.endsWith("-error"))
      .map((id) => document.getElementById(id)?.textContent ?? "")
      .join(""),
  );
}

async function expectError(field: Locator, there: boolean): Promise<void> {
  if (there) {
    await expect(field).toHaveAttribute("aria-invalid", "true");
    expect(await errorOf(field)).not.toBe("");
  } else {
    await expect(field).not.toHaveAttribute("aria-invalid", "true");
    expect(await errorOf(field)).toBe("");
  }
}

/** Sends a form with all of `fields` empty, corrects one after the other, and checks which errors remain. */
async function correctOneByOne(page: Page, submit: Locator, fields: Locator[]): Promise<void> {
  await expect(submit).toBeEnabled();
  await submit.click();
  for (const field of fields) await expectError(field, true);
  const alert = page.getByRole("alert").filter({ hasText: "Something is missing" });
  await expect(alert).toBeVisible();
  for (const [corrected, field] of fields.entries()) {
    await field.pressSequentially("x");
    for (const [index, other] of fields.entries()) await expectError(other, index > corrected);
  }
  await expect(alert).toHaveCount(0);
}

test("an error beside a field goes when the field is corrected: sign in", async ({ login, page }) => {
  await login.open();
  await correctOneByOne(page, login.submit, [login.email, login.password]);
});

test("an error beside a field goes when the field is corrected: create an account", async ({ register, page }) => {
  await register.open();
  await correctOneByOne(page, register.submit, [register.email, register.password]);
});

test("an error beside a field goes when the field is corrected: change the password", async ({ security, browserApi, user, page }) => {
  await browserApi.signIn(user);
  await security.open();
  await correctOneByOne(page, security.changePassword, [security.currentPassword, security.newPassword]);
});

test("an error beside a field goes when the field is corrected: delete the account", async ({ security, browserApi, user, page }) => {
  await browserApi.signIn(user);
  await security.open();
  await correctOneByOne(page, security.deleteAccount, [security.deletionPassword]);
});

test("an error that the server found goes too, and the others stay", async ({ register, user, page, consoleGuard }) => {
  consoleGuard.expectStatus(422, "/api/auth/register");
  await register.open();
  await expect(register.submit).toBeEnabled();
  await register.email.fill("no address");
  await register.password.fill("short");
  await register.submit.click();
  await expectError(register.email, true);
  await expectError(register.password, true);
  await register.email.fill(user.email);
  await expectError(register.email, false);
  await expectError(register.password, true);
  await expect(page.getByRole("alert")).not.toHaveCount(0);
});

test("forms that change a password tell password managers whose it is", async ({ security, browserApi, user, page }) => {
  await browserApi.signIn(user);
  await security.open();
  for (const button of [security.changePassword, security.deleteAccount]) {
    const username = page.locator("form").filter({ has: button }).locator("input[autocomplete=username]");
    await expect(username).toHaveValue(user.email);
    await expect(username).toBeHidden();
  }
});
