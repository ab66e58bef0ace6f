// Another tab of the same browser, while the runner's is still open: which strategies are signed in here as well?

import { lab } from "./api.js";
import { attempt, seeAfterwards } from "./visitor.js";

const plan = await lab("GET", "plan");
// A tab that opens after the runner has continued would find what the runner's attacks left.
if ((await lab("GET", "second-tab")).wanted) {
  for (const strategy of plan.strategies) {
    const cell = `${strategy}.new-tab`;
    await attempt(cell, () => seeAfterwards(strategy, cell, "second-tab"));
  }
  await lab("POST", "second-tab-over").catch(() => {});
}
const matrix = new URL(plan.matrix);
matrix.search = new URLSearchParams(location.search).get("back") || matrix.search;
location.replace(matrix);
