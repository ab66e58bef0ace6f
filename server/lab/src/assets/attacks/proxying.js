// Needs no token: clicks the buttons that the visitor could click.
import { aim, over, ready } from "./kit.js";

const result = document.querySelector("#result");
const pressed = new Promise((then) => new MutationObserver(then).observe(result, { childList: true }));
document.querySelector("#transfer").click();
await pressed;
await aim(import.meta.url).send([]);
ready();
over();
