import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { BrowserContext } from "@playwright/test";
import { CLAIMS, claims } from "../../fixtures/lab-claims";
import { forgeryWorked, keep, placeOf, raceCameTo, reportOf, runBench, scriptWorked, type Report, type Row } from "../../fixtures/lab-run";
import { RealSession } from "../../fixtures/real-session";
import { expect, test } from "../../fixtures/test";
import { LabPage } from "../../pages/lab.page";

// One run for each experiment, and then one test for each claim of its table.
test.use({ labIsOpen: true });

/** As in Chrome. Debian's Chromium blocks third-party cookies, and is safe in those rows for that reason alone. */
async function allowThirdPartyCookies(profile: string): Promise<void> {
  await mkdir(join(profile, "Default"));
  await writeFile(join(profile, "Default/Preferences"), JSON.stringify({ profile: { cookie_controls_mode: 0 } }));
}

const gotThrough = (worked: (row: Row) => boolean) => (row: Row) => (worked(row) ? "exposed" : "safe");

// The outcome according to the evidence, without the lab's own verdict.
for (const [name, factOf] of [
  ["forgery", gotThrough(forgeryWorked)],
  ["scripts", gotThrough(scriptWorked)],
  ["races", raceCameTo],
] as const) {
  test.describe(name, () => {
    test.describe.configure({ mode: "default" });
    let context: BrowserContext;
    let origin: string;
    let folder: string;
    let shown: Record<string, string>;
    let report: Report;
    let seconds: number;
    let session: RealSession;
    const { columns, rows } = CLAIMS[name];
    const rowAt = (place: string): Row => {
      const row = report.rows.find((row) => placeOf(row) === place);
      if (!row) throw new Error(`${place} is missing`);
      return row;
    };

    test.beforeAll(async ({ server, playwright, launchOptions }) => {
      test.setTimeout(360_000);
      origin = server.origin;
      folder = await mkdtemp(join(tmpdir(), "keyturn-lab-"));
      await allowThirdPartyCookies(folder);
      context = await playwright.chromium.launchPersistentContext(folder, launchOptions);
      // Open during all runs.
      session = await RealSession.open(context, origin);
      const begin = Date.now();
      const { bench, lab } = await runBench(context, origin, name);
      seconds = (Date.now() - begin) / 1000;
      shown = await bench.verdicts();
      report = await reportOf(lab.page, name);
      await keep(report);
    });

    test.afterAll(async () => {
      await context?.close();
      await rm(folder, { recursive: true, force: true });
    });

    test("every cell was measured", () => {
      expect(Object.keys(shown).sort()).toEqual(Object.keys(claims(name)).sort());
      expect(Object.entries(shown).filter(([, verdict]) => verdict === "not-measured")).toEqual([]);
    });

    for (const [row, verdicts] of Object.entries(rows)) {
      columns.forEach((column, at) => {
        const [place, verdict] = [`${column}.${row}`, verdicts[at]];
        test(`${row}, ${column}: ${verdict}`, () => {
          const measured = rowAt(place);
          expect(measured.verdict, measured.because).toBe(verdict);
          expect(shown[place], "what the page says").toBe(verdict);
          expect(factOf(measured), JSON.stringify(measured.evidence)).toBe(verdict);
        });
      });
    }

    test("nothing of a real session is touched, nor gets into the evidence", async () => {
      await session.expectUntouched(report);
    });

    test("a run ends while a visitor still waits for it", () => {
      test.info().annotations.push({ type: "measured", description: `${seconds} s` });
      // Less than a minute on an idle machine; here another browser is running.
      expect(seconds).toBeLessThan(120);
    });

    test("a link leads to a cell of the run, with its evidence", async () => {
      const [column, row] = [columns[0], Object.keys(rows)[0]];
      const lab = new LabPage(await context.newPage());
      await lab.page.goto(`${origin}/lab?${name}=${report.id}&cell=${column}.${row}`);
      await lab.bench(name).expectFinished();
      await expect(lab.evidence).toContainText("Exposed");
      await expect(lab.evidence).toContainText(name === "races" ? "What the refreshes came to" : "The attack’s code");
      await expect(lab.storage.progress).toHaveText("Not run yet.");
    });

    if (name === "forgery") {
      test("guards can be put together, and what comes through is said", async () => {
        const lab = new LabPage(await context.newPage());
        await lab.page.goto(`${origin}/lab?${name}=${report.id}`);
        await lab.bench(name).expectFinished();
        await lab.putGuardsTogether("Origin", "Fetch Metadata");
        await expect(lab.guardsOutcome).toHaveText(/^12 of 14 are stopped\. Through come: Link \(another site\), Link \(sibling\)\.$/);
        await lab.putGuardsTogether("SameSite=Strict");
        await expect(lab.guardsOutcome).toHaveText(/^13 of 14 are stopped\./);
      });

      test("the browser itself decides which cookies go along", () => {
      const cookies = (place: string) => {
        const forged = rowAt(place).evidence.findLast((one) => one.kind === "exchange");
        return forged?.headers?.find(([name]) => name === "cookie")?.[1] ?? "";
      };
      const form = cookies("no-guard.other-site-form");
      expect(form).toContain("lab_none=");
      for (const kept of ["lab_lax=", "lab_strict=", "__Host-lab-refresh="]) expect(form).not.toContain(kept);
      const link = cookies("no-guard.other-site-link");
      expect(link).toContain("lab_lax=");
      expect(link).not.toContain("lab_strict=");
      const sibling = cookies("no-guard.sibling-form");
      for (const sent of ["lab_none=", "lab_lax=", "lab_strict=", "__Host-lab-refresh="]) expect(sibling).toContain(sent);
      // The sibling's own cookie comes first. Of the cookie with the prefix, only the genuine one exists.
      const tossed = cookies("double-submit.sibling-form");
      expect(tossed).toMatch(/lab_csrf=made-up-by-mallory.*; lab_csrf=(?!made-up)/);
      expect(tossed.match(/__Host-lab_csrf=/g)).toHaveLength(1);
      });
    }
  });
}

test("where the browser keeps third-party cookies back, nothing that happens in the background gets through", async ({ context, server, consoleGuard }) => {
  test.setTimeout(360_000);
  // Failed attacks get 4xx, and no other origin may read the product's responses.
  consoleGuard.allow(/status of 4\d\d .*\.localhost:/);
  consoleGuard.allow(/ERR_BLOCKED_BY_RESPONSE\.NotSameOrigin .*\/api\/auth\/refresh\?/);
  // A separate context is private, and Chromium's private windows block third-party cookies regardless of the settings.
  const { bench } = await runBench(context, server.origin, "forgery");
  const verdicts = await bench.verdicts();
  const changed = Object.entries(claims("forgery")).filter(([place, verdict]) => verdicts[place] !== verdict);
  const background = ["fetch", "beacon", "image"].map((vector) => `no-guard.other-site-${vector}`);
  const images = ["origin", "custom-header", "double-submit", "host-double-submit"].map((guard) => `${guard}.other-site-image`);
  expect(changed.map(([place]) => place).sort()).toEqual([...background, ...images].sort());
  for (const [place] of changed) expect(verdicts[place], place).toBe("safe");
});
