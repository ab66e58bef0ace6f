// The victim's pages use this to talk to their server. Every request names its cell of the matrix, so that the recorder on
// the server can assign the evidence.

const query = new URLSearchParams(location.search);

export const run = query.get("run");
/** The full origin, because an injected `base` element also changes addresses that begin with a slash. */
export const home = location.origin;

export function api(cell) {
  const address = (path) => `${home}${path}?run=${run}&cell=${cell}`;
  return {
    /** Sends JSON, and returns the status and the JSON of the response. */
    async send(method, path, { json, bearer } = {}) {
      const headers = { "x-requested-with": "keyturn" };
      if (json !== undefined) headers["content-type"] = "application/json";
      if (bearer) headers.authorization = `Bearer ${bearer}`;
      // Looks up the global name at the time of the call, as nearly every app does: an injected script that has
      // replaced it sees every request.
      const answer = await fetch(address(path), { method, headers, body: json && JSON.stringify(json) });
      const text = await answer.text();
      return { status: answer.status, ok: answer.ok, body: text ? JSON.parse(text) : null };
    },
  };
}

/** Queries the lab itself, or reports something to it. */
export async function lab(method, path, parameters = {}, json = undefined) {
  const answer = await fetch(`${home}/runs/${run}/${path}?${new URLSearchParams(parameters)}`, {
    method,
    headers: json ? { "content-type": "application/json" } : {},
    body: json && JSON.stringify(json),
  });
  if (!answer.ok) throw new Error(`the lab answered ${path} with ${answer.status}`);
  const text = await answer.text();
  return text ? JSON.parse(text) : null;
}

export const pause = (milliseconds) => new Promise((over) => setTimeout(over, milliseconds));

/** Whether an event arrived before the time-out. */
export function happens(name, patience = 20000) {
  return Promise.race([
    new Promise((over) => addEventListener(name, () => over(true), { once: true })),
    pause(patience).then(() => false),
  ]);
}
