// Runs once, takes what is there, and is gone.
import { aim, everythingInReach, over, ready } from "./kit.js";

await aim(import.meta.url).send(await everythingInReach());
ready();
over();
