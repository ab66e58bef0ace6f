import { claims } from "../../fixtures/lab-claims";
import { placeOf, raceCameTo, reportOf, runBench } from "../../fixtures/lab-run";
import { Database } from "../../fixtures/postgres";
import { Server } from "../../fixtures/server";
import { expect, test as base } from "../../fixtures/test";

/** A lab whose copy of the product keeps its sessions in PostgreSQL. */
const test = base.extend<object, { server: Server }>({
  server: [
    async ({}, use) => {
      const database = await Database.create();
      const server = await Server.start({
        KEYTURN__LAB__ENABLED: "true",
        KEYTURN__LAB__DATABASE_URL: database.url,
      });
      await use(server);
      await server.stop();
      await database.drop();
    },
    { scope: "worker" },
  ],
});

test("the races come to the same on PostgreSQL and with a crowd of one's own", async ({ context, server, consoleGuard }) => {
  test.setTimeout(360_000);
  // Access tokens have ended, refreshes are refused, and some answers are lost.
  consoleGuard.allow(/status of (4\d\d|502) .*\.localhost:/);
  const { bench, lab } = await runBench(context, server.origin, "races", { crowd: { tabs: 6, requests: 2 } });
  const report = await reportOf(lab.page, "races");
  expect(report).toMatchObject({ database: "PostgreSQL", crowd: { tabs: 6, requests: 2 } });
  await expect(lab.page.getByText("6 tabs with 2 requests each, PostgreSQL")).toBeVisible();
  expect(await bench.verdicts()).toEqual(claims("races"));
  for (const row of report.rows) expect(raceCameTo(row), `${placeOf(row)}: ${JSON.stringify(row.evidence)}`).toBe(claims("races")[placeOf(row)]);

  // Each of the tabs has said what became of it, and all twelve requests found their token ended.
  for (const { load, remedy, evidence } of report.rows.filter(({ load }) => load === "many-tabs")) {
    const tabs = evidence.filter(({ kind, when }) => kind === "seen" && when?.startsWith("in tab"));
    expect(tabs, `${remedy} ${load}`).toHaveLength(6);
    const ended = evidence.filter(({ path, status }) => path?.endsWith("/me") && status === 401);
    expect(ended.length, `${remedy} ${load}`).toBeGreaterThanOrEqual(12);
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
  // What no slider offers, the server refuses.
  const origin = new URL(page.url()).origin;
  const refused = await page.request.post("/api/lab/runs", {
    headers: { origin },
    data: { bench: "races", crowd: { tabs: 9, requests: 2 } },
  });
  expect(refused.status()).toBe(422);
  expect(await refused.json()).toMatchObject({ code: "validation_failed" });
});
