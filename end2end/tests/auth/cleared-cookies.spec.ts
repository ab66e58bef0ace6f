import { expect, test } from "../../fixtures/test";

test("signing out after the cookies were cleared ends the session on the server", async ({ login, account, api, user, context, traffic }) => {
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  const token = (await traffic.refreshes().at(-1)?.response())?.json() as Promise<{ access_token: string }> | undefined;
  const signedIn = traffic.to("/api/auth/login").at(-1);
  const { access_token: bearer } = (await token) ?? ((await (await signedIn?.response())?.json()) as { access_token: string });
  expect((await api.session(bearer)).status()).toBe(200);
  await context.clearCookies();
  await account.signOut();
  expect((await api.session(bearer)).status()).toBe(401);
});
