//! Pruning keeps the blacklist small, and never makes a refused token acceptable again.

use std::time::Duration;

use store::Pruned;
use web::background::prune_all;

use crate::support::{Client, Db, TestApp, on_both_databases};

const DAY: Duration = Duration::from_hours(24);

async fn prune(app: &TestApp) -> Pruned {
    prune_all(&app.state.store, &*app.state.clock, &app.state.config)
        .await
        .expect("prunes")
}

on_both_databases! {
    async fn pruning_keeps_unexpired_tokens(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        for _ in 0..3 {
            assert_eq!(client.refresh().await.status, 200);
        }
        app.advance(6 * DAY + Duration::from_secs(86_399));
        assert!(prune(&app).await.is_empty());
        thief.refresh().await.assert_problem(401, "refresh_reused");
    }

    async fn pruned_expired_tokens_remain_rejected(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut thief = client.clone();
        for _ in 0..3 {
            assert_eq!(client.refresh().await.status, 200);
        }
        for _ in 0..2 {
            app.advance(4 * DAY);
            assert_eq!(client.refresh().await.status, 200);
        }
        let pruned = prune(&app).await;
        assert_eq!((pruned.blacklisted, pruned.sessions), (4, 0));
        thief.refresh().await.assert_problem(401, "refresh_expired");
        assert_eq!(client.refresh().await.status, 200, "the session lives on");
        // An operator may set the clock back by up to an hour.
        app.clock.step_back(Duration::from_mins(59));
        assert_eq!(thief.refresh().await.status, 401);
        assert_eq!(client.refresh().await.status, 200);
    }

    async fn expired_tokens_are_pruned_an_hour_after_expiry(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        for _ in 0..2 {
            assert_eq!(client.refresh().await.status, 200);
        }
        app.advance(7 * DAY + Duration::from_mins(59));
        assert!(prune(&app).await.is_empty(), "the clock may be set back");
        app.advance(Duration::from_mins(2));
        assert_eq!(prune(&app).await.blacklisted, 2);
    }

    async fn revocations_are_kept_for_the_access_token_lifetime(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let copy = client.clone();
        assert_eq!(client.logout().await.status, 204);
        app.advance(Duration::from_mins(14));
        assert_eq!(prune(&app).await.revocations, 0);
        let app = app.restart().await;
        let mut again = app.anonymous();
        again.access = copy.access;
        again.get("/api/auth/session").await.assert_problem(401, "invalid_token");
    }

    async fn sessions_are_pruned_after_their_last_token_expires(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let mut ended = app.anonymous();
        assert_eq!(ended.login("ada@example.com", crate::support::PASSWORD).await.status, 200);
        let mut copy = ended.clone();
        assert_eq!(ended.logout().await.status, 204);
        app.advance(6 * DAY);
        assert_eq!(prune(&app).await.revocations, 1, "no access token of it can be alive");
        let refused = copy.refresh().await;
        assert_eq!(refused.json()["reason"], "logout", "why is still known");
        app.advance(30 * DAY);
        let pruned = prune(&app).await;
        assert_eq!((pruned.blacklisted, pruned.sessions), (1, 2));
        client.refresh().await.assert_problem(401, "refresh_expired");
    }

    async fn pruning_respects_lifetimes_of_an_older_configuration(db: Db) {
        let app = TestApp::with(db, |sections| {
            sections.tokens.refresh_idle_ttl = 20 * DAY;
            sections.tokens.refresh_absolute_ttl = 60 * DAY;
        })
        .await;
        let mut client = app.user().await;
        let thief = client.clone();
        for _ in 0..2 {
            assert_eq!(client.refresh().await.status, 200);
        }
        let app = app.restart().await;
        app.advance(10 * DAY);
        assert!(prune(&app).await.is_empty());
        let mut thief = Client { router: app.router.clone(), ..thief };
        thief.refresh().await.assert_problem(401, "refresh_reused");
        app.advance(30 * DAY);
        let pruned = prune(&app).await;
        assert_eq!((pruned.blacklisted, pruned.sessions), (3, 0));
        app.advance(21 * DAY);
        assert_eq!(prune(&app).await.sessions, 1);
    }

    async fn events_are_deleted_after_their_retention(db: Db) {
        let app = TestApp::with(db, |sections| sections.events.retention = 40 * DAY).await;
        app.user().await;
        app.advance(39 * DAY);
        let mut client = app.anonymous();
        assert_eq!(client.login("ada@example.com", crate::support::PASSWORD).await.status, 200);
        assert_eq!(prune(&app).await.events, 0);
        app.advance(DAY + Duration::from_secs(1));
        assert_eq!(prune(&app).await.events, 1);
        assert_eq!(client.refresh().await.status, 200);
        let events = client.get("/api/account/events").await.json();
        let events = events["events"].as_array().expect("a list");
        assert_eq!((events.len(), events[0]["kind"].as_str()), (1, Some("signed_in")));
    }

    async fn an_alarm_stays_until_it_is_dismissed(db: Db) {
        let app = TestApp::new(db).await;
        app.user().await;
        let mut newest = None;
        for _ in 0..2 {
            app.advance(Duration::from_secs(1));
            let mut client = app.anonymous();
            assert_eq!(client.login("ada@example.com", crate::support::PASSWORD).await.status, 200);
            let mut thief = client.clone();
            for _ in 0..2 {
                assert_eq!(client.refresh().await.status, 200);
            }
            app.advance(Duration::from_mins(1));
            assert_eq!(thief.refresh().await.status, 401);
        }
        app.advance(400 * DAY);
        assert_eq!(prune(&app).await.events, 4, "all but the newest alarm");
        for _ in 0..2 {
            let mut client = app.anonymous();
            assert_eq!(client.login("ada@example.com", crate::support::PASSWORD).await.status, 200);
            let alarm = client.get("/api/account/alarm").await.json()["alarm"].clone();
            assert_eq!(alarm["kind"], "refresh_reused");
            assert_eq!(newest.get_or_insert(alarm.clone()), &alarm);
        }
        let mut client = app.anonymous();
        assert_eq!(client.login("ada@example.com", crate::support::PASSWORD).await.status, 200);
        let id = newest.expect("an alarm")["id"].clone();
        let seen = client.post("/api/account/alarm", Some(serde_json::json!({ "id": id }))).await;
        assert_eq!(seen.status, 204, "{}", seen.text());
        assert_eq!(prune(&app).await.events, 1);
    }

    async fn events_are_pruned_in_batches(db: Db) {
        let app = TestApp::new(db).await;
        let client = app.user().await;
        let user = crate::support::client::claims(client.access.as_deref().expect("a token"))["sub"].clone();
        let user = user.as_str().expect("sub").to_owned();
        let user = if app.state.store.is_sqlite() { format!("x'{user}'") } else { format!("'{user}'") };
        let rows: Vec<_> = (0..1203).map(|number| format!("({}, {user}, 'signed_in', 0)", blob(&app, number))).collect();
        app.execute(&format!("INSERT INTO security_events (id, user_id, kind, at) VALUES {}", rows.join(","))).await;
        let horizon = store::RetentionCutoff::new(app.state.clock.now(), &app.state.config.policy.lifetimes);
        let one = app.state.store.prune(horizon.and_events(DAY)).await;
        assert_eq!(one.expect("prunes").events, 500, "one bounded batch");
        assert_eq!(prune(&app).await.events, 703);
    }

    async fn the_blacklist_is_pruned_in_batches(db: Db) {
        let app = TestApp::new(db).await;
        let rows = (0..1203).map(|number| format!("({}, {}, 1, 'rotated', 0, 0)", blob(&app, number), blob(&app, 0)));
        let rows: Vec<_> = rows.collect();
        app.execute(&format!("INSERT INTO token_blacklist VALUES {}", rows.join(","))).await;
        let one = app.state.store.prune(store::RetentionCutoff::new(app.state.clock.now(), &app.state.config.policy.lifetimes)).await;
        assert_eq!(one.expect("prunes").blacklisted, 500, "one bounded batch");
        assert_eq!(prune(&app).await.blacklisted, 703);
    }
}

/// An old id as a literal of either database.
fn blob(app: &TestApp, number: u32) -> String {
    if app.state.store.is_sqlite() {
        format!("x'0000000000007000800000{number:010x}'")
    } else {
        format!("'00000000-0000-7000-8000-00{number:010x}'")
    }
}
