import { PLANTED_TOKEN } from "../../fixtures/token";
import { leaks, PLACES, refreshCookie, scan, stored } from "../../fixtures/storage-scan";
import { expect, test } from "../../fixtures/test";

test("the scan finds a token in every place where one is planted", async ({ page }) => {
  // A page of the same origin without our policy, which would forbid half of this.
  await page.route("/planted", (route) => route.fulfill({ contentType: "text/html", body: "<title>planted</title><p></p>" }));
  await page.goto("/planted");
  expect(leaks(await scan(page), [])).toEqual([]);

  // A service worker is a file of our origin. Any of our scripts will do, because the scan only reads its name.
  const script = /\/pkg\/[\w.-]+\.js/.exec(await (await page.request.get("/")).text())?.[0];
  expect(script).toBeDefined();
  await page.evaluate(
    async ({ token, script }) => {
      localStorage.setItem("planted", token);
      sessionStorage.setItem("planted", token);
      await new Promise<void>((resolve, reject) => {
        const opening = indexedDB.open("planted", 1);
        opening.onupgradeneeded = () => opening.result.createObjectStore("planted").add({ deep: [token] }, "key");
        opening.onsuccess = () => (opening.result.close(), resolve());
        opening.onerror = () => reject(opening.error);
      });
      await (await caches.open("planted")).put("/planted-response", new Response(token));
      document.cookie = `planted=${token}`;
      history.replaceState({ token }, "", `#${token}`);
      window.name = token;
      document.querySelector("p")?.setAttribute("data-planted", token);
      await navigator.serviceWorker.register(`${script}?${token}`, { type: "module", scope: "/pkg/" });
    },
    { token: PLANTED_TOKEN, script: script ?? "" },
  );
  const found = leaks(await scan(page), []);
  expect(new Set(found.map(({ place }) => place))).toEqual(new Set(PLACES));
});

test("the scan finds a secret that does not look like a token", async ({ page }) => {
  await page.goto("/");
  await page.evaluate(() => sessionStorage.setItem("note", "the word is marmalade"));
  expect(leaks(await scan(page), ["marmalade"]).map(({ place }) => place)).toEqual(["sessionStorage"]);
});

test("a signed-in page leaves nothing where script can read it", async ({ login, account, user, traffic, context, page }) => {
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);

  const check = async (when: string, refreshes: number) => {
    const accessTokens = await traffic.accessTokens();
    expect(accessTokens, when).toHaveLength(refreshes + 1);
    const cookie = await refreshCookie(context);
    expect(cookie?.value, when).toMatch(/^eyJ/);
    const entries = await scan(page);
    expect(leaks(entries, [...accessTokens, cookie?.value ?? "", user.password]), when).toEqual([]);
    expect(stored(entries), when).toEqual([]);
  };
  await check("after sign-in", 0);
  await page.reload();
  await account.expectFor(user);
  await check("after a reload", 1);

  // The browser's whole jar: the token, and the cookie that makes this browser known to the account. Script can read
  // neither.
  const jar = async () => (await context.cookies()).map(({ name, httpOnly }) => ({ name, httpOnly })).sort((one, other) => one.name.localeCompare(other.name));
  const known = { name: "__Host-refresh-known", httpOnly: true };
  expect(await jar()).toEqual([{ name: "__Host-refresh", httpOnly: true }, known]);

  await account.signOut();
  expect(leaks(await scan(page), await traffic.accessTokens())).toEqual([]);
  // The marker of an unfinished sign-out is removed when the page has read the server's response, a moment after the
  // test.
  await expect.poll(async () => stored(await scan(page))).toEqual([]);
  // The browser stays known: failed passwords of strangers must not lock out the owner.
  expect(await jar()).toEqual([known]);
});

test("no request carries a token in its address, and only API requests carry one at all", async ({ login, account, user, traffic, context, page, server }) => {
  const sent: { url: string; authorization: string | undefined }[] = [];
  context.on("request", (request) => sent.push({ url: request.url(), authorization: request.headers()["authorization"] }));
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  await page.reload();
  await account.expectFor(user);

  const tokens = await traffic.accessTokens();
  expect(sent.filter(({ url }) => tokens.some((token) => url.includes(token)))).toEqual([]);
  const authorized = sent.filter(({ authorization }) => authorization !== undefined);
  expect(authorized.length).toBeGreaterThan(0);
  for (const { url } of authorized) expect(url.startsWith(`${server.origin}/api/`)).toBe(true);
});
