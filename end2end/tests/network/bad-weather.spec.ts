import type { Page } from "@playwright/test";
import { markers, watchMarkers } from "../../fixtures/markers";
import { expect, test } from "../../fixtures/test";

const REFRESH = "**/api/auth/refresh";
const RECONNECTING = "Reconnecting.";

/** Triggers everything that could make an impatient page retry immediately. */
async function disturb(page: Page): Promise<void> {
  await page.evaluate(() => {
    window.dispatchEvent(new Event("online"));
    document.dispatchEvent(new Event("visibilitychange"));
  });
}

test("a page that is loaded while the server is away waits quietly, and comes back by itself", async ({
  browserApi,
  account,
  user,
  page,
  consoleGuard,
}) => {
  consoleGuard.allow(/ERR_FAILED/);
  await watchMarkers(page);
  await browserApi.signIn(user);
  await page.route("**/api/**", (route) => route.abort());
  await account.open();
  await account.expectSession("reconnecting");
  await expect(page.getByText(RECONNECTING)).toBeVisible();
  await account.expectHere();
  // The alert regions are present and empty.
  await expect(page.getByRole("alert").filter({ hasText: /\S/ })).toHaveCount(0);

  await page.unroute("**/api/**");
  await account.expectFor(user);
  await expect(page.getByText(RECONNECTING)).toBeHidden();
  expect(await markers(page)).toEqual(["signed-in", "reconnecting", "signed-in"]);
});

test("a request that was made while the network was away is sent when it is back", async ({
  browserApi,
  account,
  user,
  context,
  page,
  traffic,
  consoleGuard,
}) => {
  consoleGuard.allow(/ERR_INTERNET_DISCONNECTED/);
  // The page's clock is paused; only the test advances it.
  await page.clock.install();
  await page.clock.pauseAt(Date.now() + 1_000);
  await browserApi.signIn(user);
  await account.open();
  await account.expectFor(user);
  await context.setOffline(true);
  // The access token expires, and there is no other.
  await page.clock.fastForward("15:00");
  await account.expectSession("reconnecting");
  await expect(page.getByText(RECONNECTING)).toBeVisible();
  await expect(page.getByText(user.email).first()).toBeVisible();

  const changes = () => traffic.to("/api/me").filter((request) => request.method() === "PATCH");
  await account.displayName.fill("Robin of the waiting room");
  await page.getByRole("button", { name: "Save name" }).click();
  await account.expectSession("reconnecting");
  expect(changes()).toHaveLength(0);

  const changed = page.waitForResponse((response) => response.request().method() === "PATCH");
  await context.setOffline(false);
  await expect.poll(() => page.evaluate(() => navigator.onLine)).toBe(true);
  // The page notices within a second.
  await page.clock.runFor(1_000);
  expect((await changed).status()).toBe(200);
  await account.expectFor(user);
  expect(changes()).toHaveLength(1);
  await page.reload();
  await account.expectFor(user);
  await expect(account.displayName).toHaveValue("Robin of the waiting room");
});

const refusals: { status: number; retryAfter: number | undefined; body: string }[] = [
  { status: 429, retryAfter: 20, body: '{"code":"rate_limited"}' },
  { status: 503, retryAfter: 20, body: '{"code":"busy"}' },
  { status: 500, retryAfter: undefined, body: '{"code":"internal"}' },
  // The response of a proxy, which does not know our API.
  { status: 502, retryAfter: undefined, body: "<h1>Bad Gateway</h1>" },
  { status: 504, retryAfter: 120, body: "<h1>Gateway Timeout</h1>" },
];
for (const { status, retryAfter, body } of refusals) {
  const pause = retryAfter === undefined ? "the page's own pause" : `the ${retryAfter} seconds that it asks for`;
  test(`a refresh answered with ${status} is retried after ${pause}, and signs no one out`, async ({
    browserApi,
    account,
    security,
    user,
    page,
    traffic,
    consoleGuard,
  }) => {
    consoleGuard.expect(new RegExp(`status of ${status} .*/api/auth/refresh$`));
    await watchMarkers(page);
    await browserApi.signIn(user);
    await account.open();
    await account.expectFor(user);
    const before = traffic.refreshes().length;
    const asked = () => traffic.refreshes().length - before;

    const headers = { ...(retryAfter === undefined ? {} : { "retry-after": String(retryAfter) }) };
    await page.route(REFRESH, (route) => route.fulfill({ status, headers, contentType: "application/problem+json", body }));
    // The page's clock is paused; only the test advances it.
    await page.clock.install();
    await page.clock.pauseAt(Date.now() + 1_000);
    await page.reload();
    await account.expectSession("reconnecting");
    await expect(page.getByText(RECONNECTING)).toBeVisible();
    expect(asked()).toBe(1);

    // Jitter may shorten the page's own pause of a second by up to half, and never the server's.
    const earliest = retryAfter === undefined ? 500 : retryAfter * 1_000;
    const latest = retryAfter === undefined ? 1_000 : retryAfter * 1_100;
    if (retryAfter !== undefined) await disturb(page);
    await page.clock.runFor(earliest - 20);
    await account.expectSession("reconnecting");
    expect(asked()).toBe(1);
    await page.unroute(REFRESH);
    await page.clock.runFor(latest - earliest + 40);
    await account.expectFor(user);
    expect(asked()).toBe(2);
    expect(await markers(page)).toEqual(["signed-in", "reconnecting", "signed-in"]);
    await page.clock.resume();
    await security.open();
    await security.expectNoAlarm();
  });
}
