import { lacking, type Feature } from "../../fixtures/lacking";
import { expect, test } from "../../fixtures/test";
import { AccountPage } from "../../pages/account.page";
import { LoginPage } from "../../pages/login.page";

const ways: { missing: Feature[]; hears: "at once" | "when it is looked at" }[] = [
  { missing: ["BroadcastChannel"], hears: "at once" },
  { missing: ["BroadcastChannel", "storage events"], hears: "when it is looked at" },
  { missing: ["locks"], hears: "at once" },
];
for (const { missing, hears } of ways) {
  test(`without ${missing.join(" and ")}, two tabs share a session and a sign-out reaches the other ${hears}`, async ({
    account,
    login,
    user,
    context,
    traffic,
    consoleGuard,
  }) => {
    // The other tab asks the server to confirm, and learns that there is no cookie.
    consoleGuard.allow(/status of 401 .*\/api\/auth\/(refresh|session)$/);
    await lacking(context, ...missing);
    const other = new AccountPage(await context.newPage());
    await login.open();
    await login.signIn(user);
    await account.expectFor(user);
    await other.open();
    await other.expectFor(user);
    await Promise.all([account.page.reload(), other.page.reload()]);
    await account.expectFor(user);
    await other.expectFor(user);
    const statuses = await Promise.all(traffic.refreshes().map(async (request) => (await request.response())?.status()));
    expect(statuses).toEqual([200, 200, 200]);

    await account.signOut();
    if (hears === "when it is looked at") {
      await other.expectFor(user);
      await other.page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    }
    await expect(other.page.locator("html")).toHaveAttribute("data-session", "anonymous", { timeout: 1_000 });
    await expect(other.page.locator("body")).not.toContainText(user.email);

    await new LoginPage(other.page).open();
    await new LoginPage(other.page).signIn(user);
    await other.expectFor(user);
  });
}
