// Searches all server logs of the tests for secrets that must never be in a log.
//
//   node search-logs.mjs FOLDER
//
// The servers of the Rust tests (server/tests/api/support/kept_logs.rs) and of the browser tests (fixtures/server.ts)
// write there, all of them with much more detail than by default.

import { readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dirname, "..");

/** The passwords of the tests: their sources write them as phrases with one of these two words. */
function testPasswords() {
  const found = new Set();
  for (const folder of ["server/tests", "end2end/tests", "end2end/fixtures"]) {
    for (const path of readdirSync(join(ROOT, folder), { recursive: true })) {
      if (!/\.(rs|ts)$/.test(path)) continue;
      const text = readFileSync(join(ROOT, folder, path), "utf8");
      for (const [, phrase] of text.matchAll(/["'`]([a-z' ]*\b(?:lantern|kettle)\b[a-z' ]*)["'`]/g)) found.add(phrase);
    }
  }
  return [...found];
}

const PASSWORDS = testPasswords();
const PATTERNS = [
  ["a signed token", /eyJ[A-Za-z0-9_-]{8,}/],
  ["the value of a refresh cookie", /__Host-[\w.-]+=(?!;|"|\s|$)[^\s;"]+/],
  ["a bearer token", /\bBearer [A-Za-z0-9_-]{8,}/i],
  ["the password of a database", /\b(?:postgres(?:ql)?|mysql):\/\/[^\s/:@]*:[^\s@]+@/i],
  ["a password hash", /\$argon2(?:id|i|d)\$/],
  ["a master secret of the tests", /long enough and of many letters|with 48 bytes or so/],
  ["a password of the browser tests", /opal [0-9a-f]{8}-[0-9a-f-]{27} lantern/],
];

function search(line) {
  const hit = PATTERNS.find(([, pattern]) => pattern.test(line))?.[0];
  return hit ?? (PASSWORDS.some((password) => line.includes(password)) ? "a password of the tests" : undefined);
}

// A search without hits proves nothing unless it would find planted secrets.
const token = `${Buffer.from('{"typ":"at+jwt"}').toString("base64url")}.e30.c2ln`;
const planted = [
  `INFO request: token=${token}`,
  `TRACE cookie: __Host-refresh=${token}; other=1`,
  "DEBUG headers: cookie: __Host-refresh=abc",
  "DEBUG Authorization: Bearer abcdefgh12",
  'ERROR cannot connect to "postgres://keyturn:hunter2@db/keyturn"',
  "DEBUG row: $argon2id$v=19$m=19456",
  "TRACE secrets.master = one secret of all nodes, long enough and of many letters",
  'TRACE body: {"password":"opal 0b0e7a3e-5b0b-4b8e-9a51-0d9a2a1c7f10 lantern"}',
  ...PASSWORDS.map((password) => `TRACE body: {"password":"${password}"}`),
];
const harmless = [
  "INFO request refused: code=invalid_token cause=the Bearer token is missing",
  "DEBUG set-cookie: __Host-refresh=; Path=/; Max-Age=0",
  "INFO connected to postgres://keyturn@db/keyturn",
  "DEBUG request answered route=/api/auth/session user=0123456789ab",
];
const overlooked = planted.filter((line) => search(line) === undefined);
const mistaken = harmless.filter((line) => search(line) !== undefined);
if (PASSWORDS.length < 3 || overlooked.length > 0 || mistaken.length > 0) {
  console.error("the search of the logs does not know its job:", { passwords: PASSWORDS.length, overlooked, mistaken });
  process.exit(1);
}

const folder = process.argv[2];
const files = readdirSync(folder);
const kinds = { "rust-in-process": 0, "rust-child": 0, e2e: 0 };
let lines = 0;
let hits = 0;
let requests = 0;
for (const file of files) {
  const text = readFileSync(join(folder, file), "utf8");
  for (const kind of Object.keys(kinds)) if (file.startsWith(kind)) kinds[kind] += text.length;
  for (const line of text.split("\n")) {
    lines += 1;
    if (line.includes("request answered") || line.includes("request refused")) requests += 1;
    const what = search(line);
    if (what === undefined) continue;
    hits += 1;
    // The location and not the secret, because this output is a log as well.
    if (hits <= 20) console.error(`${file}: ${what} in the line that begins: ${line.slice(0, 80).replace(/eyJ.*/, "…")}`);
  }
}
console.log(`searched ${lines} lines of ${files.length} files about ${requests} requests: ${hits} hits`);
const empty = Object.entries(kinds).filter(([, size]) => size === 0).map(([kind]) => kind);
if (empty.length > 0 || requests < 100) {
  console.error(`nothing, or next to nothing, was searched (${empty.join(", ") || `${requests} requests`}), which proves nothing`);
  process.exit(1);
}
process.exit(hits > 0 ? 1 : 0);
