// What the runner's pages do as the visitor: sign in, return, and ask the server which account is signed in.

import { api, lab } from "./api.js";

const clients = new Map();

export async function clientOf(strategy) {
  if (!clients.has(strategy)) clients.set(strategy, (await import(`./clients/${strategy}.js`)).default);
  return clients.get(strategy);
}

export async function signIn(plan, strategy, cell) {
  const client = await clientOf(strategy);
  if (await client.signIn(api(cell), plan.people[strategy].victim)) return client;
  throw new Error(`${strategy} could not sign in`);
}

/** Reports to the lab which account the server sees in this page right now. */
export async function seeBefore(strategy, cell) {
  const client = await clientOf(strategy);
  await report(cell, { who: "page", when: "before", answer: await client.me(api(cell)) });
}

/** The same after an event: first the client does what it does when its page is loaded. */
export async function seeAfterwards(strategy, cell, who = "page") {
  const client = await clientOf(strategy);
  const answer = (await client.restore(api(cell))) ? await client.me(api(cell)) : null;
  await report(cell, { who, when: "afterwards", answer });
}

/** Does the work of a cell. One cell without evidence must not lose the evidence of the others. */
export async function attempt(cell, work) {
  try {
    return await work();
  } catch (error) {
    const text = `The step failed: ${error.message}`;
    await lab("POST", "evidence", { cell }, { kind: "note", who: "page", text, event: "step-failed" }).catch(() => {});
  }
}

async function report(cell, { who, when, answer }) {
  const user = answer?.ok ? answer.body.email : null;
  await lab("POST", "evidence", { cell }, { kind: "seen", who, when, user });
}
