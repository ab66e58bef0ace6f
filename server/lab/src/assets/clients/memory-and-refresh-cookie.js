// Keyturn's strategy, against Keyturn's own server code: the access token in a variable, the refresh token in a cookie
// that no script can read. The product's client is `app/session`; this one is as small as the other strategies, so that
// only the storage differs.

let accessToken;

async function keep(answer) {
  if (answer.ok) accessToken = answer.body.access_token;
  return answer.ok;
}

const refresh = async (api) => keep(await api.send("POST", "/api/auth/refresh"));

export default {
  signIn: async (api, who) => keep(await api.send("POST", "/api/auth/login", { json: who })),
  refresh,
  me: (api) => api.send("GET", "/api/me", { bearer: accessToken }),
  transfer: (api) => api.send("POST", "/api/transfer", { json: { amount: 100, to: "mallory" }, bearer: accessToken }),
  async signOut(api) {
    const bearer = accessToken;
    accessToken = undefined;
    await api.send("POST", "/api/auth/logout", { bearer });
  },
  /** The silent refresh. */
  restore: refresh,
};
