//! The server as a separate process that can be killed.
//!
//! The process is the same test program, started again with the name of one test ([`serves`]) and an order in its
//! environment. It runs the product's router behind the product's listener, with a random source that counts the draws
//! of each request. A refresh draws the successor's id, then an event's, and, after its commit, the access token's. The
//! process can therefore stop permanently at a chosen point of the product's code without a hook in the product.

use std::{
    collections::HashMap,
    io::{BufRead, BufReader, Read, Write},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::{Request, State},
    middleware::{Next, from_fn_with_state},
    response::Response,
    routing::get,
};
use rotation::{Clock, ManualClock, Timestamp};
use serde::{Deserialize, Serialize};
use tokio::{
    net::TcpListener,
    sync::{Barrier, mpsc, oneshot},
};
use web::{
    background::Background,
    random::{Random, SystemRandom},
};

use crate::{
    open, services,
    support::{app::config, client::COOKIE},
};

const ORDER: &str = "KEYTURN_PROOF_CHILD";
/// Prefix of lines for the parent; the test harness writes to the same output.
const MARK: &str = "proof: ";
/// Timeout. No operation of a process takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_secs(20);

/// The instructions for a process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ChildConfig {
    pub(crate) database: String,
    /// The time of its clock, in milliseconds.
    pub(crate) now: i64,
    pub(crate) hold: Option<Hold>,
}

/// Where to stop permanently: at draw number `draw` of a refresh request, in the first such request from the
/// `refresh`-th on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hold {
    pub(crate) refresh: u32,
    pub(crate) draw: u32,
}

impl Hold {
    /// The ids of the request and the successor are drawn; the transaction has not begun.
    pub(crate) const BEFORE_THE_TRANSACTION: u32 = 3;
    /// The access token's id is drawn: committed, but no response sent.
    pub(crate) const AFTER_THE_COMMIT: u32 = 4;
}

/// A server process, which is killed at the latest when this value is dropped.
pub(crate) struct ChildServer {
    pub(crate) address: SocketAddr,
    child: Child,
    lines: mpsc::UnboundedReceiver<String>,
}

impl ChildServer {
    pub(crate) async fn start(order: &ChildConfig) -> Self {
        let program = std::env::current_exe().expect("this program has a path");
        let mut child = Command::new(program)
            .args(["child::serves", "--exact", "--ignored", "--nocapture"])
            .env(ORDER, serde_json::to_string(order).expect("JSON"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a process");
        let output = BufReader::new(child.stdout.take().expect("its output"));
        let (sender, lines) = mpsc::unbounded_channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if let Some(line) = line.strip_prefix(MARK) {
                    // The parent may have stopped listening.
                    let _ = sender.send(line.to_owned());
                }
            }
        });
        let mut server = Self {
            address: SocketAddr::from(([127, 0, 0, 1], 0)),
            child,
            lines,
        };
        let address = server.line("address ").await;
        server.address = address.parse().expect("an address");
        server
    }

    /// Waits until a request is stopped permanently, and returns its token.
    pub(crate) async fn held(&mut self) -> String {
        self.line("held ").await
    }

    /// SIGKILL: no handler runs, nothing is flushed.
    pub(crate) fn kill(&mut self) {
        self.child.kill().expect("it can be killed");
        self.child.wait().expect("it is gone");
    }

    /// Asks the process to shut down gracefully, and waits until it has.
    pub(crate) async fn stop(&mut self) {
        drop(self.child.stdin.take());
        self.line("stopped").await;
        self.child.wait().expect("it is gone");
    }

    async fn line(&mut self, beginning: &str) -> String {
        let line = tokio::time::timeout(PATIENCE, self.lines.recv()).await;
        let line = line
            .expect("the process says something in time")
            .expect("the process lives");
        match line.strip_prefix(beginning) {
            Some(rest) => rest.to_owned(),
            None => panic!("not {beginning:?} but {line:?}"),
        }
    }
}

impl Drop for ChildServer {
    fn drop(&mut self) {
        // It may have exited already, which is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Not a test: other tests start this as a separate process.
#[test]
#[ignore = "the server process that other tests start"]
fn serves() {
    let Ok(order) = std::env::var(ORDER) else {
        return;
    };
    let order: ChildConfig = serde_json::from_str(&order).expect("an order");
    // The parent's end of this pipe closes when the parent asks the process to stop, and also when the parent dies.
    let (stop, stopped) = oneshot::channel::<()>();
    std::thread::spawn(move || {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        let _ = stop.send(());
    });
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        // All tabs of a race share one address.
        let config = config(&order.database, |sections| {
            sections.http.max_connections = 1000;
            sections.http.max_connections_per_address = 1000;
            // They also share one session.
            sections.limits.enabled = false;
        });
        let http = config.http.clone();
        let store = open(&config).await;
        let clock: Arc<dyn Clock> = Arc::new(ManualClock::at(Timestamp::from_millis(order.now)));
        let random = Arc::new(Counted::new(order.hold));
        let state = services(config, store, clock, random).await;
        let background = Background::start(&state);
        let router = watched(web::router(state, axum::Router::new()));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        print_line(&format!("address {}", listener.local_addr().expect("an address")));
        web::serve::serve(listener, router, &http, async {
            let _ = stopped.await;
        })
        .await;
        background.stop().await;
        print_line("stopped");
        // Immediate exit, because the runtime would wait for a thread that is stopped permanently.
        std::process::exit(0);
    });
}

fn print_line(line: &str) {
    let mut output = std::io::stdout().lock();
    // On a separate line, whatever the harness has written before.
    writeln!(output, "\n{MARK}{line}").expect("the parent listens");
    output.flush().expect("the parent listens");
}

tokio::task_local! {
    static REFRESH: RefreshAnswer;
}

/// A refresh request in progress.
struct RefreshAnswer {
    number: u32,
    draws: AtomicU32,
    token: String,
}

/// The system's random source, with counted draws per refresh request.
struct Counted {
    source: SystemRandom,
    hold: Option<Hold>,
    held: AtomicBool,
}

impl Counted {
    fn new(hold: Option<Hold>) -> Self {
        Self {
            source: SystemRandom::default(),
            hold,
            held: AtomicBool::new(false),
        }
    }
}

impl Random for Counted {
    fn fill(&self, bytes: &mut [u8]) {
        self.source.fill(bytes);
        let here = REFRESH.try_with(|refresh| {
            let draw = refresh.draws.fetch_add(1, Ordering::SeqCst) + 1;
            let meant = self
                .hold
                .is_some_and(|hold| refresh.number >= hold.refresh && draw == hold.draw);
            (meant && !self.held.swap(true, Ordering::SeqCst)).then(|| refresh.token.clone())
        });
        if let Ok(Some(token)) = here {
            print_line(&format!("held {token}"));
            loop {
                std::thread::park();
            }
        }
    }
}

/// The activity in the process.
#[derive(Default)]
struct Watch {
    refreshes: AtomicU32,
    inside: AtomicUsize,
    /// The maximum number of concurrent requests in the product's router since the last query.
    peak: AtomicUsize,
    gates: Mutex<HashMap<String, Arc<Barrier>>>,
}

/// A request inside the router. Also covers requests whose connection ends early.
struct Inside<'a>(&'a Watch);

impl Drop for Inside<'_> {
    fn drop(&mut self) {
        self.0.inside.fetch_sub(1, Ordering::SeqCst);
    }
}

fn watched(product: Router) -> Router {
    let watch = Arc::new(Watch::default());
    let product = product.layer(from_fn_with_state(Arc::clone(&watch), pass));
    Router::new()
        .route("/proof/peak", get(peak))
        .with_state(watch)
        .fallback_service(product)
}

async fn peak(State(watch): State<Arc<Watch>>) -> String {
    watch.peak.swap(0, Ordering::SeqCst).to_string()
}

/// Counts a request in and out. `x-proof-gate: name/n` first waits for `n` requests of that name.
async fn pass(State(watch): State<Arc<Watch>>, request: Request, next: Next) -> Response {
    if let Some(gate) = text(&request, "x-proof-gate") {
        watch.gate(gate).wait().await;
    }
    let inside = watch.inside.fetch_add(1, Ordering::SeqCst) + 1;
    let _inside = Inside(&watch);
    watch.peak.fetch_max(inside, Ordering::SeqCst);
    if request.uri().path() != "/api/auth/refresh" {
        return next.run(request).await;
    }
    let cookie = text(&request, "cookie").unwrap_or_default();
    let token = cookie
        .strip_prefix(COOKIE)
        .and_then(|rest| rest.strip_prefix('='));
    let refresh = RefreshAnswer {
        number: watch.refreshes.fetch_add(1, Ordering::SeqCst) + 1,
        draws: AtomicU32::new(0),
        token: token.unwrap_or_default().to_owned(),
    };
    REFRESH.scope(refresh, next.run(request)).await
}

impl Watch {
    fn gate(&self, name: &str) -> Arc<Barrier> {
        let mut gates = self.gates.lock().expect("a lock");
        let gate = gates.entry(name.to_owned()).or_insert_with(|| {
            let count = name.rsplit('/').next().and_then(|count| count.parse().ok());
            Arc::new(Barrier::new(count.expect("name/n")))
        });
        Arc::clone(gate)
    }
}

fn text<'a>(request: &'a Request, header: &str) -> Option<&'a str> {
    request.headers().get(header)?.to_str().ok()
}
