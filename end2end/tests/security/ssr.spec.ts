import { refreshCookie } from "../../fixtures/storage-scan";
import { TOKEN_SHAPE } from "../../fixtures/token";
import { expect, test } from "../../fixtures/test";

test("server-rendered HTML never contains a token or its user", async ({ browserApi, user, page, context }) => {
  const { access_token: token } = await browserApi.signIn(user);
  // The pattern recognises a token.
  expect(token).toMatch(TOKEN_SHAPE);

  for (const path of ["/", "/login", "/account", "/nowhere"]) {
    const cookie = await refreshCookie(context);
    const html = await (await page.request.get(path, { headers: { "sec-fetch-site": "none" } })).text();
    expect(html, path).toContain('data-session="signed-in"');
    expect(html, path).not.toMatch(TOKEN_SHAPE);
    expect(html, path).not.toContain(cookie?.value ?? "");
    // The peek at the cookie asks no database, so a name or an email could only come from elsewhere.
    expect(html, path).not.toContain(user.email);
    expect(html, path).not.toContain(user.displayName);
    // It only peeks: rendering a page must never rotate the refresh token.
    expect((await refreshCookie(context))?.value, path).toBe(cookie?.value);
  }
});

test("pages are never kept by a cache", async ({ browserApi, user, page }) => {
  await browserApi.signIn(user);
  for (const path of ["/", "/login", "/account"]) {
    expect((await page.request.get(path)).headers()["cache-control"], path).toContain("no-store");
  }
});
