//! The order of claims is frozen: a replayed refresh token must be identical byte by byte.

use rotation::{
    AccessClaims, Generation, Jti, KeyId, LiveToken, RefreshClaims, Role, Session, SessionId, Timestamp,
    UserId,
    claims::{ClaimError, Parties},
};

const NOW: i64 = 1_790_000_000;

fn parties() -> Parties {
    Parties {
        issuer: "https://keyturn.example".into(),
        audience: "keyturn".into(),
    }
}

fn session() -> Session {
    let at = Timestamp::from_secs(NOW);
    Session {
        id: SessionId::new(at, [1; 10]),
        user_id: UserId::new(at, [2; 10]),
        token_epoch: 0,
        live_token: LiveToken {
            jti: Jti::new(at, [3; 10]),
            generation: Generation::new(7),
            issued_at: at,
            expires_at: Timestamp::from_secs(NOW + 604_800),
            kid: KeyId::new("k1"),
        },
        previous_jti: None,
        rotated_at: at,
        confirmed_at: None,
        absolute_expires_at: Timestamp::from_secs(NOW + 2_592_000),
        created_at: at,
        last_used_at: at,
        remember: true,
        revocation: None,
    }
}

fn access() -> AccessClaims {
    let now = Timestamp::from_secs(NOW);
    let jti = Jti::new(now, [4; 10]);
    AccessClaims::issue(
        &parties(),
        &session(),
        Generation::new(7),
        Role::User,
        jti,
        now,
        Timestamp::from_secs(NOW + 900),
    )
}

fn refresh() -> RefreshClaims {
    let session = session();
    RefreshClaims::of(&parties(), session.user_id, session.id, &session.live_token)
}

#[test]
fn refresh_claims_have_a_fixed_order() {
    let json = serde_json::to_string(&refresh()).expect("serialises");
    assert_eq!(
        json,
        concat!(
            r#"{"iss":"https://keyturn.example","aud":"https://keyturn.example/api/auth/refresh","#,
            r#""sub":"01a0c4506c0072028202020202020202","sid":"01a0c4506c0071018101010101010101","gen":7,"#,
            r#""jti":"01a0c4506c0073038303030303030303","iat":1790000000,"exp":1790604800}"#
        )
    );
}

#[test]
fn access_claims_are_those_of_rfc_9068_and_ours() {
    let json = serde_json::to_value(access()).expect("serialises");
    let names: Vec<_> = json
        .as_object()
        .expect("an object")
        .keys()
        .map(String::as_str)
        .collect();
    let mut expected = [
        "iss",
        "aud",
        "sub",
        "client_id",
        "sid",
        "gen",
        "role",
        "jti",
        "iat",
        "nbf",
        "exp",
        "auth_time",
    ];
    expected.sort_unstable();
    assert_eq!(names, expected);
}

#[test]
fn neither_kind_of_claims_reads_as_the_other() {
    let access = serde_json::to_string(&access()).expect("serialises");
    let refresh = serde_json::to_string(&refresh()).expect("serialises");
    assert!(serde_json::from_str::<RefreshClaims>(&access).is_err());
    assert!(serde_json::from_str::<AccessClaims>(&refresh).is_err());
}

#[test]
fn malformed_claims_are_rejected() {
    let good = serde_json::to_value(refresh()).expect("serialises");
    for name in ["iss", "aud", "sub", "sid", "gen", "jti", "iat", "exp"] {
        let mut without = good.clone();
        without.as_object_mut().expect("an object").remove(name);
        assert!(
            serde_json::from_value::<RefreshClaims>(without).is_err(),
            "{name} missing"
        );

        for wrong in [
            serde_json::json!(null),
            serde_json::json!([1]),
            serde_json::json!(true),
            serde_json::json!(1.5),
        ] {
            let mut typed = good.clone();
            typed[name] = wrong;
            assert!(
                serde_json::from_value::<RefreshClaims>(typed).is_err(),
                "{name} wrongly typed"
            );
        }
    }
    let mut unknown = good.clone();
    unknown["admin"] = serde_json::json!(true);
    assert!(serde_json::from_value::<RefreshClaims>(unknown).is_err());

    let doubled = good.to_string().replacen('{', r#"{"exp":99999999999,"#, 1);
    assert!(serde_json::from_str::<RefreshClaims>(&doubled).is_err());
}

#[test]
fn time_is_checked_to_the_boundary() {
    let (access, refresh, parties) = (access(), refresh(), parties());
    let at = |secs: i64, millis: i64| Timestamp::from_millis(secs * 1000 + millis);

    assert_eq!(access.check(&parties, at(NOW + 899, 999)), Ok(()));
    assert_eq!(access.check(&parties, at(NOW + 900, 0)), Err(ClaimError::Expired));
    assert_eq!(refresh.check(&parties, at(NOW + 604_799, 999)), Ok(()));
    assert_eq!(
        refresh.check(&parties, at(NOW + 604_800, 0)),
        Err(ClaimError::Expired)
    );
    assert_eq!(refresh.check_identity(&parties), Ok(()));

    // For an access token another node's clock may be five seconds behind, not six.
    assert_eq!(access.check(&parties, at(NOW - 5, 0)), Ok(()));
    assert_eq!(
        access.check(&parties, at(NOW - 6, 0)),
        Err(ClaimError::NotYetValid)
    );
    let early = AccessClaims {
        nbf: NOW - 60,
        ..access
    };
    assert_eq!(
        early.check(&parties, at(NOW - 6, 0)),
        Err(ClaimError::IssuedInTheFuture)
    );
    // A refresh token has no such check: setting a clock back signs no one out.
    assert_eq!(refresh.check(&parties, at(NOW - 86_400, 0)), Ok(()));
}

#[test]
fn issuer_audience_and_client_must_be_exactly_ours() {
    let now = Timestamp::from_secs(NOW);
    let slash = AccessClaims {
        iss: "https://keyturn.example/".into(),
        ..access()
    };
    assert_eq!(slash.check(&parties(), now), Err(ClaimError::WrongIssuer));
    let upper = AccessClaims {
        aud: "Keyturn".into(),
        ..access()
    };
    assert_eq!(upper.check(&parties(), now), Err(ClaimError::WrongAudience));
    let other = AccessClaims {
        client_id: "other".into(),
        ..access()
    };
    assert_eq!(other.check(&parties(), now), Err(ClaimError::WrongClient));
    let crossed = RefreshClaims {
        aud: "keyturn".into(),
        ..refresh()
    };
    assert_eq!(crossed.check(&parties(), now), Err(ClaimError::WrongAudience));
}
