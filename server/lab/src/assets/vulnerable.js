// The page's own script, with its vulnerabilities. It acts like a visitor and waits until the attack has succeeded or
// the browser has blocked it, as the lab judges it. Then it continues to the next page.

import { home, lab, pause, run } from "./api.js";

const query = new URLSearchParams(location.search);
const [cell, at] = [query.get("cell"), Number(query.get("at"))];
const comments = document.querySelector("#comments");
/** Longer than any attack takes. */
const PATIENCE = 10_000;

const holes = {
  "html-sink": (text) => (comments.innerHTML = text),
  "url-sink": (text) => comments.append(Object.assign(document.createElement("script"), { src: text })),
  eval: (text) => (0, eval)(text),
};
const visitor = {
  "script-link": () => comments.querySelector("a").click(),
  form: () => comments.querySelector("button").click(),
};

const name = cell.split(".")[1];
try {
  holes[name]?.(comments.dataset.text);
  visitor[name]?.();
} catch {
  // What the policy forbids throws here; the violation event reports it as well.
}

try {
  for (let waited = 0; waited < PATIENCE; waited += 50) {
    for (const { directive, what } of self.forbidden.splice(0)) {
      await lab("POST", "evidence", { cell }, { kind: "blocked", directive, what });
    }
    if (await lab("GET", "is-decided", { cell })) break;
    await pause(50);
  }
} finally {
  location.replace(`${home}/play?${new URLSearchParams({ run, at: at + 1 })}`);
}
