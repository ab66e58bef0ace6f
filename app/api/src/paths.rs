//! Paths of the API. The router and the browser's client use these and no literals; the tests spell them out.

pub const REGISTER: &str = "/api/auth/register";
pub const LOGIN: &str = "/api/auth/login";
pub const REFRESH: &str = "/api/auth/refresh";
pub const LOGOUT: &str = "/api/auth/logout";
pub const LOGOUT_ALL: &str = "/api/auth/logout-all";
pub const SESSION: &str = "/api/auth/session";
pub const ME: &str = "/api/me";
pub const SESSIONS: &str = "/api/sessions";
pub const ONE_SESSION: &str = "/api/sessions/{id}";
pub const ACCOUNT: &str = "/api/account";
pub const ACCOUNT_PASSWORD: &str = "/api/account/password";
pub const ACCOUNT_EVENTS: &str = "/api/account/events";
pub const ACCOUNT_ALARM: &str = "/api/account/alarm";

pub const ADMIN_USERS: &str = "/api/admin/users";
pub const ADMIN_DISABLE_USER: &str = "/api/admin/users/{id}/disable";
pub const ADMIN_ENABLE_USER: &str = "/api/admin/users/{id}/enable";
pub const ADMIN_USER_SESSIONS: &str = "/api/admin/users/{id}/sessions";

pub const JWKS: &str = "/.well-known/jwks.json";
pub const HEALTH_LIVE: &str = "/health/live";
pub const HEALTH_READY: &str = "/health/ready";
