import type { Page } from "@playwright/test";
import { refreshCookie } from "../../fixtures/storage-scan";
import { expect, test } from "../../fixtures/test";
import { THIEFS_BROWSER } from "../../fixtures/thief";
import { AccountPage } from "../../pages/account.page";
import { Warning } from "../../pages/warning";

// Far from UTC and from the usual time zones of machines, so that no other time passes for local time.
const TIME_ZONE = "Pacific/Auckland";
test.use({ timezoneId: TIME_ZONE });

/** Waits until the page has requested the current alarm. */
async function asked(page: Page, action: () => Promise<unknown>): Promise<void> {
  const answered = page.waitForResponse(
    (response) => response.url().endsWith("/api/account/alarm") && response.request().method() === "GET" && response.ok(),
  );
  await action();
  await answered;
}

function inTimeZone(moment: string): string {
  const format = (options: Intl.DateTimeFormatOptions) =>
    new Date(moment).toLocaleString("en-GB", { timeZone: TIME_ZONE, ...options });
  const date = format({ day: "numeric", month: "long", year: "numeric" });
  return `${date}, ${format({ hour: "2-digit", minute: "2-digit", hourCycle: "h23" })}`;
}

test("after a theft the next sign-in says what happened, when, from where and what to do, until it was seen", async ({
  account,
  browser,
  browserApi,
  consoleGuard,
  context,
  login,
  page,
  security,
  server,
  sessions,
  thief,
  user,
  warning,
}) => {
  consoleGuard.expectStatus(401, "/api/auth/refresh");
  // Which of the page's requests is refused first depends on timing.
  consoleGuard.allow(/status of 401 .*\/api\/(sessions(\?limit=\d+)?|account\/alarm)$/);
  const elsewhere = await browser.newContext({ baseURL: server.origin });
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  const stolen = await refreshCookie(context);
  // The reload rotates the refresh token, and a later request shows that the new one has arrived.
  await asked(page, () => page.reload());
  await account.expectFor(user);
  await expect(warning.region).toHaveCount(0);
  await thief.present(stolen?.value);

  // At its next request the victim's page is signed out, and shows the reason.
  await page.getByRole("link", { name: "Sessions", exact: true }).click();
  await login.expectHere();
  await login.expectSession("anonymous");
  await expect(page.getByText("A used token was presented again")).toBeVisible();

  await login.signIn(user);
  await sessions.expectHere();
  await expect(warning.region).toContainText("A used key of your session was presented again");
  await expect(warning.region).toContainText(THIEFS_BROWSER);
  await expect(warning.region).toContainText(/127\.0\.0\.1|::1/);
  const moment = (await warning.when.getAttribute("datetime")) ?? "";
  await expect(warning.when).toHaveText(inTimeZone(moment));

  await warning.remedy("Change your password").click();
  await security.expectHere();
  const listed = security.timeline.filter({ hasText: "A used token was presented again" });
  await expect(listed.locator("time")).toHaveAttribute("datetime", moment);
  await expect(warning.remedy("Look at your sessions")).toHaveAttribute("href", "/account/sessions");
  await expect(warning.remedy("Sign out everywhere")).toHaveAttribute("href", "/account/security#everywhere");

  await account.open();
  await expect(warning.region).toBeVisible();
  await page.reload();
  await expect(warning.region).toBeVisible();
  await account.expectFor(user);

  const otherPage = await elsewhere.newPage();
  expect((await elsewhere.request.post(`${server.origin}/api/auth/login`, {
    headers: { origin: server.origin },
    data: { email: user.email, password: user.password },
  })).status()).toBe(200);
  await otherPage.goto("/account");
  const otherWarning = new Warning(otherPage);
  await expect(otherWarning.region).toBeVisible();

  await warning.seen.click();
  await expect(warning.region).toHaveCount(0);
  await expect(warning.noted).toBeVisible();
  // The button takes the focus with it, unless the page handles that.
  await expect(page.locator(":focus")).toContainText("Noted.");
  await asked(page, () => page.reload());
  await account.expectFor(user);
  await expect(warning.region).toHaveCount(0);
  await asked(otherPage, () => otherPage.reload());
  await new AccountPage(otherPage).expectFor(user);
  await expect(otherWarning.region).toHaveCount(0);
  await elsewhere.close();

  await security.open();
  await expect(security.timeline.first()).toContainText("The warning was marked as seen");
});

test("who was not robbed is not warned, however often they sign in and out", async ({ account, browserApi, login, page, user, warning }) => {
  await browserApi.signIn(user);
  await asked(page, () => account.open());
  await account.expectFor(user);
  await expect(warning.region).toHaveCount(0);
  await account.signOut();
  await login.open();
  await asked(page, () => login.signIn(user));
  await account.expectFor(user);
  await expect(warning.region).toHaveCount(0);
});

test("a warning that cannot be dismissed stays, and says so", async ({ account, browserApi, consoleGuard, page, thief, user, warning }) => {
  consoleGuard.expect(/ERR_FAILED.*\/api\/account\/alarm$/);
  await thief.rob(user);
  await browserApi.signIn(user);
  await account.open();
  await expect(warning.region).toBeVisible();
  await page.route("**/api/account/alarm", (route) => route.abort());
  await warning.seen.click();
  await expect(warning.region.getByRole("alert")).toContainText("The server did not answer");
  await page.unroute("**/api/account/alarm");
  await warning.seen.click();
  await expect(warning.noted).toBeVisible();
});
