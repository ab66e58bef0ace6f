import { tokenClient, webStorage } from "./token-client.js";

export default tokenClient("/weak/session-storage", webStorage(sessionStorage, "lab"));
