//! The lab's instance of the product, and requests to it as a client would send them.

use std::{fmt, sync::Arc, time::Duration};

use api_types::{
    header::{REQUESTED_WITH, REQUESTED_WITH_KEYTURN},
    paths,
};
use axum::{
    Router,
    body::{Body, to_bytes},
    http::{
        self, Method, Request, StatusCode,
        header::{CONTENT_TYPE, HOST, ORIGIN, SET_COOKIE},
        request,
    },
    middleware::{Next, from_fn},
    response::Response,
    routing::post,
};
use serde_json::{Value, json};
use tower::ServiceExt;
use web::{
    AppState,
    config::Origin,
    extract::{AuthUser, Json},
    random::Random,
    routes,
    telemetry::uncounted,
};

use crate::{accounts::Credentials, registry::millis, targets::TRANSFER};

/// The grace period of the lab's product. Shorter than the real product's 10 seconds, so that a run need not wait so
/// long for the next step.
pub const GRACE: Duration = Duration::from_secs(2);

/// The maximum size of a response that is read.
const MAX_BODY: usize = 16 * 1024;

/// The second instance of the product.
pub struct Product {
    pub app: AppState,
    pub random: Arc<dyn Random>,
    pub router: Router,
    /// The origin of the victim's host.
    origin: Origin,
}

/// Why the product created no account or session.
#[derive(Debug, thiserror::Error)]
pub enum ProductError {
    #[error("the request could not be made: {0}")]
    Request(#[from] http::Error),
    #[error("the product answered {status}: {body}")]
    Refused { status: StatusCode, body: String },
    #[error("this run has signed in too often")]
    TooManySignIns,
}

impl Product {
    pub fn new(app: AppState, origin: Origin, random: Arc<dyn Random>) -> Self {
        let transfer = Router::new().route(TRANSFER, post(transfer));
        let router = routes::api_router(app.clone(), transfer).layer(from_fn(async |request, next: Next| {
            uncounted(next.run(request)).await
        }));
        Self {
            app,
            random,
            router,
            origin,
        }
    }

    pub fn now_ms(&self) -> u64 {
        millis(self.app.clock.now())
    }

    /// Creates an account.
    ///
    /// # Errors
    /// If the product does not answer 201.
    pub async fn register(&self, account: &Credentials) -> Result<(), ProductError> {
        let response = self.submit(paths::REGISTER, account).await?;
        expect(StatusCode::CREATED, response).await.map(drop)
    }

    /// Signs an account in, and returns the cookies that the product sets.
    ///
    /// # Errors
    /// If the product does not answer 200.
    pub async fn sign_in(&self, account: &Credentials) -> Result<Vec<String>, ProductError> {
        let response = self.submit(paths::LOGIN, account).await?;
        let response = expect(StatusCode::OK, response).await?;
        let cookies = response.headers().get_all(SET_COOKIE).into_iter();
        Ok(cookies
            .filter_map(|cookie| Some(cookie.to_str().ok()?.to_owned()))
            .collect())
    }

    async fn submit(&self, path: &str, account: &Credentials) -> Result<Response, http::Error> {
        let request = self
            .request(Method::POST, path)
            .header(CONTENT_TYPE, "application/json")
            .body(Body::from(json!(account).to_string()))?;
        Ok(self.send(request).await)
    }

    /// A request as the product's page would send it. Browsers do not let other pages forge these headers; other clients
    /// can.
    pub fn request(&self, method: Method, path: &str) -> request::Builder {
        Request::builder()
            .method(method)
            .uri(path)
            .header(HOST, self.origin.authority())
            .header(ORIGIN, self.origin.as_str())
            .header("sec-fetch-site", "same-origin")
            .header(REQUESTED_WITH, REQUESTED_WITH_KEYTURN)
    }

    /// Sends a request through the product's router; only the network is left out.
    pub async fn send(&self, request: Request<Body>) -> Response {
        let Ok(response) = self.router.clone().oneshot(request).await;
        response
    }
}

/// The lab's additional route of the product: something that can be changed.
async fn transfer(AuthUser(claims): AuthUser) -> Json<Value> {
    Json(json!({ "transferred": 100, "from": claims.sub.to_string() }))
}

async fn expect(status: StatusCode, response: Response) -> Result<Response, ProductError> {
    if response.status() == status {
        return Ok(response);
    }
    let status = response.status();
    let body = to_bytes(response.into_body(), MAX_BODY).await.unwrap_or_default();
    Err(ProductError::Refused {
        status,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

impl fmt::Debug for Product {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Product").finish_non_exhaustive()
    }
}
