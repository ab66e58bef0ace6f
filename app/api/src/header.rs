//! Names of headers that the browser sends and the server requires.

/// A header that no HTML form can send, so its presence forces a CORS preflight on a foreign origin.
pub const REQUESTED_WITH: &str = "x-requested-with";

/// The value that [`REQUESTED_WITH`] must have on the endpoints that the refresh cookie authenticates.
pub const REQUESTED_WITH_KEYTURN: &str = "keyturn";
