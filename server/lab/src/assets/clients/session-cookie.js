import { cookieClient } from "./cookie-client.js";

// No tokens, so nothing to refresh.
export default cookieClient("/weak/session-cookie");
