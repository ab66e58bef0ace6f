import { test as everyday } from "../../fixtures/everyday";
import { markers, watchMarkers } from "../../fixtures/markers";
import { Server } from "../../fixtures/server";
import { expect } from "../../fixtures/test";

/**
 * Throttled timers are real ones, so the token's lifetime has to be short. A tab may be late by a tenth of it: a second
 * for the throttling, and two for a busy machine.
 */
const ACCESS_LIFETIME = 30_000;

const test = everyday.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const server = await Server.start({
        KEYTURN__TOKENS__ACCESS_TTL: `${ACCESS_LIFETIME / 1_000}s`,
      });
      await use(server);
      await server.stop();
    },
    { scope: "worker" },
  ],
});

test("a tab in the background, with its timers throttled, renews its token in time @chromium", async ({
  login,
  account,
  user,
  page,
  context,
  server,
  traffic,
}) => {
  await watchMarkers(page);
  await page.goto(`${server.origin}/login`);
  const signedIn = page.waitForResponse((response) => response.url().endsWith("/api/auth/login"));
  await login.signIn(user);
  await signedIn;
  const begin = Date.now();
  const asked: number[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/api/auth/refresh")) asked.push(Date.now() - begin);
  });
  await account.expectFor(user);

  // Another tab becomes visible.
  const other = await context.newPage();
  await other.goto("about:blank");
  expect(await page.evaluate(() => document.visibilityState)).toBe("hidden");
  // There, a timer of a tenth of a second takes a second after it has been set several times in a row.
  const pauses = await page.evaluate(
    () =>
      new Promise<number[]>((resolve) => {
        const times: number[] = [];
        const again = () => {
          times.push(performance.now());
          if (times.length < 4) setTimeout(again, 100);
          else resolve(times.slice(1).map((time, index) => time - (times[index] ?? 0)));
        };
        again();
      }),
  );
  expect(Math.max(...pauses)).toBeGreaterThan(800);

  await expect.poll(() => asked.length, { timeout: 2 * ACCESS_LIFETIME }).toBe(1);
  expect(asked[0]).toBeLessThan(ACCESS_LIFETIME);
  expect(await page.evaluate(() => document.visibilityState)).toBe("hidden");
  const statuses = await Promise.all(traffic.refreshes().map(async (request) => (await request.response())?.status()));
  expect(statuses).toEqual([200]);
  await page.bringToFront();
  await account.expectFor(user);
  expect(await markers(page)).toEqual(["anonymous", "signed-in"]);
});
