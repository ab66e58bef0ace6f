// Loaded before everything else: the browser reports policy violations as events, which cannot be read later.
self.forbidden = [];
addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI }) =>
  self.forbidden.push({ directive: effectiveDirective, what: blockedURI }),
);
