import { expect, test } from "../../fixtures/test";

test("a stranger is sent to sign in, and comes back", async ({ inspector, login, user }) => {
  await inspector.open();
  await login.expectHere();
  await login.signIn(user);
  await inspector.expectHere();
  await expect(inspector.turns.first()).toContainText("Number 1");
});

test("the access token is taken apart, claim by claim, and is not all there", async ({ browserApi, inspector, user, traffic, api }) => {
  await browserApi.signIn(user);
  await inspector.open();
  await expect(inspector.claim("exp")).toContainText("RFC 7519 §4.1.4");

  const [token = ""] = await traffic.accessTokens();
  const { sub, sid } = await (await api.session(token)).json();
  await expect(inspector.claim("sub")).toContainText(sub);
  await expect(inspector.claim("sid")).toContainText(sid);
  // A page may be photographed. Without its signature the token is useless.
  const [header = "-", claims = "-", signature = "-"] = token.split(".");
  const html = await inspector.page.content();
  for (const part of [header, claims]) expect(html).toContain(part);
  expect(html).not.toContain(signature);
  await expect(inspector.page.getByText("this page cannot read it")).toBeVisible();
});

test("a request with a spoiled token is refused, and goes out again with a new one", async ({
  browserApi,
  inspector,
  user,
  traffic,
  consoleGuard,
}) => {
  consoleGuard.expectStatus(401, "/api/auth/session");
  await browserApi.signIn(user);
  await inspector.open();
  await expect(inspector.turns).toHaveCount(1);
  const newest = await inspector.turns.first().innerText();

  await inspector.sendSpoiled.click();
  await expect(inspector.turns).toHaveCount(2);
  expect(await inspector.turns.last().innerText()).not.toBe(newest);
  await expect(inspector.turns.last()).toContainText("spent");
  // The newest first: the second attempt with the new token, the refresh, and the refusal.
  await expect(inspector.log.nth(1)).toContainText(/GET \/api\/auth\/session.*access token.*200/);
  await expect(inspector.log.nth(2)).toContainText(/GET \/api\/me.*200/);
  await expect(inspector.log.nth(3)).toContainText(/POST \/api\/auth\/refresh.*refresh cookie.*200/);
  await expect(inspector.log.nth(4)).toContainText(/GET \/api\/auth\/session.*401 invalid_token/);
  await expect(inspector.drawing).toContainText("401 invalid_token");
  await expect(inspector.drawing).toContainText("next refresh token");
  // The log contains what the browser really sent.
  expect(traffic.refreshes()).toHaveLength(2);
  await inspector.expectSession("signed-in");
});

test("a renewal turns the key once", async ({ browserApi, inspector, user, traffic }) => {
  await browserApi.signIn(user);
  await inspector.open();
  await expect(inspector.turns).toHaveCount(1);
  await inspector.renew.click();
  await expect(inspector.turns).toHaveCount(2);
  expect(traffic.refreshes()).toHaveLength(2);
  await inspector.send.click();
  await expect(inspector.log.nth(1)).toContainText(/GET \/api\/auth\/session.*200/);
  expect(traffic.refreshes()).toHaveLength(2);
});
