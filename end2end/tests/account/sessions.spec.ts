import { expect, test } from "../../fixtures/test";

test("another session is ended from the list, and its access token is refused at once", async ({
  api,
  browserApi,
  sessions,
  user,
}) => {
  const elsewhere = await api.signIn(user);
  await browserApi.signIn(user);
  await sessions.open();
  // The sign-in elsewhere replaced the session of the registration: they share a cookie jar.
  await sessions.expectEntries(2);
  expect((await api.session(elsewhere.access_token)).status()).toBe(200);

  await sessions.others.first().click();
  await expect(sessions.page.getByText("That session has ended.")).toBeVisible();
  await sessions.expectEntries(1);
  await expect(sessions.endOthers).toBeDisabled();
  expect((await api.session(elsewhere.access_token)).status()).toBe(401);
  expect(await (await api.post("/api/auth/refresh")).json()).toMatchObject({
    code: "session_revoked",
    reason: "revoked_by_user",
  });
});

test("all other sessions are ended with one button", async ({ api, browserApi, sessions, user }) => {
  const elsewhere = await api.signIn(user);
  await browserApi.signIn(user);
  await sessions.open();
  await sessions.expectEntries(2);
  await sessions.endOthers.click();
  await expect(sessions.page.getByText("All other sessions have ended.")).toBeVisible();
  await sessions.expectEntries(1);
  expect((await api.session(elsewhere.access_token)).status()).toBe(401);
  await sessions.page.reload();
  await sessions.expectSession("signed-in");
  await sessions.expectEntries(1);
});

test.describe("a browser", () => {
  test.use({ userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0" });

  test("is called by its name", async ({ sessions, user, login, account }) => {
    await login.open();
    await login.signIn(user);
    await account.expectFor(user);
    await sessions.open();
    await expect(sessions.entries.filter({ hasText: "this device" })).toContainText("Firefox on Linux");
  });
});

test("who is not signed in is asked to, and comes back", async ({ login, sessions, user }) => {
  await sessions.open();
  await login.expectHere();
  await login.signIn(user);
  await sessions.expectHere();
  // The session of this browser and the session of the registration.
  await sessions.expectEntries(2);
});
