import { refreshCookie } from "../../fixtures/storage-scan";
import { expect, test } from "../../fixtures/test";

const DAY = 24 * 60 * 60;

test("the refresh cookie has every protection that a cookie can have", async ({ login, account, user, context }) => {
  await login.open();
  await expect(login.keepSignedIn).toBeChecked();
  await login.signIn(user);
  await account.expectFor(user);

  const cookie = await refreshCookie(context);
  expect(cookie).toMatchObject({ domain: "localhost", path: "/", httpOnly: true, secure: true, sameSite: "Strict" });
  const lifetime = (cookie?.expires ?? 0) - Date.now() / 1000;
  expect(lifetime).toBeGreaterThan(7 * DAY - 60);
  expect(lifetime).toBeLessThan(7 * DAY + 60);

  // The header itself: `__Host-` forbids a Domain attribute, and the jar does not show whether there was one.
  const answer = await (await context.request.post("/api/auth/refresh", {
    headers: { origin: new URL(account.page.url()).origin, "x-requested-with": "keyturn" },
  })).headersArray();
  const header = answer.filter(({ name }) => name.toLowerCase() === "set-cookie").map(({ value }) => value);
  expect(header).toHaveLength(1);
  expect(header[0]).toMatch(/^__Host-refresh=eyJ/);
  expect(header[0]).not.toMatch(/domain/i);
});

test("on a shared computer the cookie ends with the browser", async ({ login, account, user, context, page }) => {
  await login.open();
  await login.keepSignedIn.uncheck();
  await login.signIn(user);
  await account.expectFor(user);
  expect(await refreshCookie(context)).toMatchObject({ expires: -1, httpOnly: true, secure: true, sameSite: "Strict" });

  // The attributes stay the same after a rotation.
  await page.reload();
  await account.expectFor(user);
  expect(await refreshCookie(context)).toMatchObject({ expires: -1 });
});
