// Finds words that make a reader stop: archaic ones, and those for which the field has a term. Usage: check-language.mjs
// FILE…. CONTRIBUTING.md says how texts are written.

import fs from "node:fs";

const everywhere = [
  "nobody", "somebody", "whoever", "whom", "anew", "reckon", "reckons", "reckoned", "reckoning", "shall", "furnish", "furnishes",
  "furnished", "for ever", "of its own", "in vain", "once more", "wherever", "of no use", "told apart", "come to life", "take for",
];
const inComments = ["beside", "stands", "is over", "by itself"];

// A text may need one of the words: the file, the word, and why.
const exceptions = [
  ["end2end/scripts/check-language.mjs", "*", "this list"],
];

const pattern = (words) => new RegExp(`\\b(?:${words.map((word) => word.replace(/ /g, "\\s+")).join("|")})\\b`, "gi");
const archaic = pattern(everywhere);
const archaicInComments = pattern([...everywhere, ...inComments]);
const comment = /^\s*(?:\/\/|\*|\/\*|#(?!\[))/;

function findings(file, source) {
  return source.split("\n").flatMap((line, index) => {
    const words = line.match(comment.test(line) ? archaicInComments : archaic) ?? [];
    return words
      .filter((word) => !exceptions.some(([path, allowed]) => path === file && (allowed === "*" || allowed === word.toLowerCase())))
      .map((word) => `${file}:${index + 1}: “${word}”`);
  });
}

// A check that cannot fail proves nothing, so it first has to find what was planted, and nothing else.
const planted = findings("planted.rs", '// Whoever stands here.\nlet text = "Nobody stands here.";\nlet somebody_else = 1;\n    /// Once  more, by itself.\n');
if (planted.length !== 5) {
  console.error("the check of the language does not find what was planted:", planted);
  process.exit(1);
}

const found = process.argv.slice(2).flatMap((file) => findings(file, fs.readFileSync(file, "utf8")));
for (const line of found) console.error(line);
if (found.length) console.error("use a plain word or the term of the field instead");
process.exit(found.length ? 1 : 0);
