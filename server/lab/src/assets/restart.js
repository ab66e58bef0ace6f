// For test runners that can close a browser and start it again, such as the project's own tests: before and after.

import { lab } from "./api.js";
import { seeAfterwards, seeBefore, signIn } from "./visitor.js";

const plan = await lab("GET", "plan");
const isAfter = new URLSearchParams(location.search).has("after");
for (const strategy of plan.strategies) {
  const cell = `${strategy}.restart`;
  if (isAfter) {
    await seeAfterwards(strategy, cell);
  } else {
    await signIn(plan, strategy, cell);
    await seeBefore(strategy, cell);
  }
}
document.querySelector("#doing").textContent = isAfter ? "Checked after the restart." : "Signed in. Now restart the browser.";
