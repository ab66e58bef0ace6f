import { markers, watchMarkers } from "../../fixtures/markers";
import { expect, test } from "../../fixtures/test";

const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

for (const [name, offset] of [
  ["a day fast", DAY],
  ["a day slow", -DAY],
] as const) {
  test(`a wall clock that is ${name} changes nothing`, async ({ login, account, user, page, traffic }) => {
    await watchMarkers(page);
    await page.clock.install({ time: Date.now() + offset });
    await login.open();
    const ahead = await page.evaluate(() => Date.now()) - Date.now();
    expect(Math.abs(ahead - offset)).toBeLessThan(10 * MINUTE);

    await login.signIn(user);
    await account.expectFor(user);
    expect(traffic.refreshes()).toHaveLength(0);
    await page.reload();
    await account.expectFor(user);
    expect(traffic.refreshes()).toHaveLength(1);

    // Not too early, and in time.
    await page.clock.fastForward(13 * MINUTE);
    await account.expectFor(user);
    expect(traffic.refreshes()).toHaveLength(1);
    const renewed = page.waitForResponse((response) => response.url().endsWith("/api/auth/refresh"));
    await page.clock.fastForward(MINUTE);
    expect((await renewed).status()).toBe(200);
    await account.expectFor(user);
    expect(traffic.refreshes()).toHaveLength(2);
    expect(await markers(page)).toEqual(["signed-in"]);
  });

  test(`a wall clock that is set to ${name} while the page is open changes nothing`, async ({
    browserApi,
    account,
    user,
    page,
    traffic,
  }) => {
    await watchMarkers(page);
    await page.clock.install();
    await browserApi.signIn(user);
    await account.open();
    await account.expectFor(user);
    expect(traffic.refreshes()).toHaveLength(1);
    const before = await page.evaluate(() => [Date.now(), performance.now()] as const);

    await page.clock.setSystemTime(Date.now() + offset);
    const after = await page.evaluate(() => [Date.now(), performance.now()] as const);
    // The wall clock has jumped; the monotonic clock has not.
    expect(Math.abs(after[0] - before[0] - offset)).toBeLessThan(10 * MINUTE);
    expect(after[1] - before[1]).toBeLessThan(10 * MINUTE);
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await page.clock.runFor(2_000);
    await account.expectFor(user);
    expect(traffic.refreshes()).toHaveLength(1);

    const renewed = page.waitForResponse((response) => response.url().endsWith("/api/auth/refresh"));
    await page.clock.fastForward(14 * MINUTE);
    expect((await renewed).status()).toBe(200);
    await account.expectFor(user);
    expect(traffic.refreshes()).toHaveLength(2);
    expect(await markers(page)).toEqual(["signed-in"]);
  });
}
