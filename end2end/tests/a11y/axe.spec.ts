import AxeBuilder from "@axe-core/playwright";
import type { Page } from "@playwright/test";
import { expect, test } from "../../fixtures/test";

/** Every rule that axe enables by default, and none disabled. */
async function expectNothingFound(page: Page): Promise<void> {
  const { violations, passes } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, help, nodes }) => ({ id, help, where: nodes.map(({ html }) => html) }))).toEqual([]);
  // An empty or broken page has no violations either.
  expect(passes.length).toBeGreaterThan(10);
}

/** The display modes that a system may request. */
const LOOKS = {
  light: { colorScheme: "light" },
  dark: { colorScheme: "dark" },
  "forced colours": { contextOptions: { forcedColors: "active" } },
  "reduced motion": { contextOptions: { reducedMotion: "reduce" } },
} as const;

for (const [look, options] of Object.entries(LOOKS)) {
  test.describe(look, () => {
    test.use(options);

    test("axe finds nothing on the home page", async ({ home, page }) => {
      await home.open();
      await home.expectSession("anonymous");
      await expectNothingFound(page);
    });

    test("axe finds nothing on the page for a new account, empty or refused", async ({ register, page, consoleGuard }) => {
      consoleGuard.expectStatus(422, "/api/auth/register");
      await register.open();
      await expect(register.submit).toBeEnabled();
      await expectNothingFound(page);
      await register.create({ email: "unknown@example.com", password: "short", displayName: "" });
      await expect(register.password).toHaveAttribute("aria-invalid", "true");
      await expectNothingFound(page);
    });

    test("axe finds nothing on advice about a password, whatever it says", async ({ register, page }) => {
      await register.open();
      await expect(register.submit).toBeEnabled();
      for (const [password, words] of [
        ["passwordpassword", "Not accepted"],
        ["opal lantern under fresh snow", "Very hard to guess"],
      ] as const) {
        await register.password.fill(password);
        await expect(page.getByRole("status").filter({ hasText: words })).toBeVisible();
        await expectNothingFound(page);
      }
    });

    test("axe finds nothing on the sign-in page, empty or refused", async ({ login, page, consoleGuard }) => {
      consoleGuard.expectStatus(401, "/api/auth/login");
      await login.open();
      await expect(login.submit).toBeEnabled();
      await expectNothingFound(page);
      await login.signIn({ email: "unknown@example.com", password: "certainly not this one" });
      await expect(login.alert).toBeVisible();
      await expectNothingFound(page);
    });

    test("axe finds nothing on the account page", async ({ browserApi, account, user, page }) => {
      await browserApi.signIn(user);
      await account.open();
      await account.expectFor(user);
      await expectNothingFound(page);
    });

    test("axe finds nothing on the list of sessions", async ({ api, browserApi, sessions, user, page }) => {
      await api.signIn(user);
      await browserApi.signIn(user);
      await sessions.open();
      await sessions.expectEntries(2);
      await expectNothingFound(page);
    });

    test("axe finds nothing on the security page, refused or not", async ({ browserApi, security, user, page, consoleGuard }) => {
      consoleGuard.expectStatus(401, "/api/account/password");
      await browserApi.signIn(user);
      await security.open();
      await expect(security.timeline.first()).toContainText("Signed in");
      await expectNothingFound(page);
      await security.change("certainly not this one", "a lantern under fresh snow");
      await expect(security.currentPassword).toHaveAttribute("aria-invalid", "true");
      await expectNothingFound(page);
    });

    test("axe finds nothing on the inspector", async ({ browserApi, inspector, user, page }) => {
      await browserApi.signIn(user);
      await inspector.open();
      await expect(inspector.turns).toHaveCount(1);
      await inspector.renew.click();
      await expect(inspector.turns).toHaveCount(2);
      await expectNothingFound(page);
    });

    test("axe finds nothing on a page that warns of a theft", async ({ browserApi, account, user, thief, warning, page }) => {
      await thief.rob(user);
      await browserApi.signIn(user);
      await account.open();
      await expect(warning.region).toBeVisible();
      await expectNothingFound(page);
      await warning.seen.click();
      await expect(warning.noted).toBeVisible();
      await expectNothingFound(page);
    });

    test("axe finds nothing on the list of users, asking or not", async ({ admin, browserApi, user, users, page }) => {
      await browserApi.signIn(admin);
      await users.open();
      await expect(users.entries.first()).toBeVisible();
      await expectNothingFound(page);
      await users.find(user);
      await users.button("Disable", user).click();
      await expect(page.getByRole("group")).toBeFocused();
      await expectNothingFound(page);
      await page.getByRole("button", { name: "Yes, disable" }).click();
      await expect(users.entry(user)).toContainText("disabled since");
      await expectNothingFound(page);
    });

    test("axe finds nothing on the page that says there is none", async ({ page, consoleGuard }) => {
      consoleGuard.expectStatus(404, "/nowhere");
      const response = await page.goto("/nowhere");
      expect(response?.status()).toBe(404);
      await expect(page.getByRole("heading", { level: 1 })).toBeVisible();
      await expectNothingFound(page);
    });
  });
}

test("the pages of the account fit a screen that is 320 pixels wide", async ({
  browserApi,
  account,
  sessions,
  security,
  inspector,
  user,
  page,
  thief,
  warning,
}) => {
  await thief.rob(user);
  await page.setViewportSize({ width: 320, height: 640 });
  await browserApi.signIn(user);
  for (const one of [account, sessions, security, inspector]) {
    await one.open();
    await one.expectSession("signed-in");
    await expect(one.heading).toBeVisible();
    await expect(warning.region).toBeVisible();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  }
});

test("the list of users fits a screen that is 320 pixels wide, asking or not", async ({ admin, browserApi, user, users, page }) => {
  await page.setViewportSize({ width: 320, height: 640 });
  await browserApi.signIn(admin);
  await users.open();
  await users.find(user);
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);
  expect(await width()).toBeLessThanOrEqual(320);
  await users.button("End sessions of", user).click();
  await expect(page.getByRole("group")).toBeFocused();
  expect(await width()).toBeLessThanOrEqual(320);
});

for (const path of ["/", "/register", "/login"]) {
  test(`${path} fits a screen that is 320 pixels wide`, async ({ page }) => {
    await page.setViewportSize({ width: 320, height: 640 });
    await page.goto(path);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
  });
}
