// A client that holds no tokens: the server sets cookies, and the browser sends them with every request.

export function cookieClient(base) {
  return {
    signIn: async (api, who) => (await api.send("POST", `${base}/login`, { json: who })).ok,
    me: (api) => api.send("GET", `${base}/me`),
    transfer: (api) => api.send("POST", `${base}/transfer`, { json: { amount: 100, to: "mallory" } }),
    signOut: (api) => api.send("POST", `${base}/logout`),
    restore: async () => true,
  };
}
