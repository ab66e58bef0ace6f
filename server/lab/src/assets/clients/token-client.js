// A client that holds both tokens itself and sends the access token as a bearer. Where it holds them is the strategy.

/** `store` has `get(name)`, `set(name, value)` and `clear()`. */
export function tokenClient(base, store) {
  const keep = ({ ok, body }) => {
    if (!ok) return false;
    store.set("access_token", body.access_token);
    store.set("refresh_token", body.refresh_token);
    return true;
  };
  const call = (api, method, path, json) =>
    api.send(method, `${base}/${path}`, { json, bearer: store.get("access_token") });
  return {
    signIn: async (api, who) => keep(await api.send("POST", `${base}/login`, { json: who })),
    refresh: async (api) =>
      keep(await api.send("POST", `${base}/refresh`, { json: { refresh_token: store.get("refresh_token") } })),
    me: (api) => call(api, "GET", "me"),
    transfer: (api) => call(api, "POST", "transfer", { amount: 100, to: "mallory" }),
    async signOut(api) {
      await call(api, "POST", "logout", { refresh_token: store.get("refresh_token") });
      store.clear();
    },
    /** What the page does when it is loaded. */
    restore: async () => Boolean(store.get("access_token")),
  };
}

/** A `Storage` of the browser as a store. */
export function webStorage(storage, prefix) {
  const key = (name) => `${prefix}.${name}`;
  return {
    get: (name) => storage.getItem(key(name)),
    set: (name, value) => storage.setItem(key(name), value),
    clear: () => ["access_token", "refresh_token"].forEach((name) => storage.removeItem(key(name))),
  };
}
