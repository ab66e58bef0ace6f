// Counts what the test reports say: one line per runner, and the sum alone on the last line.
// Usage: FAILED="stages that failed" totals.mjs REPORTS_FOLDER

import fs from "node:fs";

const read = (path) => { try { return fs.readFileSync(`${process.argv[2]}/${path}`, "utf8"); } catch { return ""; } };
const failedStages = new Set(process.env.FAILED.split(" ").filter(Boolean));
const totals = [];

let rustPassed = 0, rustFailed = 0;
for (const report of ["server.xml", "browser.xml"]) {
  const suites = /<testsuites [^>]*>/.exec(read(report))?.[0] ?? "";
  const attribute = (name) => Number(new RegExp(` ${name}="(\\d+)"`).exec(suites)?.[1] ?? 0);
  const broken = attribute("failures") + attribute("errors");
  rustPassed += attribute("tests") - broken;
  rustFailed += broken;
}
totals.push(["rust", rustPassed, rustFailed]);

let docPassed = 0, docFailed = 0;
for (const [, passed, failed] of read("doc-tests.log").matchAll(/^test result: .*? (\d+) passed; (\d+) failed/gm)) {
  docPassed += Number(passed);
  docFailed += Number(failed);
}
totals.push(["doc", docPassed, docFailed]);

const fuzzed = read("fuzz.log").match(/ (ok|failed)$/gm) ?? [];
const fuzzPassed = fuzzed.filter((result) => result === " ok").length;
totals.push(["fuzz", fuzzPassed, fuzzed.length - fuzzPassed]);

const { expected = 0, unexpected = 0, flaky = 0, skipped = 0 } = JSON.parse(read("e2e.json") || "{}").stats ?? {};
totals.push(["e2e", expected, unexpected + flaky + skipped]);

for (const stage of ["check", "logs", "lab-report"]) if (failedStages.has(stage)) totals.push([stage, 0, 1]);
let allPassed = 0, allFailed = 0;
for (const [stage, passed, counted] of totals) {
  const failed = failedStages.has(stage) ? Math.max(counted, 1) : counted;
  console.log(`${stage}: ${passed} passed, ${failed} failed`);
  allPassed += passed;
  allFailed += failed;
}
console.log(`${allPassed} passed, ${allFailed} failed`);
