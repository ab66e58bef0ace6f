// Another tab of the same browser, while the runner's is still open: which strategies are signed in here as well?

import { lab } from "./api.js";
import { seeAfterwards } from "./visitor.js";

const plan = await lab("GET", "plan");
for (const strategy of plan.strategies) await seeAfterwards(strategy, `${strategy}.new-tab`, "second-tab");
await lab("POST", "second-tab-over");
location.replace(plan.matrix);
