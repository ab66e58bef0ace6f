//! Keyturn behind nginx and Caddy, with the sample configurations that it ships and a certificate made for the test.
//!
//! Needs Debian's `nginx`, `caddy`, `curl` and `openssl`, which `./dev` installs.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::{
    net::TcpStream,
    process::{Child, Command},
    time::{sleep, timeout},
};

use crate::support::{
    Db, PASSWORD,
    process::{Deployment, NodeProcess, free_address},
};

const NAME: &str = "keyturn.example";
/// Longer than any step takes unless it hangs.
const PATIENCE: Duration = Duration::from_mins(1);
/// Shorter than every pause between two requests of a test.
const HEADER_TIMEOUT: Duration = Duration::from_millis(300);

/// A running proxy with its own certificate. It is killed when this is dropped.
struct Proxy {
    tls: SocketAddr,
    plain: SocketAddr,
    folder: TempDir,
    _process: Child,
}

/// The ports of a proxy, and its files.
struct Place {
    tls: SocketAddr,
    plain: SocketAddr,
    folder: TempDir,
}

/// What curl received.
struct ProxiedAnswer {
    status: u16,
    head: String,
    body: String,
}

impl Proxy {
    async fn nginx(upstream: SocketAddr) -> Self {
        let place = Place::new().await;
        let sample = changed(
            include_str!("../../deploy/nginx.conf"),
            &[
                ("server 127.0.0.1:3000;", format!("server {upstream};")),
                ("listen 443 ssl;", format!("listen {} ssl;", place.tls)),
                ("listen 80;", format!("listen {};", place.plain)),
                ("/etc/ssl/keyturn.example.pem", place.file("cert.pem")),
                ("/etc/ssl/private/keyturn.example.key", place.file("key.pem")),
            ],
        );
        std::fs::write(place.file("site.conf"), sample).expect("writes");
        // The rest of an nginx configuration that the sample needs, kept within one folder and one process.
        let folder = place.folder.path().display();
        let paths = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
            .map(|kind| format!("{kind}_temp_path {folder}/{kind};"))
            .join(" ");
        let frame = format!(
            "daemon off; master_process off; pid {folder}/pid; error_log stderr warn; events {{}}\n\
             http {{ access_log off; {paths} include {folder}/site.conf; }}\n"
        );
        std::fs::write(place.file("nginx.conf"), frame).expect("writes");
        let mut command = Command::new(program("nginx"));
        command.args(["-c", &place.file("nginx.conf"), "-p", &place.file("")]);
        place.start(command).await
    }

    async fn caddy(upstream: SocketAddr) -> Self {
        let place = Place::new().await;
        let (port, plain) = (place.tls.port(), place.plain.port());
        let ours = format!(
            "{{\n\tadmin off\n\thttp_port {plain}\n\tskip_install_trust\n}}\n\
             https://keyturn.example:{port} {{\n\tbind 127.0.0.1\n\ttls {} {}",
            place.file("cert.pem"),
            place.file("key.pem")
        );
        let sample = changed(
            include_str!("../../deploy/Caddyfile"),
            &[
                ("\nkeyturn.example {", format!("\n{ours}")),
                (
                    "\nhttp://keyturn.example {",
                    "\nhttp://keyturn.example {\n\tbind 127.0.0.1".to_owned(),
                ),
                (
                    "reverse_proxy 127.0.0.1:3000",
                    format!("reverse_proxy {upstream}"),
                ),
            ],
        );
        std::fs::write(place.file("Caddyfile"), sample).expect("writes");
        let mut command = Command::new(program("caddy"));
        command
            .args([
                "run",
                "--adapter",
                "caddyfile",
                "--config",
                &place.file("Caddyfile"),
            ])
            .env("HOME", place.folder.path());
        place.start(command).await
    }

    /// Sends a request with curl, as a client at `from` with its own cookie jar.
    async fn ask(&self, from: &str, path: &str, arguments: &[&str]) -> ProxiedAnswer {
        let jar = self.folder.path().join(format!("jar-{from}"));
        let output = curl(&[
            &["--include", "--interface", from, "--cacert"],
            &[
                &*self.file("cert.pem"),
                "--cookie-jar",
                &*jar.display().to_string(),
            ],
            &["--cookie", &*jar.display().to_string(), "--connect-to"],
            &[&*format!("{NAME}:443:{}", self.tls)],
            arguments,
            &[&*format!("https://{NAME}{path}")],
        ])
        .await;
        ProxiedAnswer::new(&output)
    }

    async fn post(&self, from: &str, path: &str, token: Option<&str>, body: &Value) -> ProxiedAnswer {
        let bearer = format!("Authorization: Bearer {}", token.unwrap_or_default());
        let body = body.to_string();
        let mut arguments = vec![
            "--header",
            "Content-Type: application/json",
            "--header",
            "X-Requested-With: keyturn",
            "--header",
            "Origin: https://keyturn.example",
            "--header",
            "Sec-Fetch-Site: same-origin",
            "--data",
            &body,
        ];
        if token.is_some() {
            arguments.extend(["--header", &bearer]);
        }
        self.ask(from, path, &arguments).await
    }

    async fn get(&self, from: &str, path: &str, token: &str) -> ProxiedAnswer {
        let bearer = format!("Authorization: Bearer {token}");
        self.ask(from, path, &["--header", &bearer]).await
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

impl ProxiedAnswer {
    fn new(output: &Output) -> Self {
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let (head, body) = text
            .split_once("\r\n\r\n")
            .unwrap_or_else(|| panic!("no answer: {text} {}", String::from_utf8_lossy(&output.stderr)));
        let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
        Self {
            status: status.expect("a status"),
            head: head.to_ascii_lowercase(),
            body: body.to_owned(),
        }
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("not JSON: {}", self.body))
    }

    fn access_token(&self) -> String {
        let token = self.json()["access_token"].as_str().map(str::to_owned);
        token.unwrap_or_else(|| panic!("no token: {} {}", self.status, self.body))
    }
}

impl Place {
    async fn new() -> Self {
        let place = Self {
            tls: free_address(),
            plain: free_address(),
            folder: tempfile::tempdir().expect("a temporary folder"),
        };
        make_certificate(&place.file("cert.pem"), &place.file("key.pem")).await;
        place
    }

    fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    async fn start(self, mut command: Command) -> Proxy {
        let process = command
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the proxy is installed");
        let ready = async {
            while TcpStream::connect(self.tls).await.is_err() {
                sleep(Duration::from_millis(20)).await;
            }
        };
        timeout(PATIENCE, ready).await.expect("the proxy listens");
        Proxy {
            tls: self.tls,
            plain: self.plain,
            folder: self.folder,
            _process: process,
        }
    }
}

/// A sample with some lines changed. Each of them must occur exactly once.
fn changed(sample: &str, changes: &[(&str, String)]) -> String {
    changes.iter().fold(sample.to_owned(), |text, (from, to)| {
        assert_eq!(text.matches(from).count(), 1, "{from} is in the sample once");
        text.replace(from, to)
    })
}

async fn make_certificate(certificate: &str, key: &str) {
    let output = Command::new("openssl")
        .args([
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
        ])
        .args(["-nodes", "-days", "2", "-subj", "/CN=keyturn.example"])
        .args(["-addext", "subjectAltName=DNS:keyturn.example"])
        .arg("-out")
        .arg(certificate)
        .arg("-keyout")
        .arg(key)
        .output()
        .await
        .expect("openssl is installed");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

/// A program that Debian does not put on the PATH of ordinary users.
fn program(name: &str) -> PathBuf {
    let path = Path::new("/usr/sbin").join(name);
    if path.is_file() { path } else { PathBuf::from(name) }
}

async fn curl(arguments: &[&[&str]]) -> Output {
    let mut command = Command::new("curl");
    command.args(["--silent", "--show-error", "--max-time", "50"]);
    command
        .args(arguments.iter().copied().flatten())
        .kill_on_drop(true);
    let output = timeout(PATIENCE, command.output()).await.expect("in time");
    output.expect("curl is installed")
}

/// A node behind this proxy, and the address of its metrics.
async fn node(db: &Db) -> (NodeProcess, SocketAddr) {
    let metrics = free_address();
    let node = Deployment::new(db)
        .with("KEYTURN__HTTP__TRUSTED_PROXIES", "127.0.0.1")
        .with(
            "KEYTURN__HTTP__HEADER_TIMEOUT",
            format!("{}ms", HEADER_TIMEOUT.as_millis()),
        )
        .with("KEYTURN__ADMIN__LISTEN", metrics.to_string())
        .node()
        .await;
    (node, metrics)
}

/// The value of a metric without labels.
async fn metric(metrics: SocketAddr, name: &str) -> u64 {
    let output = curl(&[&[&*format!("http://{metrics}/metrics")]]).await;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}"))
        .parse()
        .expect("a number")
}

#[tokio::test]
async fn sessions_survive_behind_nginx() {
    let db = Db::sqlite();
    let (node, metrics) = node(&db).await;
    let nginx = Proxy::nginx(node.address()).await;
    assert_people_stay_signed_in(&nginx, metrics).await;
}

#[tokio::test]
async fn sessions_survive_behind_caddy() {
    let db = Db::sqlite();
    let (node, metrics) = node(&db).await;
    let caddy = Proxy::caddy(node.address()).await;
    assert_people_stay_signed_in(&caddy, metrics).await;
}

async fn assert_people_stay_signed_in(proxy: &Proxy, metrics: SocketAddr) {
    let (ada, eve) = ("127.0.0.5", "127.0.0.6");
    let account = json!({ "email": "ada@example.com", "password": PASSWORD });
    let registered = proxy.post(ada, "/api/auth/register", None, &account).await;
    assert_eq!(registered.status, 201, "{}", registered.body);
    assert!(
        registered.head.contains("set-cookie: __host-refresh="),
        "{}",
        registered.head
    );
    assert!(
        registered
            .head
            .contains("strict-transport-security: max-age=31536000")
    );

    // The same browser, twice, after a pause in which the connection to Keyturn was idle. The proxy does not retry a
    // POST, so it would answer 502 if Keyturn had closed the connection.
    let mut token = registered.access_token();
    for _ in 0..2 {
        sleep(HEADER_TIMEOUT * 3).await;
        let refreshed = proxy.post(ada, "/api/auth/refresh", None, &json!({})).await;
        assert_eq!(refreshed.status, 200, "{}", refreshed.body);
        token = refreshed.access_token();
    }
    // Three requests, and fewer connections. A proxy may open a second one for its own reasons.
    let accepted = metric(metrics, "keyturn_connections_accepted_total").await;
    assert!(accepted < 3, "{accepted} connections");

    // Each client has its own address, and each request an id of the proxy, whatever the client claims.
    let forged = [
        "X-Forwarded-For: 203.0.113.66",
        "Forwarded: for=203.0.113.66",
        "X-Request-Id: chosen-by-a-client",
    ];
    let body = account.to_string();
    let signed_in = proxy
        .ask(
            eve,
            "/api/auth/login",
            &[
                "--header",
                forged[0],
                "--header",
                forged[1],
                "--header",
                forged[2],
                "--header",
                "Content-Type: application/json",
                "--header",
                "Origin: https://keyturn.example",
                "--data",
                &body,
            ],
        )
        .await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.body);
    let id = signed_in
        .head
        .lines()
        .find_map(|line| line.strip_prefix("x-request-id: "));
    // Ids that Keyturn makes have 16 characters.
    assert!(
        id.is_some_and(|id| id.len() >= 32 && !id.contains("client")),
        "{}",
        signed_in.head
    );
    let sessions = proxy.get(ada, "/api/sessions", &token).await;
    assert_eq!(sessions.status, 200, "{}", sessions.body);
    for address in [ada, eve] {
        assert!(
            sessions.body.contains(&format!("\"{address}\"")),
            "{}",
            sessions.body
        );
    }
    assert!(!sessions.body.contains("203.0.113.66"), "{}", sessions.body);
    assert!(!sessions.body.contains("\"127.0.0.1\""), "{}", sessions.body);
}

async fn assert_only_pages_move_to_https(proxy: &Proxy) {
    let port = format!("{NAME}:80:{}", proxy.plain);
    for (path, status) in [
        ("/login?next=%2Faccount", 308),
        ("/api", 403),
        ("/api/auth/session", 403),
        ("/api/auth/login?a=b", 403),
    ] {
        let url = format!("http://{NAME}{path}");
        let answer = ProxiedAnswer::new(&curl(&[&["--include", "--connect-to", &port, &url]]).await);
        assert_eq!(answer.status, status, "{path}: {}", answer.head);
        let target = format!("location: https://{NAME}{}", path.to_lowercase());
        assert_eq!(
            answer.head.contains(&target),
            status == 308,
            "{path}: {}",
            answer.head
        );
    }
}

#[tokio::test]
async fn caddy_redirects_pages_to_https() {
    let db = Db::sqlite();
    let (node, _) = node(&db).await;
    assert_only_pages_move_to_https(&Proxy::caddy(node.address()).await).await;
}

#[tokio::test]
async fn nginx_forwards_the_host_and_redirects_pages_to_https() {
    let db = Db::sqlite();
    let (node, _) = node(&db).await;
    let nginx = Proxy::nginx(node.address()).await;
    for (host, status) in [
        ("keyturn.example", 200),
        ("keyturn.example:443", 200),
        ("KEYTURN.example.", 200),
        ("evil.example", 421),
    ] {
        let header = format!("Host: {host}");
        let answer = nginx
            .ask("127.0.0.1", "/.well-known/jwks.json", &["--header", &header])
            .await;
        assert_eq!(answer.status, status, "{host}: {}", answer.body);
    }
    assert_only_pages_move_to_https(&nginx).await;
}
