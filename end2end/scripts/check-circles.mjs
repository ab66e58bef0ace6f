// Finds files of a crate that import each other in a circle. Usage: check-circles.mjs METADATA, with the output of
// `cargo metadata --no-deps`: every crate of the workspace is checked.
//
// A file imports another if it names something that the other defines: by a path that begins with `crate`, `super`, `self`
// or one of its modules. A name that a file only passes on (`pub use`) counts as an import from where it is defined.
// Tests inside a file do not count, and neither does a module that merely declares another.

import fs from "node:fs";
import path from "node:path";

/** All modules of a crate: their path in the language, such as `tokens::keys`, to their source. */
function read(folder) {
  const modules = new Map();
  const visit = (directory, prefix) => {
    for (const entry of fs.readdirSync(directory, { withFileTypes: true })) {
      const file = path.join(directory, entry.name);
      if (entry.isDirectory()) {
        visit(file, [...prefix, entry.name]);
      } else if (entry.name.endsWith(".rs")) {
        const name = entry.name.slice(0, -3);
        const isFolder = ["mod", "lib", "main"].includes(name);
        modules.set((isFolder ? prefix : [...prefix, name]).join("::"), { file, source: fs.readFileSync(file, "utf8") });
      }
    }
  };
  visit(path.join(folder, "src"), []);
  return modules;
}

/** The code without comments, texts and tests. */
function code(source) {
  const tests = source.search(/#\[cfg\(test\)\]\s*mod \w+ \{/);
  return (tests < 0 ? source : source.slice(0, tests))
    .replace(/\/\/[^\n]*/g, "")
    .replace(/pub\(in [^)]*\)/g, "pub")
    .replace(/r(#*)"[\s\S]*?"\1/g, '""')
    .replace(/"(?:[^"\\]|\\[\s\S])*"/g, '""');
}

/** `a::{b, c::{d, self}}` as `a::b`, `a::c::d` and `a::c`. */
function flatten(tree) {
  const brace = tree.indexOf("{");
  if (brace < 0) return [tree.replace(/\s+as\s+\w+$/, "").trim()];
  const head = tree.slice(0, brace).trim();
  const parts = [];
  let depth = 0;
  let part = "";
  for (const char of tree.slice(brace + 1, tree.lastIndexOf("}"))) {
    if (char === "{") depth += 1;
    if (char === "}") depth -= 1;
    if (char === "," && depth === 0) {
      parts.push(part);
      part = "";
    } else {
      part += char;
    }
  }
  parts.push(part);
  return parts
    .filter((one) => one.trim())
    .flatMap((one) => flatten(one.trim()))
    .map((one) => (one === "self" ? head.replace(/::$/, "") : head + one));
}

/** Every path that a module names, and the names that it only passes on. */
function paths(source) {
  const text = code(source);
  const used = [];
  const passedOn = [];
  const rest = text.replace(/(pub(?:\([^)]*\))?\s+)?use\s+([^;]+);/g, (_, visible, tree) => {
    (visible ? passedOn : used).push(...flatten(tree.replace(/\s+/g, " ")));
    return "";
  });
  used.push(...(rest.match(/\b\w+(?:::\w+)+/g) ?? []));
  return { used, passedOn };
}

function circles(modules) {
  const named = new Map([...modules].map(([name, { source }]) => [name, paths(source)]));
  const inside = (from, text) => {
    const segments = text.split("::");
    let place = from ? from.split("::") : [];
    if (segments[0] === "crate") {
      place = [];
      segments.shift();
    } else if (segments[0] === "self" || segments[0] === "super") {
      while (segments[0] === "self" || segments[0] === "super") if (segments.shift() === "super") place.pop();
    } else if (!modules.has([...place, segments[0]].join("::"))) {
      return undefined;
    }
    return { place, segments };
  };
  /** The module that defines what a path names. */
  const resolve = (from, text, depth = 0) => {
    const found = inside(from, text);
    if (!found || depth > 8) return undefined;
    const { place, segments } = found;
    while (segments.length && modules.has([...place, segments[0]].join("::"))) place.push(segments.shift());
    const module = place.join("::");
    const item = segments[0];
    const origin = item && named.get(module)?.passedOn.find((one) => one.split("::").at(-1) === item);
    return (origin && resolve(module, origin, depth + 1)) || module;
  };

  const arrows = new Map(
    [...modules.keys()].map((name) => {
      const targets = named.get(name).used.map((text) => resolve(name, text));
      return [name, new Set(targets.filter((target) => target !== undefined && target !== name))];
    }),
  );

  // Tarjan's strongly connected components.
  const index = new Map();
  const low = new Map();
  const stack = [];
  const found = [];
  const connect = (node) => {
    index.set(node, index.size);
    low.set(node, index.get(node));
    stack.push(node);
    for (const next of arrows.get(node) ?? []) {
      if (!index.has(next)) {
        connect(next);
        low.set(node, Math.min(low.get(node), low.get(next)));
      } else if (stack.includes(next)) {
        low.set(node, Math.min(low.get(node), index.get(next)));
      }
    }
    if (low.get(node) === index.get(node)) {
      const component = stack.splice(stack.indexOf(node));
      if (component.length > 1) {
        const ties = component.flatMap((one) =>
          [...arrows.get(one)].filter((to) => component.includes(to)).map((to) => `  ${modules.get(one).file} -> ${modules.get(to).file}`),
        );
        found.push(ties);
      }
    }
  };
  for (const node of arrows.keys()) if (!index.has(node)) connect(node);
  return found;
}

// A check that cannot fail proves nothing, so it first has to find what was planted, and nothing else.
const planted = new Map(
  Object.entries({
    "": "mod a; mod b; mod c; pub use a::Thing;",
    a: "use crate::b::{self, Other}; pub struct Thing;",
    b: "/* */ pub struct Other; fn f() -> crate::Thing {}",
    c: 'use crate::Thing; // crate::c\nfn g() { "crate::d::x"; }\n#[cfg(test)]\nmod tests { use crate::d::X; }',
    d: "use super::c::g;",
  }).map(([name, source]) => [name, { file: name, source }]),
);
const proof = circles(planted);
if (proof.length !== 1 || proof[0].join() !== "  a -> b,  b -> a") {
  console.error("the check of circles does not find what was planted:", proof);
  process.exit(1);
}

let failed = false;
for (const { name, manifest_path: manifest } of JSON.parse(fs.readFileSync(process.argv[2], "utf8")).packages) {
  const found = circles(read(path.relative(process.cwd(), path.dirname(manifest))));
  failed ||= found.length > 0;
  for (const ties of found) console.error(`files of ${name} import each other in a circle:\n${ties.join("\n")}`);
}
process.exit(failed ? 1 : 0);
