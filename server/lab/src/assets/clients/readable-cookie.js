import { cookieClient } from "./cookie-client.js";

const base = "/weak/readable-cookie";

export default {
  ...cookieClient(base),
  refresh: async (api) => (await api.send("POST", `${base}/refresh`)).ok,
};
