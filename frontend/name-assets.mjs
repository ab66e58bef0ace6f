// Renames the files of a build that was split into parts, and compresses them.
//
// cargo-leptos names each file by a hash of its content and then writes these names into other files: the names of the
// parts into the loader, the loader's name into every part. So a part can change while the name of a file that refers
// to it stays the same. Browsers cache these files permanently (they are served as `immutable`), so an old file could
// be combined with a new one. This script gives all files that refer to each other one hash of their combined content.
//
//   node name-assets.mjs target/release/hash.txt target/site

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const [hashFile, site] = process.argv.slice(2);
const pkg = join(site, "pkg");
// A hash as cargo-leptos writes it: 16 bytes as base64url. Ours has the same length, because it also replaces hashes in
// binary files.
const NAMED = /^(?<stem>.+)\.(?<hash>[\w-]{22})\.(?<ending>js|wasm|json)$/;

for (const name of readdirSync(pkg)) if (name.endsWith(".ts")) rmSync(join(pkg, name));

const files = readdirSync(pkg)
  .sort()
  .flatMap((name) => {
    const { stem, hash, ending } = NAMED.exec(name)?.groups ?? {};
    return stem ? [{ name, stem, hash, ending, bytes: readFileSync(join(pkg, name)) }] : [];
  });
const content = createHash("sha256");
for (const { name, bytes } of files) content.update(`${name}\0${bytes.length}\0`).update(bytes);
const release = content.digest().subarray(0, 16).toString("base64url");

// One byte is one character in latin1, so this is safe for WASM.
const renamed = (text) => files.reduce((text, { hash }) => text.replaceAll(hash, release), text);
for (const { name, stem, ending, bytes } of files) {
  writeFileSync(join(pkg, name), renamed(bytes.toString("latin1")), "latin1");
  renameSync(join(pkg, name), join(pkg, `${stem}.${release}.${ending}`));
}
writeFileSync(hashFile, renamed(readFileSync(hashFile, "utf8")));

// Every file that the loader and the manifest refer to must exist.
const present = new Set(readdirSync(pkg));
for (const { stem, ending } of files.filter(({ stem }) => stem.startsWith("__wasm_split"))) {
  const text = readFileSync(join(pkg, `${stem}.${release}.${ending}`), "utf8");
  const mentioned = text.match(new RegExp(`[\\w.-]*${release}[\\w.-]*`, "g")) ?? [];
  const missing = mentioned.filter((name) => !present.has(name) && !present.has(`${name}.wasm`));
  if (mentioned.length === 0 || missing.length > 0) throw new Error(`${stem} leads to files that are not there: ${missing}`);
}

for (const file of readdirSync(site, { recursive: true }).map((name) => join(site, name))) {
  if (!statSync(file).isFile()) continue;
  const bytes = readFileSync(file);
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params }));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}
