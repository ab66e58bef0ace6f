//! Paths of the API. The router and the browser's client use these and no literals; the tests spell them out.

pub const REGISTER: &str = "/api/auth/register";
pub const LOGIN: &str = "/api/auth/login";
pub const REFRESH: &str = "/api/auth/refresh";
pub const LOGOUT: &str = "/api/auth/logout";
pub const SESSION: &str = "/api/auth/session";
pub const ME: &str = "/api/me";

pub const JWKS: &str = "/.well-known/jwks.json";
pub const HEALTH_LIVE: &str = "/health/live";
pub const HEALTH_READY: &str = "/health/ready";
