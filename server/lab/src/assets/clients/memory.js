import { tokenClient } from "./token-client.js";

// A variable of this module. No other script can reach it, and it is lost with the page.
const tokens = new Map();

export default tokenClient("/weak/memory", {
  get: (name) => tokens.get(name),
  set: (name, value) => tokens.set(name, value),
  clear: () => tokens.clear(),
});
