//! Configuration values.

#[path = "../../web/src/config/database_url.rs"]
#[expect(dead_code, reason = "the file system is not part of a target")]
mod database_url;
#[path = "../../web/src/config/origin.rs"]
mod origin;
#[path = "../../web/src/config/proxies.rs"]
#[expect(
    dead_code,
    reason = "the rule for https origins needs the whole configuration"
)]
mod proxies;

pub use origin::Origin;
pub use proxies::TrustedProxies;

/// What `database.url` becomes; `None` if it is refused.
pub fn database_url(text: &str) -> Option<String> {
    database_url::normalize(text, Some(std::path::Path::new("/home/ada"))).ok()
}
