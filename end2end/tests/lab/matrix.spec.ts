import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext } from "@playwright/test";
import { Api, newPerson } from "../../fixtures/api";
import { CLAIMS, claims } from "../../fixtures/lab-claims";
import { fact, keep, placeOf, reportOf, runBench, type Report } from "../../fixtures/lab-run";
import { expect, test } from "../../fixtures/test";
import { AccountPage } from "../../pages/account.page";
import { LabPage } from "../../pages/lab.page";
import { SecurityPage } from "../../pages/security.page";
import { SessionsPage } from "../../pages/sessions.page";

// One run, in one browser that is started twice; then one test for each row of the matrix.
test.describe.configure({ mode: "default" });
test.use({ labIsOpen: true });

const { columns: STRATEGIES, rows: THREATS } = CLAIMS.storage;

let shown: Record<string, string>;
let report: Report;
let context: BrowserContext;
let origin: string;
let folder: string;
let seconds: number;
const user = newPerson();

test.beforeAll(async ({ server, playwright, launchOptions }) => {
  test.setTimeout(360_000);
  origin = server.origin;
  folder = await mkdtemp(join(tmpdir(), "keyturn-lab-"));
  const start = () => playwright.chromium.launchPersistentContext(folder, launchOptions);
  context = await start();
  // A real session is open all the while.
  const api = new Api(context.request, origin);
  await api.register(user);
  await api.signIn(user);

  const begin = Date.now();
  const { bench, lab, labOrigin } = await runBench(context, origin, "storage");
  seconds = (Date.now() - begin) / 1000;
  expect(await bench.verdicts()).toEqual({
    ...claims("storage"),
    ...Object.fromEntries(STRATEGIES.map((strategy) => [`${strategy}.restart`, "not-measured"])),
  });

  // What a page cannot do: the browser is closed, and started again with the same profile.
  const { id } = await reportOf(lab.page, "storage");
  const doing = async (address: string, words: RegExp) => {
    const page = await context.newPage();
    await page.goto(`${labOrigin}/restart?run=${id}${address}`);
    await expect(page.locator("#doing")).toHaveText(words);
  };
  await doing("", /^Signed in\./);
  await context.close();
  context = await start();
  await doing("&after", /^Looked after/);

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
  test(`${threat}: the table says what happened`, () => {
    STRATEGIES.forEach((strategy, column) => {
      const row = report.rows.find((row) => placeOf(row) === `${strategy}.${threat}`);
      if (!row) throw new Error(`${strategy} is missing`);
      const verdict = verdicts[column];
      expect(row.verdict, `${strategy}: ${row.because}`).toBe(verdict);
      expect(shown[`${strategy}.${threat}`], strategy).toBe(verdict);
      expect(fact(row), `${strategy}: ${JSON.stringify(row.evidence)}`).toBe(verdict === "exposed" || verdict === "survives");
    });
  });
}

test("a run ends while a visitor still waits for it", () => {
  // Under a minute where nothing else runs; here another browser, and another run, do.
  expect(seconds).toBeLessThan(120);
});

test("nothing of a real session is touched, nor gets into the evidence", async () => {
  const account = new AccountPage(await context.newPage());
  await account.open();
  await account.expectFor(user);
  const sessions = new SessionsPage(account.page);
  await sessions.open();
  await sessions.expectEntries(1);
  const security = new SecurityPage(account.page);
  await security.open();
  await security.expectNoAlarm();

  const [cookie] = (await context.cookies(origin)).filter(({ name }) => name === "__Host-refresh");
  expect(cookie?.value).toBeTruthy();
  const everything = JSON.stringify(report);
  expect(everything).not.toContain("__Host-refresh=");
  expect(everything).not.toContain(user.email);
  // And the other way round: no cookie of the lab's is sent to the site.
  expect((await context.cookies(origin)).map(({ name }) => name)).toEqual(["__Host-refresh"]);
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
