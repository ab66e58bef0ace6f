// Another tab of the same browser, while the runner's is still open: which strategies are signed in here as well?

import { api, lab } from "./api.js";

const plan = await lab("GET", "plan");
for (const strategy of plan.strategies) {
  const cell = `${strategy}.${plan.second_tab_threat}`;
  const { default: client } = await import(`./clients/${strategy}.js`);
  const answer = (await client.restore(api(cell))) ? await client.me(api(cell)) : null;
  const user = answer?.ok ? answer.body.email : null;
  await lab("POST", "evidence", { cell }, { kind: "seen", who: "second-tab", when: "afterwards", user });
}
await lab("POST", "second-tab-over");
location.replace(plan.matrix);
