//! Benchmark: does rotation stay as fast when the blacklist grows?
//!
//! It uses two databases of each kind, one with an empty blacklist and one with five million rows (a week of tokens).
//! Rotations alternate between the two, so that background load affects both alike. Every rotation is complete:
//! `Store::refresh` from the presented token to the commit. The ratio of the medians must not exceed 1.2.
//!
//! It measures two kinds of rotation. A token that was issued just now is inserted at the end of the blacklist's tree.
//! A token that was issued at some time in the last week, because its browser was away, is inserted in the middle: the
//! worst case.
//!
//! `./dev bench` runs this against a temporary PostgreSQL and writes the table to `target/bench/rotation.md`.
//! `KEYTURN_BENCH_ROWS` and `KEYTURN_BENCH_ROUNDS` change the sizes.

use std::{
    fmt::Write as _,
    fs,
    path::Path,
    process::ExitCode,
    time::{Duration, Instant},
};

use migrations::Migrator;
use rotation::{
    Generation, Jti, KeyId, Lifetimes, LiveToken, Policy, Presented, Role, SessionId, SuccessorParams,
    Timestamp, UserId,
};
use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{ConnectionTrait, Database},
};
use store::{
    Actor, AuditContext, ClientInfo, EventId, Options, Store,
    refresh::RefreshOutcome,
    sessions::{NewSession, SessionLimit},
    users::{NewUser, PasswordHash},
};

const MOST: f64 = 1.2;
const WARM_UP: usize = 200;
const DAY: Duration = Duration::from_hours(24);
/// The last of the five million tokens was issued now.
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

/// One database: a session that is rotated repeatedly, and many sessions that are rotated once, after a while.
struct Subject {
    store: Store,
    busy: (SessionId, LiveToken),
    idle: Vec<(SessionId, LiveToken)>,
    now: Timestamp,
    drawn: u64,
    /// Durations of the rotations, one list per age.
    taken: [Vec<Duration>; 2],
}

/// How long ago the rotated tokens were issued.
#[derive(Clone, Copy)]
enum Age {
    Fresh,
    UpToAWeek,
}

const AGES: [(Age, &str); 2] = [(Age::Fresh, "just issued"), (Age::UpToAWeek, "up to a week old")];

#[tokio::main]
async fn main() -> ExitCode {
    let rows = size("KEYTURN_BENCH_ROWS", 5_000_000);
    let rounds = size("KEYTURN_BENCH_ROUNDS", 2_000);
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
    let admin = std::env::var("KEYTURN_TEST_POSTGRES").expect("./dev bench starts a PostgreSQL and names it");

    let mut table = format!(
        "Rotation with an empty blacklist and with {rows} rows, {rounds} rotations each, by turns. Milliseconds.\n\n\
         | database | tokens rotated | blacklist | median | 95 % | 99 % | ratio of medians |\n\
         |---|---|---|---|---|---|---|\n"
    );
    let mut sound = true;
    for kind in ["SQLite", "PostgreSQL"] {
        let mut urls = Vec::new();
        for name in ["empty", "full"] {
            urls.push(if kind == "SQLite" {
                format!("sqlite://{}", folder.path().join(name).display())
            } else {
                postgres(&admin, name).await
            });
        }
        let mut empty = Subject::new(&urls[0], 0, WARM_UP + rounds).await;
        let mut full = Subject::new(&urls[1], rows, WARM_UP + rounds).await;
        for round in 0..WARM_UP + rounds {
            for (age, _) in AGES {
                // Alternates the order, so that neither is always second.
                if round % 2 == 0 {
                    empty.rotate(age).await;
                    full.rotate(age).await;
                } else {
                    full.rotate(age).await;
                    empty.rotate(age).await;
                }
            }
        }
        for (age, tokens) in AGES {
            let ratio = full.at(age, 50) / empty.at(age, 50);
            sound &= ratio <= MOST;
            for (subject, filled, ratio) in [(&empty, 0, String::new()), (&full, rows, format!("{ratio:.3}"))]
            {
                let (median, most, nearly_all) =
                    (subject.at(age, 50), subject.at(age, 95), subject.at(age, 99));
                writeln!(
                    table,
                    "| {kind} | {tokens} | {filled} | {median:.3} | {most:.3} | {nearly_all:.3} | {ratio} |"
                )
                .expect("writes to a string");
            }
        }
    }
    println!("{table}");
    // cargo runs benchmarks in their package's folder.
    let bench = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
    fs::create_dir_all(&bench).expect("a folder for the table");
    fs::write(bench.join("rotation.md"), table).expect("the table is written");
    if sound {
        ExitCode::SUCCESS
    } else {
        eprintln!("A full blacklist slows rotation down by more than a factor of {MOST}.");
        ExitCode::FAILURE
    }
}

impl Subject {
    async fn new(url: &str, rows: usize, idle: usize) -> Self {
        let options = Options {
            url: url.to_owned(),
            max_connections: 4,
            timeout: Duration::from_mins(10),
            behind_pooler: false,
        };
        let store = Store::connect(&options).await.expect("connects");
        Migrator::up(store.connection(), None).await.expect("the schema");
        fill(&store, rows).await;
        let mut drawn = 0;
        let busy = sign_in(&store, NOW, &mut drawn).await;
        let mut away = Vec::with_capacity(idle);
        for _ in 0..idle {
            // A time in the last seven days, minus an hour so that none has expired.
            let [high, low, ..] = draw(&mut drawn);
            let ago = u64::from(high) << 8 | u64::from(low);
            let ago = Duration::from_hours(7 * 24 - 1) * u32::try_from(ago).expect("16 bits") / 0x1_0000;
            away.push(sign_in(&store, NOW.saturating_sub(ago), &mut drawn).await);
        }
        Self {
            store,
            busy,
            idle: away,
            now: NOW,
            drawn,
            taken: [Vec::new(), Vec::new()],
        }
    }

    async fn rotate(&mut self, age: Age) {
        self.now = self.now.saturating_add(Duration::from_millis(20));
        let (session, leaf) = match age {
            Age::Fresh => self.busy.clone(),
            Age::UpToAWeek => self.idle.pop().expect("one for each round"),
        };
        let presented = Presented {
            session,
            jti: leaf.jti,
            generation: leaf.generation,
            expires_at: leaf.expires_at,
        };
        let params = SuccessorParams {
            jti: Jti::new(self.now, draw(&mut self.drawn)),
            kid: leaf.kid.clone(),
        };
        let context = AuditContext {
            now: self.now,
            client: ClientInfo::default(),
            event: EventId::new(self.now, draw(&mut self.drawn)),
            actor: Actor::Account,
        };
        let policy = policy();
        #[expect(clippy::disallowed_methods, reason = "a benchmark measures real time")]
        let begun = Instant::now();
        let outcome = self
            .store
            .refresh(presented, &params, &policy, &context)
            .await
            .expect("refreshes");
        self.taken[age as usize].push(begun.elapsed());
        let RefreshOutcome::Rotated(granted) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(granted.token.generation, leaf.generation.next());
        if matches!(age, Age::Fresh) {
            self.busy.1 = granted.token;
        }
    }

    /// A percentile in milliseconds, without the warm-up.
    fn at(&self, age: Age, percent: usize) -> f64 {
        let mut taken = self.taken[age as usize][WARM_UP..].to_vec();
        taken.sort_unstable();
        let index = (taken.len() * percent / 100).min(taken.len() - 1);
        taken[index].as_secs_f64() * 1000.0
    }
}

/// Creates an account with a session that begins at `now`.
async fn sign_in(store: &Store, now: Timestamp, drawn: &mut u64) -> (SessionId, LiveToken) {
    let id = UserId::new(now, draw(drawn));
    let user = NewUser {
        id,
        email: format!("{id}@example.com"),
        email_normalised: format!("{id}@example.com"),
        mailbox: format!("{id}@example.com"),
        password_hash: PasswordHash::new("$none$".into()),
        display_name: None,
        role: Role::User,
        created_at: now,
    };
    let session = NewSession {
        id: SessionId::new(now, draw(drawn)),
        token: LiveToken {
            jti: Jti::new(now, draw(drawn)),
            generation: Generation::FIRST,
            issued_at: now,
            expires_at: now.saturating_add(7 * DAY),
            kid: KeyId::new("rt-bench"),
        },
        absolute_expires_at: now.saturating_add(30 * DAY),
        remember: true,
        context: AuditContext {
            now,
            client: ClientInfo::default(),
            event: EventId::new(now, draw(drawn)),
            actor: store::Actor::Account,
        },
        replaces: None,
        limit: SessionLimit {
            max: 100,
            event: EventId::new(now, draw(drawn)),
        },
    };
    let registered = store.register(&user, &session).await.expect("registers");
    assert!(registered.is_some());
    (session.id, session.token)
}

/// Distinct but deterministic bytes: both databases get the same.
fn draw(drawn: &mut u64) -> [u8; 10] {
    *drawn += 1;
    let mut bytes = [0x5a; 10];
    bytes[..8].copy_from_slice(&drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
    bytes
}

/// Inserts a week of consumed tokens in order of issue, with keys in the format of production.
async fn fill(store: &Store, rows: usize) {
    if rows == 0 {
        return;
    }
    let week = 7 * 24 * 3600 * 1000_usize;
    let first = NOW.millis() - i64::try_from(week).expect("a week fits");
    let issued = format!("({first} + i * {week} / {rows})");
    let sql = if store.is_sqlite() {
        format!(
            "WITH RECURSIVE rows(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM rows WHERE i + 1 < {rows}) \
             INSERT INTO token_blacklist \
             SELECT unhex(printf('%012x', {issued}) || '7' || substr(hex(randomblob(10)), 2)), \
                    randomblob(16), i % 50 + 1, 'rotated', {issued}, {issued} + {week} FROM rows"
        )
    } else {
        format!(
            "INSERT INTO token_blacklist \
             SELECT (lpad(to_hex({issued}), 12, '0') || '7' || substr(md5(i::text), 1, 3) \
                     || substr(md5((-i)::text), 1, 16))::uuid, \
                    md5((i / 50)::text)::uuid, i % 50 + 1, 'rotated', {issued}, {issued} + {week} \
             FROM generate_series(0::bigint, {rows} - 1) AS i"
        )
    };
    let connection = store.connection();
    connection
        .execute_unprepared(&sql)
        .await
        .expect("the rows are made");
    let tidy = if store.is_sqlite() {
        "PRAGMA wal_checkpoint(TRUNCATE)"
    } else {
        "VACUUM ANALYZE token_blacklist"
    };
    connection.execute_unprepared(tidy).await.expect("tidies up");
}

/// Creates a new database on the server.
async fn postgres(admin_url: &str, name: &str) -> String {
    let admin = Database::connect(admin_url).await.expect("PostgreSQL answers");
    let name = format!("keyturn_bench_{}_{name}", std::process::id());
    admin
        .execute_unprepared(&format!("CREATE DATABASE {name}"))
        .await
        .expect("a new database");
    admin.close().await.expect("closes");
    let (server, _) = admin_url.rsplit_once('/').expect("a URL with a database");
    format!("{server}/{name}")
}

fn policy() -> Policy {
    let lifetimes = Lifetimes {
        access: Duration::from_mins(15),
        refresh_idle: 7 * DAY,
        refresh_idle_shared: DAY / 2,
        refresh_absolute: 30 * DAY,
    };
    Policy::new(lifetimes, Duration::from_secs(10)).expect("a sound policy")
}

fn size(variable: &str, default: usize) -> usize {
    match std::env::var(variable) {
        Ok(text) => text.parse().expect("a number"),
        Err(_) => default,
    }
}
