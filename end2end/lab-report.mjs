// The lab's tables in the README, from the last measurements of the browser tests (target/reports/lab-*.json).
//
//   node lab-report.mjs          writes them
//   node lab-report.mjs --check  fails if the README says something else

import { readFileSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");
const README = resolve(ROOT, "README.md");

/** The names of each experiment's columns and rows, by their names in the report. */
const BENCHES = {
  storage: {
    columns: {
      "local-storage": "localStorage",
      "session-storage": "sessionStorage",
      "readable-cookie": "readable cookie",
      "session-cookie": "httpOnly session cookie",
      memory: "memory",
      "memory-and-refresh-cookie": "**memory + httpOnly refresh cookie**",
    },
    rows: {
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
      "refresh-before-owner": "Stolen refresh token, used before its owner, who comes back",
    },
    place: ({ strategy, threat }) => [strategy, threat],
  },
  forgery: {
    columns: {
      "no-guard": "no guard",
      "same-site-lax": "SameSite=Lax",
      "same-site-strict": "SameSite=Strict",
      origin: "Origin",
      "fetch-metadata": "Fetch Metadata",
      "custom-header": "custom header",
      "double-submit": "double submit",
      "host-double-submit": "double submit, `__Host-`",
      keyturn: "**Keyturn’s refresh**",
    },
    rows: Object.fromEntries(
      Object.entries({ "other-site": "Another site", sibling: "A sibling host" }).flatMap(([source, from]) =>
        Object.entries({
          form: "form",
          "text-form": "form, text/plain",
          "multipart-form": "form, multipart",
          fetch: "fetch, no-cors",
          beacon: "beacon",
          image: "image (GET)",
          link: "link (GET)",
        }).map(([vector, how]) => [`${source}-${vector}`, `${from}: ${how}`]),
      ),
    ),
    place: ({ guard, source, vector }) => [guard, `${source}-${vector}`],
  },
  scripts: {
    columns: {
      "no-policy": "no policy",
      "weak-policy": "a weak one",
      "our-policy": "**Keyturn’s**",
      "trusted-types": "Keyturn’s + Trusted Types",
    },
    rows: {
      "inline-handler": "Markup: event handler",
      "inline-script": "Markup: inline script",
      "foreign-script": "Markup: script of another host",
      gadget: "Markup: an echo (JSONP) of the own host",
      "script-link": "Markup: `javascript:` link",
      base: "Markup: `base`",
      "html-sink": "Text into `innerHTML`",
      "url-sink": "Text into `script.src`",
      eval: "Text into `eval`",
      form: "No script: a form",
      style: "No script: a style sheet",
      "fetch-home": "Trusted script: sends home by fetch",
      "image-home": "Trusted script: sends home by image",
      "leave-home": "Trusted script: leaves for home",
      act: "Trusted script: acts through the page",
    },
    place: ({ policy, injection }) => [policy, injection],
  },
  races: {
    columns: {
      "no-remedy": "nothing",
      "single-flight": "single flight",
      "web-lock": "Web Lock",
      "compare-and-set": "compare and set",
      grace: "… and a grace",
      "keyturn-server": "**Keyturn’s server**",
      "all-together": "**Keyturn, whole**",
    },
    rows: ({ crowd: { tabs, requests } }) => ({
      "one-tab": `One tab, ${requests} requests at once`,
      "many-tabs": `${tabs} tabs, ${requests} requests each`,
      "lost-answer": "The answer is lost",
    }),
    place: ({ remedy, load }) => [remedy, load],
  },
};

function table(name) {
  const { columns, place, ...bench } = BENCHES[name];
  const report = JSON.parse(readFileSync(resolve(ROOT, `target/reports/lab-${name}.json`), "utf8"));
  const rows = typeof bench.rows === "function" ? bench.rows(report) : bench.rows;
  const line = (cells) => `| ${cells.join(" | ")} |`;
  const verdict = (column, row) => {
    const cell = report.rows.find((cell) => place(cell).join() === `${column},${row}`);
    if (!cell || cell.verdict === "not-measured") throw new Error(`${column}.${row} was not measured`);
    return cell.verdict === "exposed" ? "**exposed**" : cell.verdict;
  };
  return [
    line(["", ...Object.values(columns)]),
    line(["---", ...Object.keys(columns).map(() => "---")]),
    ...Object.entries(rows).map(([row, title]) => line([title, ...Object.keys(columns).map((column) => verdict(column, row))])),
  ].join("\n");
}

const readme = readFileSync(README, "utf8");
let written = readme;
for (const name of Object.keys(BENCHES)) {
  const [opens, closes] = [`<!-- lab-report ${name} -->`, `<!-- /lab-report ${name} -->`];
  const [begin, end] = [written.indexOf(opens), written.indexOf(closes)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${opens} … ${closes}`);
  written = `${written.slice(0, begin)}${opens}\n${table(name)}\n${written.slice(end)}`;
}

if (!process.argv.includes("--check")) {
  writeFileSync(README, written);
  console.log("README.md has the tables of the last run");
} else if (written !== readme) {
  console.error("README.md says something else than the lab measured; run ./dev lab-report and look at what has changed");
  process.exit(1);
} else {
  console.log("README.md says what the lab measured");
}
