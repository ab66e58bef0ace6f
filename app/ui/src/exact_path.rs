//! The path type of the routes.

use leptos_router::{PartialPathMatch, PathSegment, PossibleRouteMatch};

/// A path as `routes` has it. `path!` would give paths of one and of two segments different types. The browser's
/// program would then contain everything that the router does with a route once per type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExactPath(pub &'static str);

impl PossibleRouteMatch for ExactPath {
    fn optional(&self) -> bool {
        false
    }

    /// The router rejects a match if more than a slash remains.
    fn test<'a>(&self, path: &'a str) -> Option<PartialPathMatch<'a>> {
        let rest = path.strip_prefix(self.0.trim_end_matches('/'))?;
        let matched = &path[..path.len() - rest.len()];
        (rest.is_empty() || rest.starts_with('/')).then(|| PartialPathMatch::new(rest, vec![], matched))
    }

    fn generate_path(&self, path: &mut Vec<PathSegment>) {
        let segments = self.0.split('/').filter(|segment| !segment.is_empty());
        path.extend(segments.map(|segment| PathSegment::Static(segment.into())));
    }
}

#[cfg(test)]
mod tests {
    use leptos_router::path;

    use super::*;
    use crate::routes;

    /// Whether the router matches this page.
    fn is_at(route: &impl PossibleRouteMatch, path: &str) -> bool {
        route.test(path).is_some_and(|found| found.is_complete())
    }

    fn segments(route: &impl PossibleRouteMatch) -> Vec<PathSegment> {
        let mut segments = vec![];
        route.generate_path(&mut segments);
        segments
    }

    #[test]
    fn matches_the_same_paths_as_the_routers_macro() {
        for path in [
            "", "/", "//", "/login", "/login/", "/login//", "/loginx", "/log", "/login/x", "login", "/LOGIN",
        ] {
            assert_eq!(
                is_at(&ExactPath(routes::LOGIN), path),
                is_at(&path!("/login"), path),
                "{path}"
            );
            assert_eq!(
                is_at(&ExactPath(routes::HOME), path),
                is_at(&path!("/"), path),
                "{path}"
            );
        }
        let path = path!("/account/sessions");
        for text in [
            "/account",
            "/account/sessions",
            "/account/sessions/",
            "/account/sessionsx",
            "/account/sessions/x",
            "/account//sessions",
        ] {
            assert_eq!(
                is_at(&ExactPath(routes::ACCOUNT_SESSIONS), text),
                is_at(&path, text),
                "{text}"
            );
        }
    }

    #[test]
    fn generates_the_same_paths_as_the_routers_macro() {
        assert_eq!(segments(&ExactPath(routes::HOME)), segments(&path!("/")));
        assert_eq!(segments(&ExactPath(routes::LOGIN)), segments(&path!("/login")));
        assert_eq!(
            segments(&ExactPath(routes::ACCOUNT_SESSIONS)),
            segments(&path!("/account/sessions"))
        );
    }
}
