//! What a page sets on its HTTP response. In the browser these functions do nothing.

/// Sets status 404, although a page is shown.
pub fn not_found() {
    #[cfg(feature = "ssr")]
    if let Some(response) = leptos::context::use_context::<leptos_axum::ResponseOptions>() {
        response.set_status(http::StatusCode::NOT_FOUND);
    }
}

/// Redirects the visitor to another page before anything is painted. `path` is one of our own.
pub fn redirect(path: &str) {
    #[cfg(feature = "ssr")]
    if let (Some(response), Ok(location)) = (
        leptos::context::use_context::<leptos_axum::ResponseOptions>(),
        http::HeaderValue::from_str(path),
    ) {
        response.insert_header(http::header::LOCATION, location);
        response.set_status(http::StatusCode::SEE_OTHER);
    }
    #[cfg(not(feature = "ssr"))]
    let _ = path;
}
