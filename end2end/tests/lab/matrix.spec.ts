import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext } from "@playwright/test";
import { CLAIMS, claims } from "../../fixtures/lab-claims";
import { fact, keep, placeOf, reportOf, runBench, type Report } from "../../fixtures/lab-run";
import { RealSession } from "../../fixtures/real-session";
import { expect, test } from "../../fixtures/test";
import { LabPage } from "../../pages/lab.page";

// One run, in one browser that is started twice; then one test for each claim of the matrix.
test.describe.configure({ mode: "default" });
test.use({ labIsOpen: true });

const { columns: STRATEGIES, rows: THREATS } = CLAIMS.storage;

let shown: Record<string, string>;
let report: Report;
let context: BrowserContext;
let origin: string;
let folder: string;
let seconds: number;
let session: RealSession;

test.beforeAll(async ({ server, playwright, launchOptions }) => {
  test.setTimeout(360_000);
  origin = server.origin;
  folder = await mkdtemp(join(tmpdir(), "keyturn-lab-"));
  const start = () => playwright.chromium.launchPersistentContext(folder, launchOptions);
  context = await start();
  // Open during the whole run.
  session = await RealSession.open(context, origin);

  const begin = Date.now();
  const { bench, lab, labOrigin } = await runBench(context, origin, "storage");
  seconds = (Date.now() - begin) / 1000;
  expect(await bench.verdicts()).toEqual({
    ...claims("storage"),
    ...Object.fromEntries(STRATEGIES.map((strategy) => [`${strategy}.restart`, "not-measured"])),
  });

  // A page cannot do this: the browser is closed, and restarted with the same profile.
  const { id } = await reportOf(lab.page, "storage");
  const doing = async (address: string, words: RegExp) => {
    const page = await context.newPage();
    await page.goto(`${labOrigin}/restart?run=${id}${address}`);
    await expect(page.locator("#doing")).toHaveText(words);
  };
  await doing("", /^Signed in\./);
  await context.close();
  context = await start();
  session = session.in(context);
  await doing("&after", /^Checked after/);

  const again = new LabPage(await context.newPage());
  await again.page.goto(`${origin}/lab?run=${id}`);
  await again.storage.expectFinished();
  shown = await again.storage.verdicts();
  report = await reportOf(again.page, "storage");
  await keep(report);
});

test.afterAll(async () => {
  await context?.close();
  await rm(folder, { recursive: true, force: true });
});

for (const [threat, verdicts] of Object.entries(THREATS)) {
  STRATEGIES.forEach((strategy, column) => {
    const [place, verdict] = [`${strategy}.${threat}`, verdicts[column]];
    test(`${threat}, ${strategy}: ${verdict}`, () => {
      const row = report.rows.find((row) => placeOf(row) === place);
      if (!row) throw new Error(`${place} is missing`);
      expect(row.verdict, row.because).toBe(verdict);
      expect(shown[place], "what the page says").toBe(verdict);
      expect(fact(row), JSON.stringify(row.evidence)).toBe(verdict === "exposed" || verdict === "survives");
    });
  });
}

test("a run ends while a visitor still waits for it", () => {
  // Less than a minute on an idle machine; here another browser and another run are active.
  expect(seconds).toBeLessThan(120);
});

test("nothing of a real session is touched, nor gets into the evidence", async () => {
  await session.expectUntouched(report);
});

test("a cell opens its evidence, by keyboard too, and a link leads back to it", async () => {
  const place = "local-storage.single-execution-theft";
  const lab = new LabPage(await context.newPage());
  await lab.page.goto(`${origin}/lab?run=${report.id}`);
  await lab.storage.expectFinished();
  const evidence = await lab.storage.openEvidence(place);
  await expect(evidence).toContainText("lab.access_token");
  await expect(evidence).toContainText("tried it out with");
  await expect(evidence).toContainText("Everything that a script finds without waiting");
  await lab.page.keyboard.press("Escape");
  await expect(evidence).toBeHidden();
  await expect(lab.storage.cell(place).getByRole("button")).toBeFocused();

  const link = `${origin}/lab?run=${report.id}&cell=${place}`;
  await lab.page.goto(link);
  await expect(lab.evidence).toContainText("lab.access_token");
});
