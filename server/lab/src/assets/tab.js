// One of the tabs of a race: waits for the others, makes its requests at the same time, and reports its result.

import { lab, run } from "./api.js";
import { tabClient } from "./tab-client.js";

const { cell, remedy, requests, tab } = Object.fromEntries(new URLSearchParams(location.search));
const channel = new BroadcastChannel(`race-${run}-${cell}`);
const client = tabClient({ cell, remedy });

channel.onmessage = async ({ data }) => {
  if (data !== "go") return;
  const answers = await Promise.all(Array.from({ length: Number(requests) }, client.request));
  const served = answers.filter(({ ok }) => ok);
    // A refused page asks its visitor to sign in again, whatever its other requests returned.
  const user = served.length === answers.length ? served[0].body.email : null;
  await lab("POST", "evidence", { cell }, { kind: "seen", who: "page", when: `in tab ${tab}`, user });
  channel.postMessage("done");
};
channel.postMessage("ready");
