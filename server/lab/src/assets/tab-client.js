// How a page gets its access tokens, with and without the coordination that a page can provide.

import { api, lab } from "./api.js";

/** How often a page retries if it gets no valid response or the server reports that the cookie jar has a newer token. */
const TRIES = 4;
const isWorthAnotherTry = ({ status }) => status >= 500 || status === 409;

export function tabClient({ cell, remedy }) {
  const [whole, ours] = [remedy === "all-together", ["keyturn-server", "all-together"].includes(remedy)];
  const base = ours ? { refresh: "/api/auth/refresh", me: "/api/me" } : { refresh: `/race/${remedy}/refresh`, me: `/race/${remedy}/me` };
  const [isSingle, takesTurns] = [whole || remedy === "single-flight", whole || remedy === "web-lock"];
  let accessToken = "one-that-has-ended";
  let flight;

  async function refresh() {
    for (let tried = 0; tried < TRIES; tried++) {
      const answer = await api(cell).send("POST", base.refresh);
      if (answer.ok) accessToken = answer.body.access_token;
      if (!isWorthAnotherTry(answer)) return answer.ok;
    }
    return false;
  }
  const inTurn = () => (takesTurns ? navigator.locks.request("lab-race", refresh) : refresh());
  function renew() {
    if (!isSingle) return inTurn();
    flight ??= inTurn().finally(() => (flight = undefined));
    return flight;
  }

  const ask = () => api(cell).send("GET", base.me, { bearer: accessToken });
  /** A request as the page makes it: if its token has expired, it refreshes and retries. */
  async function request() {
    const answer = await ask();
    return answer.status === 401 && (await renew()) ? ask() : answer;
  }
  return {
    request,
    /** Reports to the lab which account the server sees in this page. */
    async look(when) {
      const answer = await request();
      await lab("POST", "evidence", { cell }, { kind: "seen", who: "page", when, user: answer.ok ? answer.body.email : null });
    },
  };
}
