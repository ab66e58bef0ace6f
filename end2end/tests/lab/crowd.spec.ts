import { claims } from "../../fixtures/lab-claims";
import { placeOf, raceCameTo, reportOf, runBench } from "../../fixtures/lab-run";
import { Database } from "../../fixtures/postgres";
import { Server } from "../../fixtures/server";
import { expect, test as base } from "../../fixtures/test";

/** A lab whose copy of the product stores its sessions in PostgreSQL. */
const test = base.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const database = await Database.create();
      try {
        const server = await Server.start({
          KEYTURN__LAB__ENABLED: "true",
          KEYTURN__LAB__DATABASE_URL: database.url,
        });
        await use(server);
        await server.stop();
      } finally {
        await database.drop();
      }
    },
    { scope: "worker" },
  ],
});

test("the races come to the same on PostgreSQL and with the largest crowd", async ({ context, server, consoleGuard }) => {
  test.setTimeout(360_000);
  // Access tokens have expired, refreshes are refused, and some responses are lost.
  consoleGuard.allow(/status of (4\d\d|502) .*\.localhost:/);
  const { bench, lab } = await runBench(context, server.origin, "races", { crowd: { tabs: 8, requests: 4 } });
  const report = await reportOf(lab.page, "races");
  expect(report).toMatchObject({ database: "PostgreSQL", crowd: { tabs: 8, requests: 4 } });
  await expect(lab.page.getByText("8 tabs with 4 requests each, PostgreSQL")).toBeVisible();
  expect(await bench.verdicts()).toEqual(claims("races"));
  for (const row of report.rows) expect(raceCameTo(row), `${placeOf(row)}: ${JSON.stringify(row.evidence)}`).toBe(claims("races")[placeOf(row)]);

  // Each tab has reported its outcome. Each of its requests, and the check afterwards, found its token expired.
  for (const { load, remedy, evidence } of report.rows.filter(({ load }) => load === "many-tabs")) {
    const tabs = evidence.filter(({ kind, when }) => kind === "seen" && when?.startsWith("in tab"));
    expect(tabs, `${remedy} ${load}`).toHaveLength(8);
    const ended = evidence.filter(
      ({ path, status, headers }) =>
        path?.endsWith("/me") && status === 401 && headers?.some(([, value]) => value === "Bearer one-that-has-ended"),
    );
    expect(ended, `${remedy} ${load}`).toHaveLength(8 * 4 + 1);
  }
});

test("how many tabs there are is chosen with the keyboard, within bounds", async ({ lab, page }) => {
  await lab.open();
  const tabs = lab.crowdTabs;
  await expect(tabs).toBeEnabled();
  await expect(tabs).toHaveValue("4");
  await tabs.press("End");
  await expect(tabs).toHaveValue("8");
  await lab.crowdRequests.press("Home");
  await expect(lab.crowdRequests).toHaveValue("2");
  // The server refuses values that no slider offers.
  const origin = new URL(page.url()).origin;
  const refused = await page.request.post("/api/lab/runs", {
    headers: { origin },
    data: { bench: "races", crowd: { tabs: 9, requests: 2 } },
  });
  expect(refused.status()).toBe(422);
  expect(await refused.json()).toMatchObject({ code: "validation_failed" });
});
