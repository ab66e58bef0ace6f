//! One mailbox is one account, even for accounts that are older than that rule.

use migrations::Migrator;
use sea_orm_migration::{
    MigratorTrait,
    sea_orm::{ConnectionTrait, DbBackend},
};
use web::accounts::mailboxes::{self, MailboxReport};

use crate::support::{Db, PASSWORD, TestApp, on_both_databases, process::Deployment};

/// A database of the version before mailboxes, with these accounts.
async fn before_mailboxes(db: &Db, accounts: &[(&str, &str)], password_hash: &str) {
    let steps = Migrator::migrations();
    let mine = steps
        .iter()
        .position(|step| step.name() == "m20261130_000010_mailboxes");
    let url = if db.url.starts_with("sqlite") {
        format!("{}?mode=rwc", db.url)
    } else {
        db.url.clone()
    };
    let connection = crate::support::db::open(&url).await;
    let earlier = u32::try_from(mine.expect("a step")).expect("few");
    Migrator::up(&connection, Some(earlier))
        .await
        .expect("the old schema");
    for (number, (email, normalised)) in accounts.iter().enumerate() {
        let id = match connection.get_database_backend() {
            DbBackend::Sqlite => format!("X'{:032x}'", number + 1),
            _ => format!("'{:032x}'", number + 1),
        };
        let insert = format!(
            "INSERT INTO users (id, email, email_normalised, password_hash, role, token_epoch, created_at)
             VALUES ({id}, '{email}', '{normalised}', '{password_hash}', 'user', 0, {number})"
        );
        connection.execute_unprepared(&insert).await.expect("SQL");
    }
    connection.close().await.expect("closes");
}

/// A cheap hash of [`PASSWORD`].
async fn a_hash() -> String {
    let config = web::config::Passwords {
        memory_kib: 64,
        iterations: 1,
        ..Default::default()
    };
    let random = std::sync::Arc::new(web::random::SystemRandom::default());
    let passwords = web::passwords::Passwords::new(&config, random).expect("sound parameters");
    let hash = passwords
        .hash(web::passwords::Password::new(PASSWORD.to_owned()))
        .await;
    hash.expect("hashes").as_str().to_owned()
}

async fn signs_in(app: &TestApp, typed: &str) -> Option<String> {
    let answer = app.anonymous().login(typed, PASSWORD).await;
    (answer.status == 200).then(|| {
        answer.json()["user"]["email"]
            .as_str()
            .expect("an address")
            .to_owned()
    })
}

on_both_databases! {
    async fn all_spellings_of_a_mailbox_are_one_account(db: Db) {
        let app = TestApp::new(db).await;
        assert_eq!(app.anonymous().register("Fiona@Müller.example", PASSWORD).await.status, 201);
        for typed in [
            "fiona@müller.example",
            "FIONA@MÜLLER.EXAMPLE",
            "ﬁona@müller.example",
            "ｆｉｏｎａ@müller.example",
            "fiona@xn--mller-kva.example",
            "fiona@mu\u{308}ller.example.",
        ] {
            app.anonymous().register(typed, PASSWORD).await.assert_problem(409, "email_taken");
            assert_eq!(signs_in(&app, typed).await.as_deref(), Some("Fiona@Müller.example"), "{typed}");
        }
        assert_eq!(app.anonymous().register("fiona@muller.example", PASSWORD).await.status, 201, "another domain");
    }

    async fn missing_mailboxes_are_filled_in_once(db: Db) {
        let accounts = [
            ("Ada@Example.com", "ada@example.com"),
            ("ｂｏｂ@example.com", "ｂｏｂ@example.com"),
            ("Info@Müller.de", "info@müller.de"),
            ("½@example.com", "½@example.com"),
        ];
        before_mailboxes(&db, &accounts, &a_hash().await).await;
        let app = TestApp::new(db).await;
        assert_eq!(mailboxes::fill_missing(&app.state.store).await.expect("fills"), MailboxReport { filled: 3, collisions: vec![] });
        assert_eq!(mailboxes::fill_missing(&app.state.store).await.expect("fills"), MailboxReport::default(), "once is enough");
        for (shown, typed) in [
            ("Ada@Example.com", &["ada@example.com", "ＡＤＡ@example.com"][..]),
            ("ｂｏｂ@example.com", &["ｂｏｂ@example.com", "bob@example.com", "BOB@EXAMPLE.COM"]),
            ("Info@Müller.de", &["info@müller.de", "info@xn--mller-kva.de"]),
            ("½@example.com", &["½@example.com"]),
        ] {
            for typed in typed {
                assert_eq!(signs_in(&app, typed).await.as_deref(), Some(shown), "{typed}");
                app.anonymous().register(typed, PASSWORD).await.assert_problem(409, "email_taken");
            }
        }
    }

    async fn accounts_with_colliding_mailboxes_can_both_sign_in(db: Db) {
        let accounts = [
            ("ａｄａ@example.com", "ａｄａ@example.com"),
            ("ada@example.com", "ada@example.com"),
            ("info@xn--mller-kva.de", "info@xn--mller-kva.de"),
            ("info@müller.de", "info@müller.de"),
        ];
        before_mailboxes(&db, &accounts, &a_hash().await).await;
        let app = TestApp::new(db).await;
        let filled = mailboxes::fill_missing(&app.state.store).await.expect("fills");
        assert_eq!((filled.filled, filled.collisions.len()), (0, 2));
        for (shown, _) in accounts {
            assert_eq!(signs_in(&app, shown).await.as_deref(), Some(shown), "the spelling that it was made with");
        }
        // Another spelling leads to the account with the mailbox, and no spelling creates a third account.
        assert_eq!(signs_in(&app, "ＡＤＡ@EXAMPLE.com").await.as_deref(), Some("ａｄａ@example.com"));
        assert_eq!(signs_in(&app, "𝐚𝐝𝐚@example.com").await.as_deref(), Some("ada@example.com"));
        app.anonymous().register("𝐚𝐝𝐚@example.com", PASSWORD).await.assert_problem(409, "email_taken");

        // Once the other account is deleted, it gets the mailbox.
        let other = app.state.store.user_by_email("ada@example.com").await.expect("answers").expect("one");
        app.state.store.delete_user(other.id, &app.state.audit_context(store::ClientInfo::default())).await.expect("deletes");
        let filled = mailboxes::fill_missing(&app.state.store).await.expect("fills");
        assert_eq!((filled.filled, filled.collisions.len()), (1, 1));
        assert_eq!(signs_in(&app, "ada@example.com").await.as_deref(), Some("ａｄａ@example.com"));
    }

    async fn migrate_fills_mailboxes_and_reports_collisions(db: Db) {
        let accounts = [
            ("ada@example.com", "ada@example.com"),
            ("ａｄａ@example.com", "ａｄａ@example.com"),
            ("ｂｏｂ@example.com", "ｂｏｂ@example.com"),
        ];
        before_mailboxes(&db, &accounts, &a_hash().await).await;
        let deployment = Deployment::new(&db);
        let said = deployment.stdout_of(&["migrate"], "").await;
        assert!(said.contains("The account 00000000000000000000000000000002 has the mailbox of another one"), "{said}");
        assert_eq!(said.lines().count(), 2, "{said}");
        let taken = deployment.stderr_of(&["users", "create", "bob@example.com"], PASSWORD).await;
        assert!(taken.contains("has an account already"), "{taken}");
        let disabled = deployment.stdout_of(&["users", "disable", "BOB@example.com"], "").await;
        assert!(disabled.starts_with("ｂｏｂ@example.com"), "{disabled}");
    }
}
