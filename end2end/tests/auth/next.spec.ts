import { expect, test } from "../../fixtures/test";

test("the account page asks a stranger to sign in, and the person lands there afterwards", async ({ account, login, user }) => {
  await account.open();
  await login.expectHere();
  await login.signIn(user);
  await account.expectFor(user);
});

test("sign-in leads to the own page that `next` names", async ({ login, home, user }) => {
  await login.openWithNext("/?from=sign-in#end");
  await login.signIn(user);
  await expect(login.page).toHaveURL(`${new URL(login.page.url()).origin}/?from=sign-in#end`);
  await home.expectSession("signed-in");
});

const elsewhere = [
  "https://evil.example/",
  "//evil.example/",
  "/\\evil.example/",
  "/\t/evil.example/",
  "\\\\evil.example",
  "javascript:document.title='taken'",
  "data:text/html,taken",
  "/%2fevil.example",
  "/api/auth/session",
];
for (const next of elsewhere) {
  test(`sign-in never leaves for ${JSON.stringify(next)}`, async ({ login, account, user, context, server }) => {
    const visited: string[] = [];
    context.on("request", (request) => {
      if (request.isNavigationRequest()) visited.push(request.url());
    });
    await login.openWithNext(next);
    await login.signIn(user);
    await account.expectFor(user);
    expect(visited.filter((url) => !url.startsWith(`${server.origin}/login`))).toEqual([]);
    await expect(login.page).not.toHaveTitle("taken");
  });
}

test("a person who is signed in already does not stay at the sign-in page", async ({ login, account, browserApi, user }) => {
  await browserApi.signIn(user);
  await login.openWithNext("/account");
  await account.expectFor(user);
});
