// Loaded before everything else: the browser says what the page's policy forbids, and nobody hears it later.
self.forbidden = [];
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
  self.forbidden.push({ directive: effectiveDirective, what: blockedURI }),
);
