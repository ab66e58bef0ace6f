//! HTTP to a process that may die at any time: one connection per request. A response is complete or lost.

use std::net::SocketAddr;

use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::support::client::COOKIE;

/// A request to send.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) cookie: Option<&'a str>,
    pub(crate) bearer: Option<&'a str>,
    /// A header for the test's own layer in the server's process; see [`crate::child`].
    pub(crate) gate: Option<&'a str>,
    pub(crate) body: Option<&'a str>,
}

/// A complete response.
#[derive(Clone, Debug)]
pub(crate) struct WireResponse {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

/// The connection was refused or closed before the response was complete.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost;

impl<'a> Request<'a> {
    pub(crate) fn post(path: &'a str) -> Self {
        Self {
            method: "POST",
            path,
            cookie: None,
            bearer: None,
            gate: None,
            body: None,
        }
    }

    pub(crate) fn get(path: &'a str) -> Self {
        Self {
            method: "GET",
            ..Self::post(path)
        }
    }

    pub(crate) fn with_cookie(self, token: &'a str) -> Self {
        Self {
            cookie: Some(token),
            ..self
        }
    }

    pub(crate) fn with_bearer(self, token: &'a str) -> Self {
        Self {
            bearer: Some(token),
            ..self
        }
    }

    /// The text that a browser sends for a page of the site's origin.
    pub(crate) fn to_text(self) -> String {
        use std::fmt::Write;

        let Self { method, path, .. } = self;
        let mut text = format!(
            "{method} {path} HTTP/1.1\r\nhost: localhost:3000\r\norigin: http://localhost:3000\r\n\
             sec-fetch-site: same-origin\r\nx-requested-with: keyturn\r\nconnection: close\r\n"
        );
        let mut header = |name: &str, value: Option<&str>| {
            if let Some(value) = value {
                write!(text, "{name}: {value}\r\n").expect("memory");
            }
        };
        let cookie = self.cookie.map(|token| format!("{COOKIE}={token}"));
        header("cookie", cookie.as_deref());
        let bearer = self.bearer.map(|token| format!("Bearer {token}"));
        header("authorization", bearer.as_deref());
        header("x-proof-gate", self.gate);
        header("content-type", self.body.map(|_| "application/json"));
        let body = self.body.unwrap_or_default();
        header("content-length", Some(&body.len().to_string()));
        text + "\r\n" + body
    }

    pub(crate) async fn send(self, address: SocketAddr) -> Result<WireResponse, Lost> {
        let mut stream = TcpStream::connect(address).await.map_err(|_| Lost)?;
        stream.set_nodelay(true).map_err(|_| Lost)?;
        stream
            .write_all(self.to_text().as_bytes())
            .await
            .map_err(|_| Lost)?;
        read(&mut stream).await
    }
}

/// Reads until the connection closes.
pub(crate) async fn read(stream: &mut TcpStream) -> Result<WireResponse, Lost> {
    let mut text = String::new();
    stream.read_to_string(&mut text).await.map_err(|_| Lost)?;
    let (head, body) = text.split_once("\r\n\r\n").ok_or(Lost)?;
    let answer = WireResponse {
        status: head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .ok_or(Lost)?,
        head: head.to_owned(),
        body: body.to_owned(),
    };
    let whole = answer
        .header("content-length")
        .and_then(|length| length.parse().ok());
    // A partial body is not a response. A 204 has neither a length nor a body.
    if whole.is_none_or(|length: usize| length == body.len()) {
        Ok(answer)
    } else {
        Err(Lost)
    }
}

impl WireResponse {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }

    /// The refresh token that the response sets; an empty one clears the cookie.
    pub(crate) fn refresh_token(&self) -> Option<&str> {
        let cookie = self.header("set-cookie")?;
        cookie.strip_prefix(COOKIE)?.strip_prefix('=')?.split(';').next()
    }

    pub(crate) fn access_token(&self) -> Option<String> {
        self.member("access_token")
    }

    /// A string member of the JSON body.
    pub(crate) fn member(&self, name: &str) -> Option<String> {
        let body: Value = serde_json::from_str(&self.body).ok()?;
        body[name].as_str().map(str::to_owned)
    }

    /// Whether it is a 503 with `Retry-After` that leaves the cookie unchanged.
    pub(crate) fn asks_to_wait(&self) -> bool {
        self.status == 503 && self.header("retry-after").is_some() && self.header("set-cookie").is_none()
    }
}
