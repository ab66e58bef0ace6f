// Checks which third-party crates each of our crates imports. Usage: check-arrows.mjs METADATA, with the output of
// `cargo metadata --no-deps`. Which of our crates imports which is checked by cargo-deny (`wrappers` in deny.toml).

import fs from "node:fs";

// A name with `?` may be an optional dependency only. `*` is any crate that does not talk to a browser. A crate without a
// line fails.
const table = `
api-types       serde
lab-types       serde
password-policy unicode-normalization
rotation        serde thiserror time uuid zeroize
session-client  base64 futures serde serde_json zeroize
store           async-trait metrics sea-orm sea-query-sqlx sqlx thiserror tokio tracing uuid
migrations      sea-orm-migration
ui              leptos leptos_meta leptos_router http? leptos_axum? zxcvbn?
lab-ui          leptos leptos_meta leptos_router pulldown-cmark?
app             leptos leptos_meta leptos_router
frontend        leptos console_error_panic_hook gloo-net gloo-timers js-sys wasm-bindgen wasm-bindgen-futures web-sys
web             *
lab             *
server          *
`;
// The two roots: no other crate may import them.
const roots = new Set(["frontend", "server"]);

const allowed = new Map(
  table
    .trim()
    .split("\n")
    .map((line) => {
      const [crate, ...names] = line.trim().split(/\s+/);
      return [crate, new Set(names)];
    }),
);
const talksToBrowser = /^(web-sys|js-sys|wasm-bindgen.*|gloo-.*)$/;

function violations(packages) {
  return packages.flatMap(({ name, dependencies }) => {
    const names = allowed.get(name);
    if (!names) return [`${name} has no line in the table of check-arrows.mjs`];
    return dependencies
      .filter(({ kind }) => kind !== "dev")
      .filter((dependency) => {
        if (roots.has(dependency.name)) return true;
        if (allowed.has(dependency.name) || names.has(dependency.name)) return false;
        if (dependency.optional && names.has(`${dependency.name}?`)) return false;
        return !(names.has("*") && !talksToBrowser.test(dependency.name));
      })
      .map((dependency) => `${name} must not import ${dependency.name}`);
  });
}

// A check that cannot fail proves nothing, so it first has to find what was planted.
const planted = [
  { name: "app", dependencies: [{ name: "server" }, { name: "ui" }] },
  { name: "api-types", dependencies: [{ name: "sqlx" }, { name: "serde" }] },
  { name: "ui", dependencies: [{ name: "http", optional: false }, { name: "zxcvbn", optional: true }] },
  { name: "web", dependencies: [{ name: "web-sys" }, { name: "frontend" }, { name: "serde" }] },
  { name: "newcomer", dependencies: [] },
];
if (violations(planted).length !== 6) {
  console.error("the check of the arrows does not find the planted violations:", violations(planted));
  process.exit(1);
}

const found = violations(JSON.parse(fs.readFileSync(process.argv[2], "utf8")).packages);
for (const line of found) console.error(line);
process.exit(found.length ? 1 : 0);
