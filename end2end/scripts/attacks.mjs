// Finds the tests that server/ATTACKS.md names. Usage: attacks.mjs [ID…]. The first line is a filter for nextest, each of
// the others a browser test.

import fs from "node:fs";
import path from "node:path";

const rows = fs.readFileSync("server/ATTACKS.md", "utf8").split("\n")
  .map((line) => /^\| ([A-Z]-\d\d) \|.*\| ([^|]*) \|$/.exec(line)).filter(Boolean)
  .map(([, id, tests]) => ({ id, tests }));
const wanted = process.argv.slice(2);
const unknown = wanted.filter((id) => !rows.some((row) => row.id === id));
if (unknown.length) {
  console.error(`server/ATTACKS.md has no ${unknown.join(", ")}`);
  process.exit(1);
}

// Names by file; a row without tests names files only in its reason.
const files = new Map();
for (const { id, tests } of rows) {
  if ((wanted.length && !wanted.includes(id)) || /^– |^no test: |^not applicable: /.test(tests)) continue;
  for (const item of tests.split(/;(?![^“]*”)/)) {
    const spans = [...item.matchAll(/`([^`]+)`|“([^”]+)”/g)].map(([, code, title]) => code ?? title);
    const isFile = (span) => /\.(rs|spec\.ts)$/.test(span);
    for (const file of spans.filter(isFile)) {
      if (!files.has(file)) files.set(file, new Set());
      for (const name of spans) if (!isFile(name)) files.get(file).add(name);
    }
  }
}

// A crate's tests are in its library, each under the module of its file, or in programs of their own.
const filters = [];
const browser = [];
for (const [file, names] of files) {
  if (file.startsWith("e2e/")) {
    for (const name of names) browser.push(`${file.replace("e2e/", "tests/")}: ${name}`);
    continue;
  }
  const full = file.replace(/^(api|proof)\//, "server/tests/$1/");
  let crate = path.dirname(full);
  while (!fs.existsSync(`${crate}/Cargo.toml`)) crate = path.dirname(crate);
  const name = /^name = "(.+)"/m.exec(fs.readFileSync(`${crate}/Cargo.toml`, "utf8"))[1];
  const [kind, ...modules] = path.relative(crate, full).replace(/\.rs$/, "").split("/");
  const program = kind === "tests" ? `binary(${modules.shift()})` : "kind(lib)";
  const within = modules.filter((module) => module !== "lib").map((module) => `${module}::`).join("");
  const functions = [...names].filter((name) => /^[a-z0-9_]+$/.test(name)).join("|");
  filters.push(`(package(${name}) & ${program} & test(/^${within}(tests::)?(${functions})(::|$)/))`);
}
console.log([filters.join(" | "), ...browser].join("\n"));
