import type { Locator, Page, Request } from "@playwright/test";
import { expect, test } from "../../fixtures/test";
import { newPerson } from "../../fixtures/api";

const WAITING = "While you type, this page estimates";
const COMMON = "passwordpassword";
const REFUSED_AS_COMMON = "This password is one that attackers try first.";
const GOOD = "opal lantern under fresh snow";

/** Requests for the password estimator, and all requests to the API. */
class Requests {
  readonly estimator: Request[] = [];
  readonly api: Request[] = [];

  constructor(page: Page) {
    page.on("request", (request) => {
      const { pathname } = new URL(request.url());
      if (/strength_part.*\.wasm$/.test(pathname)) this.estimator.push(request);
      if (pathname.startsWith("/api/")) this.api.push(request);
    });
  }
}

const advice = (page: Page): Locator => page.getByRole("status").filter({ hasText: /guess|estimate|Not accepted/ });

test("a new account’s password is judged while it is typed, by a part that comes when it is needed", async ({ page, register }) => {
  const requests = new Requests(page);
  await register.open();
  await expect(register.submit).toBeEnabled();
  await register.email.fill("newcomer@example.com");
  await expect(advice(page)).toContainText(WAITING);
  expect(requests.estimator).toHaveLength(0);

  await register.password.focus();
  await expect.poll(() => requests.estimator.length).toBe(1);
  const before = requests.api.length;
  await register.password.pressSequentially(COMMON);
  await expect(advice(page)).toContainText(REFUSED_AS_COMMON);
  await register.password.fill(GOOD);
  await expect(advice(page)).toContainText("Very hard to guess");
  await expect(advice(page)).not.toContainText("Not accepted");
  await register.password.fill("");
  await expect(advice(page)).toContainText(WAITING);

  expect(requests.estimator).toHaveLength(1);
  expect(requests.api).toHaveLength(before);
});

test("what is known of a person counts against their password", async ({ browserApi, page, security, user }) => {
  const requests = new Requests(page);
  await browserApi.signIn(user);
  await security.open();
  await expect(security.changePassword).toBeEnabled();
  await security.currentPassword.fill(user.password);
  expect(requests.estimator).toHaveLength(0);
  // Long enough to be accepted.
  await security.newPassword.fill(`${user.displayName} 1`);
  await expect(advice(page)).toContainText("Your name, your address or the name of this site is in it.");
  await security.newPassword.fill(GOOD);
  await expect(advice(page)).toContainText("Very hard to guess");
  expect(requests.estimator).toHaveLength(1);
});

test("advice does not block a password that the server accepts", async ({ account, page, register }) => {
  const person = { ...newPerson(), password: "baseballbaseba1" };
  await register.open();
  await expect(register.submit).toBeEnabled();
  await register.password.fill(person.password);
  await expect(advice(page)).toContainText("Easy to guess");
  await register.create(person);
  await account.expectFor(person);
});

test("a password that the server refuses is never praised, and refused with the same words", async ({ page, register, consoleGuard }) => {
  consoleGuard.expectStatus(422, "/api/auth/register");
  const person = newPerson();
  const name = person.email.split("@")[0] ?? "";
  await register.open();
  await expect(register.submit).toBeEnabled();
  await register.displayName.fill(person.displayName);
  await register.email.fill(person.email);
  const refused: [string, string][] = [
    ["fourteen chars", "Use at least 15 characters"],
    [`violet ${name.toUpperCase()} marmalade`, "This password contains the name of your email address."],
    ["kettle moss orbit ".repeat(20), "Use at most 256 characters."],
    ["correct horse battery staple", REFUSED_AS_COMMON],
    ["thequickbrownfoxjumpsoverthelazydog", REFUSED_AS_COMMON],
    ["iloveyoujessica123", REFUSED_AS_COMMON],
    ["1qazxsw23edcvfr4567", REFUSED_AS_COMMON],
    ["ﬂowerﬂowerﬂowerﬂower", REFUSED_AS_COMMON],
  ];
  for (const [password, sentence] of refused) {
    await register.password.fill(password);
    await expect(advice(page)).toContainText("Not accepted");
    await expect(advice(page)).toContainText(sentence);
    await expect(page.getByText(/hard to guess/i)).toHaveCount(0);
    await register.submit.click();
    await expect(register.password).toHaveAccessibleDescription(new RegExp(sentence.replace(/[.]/g, "\\.")));
  }
});

test("a password is judged again when the address that it contains is typed after it", async ({ page, register }) => {
  await register.open();
  await expect(register.submit).toBeEnabled();
  await register.password.fill("violet quillfeather marmalade");
  await expect(advice(page)).toContainText("Very hard to guess");
  await register.email.fill("quillfeather@example.com");
  await expect(advice(page)).toContainText("This password contains the name of your email address.");
  await expect(page.getByText(/hard to guess/i)).toHaveCount(0);
});

test("a new password that is the old one is not praised", async ({ browserApi, page, security, user }) => {
  await browserApi.signIn(user);
  await security.open();
  await expect(security.changePassword).toBeEnabled();
  await security.currentPassword.fill(user.password);
  await security.newPassword.fill(user.password);
  await expect(advice(page)).toContainText("This is the password that you have already.");
  await expect(page.getByText(/hard to guess/i)).toHaveCount(0);
});

test("signing in fetches no judge", async ({ login, page, user, account }) => {
  const requests = new Requests(page);
  await login.open();
  await expect(login.submit).toBeEnabled();
  await login.signIn(user);
  await account.expectFor(user);
  expect(requests.estimator).toHaveLength(0);
});

test("an estimator that cannot be fetched is missed and not needed", async ({ account, consoleGuard, page, register }) => {
  consoleGuard.expect(/ERR_FAILED.*strength_part/);
  // The generated loader of the parts also complains.
  consoleGuard.allow(/^uncaught: Failed to fetch$|TypeError: Failed to fetch\s[^]*__wasm_split/);
  const person = newPerson();
  await page.route(/strength_part/, (route) => route.abort());
  await register.open();
  await expect(register.submit).toBeEnabled();
  await register.password.pressSequentially(person.password);
  await expect(advice(page)).toContainText("could not be fetched");
  await register.create(person);
  await account.expectFor(person);
});
