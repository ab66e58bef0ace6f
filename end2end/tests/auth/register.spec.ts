import { newPerson } from "../../fixtures/api";
import { expect, test } from "../../fixtures/test";

test("creating an account signs the person in", async ({ register, account }) => {
  const person = newPerson();
  await register.open();
  await register.expectSession("anonymous");
  await register.create(person);
  await account.expectFor(person);
  await expect(account.displayName).toHaveValue(person.displayName);
});

test("an e-mail address that is taken is refused at its field", async ({ register, user, consoleGuard }) => {
  consoleGuard.expectStatus(409, "/api/auth/register");
  await register.open();
  await register.create({ ...newPerson(), email: user.email.toUpperCase() });
  await expect(register.email).toHaveAttribute("aria-invalid", "true");
  await expect(register.email).toHaveAccessibleDescription(/.+/);
  await register.expectHere();
  await register.expectSession("anonymous");
});

test("a short password is refused at its field, and what was typed stays", async ({ register, consoleGuard }) => {
  consoleGuard.expectStatus(422, "/api/auth/register");
  const person = { ...newPerson(), password: "too short" };
  await register.open();
  await register.create(person);
  await expect(register.password).toHaveAttribute("aria-invalid", "true");
  await expect(register.password).toHaveAccessibleDescription(/15/);
  await expect(register.email).toHaveValue(person.email);
  await register.expectSession("anonymous");
});
