import { newPerson } from "../../fixtures/api";
import { refreshCookie } from "../../fixtures/storage-scan";
import { expect, test } from "../../fixtures/test";

test("signing out ends the session here and on the server", async ({ login, account, user, context, page }) => {
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  const stolen = await refreshCookie(context);

  await account.signOut();
  await expect(account.signOutButton).toBeHidden();
  expect(await refreshCookie(context)).toBeUndefined();

  // The server has revoked the session: a copy of the token is refused.
  const refused = await page.request.post("/api/auth/refresh", {
    headers: { origin: new URL(page.url()).origin, "x-requested-with": "keyturn", cookie: `__Host-refresh=${stolen?.value}` },
  });
  expect(refused.status()).toBe(401);
  expect(await refused.json()).toMatchObject({ code: "session_revoked", reason: "logout" });

  await page.reload();
  await account.expectSession("anonymous");
});

test("after signing out, nothing private comes back with the back button", async ({ login, account, home, user, page }) => {
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  await account.signOut();

  // Through the pages that this document showed, and through documents that the browser may have cached.
  await home.open();
  await home.expectSession("anonymous");
  for (let steps = 0; steps < 4; steps++) {
    await page.goBack();
    await expect(page.locator("html")).not.toHaveAttribute("data-session", "signed-in");
    await expect(account.signOutButton).toBeHidden();
    const markup = await page.locator("html").innerHTML();
    expect(markup).not.toContain(user.email);
    expect(markup).not.toContain(user.displayName);
  }
});

test("another person can sign in after the first one has signed out", async ({ login, account, user, api, traffic }) => {
  const next = newPerson();
  await api.register(next);
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  await account.signOut();
  await login.open();
  await login.signIn(next);
  await account.expectFor(next);
  await expect(account.page.getByText(user.email)).toHaveCount(0);
  expect(traffic.refreshes()).toHaveLength(0);
});
