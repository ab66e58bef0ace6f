//! The four cases in which the designs differ, and the state that each design keeps.

use std::time::Duration;

use rotation::{
    Timestamp,
    designs::{Design, Serial, TokenFamily, Verdict},
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_secs(1_790_000_000).saturating_add(Duration::from_secs(seconds))
}

/// A family whose first token was rotated at second 0, and its successor.
fn rotated(design: Design) -> (TokenFamily, Serial) {
    let mut family = TokenFamily::open(at(0));
    let (verdict, heir) = design.present(&mut family, Serial::FIRST, at(0));
    assert_eq!(verdict, Verdict::Rotate);
    (family, heir.expect("the first token is good"))
}

/// Like [`rotated`], with the successor used and also rotated, `seconds` later.
fn twice_rotated(design: Design, seconds: u64) -> (TokenFamily, Serial, Serial) {
    let (mut family, second) = rotated(design);
    family.confirm(second, at(0));
    let (verdict, third) = design.present(&mut family, second, at(seconds));
    assert_eq!(verdict, Verdict::Rotate);
    (family, second, third.expect("the heir is good"))
}

fn verdicts(judge: impl Fn(Design) -> Verdict) -> Vec<(&'static str, Verdict)> {
    Design::ALL
        .into_iter()
        .map(|design| (design.name(), judge(design)))
        .collect()
}

#[test]
fn two_refreshes_one_after_the_other() {
    let found = verdicts(|design| {
        let (family, _) = rotated(design);
        design.judge(&family, Serial::FIRST, at(1))
    });
    let again = Verdict::Again(rotated(Design::KEYTURN).1);
    let expected = vec![
        ("Keyturn", again),
        ("Strict", Verdict::Kill),
        ("SimpleJWT", Verdict::Refuse),
        ("Supabase", again),
        ("SuperTokens", Verdict::Displace),
        ("Auth0", Verdict::Fork),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_answer_was_lost_and_the_retry_comes_after_a_minute() {
    let found = verdicts(|design| {
        let (family, _) = rotated(design);
        design.judge(&family, Serial::FIRST, at(60))
    });
    let again = Verdict::Again(rotated(Design::KEYTURN).1);
    let expected = vec![
        ("Keyturn", again),
        ("Strict", Verdict::Kill),
        ("SimpleJWT", Verdict::Refuse),
        ("Supabase", again),
        ("SuperTokens", Verdict::Kill),
        ("Auth0", Verdict::Kill),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_parent_of_a_used_successor_returns_after_a_minute() {
    let found = verdicts(|design| {
        let (mut family, heir) = rotated(design);
        family.confirm(heir, at(0));
        design.judge(&family, Serial::FIRST, at(60))
    });
    let expected = vec![
        ("Keyturn", Verdict::Kill),
        ("Strict", Verdict::Kill),
        ("SimpleJWT", Verdict::Refuse),
        ("Supabase", Verdict::Again(rotated(Design::SUPABASE).1)),
        ("SuperTokens", Verdict::Kill),
        ("Auth0", Verdict::Kill),
    ];
    assert_eq!(found, expected);
}

#[test]
fn an_older_token_comes_back() {
    let after = |seconds: u64| {
        verdicts(|design| {
            let (family, _, _) = twice_rotated(design, 1);
            design.judge(&family, Serial::FIRST, at(1 + seconds))
        })
    };
    let (_, _, third) = twice_rotated(Design::SUPABASE, 1);
    let at_once = vec![
        ("Keyturn", Verdict::Later),
        ("Strict", Verdict::Kill),
        ("SimpleJWT", Verdict::Refuse),
        ("Supabase", Verdict::Again(third)),
        ("SuperTokens", Verdict::Kill),
        ("Auth0", Verdict::Kill),
    ];
    assert_eq!(after(1), at_once);
    let later = vec![
        ("Keyturn", Verdict::Kill),
        ("Strict", Verdict::Kill),
        ("SimpleJWT", Verdict::Refuse),
        ("Supabase", Verdict::Kill),
        ("SuperTokens", Verdict::Kill),
        ("Auth0", Verdict::Kill),
    ];
    assert_eq!(after(60), later);
}

/// The last second of each grace period, and the first one after it.
#[test]
fn windows_are_as_long_as_documented() {
    let judged = |design: Design, seconds| {
        let (family, _) = rotated(design);
        design.judge(&family, Serial::FIRST, at(seconds))
    };
    assert_eq!(judged(Design::SUPERTOKENS, 30), Verdict::Displace);
    assert_eq!(judged(Design::SUPERTOKENS, 31), Verdict::Kill);
    assert_eq!(judged(Design::AUTH0, 10), Verdict::Fork);
    assert_eq!(judged(Design::AUTH0, 11), Verdict::Kill);
    let without_leeway = Design::Auth0 {
        leeway: Duration::ZERO,
    };
    assert_eq!(judged(without_leeway, 0), Verdict::Kill);

    let ancestor = |seconds| {
        let (family, _, _) = twice_rotated(Design::SUPABASE, 0);
        Design::SUPABASE.judge(&family, Serial::FIRST, at(seconds))
    };
    assert!(matches!(ancestor(9), Verdict::Again(_)));
    assert_eq!(ancestor(10), Verdict::Kill);
}

#[test]
fn supabase_extends_its_interval_with_every_response() {
    let (mut family, _, _) = twice_rotated(Design::SUPABASE, 0);
    for seconds in [9, 18, 27] {
        let (verdict, _) = Design::SUPABASE.present(&mut family, Serial::FIRST, at(seconds));
        assert!(matches!(verdict, Verdict::Again(_)), "after {seconds} s");
    }
    let (mut family, _, _) = twice_rotated(Design::KEYTURN, 0);
    assert_eq!(
        Design::KEYTURN.present(&mut family, Serial::FIRST, at(9)).0,
        Verdict::Later
    );
    assert_eq!(
        Design::KEYTURN.present(&mut family, Serial::FIRST, at(18)).0,
        Verdict::Kill
    );
}

#[test]
fn super_tokens_invalidates_the_displaced_token() {
    let design = Design::SUPERTOKENS;
    let (mut family, displaced) = rotated(design);
    let (verdict, current) = design.present(&mut family, Serial::FIRST, at(20));
    assert_eq!(verdict, Verdict::Displace);
    assert_eq!(design.live_tokens(&family, at(20)), Vec::from_iter(current));
    assert_eq!(design.judge(&family, displaced, at(20)), Verdict::Kill);
    // The grace period starts at the rotation, not at the second response.
    assert_eq!(design.judge(&family, Serial::FIRST, at(31)), Verdict::Kill);
}

#[test]
fn auth0_forks_until_a_successor_is_consumed() {
    let design = Design::AUTH0;
    let (mut family, first) = rotated(design);
    let (verdict, second) = design.present(&mut family, Serial::FIRST, at(1));
    let second = second.expect("another heir");
    assert_eq!(verdict, Verdict::Fork);
    assert_eq!(design.live_tokens(&family, at(1)), [first, second]);
    design.present(&mut family, second, at(2));
    assert_eq!(design.judge(&family, Serial::FIRST, at(3)), Verdict::Kill);
    assert_eq!(design.judge(&family, first, at(3)), Verdict::Rotate);
}

#[test]
fn simple_jwt_accepts_two_concurrent_refreshes() {
    let design = Design::SimpleJwt;
    assert!(!design.is_serialised());
    let mut family = TokenFamily::open(at(0));
    for _ in 0..2 {
        family.apply(design, Serial::FIRST, Verdict::Rotate, at(0));
    }
    assert_eq!(design.live_tokens(&family, at(0)).len(), 2);
    assert!(
        Design::ALL
            .into_iter()
            .filter(|design| !design.is_serialised())
            .eq([design])
    );
}

#[test]
fn a_revoked_session_stays_revoked() {
    for design in Design::ALL
        .into_iter()
        .filter(|&design| design != Design::SimpleJwt)
    {
        let (mut family, second, third) = twice_rotated(design, 1);
        assert!(!family.is_revoked());
        let (verdict, given) = design.present(&mut family, Serial::FIRST, at(60));
        assert_eq!((verdict, given), (Verdict::Kill, None));
        assert!(family.is_revoked());
        for token in [Serial::FIRST, second, third] {
            assert_eq!(design.judge(&family, token, at(60)), Verdict::Refuse);
        }
        assert_eq!(design.live_tokens(&family, at(60)), []);
    }
}

#[test]
fn a_sign_out_ends_the_family_where_there_are_families() {
    for design in Design::ALL {
        let (mut family, second) = rotated(design);
        design.sign_out(&mut family, second, at(60));
        assert_eq!(
            design.judge(&family, second, at(60)),
            Verdict::Refuse,
            "{}",
            design.name()
        );
        assert_eq!(
            family.is_revoked(),
            design != Design::SimpleJwt,
            "{}",
            design.name()
        );
    }
    // A deny-list does not affect other tokens issued from the same parent.
    let mut family = TokenFamily::open(at(0));
    let first = Serial::FIRST;
    for _ in 0..2 {
        family.apply(Design::SimpleJwt, first, Verdict::Rotate, at(0));
    }
    let [_, one, other] = family.serials().collect::<Vec<_>>()[..] else {
        panic!("two heirs of one token");
    };
    Design::SimpleJwt.sign_out(&mut family, one, at(1));
    assert_eq!(Design::SimpleJwt.live_tokens(&family, at(1)), [other]);
}

#[test]
fn a_grace_period_can_be_shortened_but_not_added() {
    let short = Duration::from_secs(2);
    for design in Design::ALL {
        let shortened = design.with_grace_period(short);
        assert_eq!(shortened.name(), design.name());
        let expected = if design.grace_period().is_zero() {
            Duration::ZERO
        } else {
            short
        };
        assert_eq!(shortened.grace_period(), expected, "{}", design.name());
    }
    assert!(Design::STRICT.grace_period().is_zero() && Design::SimpleJwt.grace_period().is_zero());
    assert_eq!(Design::SUPERTOKENS.grace_period(), Duration::from_secs(30));
}

#[test]
fn a_family_knows_its_tree() {
    let (mut family, second) = rotated(Design::AUTH0);
    let (_, third) = Design::AUTH0.present(&mut family, Serial::FIRST, at(1));
    let third = third.expect("another heir");
    let numbers: Vec<u8> = family.serials().map(Serial::number).collect();
    assert_eq!(numbers, [1, 2, 3]);
    for heir in [second, third] {
        assert_eq!(family.generation(heir), 2);
        assert_eq!(family.parent(heir), Some(Serial::FIRST));
    }
    assert_eq!(family.parent(Serial::FIRST), None);
    assert_eq!(family.generation(Serial::FIRST), 1);
    assert_eq!(family.consumed_at(Serial::FIRST), Some(at(0)));
    assert_eq!(family.consumed_at(second), None);
}
