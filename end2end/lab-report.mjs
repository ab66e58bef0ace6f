// The table of the lab in the README, from what the browser tests measured last (target/reports/lab.json).
//
//   node lab-report.mjs          writes it
//   node lab-report.mjs --check  fails if the README says something else

import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const README = resolve(ROOT, "README.md");
const REPORT = resolve(ROOT, "target/reports/lab.json");
const [BEGIN, END] = ["<!-- lab-report -->", "<!-- /lab-report -->"];

const STRATEGIES = {
  "local-storage": "localStorage",
  "session-storage": "sessionStorage",
  "readable-cookie": "readable cookie",
  "session-cookie": "httpOnly session cookie",
  memory: "memory",
  "memory-and-refresh-cookie": "**memory + httpOnly refresh cookie**",
};
const THREATS = {
  reload: "Reload",
  "new-tab": "Another tab",
  restart: "Browser restart",
  "single-execution-theft": "XSS: single-execution token theft",
  "persistent-theft": "XSS: persistent token theft",
  "acquiring-new-tokens": "XSS: acquiring new tokens",
  proxying: "XSS: proxying through the browser",
  "csrf-change": "CSRF: a change",
  "csrf-login": "CSRF: sign-in as the attacker",
  "csrf-logout": "CSRF: sign-out",
  "access-after-sign-out": "Stolen access token, after sign-out",
  "refresh-after-rotation": "Stolen refresh token, after its owner rotated it",
  "refresh-before-owner": "Stolen refresh token, used before its owner",
};

function table({ rows }) {
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const verdict = (strategy, threat) => {
    const row = rows.find((row) => row.strategy === strategy && row.threat === threat);
    if (!row || row.verdict === "not-measured") throw new Error(`${strategy}.${threat} was not measured`);
    return row.verdict === "exposed" ? "**exposed**" : row.verdict;
  };
  return [
    line(["", ...Object.values(STRATEGIES)]),
    line(["---", ...Object.keys(STRATEGIES).map(() => "---")]),
    ...Object.entries(THREATS).map(([threat, title]) =>
      line([title, ...Object.keys(STRATEGIES).map((strategy) => verdict(strategy, threat))]),
    ),
  ].join("\n");
}

const readme = readFileSync(README, "utf8");
const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} … ${END}`);
const written = `${readme.slice(0, begin)}${BEGIN}\n${table(JSON.parse(readFileSync(REPORT, "utf8")))}\n${readme.slice(end)}`;

if (!process.argv.includes("--check")) {
  writeFileSync(README, written);
  console.log("README.md has the table of the last run");
} else if (written !== readme) {
  console.error("README.md says something else than the lab measured; run ./dev lab-report and look at what has changed");
  process.exit(1);
} else {
  console.log("README.md says what the lab measured");
}
