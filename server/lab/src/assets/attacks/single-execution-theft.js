// Runs once, takes what it finds, and ends.
import { aim, everythingInReach, over, ready } from "./kit.js";

await aim(import.meta.url).send(await everythingInReach());
ready();
over();
