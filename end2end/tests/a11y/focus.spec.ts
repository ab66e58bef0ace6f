import type { Locator, Page } from "@playwright/test";
import { newPerson } from "../../fixtures/api";
import { expect, test } from "../../fixtures/test";

/** The focused element as a screen reader would announce it; empty if there is none. */
function focused(page: Page): Promise<string> {
  return page.evaluate(() => {
    const element = document.activeElement;
    if (!element || element === document.body || element === document.documentElement) return "";
    return `${element.tagName.toLowerCase()} ${(element.getAttribute("aria-label") ?? element.textContent ?? "").trim().slice(0, 60)}`;
  });
}

/** Presses a button with the keyboard, waits for the effect, and returns the focused element. */
async function press(button: Locator, effect: () => Promise<unknown>, key = "Enter"): Promise<string> {
  const page = button.page();
  await expect(button).toBeEnabled();
  await button.focus();
  await page.keyboard.press(key);
  await effect();
  await expect.poll(() => focused(page), { message: `the focus after ${button}` }).not.toBe("");
  // The focus stays: nothing that arrives late removes it.
  await page.waitForTimeout(250);
  const now = await focused(page);
  expect(now, `the focus after ${button}`).not.toBe("");
  return now;
}

test("the focus is never lost: sign in, the account, its sessions", async ({ api, login, account, sessions, user, page, consoleGuard }) => {
  await login.open();
  await expect(login.submit).toBeEnabled();
  consoleGuard.expectStatus(401, "/api/auth/login");
  await login.email.fill(user.email);
  await login.password.fill("not the password");
  await press(login.submit, () => expect(page.getByRole("alert").filter({ hasText: "do not match" })).toBeVisible());
  await login.password.fill(user.password);
  expect(await press(login.submit, () => account.expectFor(user))).toBe("h1 Your account");

  await press(page.getByRole("button", { name: "Save name" }), () => expect(page.getByText("Saved.")).toBeVisible());

  for (let device = 0; device < 3; device++) await api.signIn(user);
  await sessions.open();
  await expect(sessions.others.first()).toBeVisible();
  await press(sessions.others.first(), () => expect(page.getByText("That session has ended.")).toBeVisible());
  await api.signIn(user);
  await page.reload();
  await expect(sessions.others.first()).toBeVisible();
  expect(await press(sessions.endOthers, () => expect(sessions.endOthers).toBeDisabled())).toBe("h1 Your sessions");
});

test("the focus is never lost: security, and leaving", async ({ browserApi, api, security, account, login, home, user, page }) => {
  await browserApi.signIn(user);
  await security.open();
  await expect(security.timeline.first()).toContainText("Signed in");
  const password = newPerson().password;
  await security.currentPassword.fill(user.password);
  await security.newPassword.fill(password);
  await press(security.changePassword, () => expect(page.getByText("Your password is changed")).toBeVisible());
  const changed = { ...user, password };
  expect(await press(security.signOutEverywhere, () => login.expectHere())).toBe("h1 Sign in");

  await browserApi.signIn(changed);
  await account.open();
  await account.expectFor(changed);
  expect(await press(page.getByRole("button", { name: "End this session" }), () => login.expectHere())).toBe("h1 Sign in");

  await browserApi.signIn(changed);
  await account.open();
  await account.expectFor(changed);
  expect(await press(account.signOutButton, () => login.expectHere())).toBe("h1 Sign in");

  await browserApi.signIn(changed);
  await security.open();
  await expect(security.timeline.first()).toContainText("Signed in");
  await security.deletionPassword.fill(changed.password);
  await press(security.deleteAccount, () => home.expectHere());
  expect((await api.post("/api/auth/login", { email: changed.email, password: changed.password })).status()).toBe(401);
});

test("the focus is never lost: more of the timeline, and a load that is tried again", async ({ browserApi, security, sessions, user, page, consoleGuard }) => {
  consoleGuard.allow(/net::ERR_|Failed to load resource/);
  for (let times = 0; times < 30; times++) await browserApi.signIn(user);
  await security.open();
  const more = page.getByRole("button", { name: "Show earlier" });
  await expect(security.timeline.first()).toContainText("Signed in");
  const entries = await security.timeline.count();
  expect(await press(more, () => expect(security.timeline.nth(entries)).toBeVisible())).toMatch(/^li /);

  await page.route("**/api/account/events*", (route) => route.abort());
  if (await more.isVisible()) {
    await press(more, () => expect(page.getByRole("button", { name: "Try again" })).toBeVisible());
  }
  await page.unroute("**/api/account/events*");

  await page.route("**/api/sessions*", (route) => route.fulfill({ status: 503, contentType: "text/html", body: "" }));
  await sessions.open();
  const again = page.getByRole("button", { name: "Try again" });
  await press(again, () => expect(again).toBeVisible());
  await page.unroute("**/api/sessions*");
  await press(again, () => expect(sessions.entries.first()).toBeVisible());
});

test("the focus is never lost: what was seen, and a part that arrives late", async ({ thief, login, account, warning, inspector, user, page, consoleGuard }) => {
  consoleGuard.allow(/Failed to load resource|Failed to fetch|TypeError/);
  await thief.rob(user);
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  await press(warning.seen, () => expect(warning.noted).toBeVisible());
  await page.route("**/pkg/split_inspector_part.*", (route) => route.abort());
  await page.getByRole("link", { name: "Inspector" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "This page did not arrive" })).toBeVisible();
  await page.unroute("**/pkg/split_inspector_part.*");
  await press(page.getByRole("button", { name: "Try again" }), () => expect(inspector.turns.first()).toContainText("Number"));
  for (const button of [inspector.send, inspector.sendSpoiled, inspector.renew]) await press(button, () => page.waitForTimeout(300), "Space");
  const theme = page.getByRole("button", { name: /colou?r|theme|light|dark/i }).first();
  await press(theme, () => page.waitForTimeout(100));
});

test("the focus is never lost: what administrators do", async ({ browserApi, admin, users, user, page }) => {
  await browserApi.signIn(admin);
  await users.open();
  await users.find(user);
  await press(users.button("End sessions of", user), () => expect(page.getByRole("group", { name: /./ }).first()).toBeVisible());
  await press(page.getByRole("button", { name: "Cancel" }), () => expect(users.button("End sessions of", user)).toBeVisible());
  await press(users.button("Disable", user), () => expect(page.getByRole("button", { name: "Cancel" })).toBeVisible());
  await press(page.getByRole("button", { name: "Yes, disable" }), () => expect(users.button("Enable", user)).toBeVisible());
  await press(users.button("Enable", user), () => expect(users.button("Disable", user)).toBeVisible());
});
