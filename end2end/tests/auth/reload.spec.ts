import { median } from "../../fixtures/median";
import { refreshCookie } from "../../fixtures/storage-scan";
import { expect, test } from "../../fixtures/test";

test("a reload keeps the session, by one rotation", async ({ login, account, user, traffic, context, api }) => {
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  const before = await refreshCookie(context);
  expect(traffic.refreshes()).toHaveLength(0);

  await account.page.reload();
  await account.expectFor(user);

  expect(traffic.refreshes()).toHaveLength(1);
  expect((await traffic.refreshes()[0]?.response())?.status()).toBe(200);
  const after = await refreshCookie(context);
  expect(after?.value).toBeTruthy();
  expect(after?.value).not.toBe(before?.value);

  // The same session, with the next generation.
  const tokens = await traffic.accessTokens();
  expect(tokens).toHaveLength(2);
  expect(tokens[0]).not.toBe(tokens[1]);
  const [first, second] = await Promise.all(tokens.map(async (token) => (await api.session(token)).json()));
  expect(second).toMatchObject({ sid: first.sid, sub: first.sub, generation: first.generation + 1 });
});

test("the session survives closing the tab", async ({ browserApi, account, user, context }) => {
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await account.page.close();
  const tab = await context.newPage();
  await tab.goto("/account");
  await expect(tab.getByText(user.email).first()).toBeVisible();
});

test("the first paint after a reload is signed in, and nothing moves", async ({ browserApi, account, user }) => {
  await browserApi.signIn(user);
  // Records every value of the marker, and every layout shift, from the first byte on.
  await account.page.addInitScript(() => {
    const seen = window as unknown as { markers: string[]; shifts: number[] };
    seen.markers = [];
    seen.shifts = [];
    const look = () => {
      const marker = document.documentElement?.getAttribute("data-session");
      if (marker && seen.markers.at(-1) !== marker) seen.markers.push(marker);
    };
    new MutationObserver(look).observe(document, { attributes: true, childList: true, subtree: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) seen.shifts.push((entry as unknown as { value: number }).value);
    }).observe({ type: "layout-shift", buffered: true });
  });
  await account.open();
  await account.expectFor(user);

  const response = await account.page.reload();
  expect(await response?.text()).toMatch(/<html[^>]* data-session="signed-in"/);
  await account.expectFor(user);
  const { markers, shifts } = await account.page.evaluate(() => {
    const { markers, shifts } = window as unknown as { markers: string[]; shifts: number[] };
    return { markers, shifts };
  });
  expect(markers).toEqual(["signed-in"]);
  // Too little for the eye to notice, measured as Cumulative Layout Shift; “good” begins below 0.1.
  expect(shifts.reduce((sum, shift) => sum + shift, 0)).toBeLessThan(0.02);
});

test("a reload knows the person again within a second, and says how long it took", async ({ browserApi, account, user }) => {
  await browserApi.signIn(user);
  await account.open();
  const shown: number[] = [];
  const late: number[] = [];
  for (let reload = 0; reload < 5; reload++) {
    await account.page.reload();
    const words = account.page.getByText(/^knew you \d+ ms after it began to load$/);
    await expect(words).toBeVisible();
    const took = Number(/\d+/.exec(await words.innerText())?.[0]);
    // The page reports when the response about the current user arrived, by the browser's own timing of that request.
    const answered = await account.page.evaluate(() => {
      const entries = performance.getEntriesByType("resource") as PerformanceResourceTiming[];
      return entries.find(({ name }) => new URL(name).pathname === "/api/me")?.responseEnd ?? NaN;
    });
    expect(took).toBeGreaterThanOrEqual(Math.floor(answered));
    late.push(took - answered);
    shown.push(took);
  }
  // Medians, because a page on a busy machine processes its responses later.
  expect(median(late)).toBeLessThan(200);
  test.info().annotations.push({ type: "measured", description: `signed in ${median(shown)} ms after a reload began` });
  expect(median(shown)).toBeLessThan(1_000);
});

test("a stranger's first paint is that of a stranger", async ({ home, traffic }) => {
  const response = await home.page.goto("/");
  expect(await response?.text()).toMatch(/<html[^>]* data-session="anonymous"/);
  await home.expectSession("anonymous");
  // It costs no refresh either: without a cookie there is nothing to refresh.
  expect(traffic.refreshes()).toHaveLength(0);
});

test("a link on another site leads into the session, although the cookie stays behind at first", async ({ browserApi, account, user, page, server }) => {
  await browserApi.signIn(user);
  // 127.0.0.1 is another site than localhost; the test provides a page there.
  await page.route("http://127.0.0.1:9/", (route) =>
    route.fulfill({ contentType: "text/html", body: `<a href="${server.origin}/account">to the account</a>` }),
  );
  await page.goto("http://127.0.0.1:9/");
  const [response] = await Promise.all([
    page.waitForResponse(`${server.origin}/account`),
    page.getByRole("link", { name: "to the account" }).click(),
  ]);
  expect(await response.text()).toMatch(/<html[^>]* data-session="unknown"/);
  await account.expectFor(user);
});
