//! The keys of access tokens while the server runs: published, signing, verifying, retired, revoked. On one node, on
//! two nodes, and from the command line.

use std::{process::Command, time::Duration};

use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto::sign};
use rotation::{Clock, Timestamp};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use web::{
    clock::SystemClock,
    config::OneOrMany,
    secrets::MasterSecret,
    tokens::keys::{Alg, KeyRing, SigningStart},
};

use crate::support::{
    Client, Db, PASSWORD, TestApp, TestResponse,
    client::{claims, token_header},
    on_both_databases,
};

const SECOND: Duration = Duration::from_secs(1);
const HOUR: Duration = Duration::from_hours(1);
const DAY: Duration = Duration::from_hours(24);

const OLD_SECRET: &str = "a test's secret, long enough and of many letters";
const NEW_SECRET: &str = "another secret of this test, with 48 bytes or so";

fn ring(app: &TestApp) -> &KeyRing {
    app.state.tokens.key_ring()
}

async fn rotate(app: &TestApp, begins: SigningStart) -> String {
    let rotated = ring(app).manager().rotate(begins).await.expect("rotates");
    reload(app).await;
    rotated.next.kid.to_string()
}

async fn revoke(app: &TestApp, kid: &str) {
    ring(app).manager().revoke(kid).await.expect("revokes");
    reload(app).await;
}

async fn reload(app: &TestApp) {
    ring(app).reload().await.expect("reloads");
}

async fn tick(app: &TestApp) {
    ring(app).tick().await.expect("ticks");
}

/// The public keys.
async fn published(app: &TestApp) -> Vec<Value> {
    let answer = app.anonymous().get("/.well-known/jwks.json").await;
    answer.json()["keys"].as_array().expect("keys").clone()
}

async fn published_kids(app: &TestApp) -> Vec<String> {
    published(app)
        .await
        .iter()
        .map(|key| key["kid"].as_str().expect("a kid").to_owned())
        .collect()
}

/// The id of the key that signs on this node.
async fn signer(client: &mut Client) -> String {
    assert_eq!(client.refresh().await.status, 200);
    kid_of(client.access.as_deref().expect("a token"))
}

fn kid_of(token: &str) -> String {
    token_header(token)["kid"].as_str().expect("a kid").to_owned()
}

/// A node's response to a bearer of this token.
async fn present(app: &TestApp, token: &str) -> TestResponse {
    let mut client = app.anonymous();
    client.access = Some(token.to_owned());
    client.get("/api/auth/session").await
}

fn token(client: &Client) -> String {
    client.access.clone().expect("a token")
}

/// A header as the server writes it, member by member.
fn header(alg: &str, kid: &str) -> String {
    format!(r#"{{"typ":"at+jwt","alg":"{alg}","kid":"{kid}"}}"#)
}

/// `token` with another header, and the signature that `seal` computes for it.
fn forge(token: &str, header: &str, seal: impl FnOnce(&str) -> String) -> String {
    let payload = token.split('.').nth(1).expect("a payload");
    let text = format!("{}.{payload}", BASE64_URL_SAFE_NO_PAD.encode(header));
    let signature = seal(&text);
    format!("{text}.{signature}")
}

/// A token of a key that does not exist.
fn of_unknown_key(token: &str, kid: &str) -> String {
    forge(token, &header("EdDSA", kid), |_| {
        BASE64_URL_SAFE_NO_PAD.encode([7; 64])
    })
}

fn secrets(secrets: &[&str]) -> OneOrMany {
    OneOrMany::Many(secrets.iter().map(|text| (*text).to_owned().into()).collect())
}

on_both_databases! {
    async fn a_node_with_an_older_secret_answers_503_to_newer_tokens(db: Db) {
        let (old, new) = ("the first secret, long enough and of many letters", "the newer secret, as long and of other letters");
        let app = TestApp::with(db, |sections| sections.secrets.master = Some(secrets(&[old]))).await;
        let ahead = app.node_with(|sections| sections.secrets.master = Some(secrets(&[new, old]))).await;
        let mut client = ahead.anonymous();
        assert_eq!(client.register("ada@example.com", PASSWORD).await.status, 201);

        let mut behind = client.clone();
        behind.router = app.router.clone();
        for answer in [behind.refresh().await, behind.logout().await] {
            answer.assert_problem(503, "unavailable");
            assert!(answer.set_cookie().is_none(), "the cookie is left alone");
            assert!(answer.header("retry-after").is_some());
        }
        // It cannot sign the successor again: this node has the parent's key, but not the key that the row names.
        let mut crossing = app.anonymous();
        assert_eq!(crossing.login("ada@example.com", PASSWORD).await.status, 200);
        let mut lost = crossing.clone();
        lost.router = ahead.router.clone();
        assert_eq!(lost.refresh().await.status, 200);
        let answer = crossing.refresh().await;
        answer.assert_problem(503, "unavailable");
        assert!(answer.set_cookie().is_none());

        // A made-up key is refused, without a query for each.
        let token = client.refresh.clone().expect("a token");
        for _ in 0..3 {
            let mut attacker = app.anonymous();
            attacker.refresh = Some(forge(&token, r#"{"typ":"rt+jwt","alg":"HS256","kid":"rt-AAAAAAAAAAA"}"#, |_| "AAAA".into()));
            attacker.refresh().await.assert_problem(401, "refresh_invalid");
        }
        assert_eq!(client.refresh().await.status, 200, "the session is untouched");
    }

    async fn a_rotation_publishes_then_signs_then_retires(db: Db) {
        let app = TestApp::new(db).await;
        let mut client = app.user().await;
        let old = kid_of(&token(&client));
        let new = rotate(&app, SigningStart::AfterPublication).await;
        assert_eq!(published_kids(&app).await, [old.clone(), new.clone()]);
        assert_eq!(signer(&mut client).await, old);

        // Five minutes in caches, a second until all nodes have it, five seconds of clock difference.
        app.advance(Duration::from_millis(305_999));
        assert_eq!(signer(&mut client).await, old);
        let last = token(&client);
        app.advance(Duration::from_millis(1));
        assert_eq!(signer(&mut client).await, new);
        assert_eq!(present(&app, &last).await.status, 200);
        assert_eq!(published_kids(&app).await, [old.clone(), new.clone()]);

        // The last token of the old key expires first, then the key ends: by the clock alone, without a reload.
        app.advance(Duration::from_secs(15 * 60 - 1));
        assert_eq!(present(&app, &last).await.status, 200);
        app.advance(Duration::from_secs(6));
        assert_eq!(published_kids(&app).await, [new.as_str()]);
        present(&app, &last).await.assert_problem(401, "invalid_token");
        let claims = app.state.tokens.verify_access(&last, app.clock.now());
        assert_eq!(claims.expect_err("refused").to_string(), "the token is not one of ours: its key has ended");

        // The tick erases the private part and keeps the record.
        tick(&app).await;
        let keys = ring(&app).manager().list().await.expect("a list");
        let story: Vec<_> = keys.iter().map(|key| (key.state.as_str(), key.sealed_private_key.is_empty())).collect();
        assert_eq!(story, [("retired", true), ("active", false)]);
        assert_eq!(signer(&mut client).await, new);
    }

    async fn a_revoked_key_is_rejected_immediately_and_replaced(db: Db) {
        let app = TestApp::new(db).await;
        let other = app.node_with(|_| {}).await;
        let mut client = app.user().await;
        let stolen = token(&client);
        revoke(&app, &kid_of(&stolen)).await;
        reload(&other).await;
        for node in [&app, &other] {
            present(node, &stolen).await.assert_problem(401, "invalid_token");
            assert!(!published_kids(node).await.contains(&kid_of(&stolen)));
        }
        // No one is logged out: the refresh token has a separate key.
        let new = signer(&mut client).await;
        assert_eq!(published_kids(&other).await, [new]);
        for node in [&app, &other] {
            assert_eq!(present(node, &token(&client)).await.status, 200);
        }
    }

    async fn nodes_adopt_each_others_signing_keys(db: Db) {
        let app = TestApp::new(db).await;
        let other = app.node_with(|_| {}).await;
        let mut client = app.user().await;
        let new = rotate(&app, SigningStart::AfterPublication).await;
        assert!(!published_kids(&other).await.contains(&new));
        tick(&other).await;
        assert_eq!(published_kids(&other).await, published_kids(&app).await);
        app.advance(app.state.config.signing.lead());

        let mut abroad = other.anonymous();
        abroad.refresh.clone_from(&client.refresh);
        assert_eq!(signer(&mut abroad).await, new, "without a message, by its own clock");
        client.refresh = abroad.refresh;
        assert_eq!(signer(&mut client).await, new);
    }

    async fn an_unknown_key_id_triggers_one_reload_before_verification(db: Db) {
        let app = TestApp::new(db).await;
        let other = app.node_with(|_| {}).await;
        let mut client = app.user().await;
        let new = rotate(&app, SigningStart::Immediately).await;
        assert_eq!(signer(&mut client).await, new);
        let before = ring(&other).loads();
        assert_eq!(present(&other, &token(&client)).await.status, 200);
        assert_eq!(present(&other, &token(&client)).await.status, 200);
        assert_eq!(ring(&other).loads(), before + 1);

        // The same for signing out: a logout that identifies the session only by such a token ends it.
        let other = other.restart().await;
        let newer = rotate(&app, SigningStart::Immediately).await;
        assert_eq!(signer(&mut client).await, newer);
        let mut leaving = other.anonymous();
        leaving.access.clone_from(&client.access);
        assert_eq!(leaving.logout().await.status, 204);
        client.refresh().await.assert_problem(401, "session_revoked");
    }

    async fn reloads_for_unknown_key_ids_are_limited_to_one_a_second(db: Db) {
        let app = TestApp::new(db).await;
        let client = app.user().await;
        let before = ring(&app).loads();
        for round in 1..=3 {
            let mut flood = JoinSet::new();
            for number in 0..100 {
                let mut stranger = app.anonymous();
                stranger.access = Some(of_unknown_key(&token(&client), &format!("at-{round}-{number}")));
                flood.spawn(async move { stranger.get("/api/auth/session").await.status });
            }
            assert!(flood.join_all().await.iter().all(|status| *status == 401));
            assert_eq!(ring(&app).loads(), before + round);
            app.advance(SECOND);
        }
        assert_eq!(present(&app, &token(&client)).await.status, 200);
        assert_eq!(ring(&app).loads(), before + 3);
    }

    async fn an_unknown_key_id_gets_503_while_the_database_is_down(db: Db) {
        let app = TestApp::new(db).await;
        let client = app.user().await;
        let before = ring(&app).loads();
        app.state.store.clone().close().await.expect("closes");
        for number in 0..10 {
            let answer = present(&app, &of_unknown_key(&token(&client), &format!("at-{number}"))).await;
            answer.assert_problem(503, "unavailable");
            assert_eq!(answer.header("retry-after"), Some("1"));
            assert!(answer.set_cookie().is_none());
        }
        assert_eq!(ring(&app).loads(), before + 1, "nor is it asked each time");
        let mut leaving = app.anonymous();
        leaving.access = Some(of_unknown_key(&token(&client), "at-leaving"));
        leaving.logout().await.assert_problem(503, "unavailable");
        // Known keys need no database, and neither does refusing a token that none of our keys could have signed.
        assert_eq!(present(&app, &token(&client)).await.status, 200);
        present(&app, &forge(&token(&client), &header("none", "at-x"), |_| String::new())).await.assert_problem(401, "invalid_token");
    }

    async fn nodes_that_start_concurrently_agree_on_one_signing_key(db: Db) {
        let app = TestApp::new(db).await;
        app.execute("DELETE FROM signing_keys").await;
        let app = std::sync::Arc::new(app);
        let mut starting = JoinSet::new();
        for _ in 0..12 {
            let app = std::sync::Arc::clone(&app);
            starting.spawn(async move {
                let node = app.node_with(|_| {}).await;
                let kids = published_kids(&node).await;
                node.state.store.clone().close().await.expect("closes");
                kids
            });
        }
        let all = starting.join_all().await;
        assert_eq!(all[0].len(), 1);
        assert!(all.iter().all(|kids| *kids == all[0]), "{all:?}");
    }

    async fn a_schedule_rotates_once_for_all_nodes(db: Db) {
        let daily = |sections: &mut web::config::RawConfig| sections.tokens.key_rotation = DAY;
        let app = TestApp::with(db, daily).await;
        let others = [app.node_with(daily).await, app.node_with(daily).await];
        let mut client = app.user().await;
        let old = kid_of(&token(&client));
        app.advance(23 * HOUR);
        tick(&app).await;
        assert_eq!(published_kids(&app).await, [old.as_str()]);
        app.advance(HOUR);
        tokio::join!(tick(&app), tick(&others[0]), tick(&others[1]));
        let both = published_kids(&app).await;
        assert_eq!((both.len(), &both[0]), (2, &old));
        for node in &others {
            reload(node).await;
            assert_eq!(published_kids(node).await, both);
        }
        let rules = app.state.config.signing;
        app.advance(rules.lead() + rules.tail());
        assert_eq!(signer(&mut client).await, both[1]);
        tokio::join!(tick(&app), tick(&others[0]), tick(&others[1]));
        let keys = ring(&app).manager().list().await.expect("a list");
        let story: Vec<_> = keys.iter().map(|key| key.state.as_str()).collect();
        assert_eq!(story, ["retired", "active"]);
    }

    async fn changing_the_signing_algorithm_keeps_tokens_valid(db: Db) {
        let with = |alg: &str| {
            let alg = alg.to_owned();
            move |sections: &mut web::config::RawConfig| sections.tokens.signing_alg = alg
        };
        let app = TestApp::with(db, with("EdDSA")).await;
        let mut client = app.user().await;
        let old = token(&client);
        let app = app.restart_with(with("ES256")).await;
        let rules = app.state.config.signing;
        let algs = |keys: &[Value]| keys.iter().map(|key| key["alg"].to_string()).collect::<Vec<_>>();
        assert_eq!(algs(&published(&app).await), [r#""EdDSA""#, r#""ES256""#]);
        let mut back = app.anonymous();
        back.refresh = client.refresh.take();
        assert_eq!(signer(&mut back).await, kid_of(&old));

        // A node with the old configuration agrees.
        let late = app.node_with(with("ES256")).await;
        assert_eq!(published(&late).await, published(&app).await);

        app.advance(rules.lead());
        assert_eq!(present(&app, &token(&back)).await.status, 200);
        assert_ne!(signer(&mut back).await, kid_of(&old));
        assert_eq!(token_header(&token(&back))["alg"], "ES256");
        assert_eq!(present(&late, &token(&back)).await.status, 200);
        app.advance(rules.tail());
        assert_eq!(algs(&published(&app).await), [r#""ES256""#]);
    }

    async fn rotating_the_master_secret_keeps_sessions(db: Db) {
        let app = TestApp::with(db, |sections| sections.secrets.master = Some(secrets(&[OLD_SECRET]))).await;
        let mut client = app.user().await;
        let mut away = app.anonymous();
        away.register("grace@example.com", PASSWORD).await;
        let kids = published_kids(&app).await;

        let app = app.restart_with(|sections| sections.secrets.master = Some(secrets(&[NEW_SECRET, OLD_SECRET]))).await;
        assert_eq!(present(&app, &token(&client)).await.status, 200);
        let mut back = app.anonymous();
        back.refresh = client.refresh.take();
        let lost = back.refresh.clone();
        let old_name = kid_of(lost.as_deref().expect("a cookie"));
        assert_eq!(back.refresh().await.status, 200);
        assert_ne!(kid_of(back.refresh.as_deref().expect("a cookie")), old_name, "the successor is under the new one");
        let mut again = app.anonymous();
        again.refresh = lost;
        assert_eq!(again.refresh().await.status, 200);
        assert_eq!(again.refresh, back.refresh, "even when it is signed again");

        // The old secret is removed: refresh tokens under it end, but the signing keys were re-encrypted before.
        let app = app.restart_with(|sections| sections.secrets.master = Some(secrets(&[NEW_SECRET]))).await;
        assert_eq!(published_kids(&app).await, kids);
        assert_eq!(present(&app, &token(&back)).await.status, 200);
        assert_eq!(present(&app, &token(&away)).await.status, 200);
        for (refresh, status) in [(back.refresh, 200), (away.refresh, 401)] {
            let mut client = app.anonymous();
            client.refresh = refresh;
            let answer = client.refresh().await;
            assert_eq!(answer.status, status);
            if status == 401 {
                answer.assert_problem(401, "refresh_invalid");
            }
        }
    }

    async fn the_command_line_changes_keys_of_running_nodes(db: Db) {
        let app = TestApp::new(db).await;
        set_to_the_systems_time(&app);
        let mut client = app.user().await;
        let first = kid_of(&token(&client));
        let cli = Cli::of(&app);
        let list = cli.ok(&["list"]);
        assert_eq!(states(&list), [(first.as_str(), "signs")], "{list}");

        assert!(cli.fails(&["retire", &first]).contains("is the only key that signs"));
        assert!(cli.fails(&["revoke", "at-nowhere"]).contains("there is no signing key at-nowhere"));

        let rotated = cli.ok(&["rotate"]);
        reload(&app).await;
        let second = published_kids(&app).await.pop().expect("a key");
        assert!(rotated.contains(&format!("Published the new EdDSA key {second}; it signs from 2")), "{rotated}");
        assert!(rotated.contains("Z (in 5m "), "{rotated}");
        assert!(rotated.contains(&format!("Until then signs {first}; it verifies until 2")), "{rotated}");
        let list = cli.ok(&["list"]);
        assert_eq!(states(&list), [(first.as_str(), "signs"), (second.as_str(), "published")], "{list}");
        assert!(cli.ok(&["rotate"]).contains("was published before"));
        assert!(cli.ok(&["retire", &first]).contains("has a successor"));
        assert!(cli.ok(&["retire", &second]).contains("it had signed nothing"));
        reload(&app).await;
        assert_eq!(published_kids(&app).await, [first.as_str()]);

        let hurried = cli.ok(&["rotate", "--now"]);
        assert!(hurried.contains("it signs from now on."), "{hurried}");
        set_to_the_systems_time(&app);
        reload(&app).await;
        let third = signer(&mut client).await;
        assert_eq!(published_kids(&app).await, [first.clone(), third.clone()]);
        let list = cli.ok(&["list"]);
        let want = [
            (first.as_str(), "verifies"),
            (second.as_str(), "retired"),
            (third.as_str(), "signs"),
        ];
        assert_eq!(states(&list), want, "{list}");

        let revoked = cli.ok(&["revoke", &third]);
        assert!(revoked.contains(&format!("Revoked {third}: ")) && revoked.contains("signs from now on."), "{revoked}");
        assert!(cli.ok(&["revoke", &third]).contains("was revoked before"));
        set_to_the_systems_time(&app);
        reload(&app).await;
        present(&app, &token(&client)).await.assert_problem(401, "invalid_token");
        let fourth = signer(&mut client).await;
        assert!(revoked.contains(&fourth), "{revoked}");
        assert_eq!(present(&app, &token(&client)).await.status, 200);
    }
}

/// A real wait of half a second, because that is the promise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_running_node_receives_a_revocation() {
    let app = TestApp::new(Db::sqlite()).await;
    let other = app.node_with(|_| {}).await;
    let client = app.user().await;
    let kid = kid_of(&token(&client));
    let tokens = other.state.tokens.clone();
    let keeper = tokio::spawn(async move { tokens.key_ring().keep_fresh().await });
    revoke(&app, &kid).await;
    let heard = async {
        while published_kids(&other).await.contains(&kid) {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(15), heard)
        .await
        .expect("learns of it");
    let claims = other
        .state
        .tokens
        .verify_access(&token(&client), other.clock.now());
    assert!(claims.is_err(), "and no longer accepts its tokens");
    keeper.abort();
}

#[tokio::test]
async fn each_algorithm_signs_verifies_and_publishes_its_key() {
    for (alg, members) in [
        (Alg::EdDsa, Some(json!(["alg", "crv", "kid", "kty", "use", "x"]))),
        (
            Alg::Es256,
            Some(json!(["alg", "crv", "kid", "kty", "use", "x", "y"])),
        ),
        (Alg::Hs256, None),
    ] {
        let app = TestApp::with(Db::sqlite(), |sections| {
            sections.tokens.signing_alg = alg.as_str().to_owned();
        })
        .await;
        let client = app.user().await;
        assert_eq!(token_header(&token(&client))["alg"], alg.as_str());
        assert_eq!(present(&app, &token(&client)).await.status, 200);
        let keys = published(&app).await;
        match members {
            Some(members) => {
                let key = keys[0].as_object().expect("an object");
                let mut names: Vec<_> = key.keys().collect();
                names.sort();
                assert_eq!(json!(names), members);
                verifies_elsewhere(&token(&client), &keys[0], alg);
            }
            None => assert!(keys.is_empty(), "a shared secret is not published"),
        }
        let app = app
            .restart_with(|sections| {
                sections.tokens.signing_alg = alg.as_str().to_owned();
            })
            .await;
        assert_eq!(present(&app, &token(&client)).await.status, 200);
        assert_eq!(published(&app).await, keys);
    }
}

/// Verifies like a service that has only the published keys.
fn verifies_elsewhere(token: &str, jwk: &Value, alg: Alg) {
    let jwk: jsonwebtoken::jwk::Jwk = serde_json::from_value(jwk.clone()).expect("a JWK");
    let key = jsonwebtoken::DecodingKey::from_jwk(&jwk).expect("a key");
    let (text, signature) = token.rsplit_once('.').expect("a signature");
    assert!(jsonwebtoken::crypto::verify(signature, text.as_bytes(), &key, alg.into()).expect("verifies"));
}

#[tokio::test]
async fn algorithm_confusion_is_rejected() {
    for alg in Alg::ALL {
        let app = TestApp::with(Db::sqlite(), |sections| {
            sections.tokens.signing_alg = alg.as_str().to_owned();
        })
        .await;
        let client = app.user().await;
        let good = token(&client);
        let kid = kid_of(&good);
        let (_, signature) = good.rsplit_once('.').expect("a signature");
        let header = |alg: &str| header(alg, &kid);
        let same = forge(&good, &header(alg.as_str()), |_| signature.to_owned());
        assert_eq!(
            present(&app, &same).await.status,
            200,
            "the unmodified copy is accepted"
        );

        let mut forged = Vec::new();
        // The unchanged signature, under another key id.
        for other in [
            "none", "None", "", "HS256", "HS512", "ES256", "ES384", "EdDSA", "eddsa", "RS256", "PS256",
        ] {
            if other != alg.as_str() {
                forged.push(forge(&good, &header(other), |_| signature.to_owned()));
                forged.push(forge(&good, &header(other), |_| String::new()));
            }
        }
        // The public key as a secret, in every encoding that a verifier might use.
        for jwk in published(&app).await {
            let part = |name: &str| {
                let text = jwk[name].as_str().unwrap_or_default();
                BASE64_URL_SAFE_NO_PAD.decode(text).expect("base64url")
            };
            let point = [vec![4], part("x"), part("y")].concat();
            let forms = [
                part("x"),
                point,
                jwk["x"].as_str().expect("x").as_bytes().to_vec(),
                jwk.to_string().into_bytes(),
                Vec::new(),
            ];
            for secret in forms {
                let key = EncodingKey::from_secret(&secret);
                let seal = |text: &str| sign(text.as_bytes(), &key, Algorithm::HS256).expect("signs");
                forged.push(forge(&good, &header("HS256"), seal));
                forged.push(forge(&good, &header(alg.as_str()), seal));
            }
        }
        // A secret that everyone knows.
        let empty = EncodingKey::from_secret(&[]);
        let seal = |text: &str| sign(text.as_bytes(), &empty, Algorithm::HS256).expect("signs");
        forged.push(forge(&good, &header("HS256"), seal));

        for token in forged {
            let answer = present(&app, &token).await;
            assert_eq!(answer.status, 401, "{alg}: {}", token_header(&token));
        }
    }
}

#[tokio::test]
async fn a_key_verifies_only_the_tokens_that_it_signed() {
    let app = TestApp::new(Db::sqlite()).await;
    let mut client = app.user().await;
    let first = token(&client);
    rotate(&app, SigningStart::Immediately).await;
    signer(&mut client).await;
    let second = token(&client);
    assert_ne!(kid_of(&first), kid_of(&second));
    let (_, signature) = second.rsplit_once('.').expect("a signature");
    let mixed = forge(&second, &header("EdDSA", &kid_of(&first)), |_| {
        signature.to_owned()
    });
    present(&app, &mixed).await.assert_problem(401, "invalid_token");
    for good in [first, second] {
        assert_eq!(present(&app, &good).await.status, 200);
    }
}

/// A holder of the refresh token key who knows its header still cannot turn an access token into a refresh token: first
/// its claims prevent it, then its audience (RFC 8725 §3.11, §3.12).
#[tokio::test]
async fn access_token_claims_are_rejected_in_a_refresh_token() {
    let app = TestApp::new(Db::sqlite()).await;
    let client = app.user().await;
    let master = MasterSecret::new(&[OLD_SECRET.to_owned().into()]);
    let (_, secret) = master.refresh_keys().next().expect("a key");
    let key = EncodingKey::from_secret(secret);
    let refresh = client.refresh.clone().expect("a cookie");
    let sealed = |claims: &Value| {
        let (header, _) = refresh.split_once('.').expect("a header");
        let text = format!("{header}.{}", BASE64_URL_SAFE_NO_PAD.encode(claims.to_string()));
        let signature = sign(text.as_bytes(), &key, Algorithm::HS256).expect("signs");
        format!("{text}.{signature}")
    };
    let present = async |token: String| {
        let mut forger = app.anonymous();
        forger.refresh = Some(token);
        forger.refresh().await
    };

    let mut forged = claims(&token(&client));
    present(sealed(&forged))
        .await
        .assert_problem(401, "refresh_invalid");
    let members = forged.as_object_mut().expect("an object");
    members
        .retain(|name, _| ["iss", "aud", "sub", "sid", "gen", "jti", "iat", "exp"].contains(&name.as_str()));
    members["jti"] = claims(&refresh)["jti"].clone();
    present(sealed(&forged))
        .await
        .assert_problem(401, "refresh_invalid");
    forged["aud"] = claims(&refresh)["aud"].clone();
    assert_eq!(
        present(sealed(&forged)).await.status,
        200,
        "the unmodified copy is accepted"
    );
}

#[tokio::test]
async fn the_command_line_refuses_a_wrong_master_secret() {
    let app = TestApp::new(Db::sqlite()).await;
    app.state.store.clone().close().await.expect("closes");
    let output = Cli::with_secret(&app, NEW_SECRET).run(&["rotate"]);
    let line = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{line}");
    assert!(line.contains("secrets.master is not the one"), "{line}");
}

/// A separate process needs the clock that it reads.
fn set_to_the_systems_time(app: &TestApp) {
    let (here, there) = (app.clock.now(), SystemClock.now());
    app.clock.advance(here.until(there));
    app.clock.step_back(there.until(here));
    assert!(app.clock.now() >= Timestamp::from_millis(0));
}

/// The `keyturn` binary, on the database of an app.
struct Cli {
    url: String,
    secret: &'static str,
    folder: tempfile::TempDir,
}

impl Cli {
    fn of(app: &TestApp) -> Self {
        Self::with_secret(app, OLD_SECRET)
    }

    fn with_secret(app: &TestApp, secret: &'static str) -> Self {
        Self {
            url: app.db.url.clone(),
            secret,
            folder: tempfile::tempdir().expect("a temporary folder"),
        }
    }

    fn run(&self, args: &[&str]) -> std::process::Output {
        Command::new(env!("CARGO_BIN_EXE_keyturn"))
            .arg("keys")
            .args(args)
            .env("KEYTURN__DATABASE__URL", &self.url)
            .env("KEYTURN__SECRETS__MASTER", self.secret)
            .current_dir(self.folder.path())
            .output()
            .expect("the program runs")
    }

    fn ok(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{args:?}: {errors}");
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// The single line that gives the reason.
    fn fails(&self, args: &[&str]) -> String {
        let output = self.run(args);
        let line = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        assert_eq!(output.status.code(), Some(1), "{args:?}: {line}");
        assert_eq!(line.lines().count(), 1, "{line}");
        line
    }
}

/// Id and state of each key in the printed list.
fn states(list: &str) -> Vec<(&str, &str)> {
    list.lines()
        .skip(1)
        .map(|line| {
            let words: Vec<_> = line.split_whitespace().collect();
            (words[0], words[2])
        })
        .collect()
}
