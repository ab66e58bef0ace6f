import { refreshCookie } from "../../fixtures/storage-scan";
import { TOKEN_SHAPE } from "../../fixtures/token";
import { expect, test } from "../../fixtures/test";

test("what the server renders never contains a token, nor whom it is for", async ({ browserApi, user, page, context }) => {
  const { access_token: token } = await browserApi.signIn(user);
  // The pattern knows a token when it sees one.
  expect(token).toMatch(TOKEN_SHAPE);

  for (const path of ["/", "/login", "/account", "/nowhere"]) {
    const cookie = await refreshCookie(context);
    const html = await (await page.request.get(path, { headers: { "sec-fetch-site": "none" } })).text();
    expect(html, path).toContain('data-session="signed-in"');
    expect(html, path).not.toMatch(TOKEN_SHAPE);
    expect(html, path).not.toContain(cookie?.value ?? "");
    // The peek at the cookie asks no database, so a name or an address would have to come from somewhere else.
    expect(html, path).not.toContain(user.email);
    expect(html, path).not.toContain(user.displayName);
    // And it only peeks: rendering a page must never use the refresh token up.
    expect((await refreshCookie(context))?.value, path).toBe(cookie?.value);
  }
});

test("pages are never kept by a cache", async ({ browserApi, user, page }) => {
  await browserApi.signIn(user);
  for (const path of ["/", "/login", "/account"]) {
    expect((await page.request.get(path)).headers()["cache-control"], path).toContain("no-store");
  }
});
