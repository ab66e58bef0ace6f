// What the victim's pages use to talk to their server. Every request names the cell of the matrix that it belongs to, so
// that the recorder on the server knows whose evidence it is.

const query = new URLSearchParams(location.search);

export const run = query.get("run");
/** Written out, because a smuggled `base` moves addresses that begin with a slash, too. */
export const home = location.origin;

export function api(cell) {
  const address = (path) => `${home}${path}?run=${run}&cell=${cell}`;
  return {
    /** Sends JSON, and answers with the status and the JSON that came back. */
    async send(method, path, { json, bearer } = {}) {
      const headers = { "x-requested-with": "keyturn" };
      if (json !== undefined) headers["content-type"] = "application/json";
      if (bearer) headers.authorization = `Bearer ${bearer}`;
      // By the global name at the moment of the call, as nearly every program does it: an injected script that has put
      // itself in its place hears everything.
      const answer = await fetch(address(path), { method, headers, body: json && JSON.stringify(json) });
      const text = await answer.text();
      return { status: answer.status, ok: answer.ok, body: text ? JSON.parse(text) : null };
    },
  };
}

/** Asks the lab itself, or tells it something. */
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

/** Whether an event came before patience ended. */
export function happens(name, patience = 20000) {
  return Promise.race([
    new Promise((over) => addEventListener(name, () => over(true), { once: true })),
    pause(patience).then(() => false),
  ]);
}
