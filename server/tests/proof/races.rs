//! A hundred concurrent requests over HTTP, against one process and against two: refreshes against each other, and
//! refreshes against every other operation that affects a session.
//!
//! A hundred tabs share one cookie jar. Each writes its request except for the last byte. A barrier lets all of them
//! write that byte together, and a gate inside each process releases its share together. From then on the tabs refresh
//! with the current token in the jar, until the rival has its response, and then one more time.
//!
//! Allowed responses are:
//! - 200 with the one correct successor;
//! - 409 for a token that other tabs have already replaced;
//! - 503 with `Retry-After`;
//! - 401 with the correct reason, once the rival ends sessions.
//!
//! Afterwards the whole database is checked. If the session has ended, none of the issued tokens may work.

mod rivals;

use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use rotation::{Clock, UserId};
use tokio::{
    io::AsyncWriteExt,
    net::TcpStream,
    sync::Barrier,
    sync::watch,
    task::{JoinSet, yield_now},
    time::timeout,
};

use self::rivals::{Rival, administrator, bury_the_past, end, prune, rotate_keys};
use crate::{
    child::{ChildConfig, ChildServer},
    rows::Rows,
    support::{Client, Db, PASSWORD, TestApp, client::claims},
    wire::{self, Lost, Request, WireResponse},
};

const TABS: usize = 100;
/// The minimum number of requests in flight when the first response arrives.
const OVERLAP: usize = 50;
/// Each with a separate account.
const ROUNDS: usize = 3;
const REFRESH: &str = "/api/auth/refresh";
/// Timeout. Nothing here takes this long unless it hangs.
const PATIENCE: Duration = Duration::from_mins(1);

macro_rules! races {
    ($($name:ident: $rival:expr;)*) => {
        $(
            mod $name {
                use super::*;

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite_one_process() {
                    race($rival, Db::sqlite_in(crate::in_memory()), 1).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite_two_processes() {
                    race($rival, Db::sqlite_in(crate::in_memory()), 2).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres_one_process() {
                    race($rival, Db::postgres().await, 1).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres_two_processes() {
                    race($rival, Db::postgres().await, 2).await;
                }
            }
        )*
    };
}

races! {
    refresh: Rival::Refresh;
    log_out: Rival::LogOut;
    log_out_everywhere: Rival::LogOutEverywhere;
    change_password: Rival::ChangePassword;
    disable: Rival::Disable;
    prune: Rival::Prune;
    rotate_keys: Rival::RotateKeys;
    restart: Rival::Restart;
}

/// The state that all tabs of one browser share, and the recorded results.
struct Race {
    rival: Rival,
    round: usize,
    addresses: Vec<Mutex<SocketAddr>>,
    /// The newest token, as in a cookie jar.
    jar: Mutex<String>,
    /// The successor of each token. It must be the same in all responses (I2).
    successors: Mutex<HashMap<String, String>>,
    access: Mutex<Vec<String>>,
    answers: Mutex<BTreeMap<String, usize>>,
    wrong: Mutex<Vec<String>>,
    sent: AtomicUsize,
    answered: AtomicUsize,
    overlap: AtomicUsize,
}

async fn race(rival: Rival, db: Db, processes: usize) {
    let app = TestApp::new(db).await;
    let administrator = administrator(&app).await;
    let order = ChildConfig {
        database: app.db.url.clone(),
        now: app.clock.now().millis(),
        hold: None,
    };
    let mut servers = Vec::new();
    for _ in 0..processes {
        servers.push(ChildServer::start(&order).await);
    }
    for round in 0..ROUNDS {
        if rival == Rival::Prune {
            bury_the_past(&app).await;
        }
        one_round(rival, round, &app, &order, &mut servers, &administrator).await;
    }
    let rows = Rows::open(&app.db.url).await;
    rows.check_everything(rival == Rival::Prune).await;
}

async fn one_round(
    rival: Rival,
    round: usize,
    app: &TestApp,
    order: &ChildConfig,
    servers: &mut [ChildServer],
    administrator: &str,
) {
    let mut browser = app.anonymous();
    let answer = browser
        .register(&format!("ada{round}@example.com"), PASSWORD)
        .await;
    assert_eq!(answer.status, 201, "{}", answer.text());
    let access = browser.access.clone().expect("a token");
    let user = claims(&access)["sub"].as_str().and_then(|sub| sub.parse().ok());
    let user: UserId = user.expect("an id");
    let race = Arc::new(Race {
        rival,
        round,
        addresses: servers.iter().map(|server| Mutex::new(server.address)).collect(),
        jar: Mutex::new(browser.refresh.clone().expect("a token")),
        successors: Mutex::default(),
        access: Mutex::new(vec![access]),
        answers: Mutex::default(),
        wrong: Mutex::default(),
        sent: AtomicUsize::new(0),
        answered: AtomicUsize::new(0),
        overlap: AtomicUsize::new(0),
    });

    let alone = rival == Rival::Refresh;
    let (done, finished) = watch::channel(alone);
    let start = Arc::new(Barrier::new(TABS + usize::from(!alone)));
    let mut tabs = JoinSet::new();
    for number in 0..TABS {
        let (race, start, finished) = (Arc::clone(&race), Arc::clone(&start), finished.clone());
        tabs.spawn(async move { race.tab(number, &start, &finished).await });
    }
    if !alone {
        start.wait().await;
        if rival.ends_with().is_none() {
            // It does not pass the gate with the tabs, so it must at least not start before them.
            while race.sent.load(Ordering::SeqCst) < TABS {
                yield_now().await;
            }
        }
        match rival {
            Rival::Refresh => unreachable!("it has no rival"),
            Rival::Prune => prune(app).await,
            Rival::RotateKeys => rotate_keys(app).await,
            Rival::Restart => {
                // The first process is killed, the second shuts down gracefully; each restarts on another address.
                for (number, server) in servers.iter_mut().enumerate() {
                    if number == 0 {
                        server.kill();
                    } else {
                        server.stop().await;
                    }
                    *server = ChildServer::start(order).await;
                    *race.addresses[number].lock().expect("a lock") = server.address;
                }
            }
            _ => browser = end(&race, browser, user, administrator).await,
        }
        done.send_replace(true);
    }
    timeout(PATIENCE, tabs.join_all())
        .await
        .expect("all tabs come to an end");
    race.judge(app, servers, &browser).await;
}

impl Race {
    /// The gate of a process. Its share of the tabs, and the rival that ends the session, pass it together.
    fn gate(&self, process: usize) -> String {
        let tabs = (TABS - process).div_ceil(self.addresses.len());
        let rival = usize::from(process == 0 && self.rival.ends_with().is_some());
        format!("{}/{}", self.round, tabs + rival)
    }

    async fn tab(&self, number: usize, start: &Barrier, finished: &watch::Receiver<bool>) {
        // The first time, all together.
        let gate = self.gate(number % self.addresses.len());
        let token = self.jar.lock().expect("a lock").clone();
        let request = Request {
            gate: Some(&gate),
            ..Request::post(REFRESH).with_cookie(&token)
        };
        let text = request.to_text();
        let (most, last) = text.as_bytes().split_at(text.len() - 1);
        let mut stream = TcpStream::connect(self.address(number)).await.expect("connects");
        stream.set_nodelay(true).expect("no delay");
        stream.write_all(most).await.expect("writes");
        start.wait().await;
        let last_time = *finished.borrow();
        self.sent.fetch_add(1, Ordering::SeqCst);
        let answer = match stream.write_all(last).await {
            Ok(()) => wire::read(&mut stream).await,
            Err(_) => Err(Lost),
        };
        let answered = self.answered.fetch_add(1, Ordering::SeqCst);
        if answered == 0 {
            let overlap = self.sent.load(Ordering::SeqCst) - answered;
            self.overlap.store(overlap, Ordering::SeqCst);
        }
        self.take(&token, answer, false);
        if last_time {
            return;
        }
        // Again, until the rival has its response, and then one more time.
        loop {
            let last_time = *finished.borrow();
            let token = self.jar.lock().expect("a lock").clone();
            let answer = Request::post(REFRESH)
                .with_cookie(&token)
                .send(self.address(number))
                .await;
            self.take(&token, answer, last_time);
            if last_time {
                return;
            }
        }
    }

    fn address(&self, number: usize) -> SocketAddr {
        *self.addresses[number % self.addresses.len()]
            .lock()
            .expect("a lock")
    }

    /// Handles a response as a browser does, and records whether it is allowed.
    fn take(&self, presented: &str, answer: Result<WireResponse, Lost>, after_the_rival: bool) {
        let Ok(answer) = answer else {
            self.count("lost");
            if self.rival != Rival::Restart {
                self.complain("an answer was lost".to_owned());
            }
            return;
        };
        self.count(&answer.status.to_string());
        let allowed = match answer.status {
            200 => return self.keep(presented, &answer, after_the_rival),
            401 => self.rival.ends_with().is_some_and(|(code, reason)| {
                answer.member("code").as_deref() == Some(code) && answer.member("reason").as_deref() == reason
            }),
            // Another tab has replaced the token: then the jar contains a newer one.
            409 => {
                answer.header("set-cookie").is_none()
                    && generation(&self.jar.lock().expect("a lock")) > generation(presented)
            }
            503 => answer.asks_to_wait(),
            _ => false,
        };
        if !allowed {
            self.complain(format!("not allowed: {answer:?}"));
        }
    }

    fn keep(&self, presented: &str, answer: &WireResponse, after_the_rival: bool) {
        let (Some(token), Some(access)) = (answer.refresh_token(), answer.access_token()) else {
            return self.complain(format!("200 without tokens: {answer:?}"));
        };
        if after_the_rival && self.rival.ends_with().is_some() {
            self.complain("a refresh that began after the end was confirmed gave a token".to_owned());
        }
        if generation(token) != generation(presented) + 1 {
            self.complain("a successor is not of the next generation".to_owned());
        }
        let mut successors = self.successors.lock().expect("a lock");
        let first = successors
            .entry(presented.to_owned())
            .or_insert_with(|| token.to_owned());
        if first != token {
            self.complain("one token has two successors".to_owned());
        }
        self.access.lock().expect("a lock").push(access);
        let mut jar = self.jar.lock().expect("a lock");
        if generation(token) > generation(&jar) {
            token.clone_into(&mut jar);
        }
    }

    fn count(&self, what: &str) {
        *self
            .answers
            .lock()
            .expect("a lock")
            .entry(what.to_owned())
            .or_default() += 1;
    }

    fn complain(&self, what: String) {
        self.wrong.lock().expect("a lock").push(what);
    }

    /// Checks the final state.
    async fn judge(&self, app: &TestApp, servers: &[ChildServer], browser: &Client) {
        let rival = self.rival;
        let wrong = self.wrong.lock().expect("a lock").clone();
        assert!(
            wrong.is_empty(),
            "{rival:?}: {}, first: {}",
            wrong.len(),
            wrong[0]
        );

        let mut peaks = Vec::new();
        for server in servers {
            let answer = Request::get("/proof/peak")
                .send(server.address)
                .await
                .expect("an answer");
            peaks.push(answer.body.parse::<usize>().expect("a number"));
        }
        let overlap = self.overlap.load(Ordering::SeqCst);
        let answers = self.answers.lock().expect("a lock").clone();
        println!(
            "{rival:?}: {overlap} in flight at the first answer, at most {peaks:?} inside, answers {answers:?}"
        );
        // Requests in flight are sent and without a response. The number of requests inside the router at the same time
        // is printed but not asserted: a fast database answers the first request before the last has passed the gate.
        assert!(overlap >= OVERLAP, "only {overlap} were in flight together");

        let newest = self.jar.lock().expect("a lock").clone();
        let session = claims(&newest)["sid"]
            .as_str()
            .and_then(|sid| sid.parse().ok())
            .expect("an id");
        let rows = Rows::open(&app.db.url).await;
        let row = rows.session(session).await;
        let access = self.access.lock().expect("a lock").clone();
        let mut given: Vec<_> = self
            .successors
            .lock()
            .expect("a lock")
            .values()
            .cloned()
            .collect();
        given.sort_by_key(|token| std::cmp::Reverse(generation(token)));
        if let Some((code, _)) = rival.ends_with() {
            assert!(row.revoke_reason.is_some(), "{row:?}");
            given.push(newest);
            for server in servers {
                for token in given.iter().take(12) {
                    let answer = ask(server, Request::post(REFRESH).with_cookie(token)).await;
                    let told = (answer.status, answer.member("code"));
                    assert_eq!(told, (401, Some(code.to_owned())), "{answer:?}");
                }
                assert_bearers_refused(server, &access).await;
            }
        } else {
            assert_eq!(row.revoke_reason, None);
            if rival == Rival::Refresh {
                assert_eq!(row.generation, 2, "{row:?}");
                assert_eq!(answers, BTreeMap::from([("200".to_owned(), TABS)]));
                assert_eq!(given.len(), 1);
            }
            for server in servers {
                for token in [access.first(), access.last()].into_iter().flatten() {
                    let answer = ask(server, Request::get("/api/auth/session").with_bearer(token)).await;
                    assert_eq!(answer.status, 200, "{answer:?}");
                }
            }
            let answer = ask(&servers[0], Request::post(REFRESH).with_cookie(&newest)).await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
        if rival == Rival::ChangePassword {
            let (token, access) = (browser.refresh.as_deref(), browser.access.as_deref());
            for server in servers {
                let bearer = Request::get("/api/me").with_bearer(access.expect("a token"));
                assert_eq!(
                    ask(server, bearer).await.status,
                    200,
                    "the browser that changed it is signed in"
                );
            }
            let answer = ask(
                &servers[0],
                Request::post(REFRESH).with_cookie(token.expect("a token")),
            )
            .await;
            assert_eq!(answer.status, 200, "{answer:?}");
        }
    }
}

/// Retries until the response is not a 503.
async fn ask(server: &ChildServer, request: Request<'_>) -> WireResponse {
    loop {
        let answer = request.send(server.address).await.expect("an answer");
        if !answer.asks_to_wait() {
            return answer;
        }
    }
}

/// Each issued access token must be refused within the guaranteed second.
async fn assert_bearers_refused(server: &ChildServer, tokens: &[String]) {
    let refused = async {
        for token in tokens.iter().rev().take(12) {
            while ask(server, Request::get("/api/auth/session").with_bearer(token))
                .await
                .status
                != 401
            {}
        }
    };
    timeout(Duration::from_secs(1), refused)
        .await
        .expect("refused within a second");
}

fn generation(token: &str) -> u64 {
    claims(token)["gen"].as_u64().expect("a generation")
}
