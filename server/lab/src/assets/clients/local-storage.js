import { tokenClient, webStorage } from "./token-client.js";

export default tokenClient("/weak/local-storage", webStorage(localStorage, "lab"));
