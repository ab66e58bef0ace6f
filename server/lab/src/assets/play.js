// The runner. One page that executes the steps of a run. Each step is a separate document, so that nothing which one
// step leaves in memory helps the next.

import { api, happens, lab, pause, run } from "./api.js";
import { race } from "./race.js";
import { attempt, seeAfterwards, seeBefore, signIn } from "./visitor.js";

const query = new URLSearchParams(location.search);
const at = Number(query.get("at") ?? 0);
const phase = query.get("phase") ?? "begin";
const plan = await lab("GET", "plan", { at });

document.querySelector("#progress").max = plan.steps.length;
document.querySelector("#progress").value = at;
const doing = (text) => (document.querySelector("#doing").textContent = text);
/** Navigates to one of the attacker's pages. */
function leaveFor(source, page, parameters) {
  location.replace(`${plan.origins[source]}/${page}?${new URLSearchParams({ run, at, ...parameters })}`);
  return "leaving";
}
const goTo = (parameters) => location.replace(`/play?${new URLSearchParams({ run, at, ...parameters })}`);

/** Removes what the previous step left, so that this step's attack finds only its own victim's data. */
function sweep() {
  localStorage.clear();
  sessionStorage.clear();
  for (const pair of document.cookie.split("; ")) document.cookie = `${pair.split("=")[0]}=; Path=/; Max-Age=0`;
}

/** All strategies together: signed in, checked from another tab, and reloaded. */
const sessions = {
  async begin() {
    doing("Signing in with all six strategies.");
    for (const strategy of plan.strategies) {
      const cell = `${strategy}.reload`;
      await attempt(cell, async () => {
        await signIn(plan, strategy, cell);
        for (const one of [cell, `${strategy}.new-tab`]) await seeBefore(strategy, one);
      });
    }
    doing("Waiting for the second tab to check whether it is signed in as well.");
    await lab("POST", "second-tab-wanted");
    for (let waited = 0; waited < plan.patience_ms; waited += 200) {
      if ((await lab("GET", "second-tab")).over) break;
      await pause(200);
    }
    // Changes the address first, so that this is a real reload of the same document.
    history.replaceState(null, "", `/play?${new URLSearchParams({ run, at, phase: "reloaded" })}`);
    location.reload();
    return "leaving";
  },
  async reloaded() {
    doing("Page reloaded. Checking which strategies are still signed in.");
    const [{ type }] = performance.getEntriesByType("navigation");
    for (const strategy of plan.strategies) {
      const cell = `${strategy}.reload`;
      await attempt(cell, async () => {
        const text = `The browser calls this navigation “${type}”.`;
        await lab("POST", "evidence", { cell }, { kind: "note", who: "page", text });
        await seeAfterwards(strategy, cell);
      });
    }
  },
};

/** An unescaped stored comment, and a visitor who continues to use the page. */
const crossSiteScripting = {
  async begin({ strategy, cell }) {
    const client = await signIn(plan, strategy, cell);
    document.querySelector("#transfer").onclick = async () => {
      const answer = await client.transfer(api(cell));
      document.querySelector("#result").textContent = answer.ok ? "Sent." : "Refused.";
    };
    const [ready, over] = [happens("attack-ready"), happens("attack-over")];
    const comment = await lab("GET", "comment", { cell });
    // The vulnerability: a stranger's text becomes part of the page.
    document.querySelector("#comments").innerHTML = comment.html;
    if (!(await ready)) return;
    await client.me(api(cell));
    await client.refresh?.(api(cell));
    await client.me(api(cell));
    // A signal of the lab, so that the attack need not guess when the visitor has done something.
    dispatchEvent(new Event("visitor-has-worked"));
    await over;
  },
};

/** Another site's form, which the visitor's browser submits as a navigation. */
const crossSiteForgery = {
  async begin({ strategy, cell }) {
    await signIn(plan, strategy, cell);
    await seeBefore(strategy, cell);
    return leaveFor("other-site", "csrf", { cell });
  },
  async after({ strategy, cell }) {
    await seeAfterwards(strategy, cell);
  },
};

const stolenCopies = {
  "access-after-sign-out": async ({ strategy, cell }) => {
    const client = await signIn(plan, strategy, cell);
    await client.me(api(cell));
    await lab("POST", "steal", { cell });
    await client.signOut(api(cell));
    // The maximum time until every node knows that the session has ended.
    await pause(1000);
    await lab("POST", "replay", { cell, what: "access" });
  },
  "refresh-after-rotation": async ({ strategy, cell }) => {
    const client = await signIn(plan, strategy, cell);
    await lab("POST", "steal", { cell });
    await client.refresh?.(api(cell));
    await client.me(api(cell));
    await pause(plan.grace_ms[strategy]);
    await lab("POST", "replay", { cell, what: "refresh" });
  },
  "refresh-before-owner": async ({ strategy, cell }) => {
    const client = await signIn(plan, strategy, cell);
    await lab("POST", "steal", { cell });
    await lab("POST", "replay", { cell, what: "refresh" });
    await pause(plan.grace_ms[strategy]);
    // Without tokens there is nothing to refresh: the owner just continues.
    const restored = client.refresh ? await client.refresh(api(cell)) : (await client.me(api(cell))).ok;
    await lab("POST", "evidence", { cell }, {
      kind: "note",
      who: "page",
      text: restored ? "The owner returned and was served." : "The owner returned, was refused and has to sign in again.",
    });
    await lab("POST", "replay", { cell, what: "refresh" });
  },
};

function attacksOf({ threat }) {
  if (threat.startsWith("csrf-")) return crossSiteForgery;
  if (threat in stolenCopies) return { begin: stolenCopies[threat] };
  return crossSiteScripting;
}

/**
 * Signs in, and uses every endpoint once as the visitor's own page would. A later refusal of a forged request only counts if
 * the endpoint is known to accept a genuine one.
 */
async function signInAndSendControls() {
  await lab("POST", "sign-in");
  for (const { cell, door } of plan.doors) {
    await fetch(`${door}?${new URLSearchParams({ run, cell })}`, {
      method: "POST",
      headers: { "x-requested-with": "keyturn" },
      // The value that a defence expects in the body is in a cookie that the site's own page can read.
      body: document.cookie,
    });
  }
}

/** The actions of a step, by its phase. A step that leaves this page returns to `after`. */
const actsOf = (step) =>
  ({
    sessions,
    attack: step.threat && attacksOf(step),
    "sign-in": { begin: signInAndSendControls },
    // The attacker's page returns to the next step.
    unseen: { begin: ({ source }) => leaveFor(source, "unseen", { source }) },
    navigation: { begin: ({ source, cell }) => leaveFor(source, "csrf", { cell }), after: () => {} },
    race: { begin: race },
    page: {
      begin({ cell }) {
        location.replace(`/page?${new URLSearchParams({ run, cell, at })}`);
        return "leaving";
      },
      after: () => {},
    },
  })[step.act];

const step = plan.steps[at];
if (step === undefined) {
  await lab("POST", "finish");
  doing("Run finished. You can close this window.");
  close();
} else {
  doing(plan.doing);
  const outcome = await attempt(step.cell ?? "", () => {
    if (phase === "begin" && step.act === "attack") sweep();
    return actsOf(step)[phase](step);
  });
  if (outcome !== "leaving") goTo({ at: at + 1 });
}
