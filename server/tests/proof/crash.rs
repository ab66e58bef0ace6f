//! SIGKILL, repeatedly, at any point of a rotation (L4): browsers that behave correctly never notice.
//!
//! In each round a server process serves eight browsers that refresh as fast as they can. It is killed at a random
//! time, or while stopped at a known point of a refresh. Responses get lost, and the next process receives the old
//! cookies. Time advances by a minute between processes. A retry is therefore accepted because its successor was never
//! used, and not because it falls within the grace period.

use std::{collections::HashSet, sync::Arc};

use rotation::{Jti, SessionId, Timestamp};
use tokio::{
    sync::watch,
    task::{JoinSet, yield_now},
};

use crate::{
    child::{ChildConfig, ChildServer, Hold},
    people,
    rows::Rows,
    seeded_rng::{self, SeededRng},
    support::{Db, TestApp, client::claims},
    wire::{Lost, Request, WireResponse},
};

/// Kills per database. At least a quarter of them must hit between commit and response.
const KILLS: usize = 120;
const BROWSERS: usize = 8;
const START: i64 = 1_795_000_000_250;
const MINUTE: i64 = 60_000;

const REFRESH: &str = "/api/auth/refresh";
const LOGOUT: &str = "/api/auth/logout";
const SESSION: &str = "/api/auth/session";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sqlite() {
    crash_repeatedly(Db::sqlite_in(crate::in_memory()), 1).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres() {
    crash_repeatedly(Db::postgres().await, 2).await;
}

/// When a process is killed.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// After this number of responses and of scheduler yields.
    Any { answers: usize, turns: usize },
    /// While a refresh is stopped at this point.
    Held(Hold),
}

/// A browser: it stores what it receives, and retries with its cookie when a response is lost.
#[derive(Debug)]
struct CrashBrowser {
    session: SessionId,
    jar: String,
    /// Refreshes whose response was lost.
    lost: usize,
    complaints: Vec<String>,
}

/// Statistics of the kills.
#[derive(Debug, Default)]
struct CrashCounts {
    kills: usize,
    before_the_commit: usize,
    between_commit_and_answer: usize,
    /// Refreshes with a response, and those without.
    answered: usize,
    lost: usize,
}

async fn crash_repeatedly(db: Db, salt: u64) {
    let mut rng = SeededRng::new(seeded_rng::seed(), salt);
    let app = TestApp::new(db).await;
    let mut browsers = Vec::new();
    for _ in 0..BROWSERS {
        browsers.push(CrashBrowser::new(&app).await);
    }
    let mut leaving: Vec<CrashBrowser> = Vec::new();
    let mut gone: Vec<CrashBrowser> = Vec::new();
    let mut tally = CrashCounts::default();

    for round in 0..KILLS {
        let now = START + i64::try_from(round).expect("few") * MINUTE;
        let moment = moment(round, &mut rng);
        let order = ChildConfig {
            database: app.db.url.clone(),
            now,
            hold: match moment {
                Moment::Held(hold) => Some(hold),
                Moment::Any { .. } => None,
            },
        };
        let mut server = ChildServer::start(&order).await;
        leaving.push(CrashBrowser::new(&app).await);

        let (progress, mut answered) = watch::channel(0);
        let progress = Arc::new(progress);
        let mut using = JoinSet::new();
        for browser in browsers.drain(..) {
            let rng = SeededRng::new(rng.next_u64(), 0);
            using.spawn(browser.use_until_lost(server.address, rng, Arc::clone(&progress)));
        }
        // Only the browsers hold it now. When all of them have lost the server, no one waits for responses.
        drop(progress);
        let mut signing_out = JoinSet::new();
        for browser in leaving.drain(..) {
            signing_out.spawn(browser.sign_out(server.address, answered.clone(), rng.below(12)));
        }

        let held = match moment {
            Moment::Held(_) => {
                let token = server.held().await;
                Some((generation_in_database(&app.db.url, &token).await, token))
            }
            Moment::Any { answers, turns } => {
                answered
                    .wait_for(|so_far| *so_far >= answers)
                    .await
                    .expect("browsers ask");
                for _ in 0..turns {
                    yield_now().await;
                }
                None
            }
        };
        server.kill();
        tally.kills += 1;
        browsers = using.join_all().await;
        for (left, browser) in signing_out.join_all().await {
            if left { &mut gone } else { &mut leaving }.push(browser);
        }
        tally.answered += *answered.borrow();
        complain(&browsers, round, moment);

        if let (Some((found, token)), Moment::Held(hold)) = (held, moment) {
            // The response was really not delivered only if its browser still has the old token.
            let unanswered = browsers.iter().any(|browser| browser.jar == token);
            let presented = generation(&token);
            let committed_just_now = found == (presented + 1, now);
            match hold.draw {
                Hold::AFTER_THE_COMMIT if unanswered && committed_just_now => {
                    tally.between_commit_and_answer += 1;
                }
                Hold::BEFORE_THE_TRANSACTION if unanswered && found.0 == presented => {
                    tally.before_the_commit += 1;
                }
                // A retry, or one of two tabs: another request created its successor.
                _ => {}
            }
        }
        // In every other round, the next process is the first to open the database that this one left.
        if round % 2 == 0 {
            check(&app.db.url).await;
        }
    }

    // A process that is not killed: all browsers that did not sign out still have a session, and no others.
    let order = ChildConfig {
        database: app.db.url.clone(),
        now: START + i64::try_from(KILLS).expect("few") * MINUTE,
        hold: None,
    };
    let server = ChildServer::start(&order).await;
    for browser in &mut browsers {
        for _ in 0..2 {
            let answer = browser.refresh(server.address).await.expect("an answer");
            browser.keep(&browser.jar.clone(), &answer);
        }
    }
    complain(&browsers, KILLS, Moment::Any { answers: 0, turns: 0 });
    for browser in leaving {
        let answer = Request::post(LOGOUT)
            .with_cookie(&browser.jar)
            .send(server.address)
            .await;
        assert_eq!(answer.expect("an answer").status, 204);
        gone.push(browser);
    }
    for browser in &gone {
        let answer = browser.refresh(server.address).await.expect("an answer");
        assert_eq!(answer.status, 401, "{}", answer.body);
        assert_eq!(
            answer.member("reason").as_deref(),
            Some("logout"),
            "{}",
            answer.body
        );
    }
    let census = check(&app.db.url).await;
    tally.lost = browsers.iter().map(|browser| browser.lost).sum();
    println!(
        "{tally:?}, {} signed out; the database in the end: {census:?}",
        gone.len()
    );
    assert_eq!(census.live, BROWSERS);
    assert_eq!(gone.len(), KILLS);
    assert!(
        tally.between_commit_and_answer * 4 >= KILLS,
        "too few kills hit between commit and answer: {tally:?}"
    );
    assert!(tally.before_the_commit > 0, "{tally:?}");
}

/// Half of the kills hit a refresh between its commit and its response, an eighth one that has not begun its
/// transaction, and the rest an arbitrary point.
fn moment(round: usize, rng: &mut SeededRng) -> Moment {
    let refresh = u32::try_from(rng.below(24)).expect("few") + 1;
    let draw = match round % 8 {
        0 | 2 | 4 | 6 => Hold::AFTER_THE_COMMIT,
        1 => Hold::BEFORE_THE_TRANSACTION,
        _ => {
            return Moment::Any {
                answers: rng.below(30),
                turns: rng.below(300),
            };
        }
    };
    Moment::Held(Hold { refresh, draw })
}

impl CrashBrowser {
    async fn new(app: &TestApp) -> Self {
        let now = Timestamp::from_millis(START);
        let opened = people::register(&app.state, &app.state.store, now, true).await;
        Self {
            session: opened.session,
            jar: opened.token,
            lost: 0,
            complaints: Vec::new(),
        }
    }

    async fn refresh(&self, server: std::net::SocketAddr) -> Result<WireResponse, Lost> {
        Request::post(REFRESH).with_cookie(&self.jar).send(server).await
    }

    /// Refreshes, sometimes in two tabs at the same time, and uses the tokens, until the server is gone.
    async fn use_until_lost(
        mut self,
        server: std::net::SocketAddr,
        mut rng: SeededRng,
        progress: Arc<watch::Sender<usize>>,
    ) -> Self {
        loop {
            let presented = self.jar.clone();
            let answers = if rng.once_in(4) {
                let (one, other) = tokio::join!(self.refresh(server), self.refresh(server));
                vec![one, other]
            } else {
                vec![self.refresh(server).await]
            };
            for answer in answers.iter().flatten() {
                self.keep(&presented, answer);
                progress.send_modify(|answers| *answers += 1);
            }
            self.lost += answers.iter().filter(|answer| answer.is_err()).count();
            if answers.iter().any(Result::is_err) {
                return self;
            }
            if rng.once_in(3) {
                let access = answers
                    .into_iter()
                    .flatten()
                    .find_map(|answer| answer.access_token());
                let Some(access) = access else { continue };
                let answer = Request::get(SESSION).with_bearer(&access).send(server).await;
                match answer {
                    Ok(answer) if answer.status == 200 => {}
                    Ok(answer) => self.complaints.push(format!("the bearer got {answer:?}")),
                    Err(Lost) => return self,
                }
            }
        }
    }

    /// Handles a response as a browser does, and records a complaint if the response is wrong.
    fn keep(&mut self, presented: &str, answer: &WireResponse) {
        if answer.asks_to_wait() {
            return;
        }
        match answer.refresh_token() {
            Some(token) if answer.status == 200 && generation(token) == generation(presented) + 1 => {
                if self.jar != presented && self.jar != token {
                    self.complaints
                        .push("two tabs were given different tokens".to_owned());
                }
                token.clone_into(&mut self.jar);
            }
            _ => self.complaints.push(format!("a refresh got {answer:?}")),
        }
    }

    /// Signs out after the others received `wait` responses; `true` if the server confirmed it.
    async fn sign_out(
        self,
        server: std::net::SocketAddr,
        mut answered: watch::Receiver<usize>,
        wait: usize,
    ) -> (bool, Self) {
        // An error means that all others have lost their server already; this one will notice as well.
        let _ = answered.wait_for(|so_far| *so_far >= wait).await;
        let answer = Request::post(LOGOUT).with_cookie(&self.jar).send(server).await;
        if let Ok(answer) = &answer {
            assert!(
                answer.status == 204 || answer.asks_to_wait(),
                "signing out got {answer:?}"
            );
        }
        (answer.is_ok_and(|answer| answer.status == 204), self)
    }
}

fn complain(browsers: &[CrashBrowser], round: usize, moment: Moment) {
    let complaints: Vec<_> = browsers
        .iter()
        .flat_map(|browser| {
            browser
                .complaints
                .iter()
                .map(|text| format!("{}: {text}", browser.session))
        })
        .collect();
    assert!(
        complaints.is_empty(),
        "round {round}, {moment:?}:\n{}",
        complaints.join("\n")
    );
    let sessions: HashSet<_> = browsers.iter().map(|browser| browser.session).collect();
    assert_eq!(sessions.len(), BROWSERS);
}

/// The generation in the row of this token's session, and when it was created.
async fn generation_in_database(url: &str, token: &str) -> (u64, i64) {
    let rows = Rows::open(url).await;
    let session = claims(token)["sid"]
        .as_str()
        .expect("sid")
        .parse()
        .expect("an id");
    let row = rows.session(session).await;
    let jti: Jti = claims(token)["jti"]
        .as_str()
        .expect("jti")
        .parse()
        .expect("an id");
    let known = row.current_jti == jti.uuid() || row.previous_jti == Some(jti.uuid());
    assert!(
        known,
        "the row has gone past a token whose answer is not given yet: {row:?}"
    );
    rows.close().await;
    (u64::try_from(row.generation).expect("positive"), row.rotated_at)
}

fn generation(token: &str) -> u64 {
    claims(token)["gen"].as_u64().expect("a generation")
}

async fn check(url: &str) -> crate::rows::RowCounts {
    let rows = Rows::open(url).await;
    let census = rows.check_everything(false).await;
    rows.close().await;
    census
}
