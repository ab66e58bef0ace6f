import type { Page } from "@playwright/test";
import { newPerson } from "../../fixtures/api";
import { test } from "../../fixtures/everyday";
import { expect } from "../../fixtures/test";
import { watchWords, wordsSeen } from "../../fixtures/words";

/** Records for each `pageshow` of a document whether it came from the back/forward cache. */
async function watchShows(page: Page): Promise<void> {
  await page.addInitScript(() => {
    const seen = window as unknown as { persisted: boolean[] };
    seen.persisted = [];
    window.addEventListener("pageshow", ({ persisted }) => seen.persisted.push(persisted));
  });
}

async function expectShown(page: Page, persisted: boolean[]): Promise<void> {
  await expect.poll(() => page.evaluate(() => (window as unknown as { persisted: boolean[] }).persisted)).toEqual(persisted);
}

/** Goes back to a page that was not cached. Returns the reasons in Chromium's words. */
async function goBackToALoad(page: Page): Promise<string[]> {
  const cdp = await page.context().newCDPSession(page);
  await cdp.send("Page.enable");
  const told = new Promise<string[]>((resolve) => {
    cdp.on("Page.backForwardCacheNotUsed", ({ notRestoredExplanations }) =>
      resolve(notRestoredExplanations.map(({ reason }) => reason)),
    );
  });
  await page.goBack();
  await expectShown(page, [false]);
  return told;
}

/**
 * `no-store` alone no longer keeps a page out of Chromium's back/forward cache. A `no-store` response to the page's
 * script does, and so does a changed httpOnly cookie.
 */
const REASONS = [
  "MainResourceHasCacheControlNoStore",
  "JsNetworkRequestReceivedCacheControlNoStoreResource",
  "CacheControlNoStoreHTTPOnlyCookieModified",
];

test("this browser keeps pages for the back button, even if they say no-store @chromium", async ({ page, server, context }) => {
  await watchShows(page);
  const headers = { "cache-control": "no-store" };
  await context.route("**/plain*", (route) => route.fulfill({ headers, contentType: "text/html", body: "<title>plain</title>" }));
  await page.goto(`${server.origin}/plain`);
  await page.goto(`${server.origin}/plain-too`);
  // A cached page does not load again.
  await page.goBack({ waitUntil: "commit" });
  await expectShown(page, [false, true]);
});

test("no page of an account is kept for the back button, and nothing private comes back with it @chromium", async ({
  login,
  account,
  home,
  user,
  page,
  server,
  context,
}) => {
  await watchShows(page);
  await watchWords(page, [user.email, user.displayName]);
  await page.goto(`${server.origin}/login`);
  await login.signIn(user);
  await account.expectFor(user);
  // A separate document, which got all its private content by API.
  await page.goto(`${server.origin}/account`);
  await account.expectFor(user);
  expect((await wordsSeen(page)).at(-1)).toEqual([user.email, user.displayName]);
  await page.goto(`${server.origin}/`);
  await home.expectSession("signed-in");
  await home.expectAtRest();
  const left = await context.request.post(`${server.origin}/api/auth/logout`, {
    headers: { origin: server.origin, "x-requested-with": "keyturn" },
  });
  expect(left.status()).toBe(204);

  expect(await goBackToALoad(page)).toEqual(expect.arrayContaining(REASONS));
  await account.expectSession("anonymous");
  expect((await wordsSeen(page)).flat()).toEqual([]);
});

test("going back to another person's page shows who is signed in now @chromium", async ({
  login,
  account,
  home,
  api,
  user,
  page,
  server,
  context,
}) => {
  const next = newPerson();
  await api.register(next);
  await watchShows(page);
  await watchWords(page, [user.email, next.email]);
  await page.goto(`${server.origin}/login`);
  await login.signIn(user);
  await account.expectFor(user);
  await page.goto(`${server.origin}/account`);
  await account.expectFor(user);
  await page.goto(`${server.origin}/`);
  await home.expectAtRest();
  const answer = await context.request.post(`${server.origin}/api/auth/login`, {
    headers: { origin: server.origin, "x-requested-with": "keyturn" },
    data: { email: next.email, password: next.password },
  });
  expect(answer.status()).toBe(200);
  expect(await goBackToALoad(page)).toEqual(expect.arrayContaining(REASONS));
  await account.expectFor(next);
  expect((await wordsSeen(page)).flat()).not.toContain(user.email);
});
