import { setTimeout as pause } from "node:timers/promises";
import { expect, test } from "../../fixtures/lossy";
import { markers, watchMarkers } from "../../fixtures/markers";
import type { Fate } from "../../fixtures/proxy";
import { refreshCookie, scan, stored } from "../../fixtures/storage-scan";

const REFRESH = "/api/auth/refresh";
const LOGOUT = "/api/auth/logout";
const NOT_FINISHED = "Signing out is not finished yet";

const losses: { fate: Fate; cookieArrives: boolean }[] = [
  { fate: "lost before its headers", cookieArrives: false },
  { fate: "lost after its headers", cookieArrives: true },
  { fate: "lost within its body", cookieArrives: true },
];
for (const { fate, cookieArrives } of losses) {
  test(`a refresh whose answer is ${fate}, twice in a row, signs no one out`, async ({
    login,
    account,
    expectNoGrudge,
    user,
    lossy,
    clock,
    context,
    page,
    consoleGuard,
  }) => {
    consoleGuard.allow(/net::ERR_/);
    await watchMarkers(page);
    await login.open();
    await login.signIn(user);
    await account.expectFor(user);
    const before = await refreshCookie(context);

    const granted: (string | undefined)[] = [];
    const jar: (string | undefined)[] = [];
    lossy.intercept(REFRESH, async ({ cookie }) => {
      granted.push(cookie);
      jar.push((await refreshCookie(context))?.value);
      if (granted.length > 2) return "delivered";
      // Far beyond the grace period of a used token: it is accepted because its successor was never used.
      await clock.advance(60);
      return fate;
    });
    await page.reload();
    await account.expectFor(user);
    expect(granted).toEqual(Array(3).fill(expect.stringMatching(/^eyJ/)));
    expect(await markers(page)).toEqual(["signed-in", "reconnecting", "signed-in"]);

    // If the cookie was lost, the same request was repeated and got the same response. If it arrived, each attempt
    // continued from there.
    expect(jar).toEqual(cookieArrives ? [before?.value, granted[0], granted[1]] : Array(3).fill(before?.value));
    expect(new Set(granted).size).toBe(cookieArrives ? 3 : 1);
    expect((await refreshCookie(context))?.value).toBe(granted[2]);

    await expectNoGrudge(user);
  });
}

test("twenty reloads in two seconds over a slow line keep the session", async ({
  login,
  account,
  expectNoGrudge,
  user,
  lossy,
  page,
  traffic,
}) => {
  const reloads = 20;
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  // Every response takes longer than the time between two reloads, so most of them arrive for a page that is gone.
  lossy.intercept(REFRESH, async (): Promise<Fate> => {
    await pause(300);
    return "delivered";
  });
  // In the page itself, because a test is too slow for that. `window.name` survives a reload.
  await page.addInitScript((reloads) => {
    const [done = 0, begun = Date.now()] = window.name.split(" ").filter(Boolean).map(Number);
    if (done === reloads) return;
    window.name = `${done + 1} ${begun}`;
    const next = begun + (done + 1) * 100;
    setTimeout(() => location.reload(), Math.max(0, next - Date.now()));
  }, reloads);
  const loads = traffic.to("/account").length;
  await page.reload();
  await expect.poll(() => traffic.to("/account").length).toBe(loads + 1 + reloads);
  await account.expectFor(user);
  const statuses = await Promise.all(traffic.refreshes().map(async (request) => (await request.response())?.status()));
  // `undefined` marks responses that were cut off.
  expect(statuses.filter((status) => status !== undefined && status !== 200)).toEqual([]);

  await expectNoGrudge(user);
});

test("twenty reloads, each in the middle of a refresh, keep the session", async ({
  login,
  account,
  security,
  user,
  lossy,
  clock,
  context,
  page,
}) => {
  const reloads = 20;
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  const before = await refreshCookie(context);
  const granted: (string | undefined)[] = [];
  for (let reload = 1; reload <= reloads; reload++) {
    const answered = new Promise<void>((resolve) => {
      lossy.intercept(REFRESH, ({ cookie }) => {
        granted.push(cookie);
        resolve();
        // The next reload cuts it off.
        return new Promise(() => {});
      });
    });
    await page.reload({ waitUntil: "commit" });
    await answered;
    await clock.advance(60);
  }
  lossy.mend(REFRESH);
  expect((await refreshCookie(context))?.value).toBe(before?.value);
  await page.reload();
  await account.expectFor(user);
  // The server rotated once, and returned the same successor every time after that.
  const after = await refreshCookie(context);
  expect(granted).toEqual(Array(reloads).fill(after?.value));
  expect(after?.value).not.toBe(before?.value);
  await security.open();
  await security.expectNoAlarm();
});

test("a sign-out that was carried out and whose answer was lost stays marked until it is confirmed", async ({
  login,
  account,
  user,
  lossy,
  outside,
  server,
  context,
  page,
  consoleGuard,
}) => {
  consoleGuard.allow(/net::ERR_/);
  await login.open();
  await login.signIn(user);
  await account.expectFor(user);
  await account.expectAtRest();
  const cookie = await refreshCookie(context);
  const statuses: number[] = [];
  lossy.intercept(LOGOUT, ({ status }) => {
    statuses.push(status);
    return "lost before its headers";
  });

  await account.signOutButton.click();
  await account.expectSession("anonymous");
  await expect(page.getByText(NOT_FINISHED)).toBeVisible();
  // The session has ended on the server, and the browser cannot know.
  const refused = await outside.post(server.origin + REFRESH, {
    headers: { origin: server.origin, "x-requested-with": "keyturn", cookie: `__Host-refresh=${cookie?.value}` },
  });
  expect(await refused.json()).toMatchObject({ code: "session_revoked", reason: "logout" });
  expect((await refreshCookie(context))?.value).toBe(cookie?.value);
  await expect.poll(() => statuses.length).toBeGreaterThan(1);
  expect(stored(await scan(page))).toEqual([{ place: "localStorage", text: "keyturn.pending_logout = 1" }]);
  // Each repeated request is confirmed again.
  expect(new Set(statuses)).toEqual(new Set([204]));

  const told = page.waitForResponse((response) => response.url().endsWith(LOGOUT));
  lossy.mend(LOGOUT);
  expect((await told).status()).toBe(204);
  await expect(page.getByText("You are signed out")).toBeVisible();
  await expect.poll(async () => stored(await scan(page))).toEqual([]);
  expect(await refreshCookie(context)).toBeUndefined();
});
