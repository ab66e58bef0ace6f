//! With all guards in place every invariant holds in every scenario.

use stateright::{Checker, Model};

use crate::{guard::Missing, model::Keyturn, scenario::Scenario, trace::story};

fn check(scenario: Scenario) {
    let model = Keyturn {
        scenario,
        missing: Missing::default(),
    };
    let checker = model.checker().threads(2).spawn_bfs().join();
    println!(
        "{}: {} states, {} steps, {} deep",
        scenario.name,
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    );
    for (name, path) in checker.discoveries() {
        let wanted = scenario.sights.iter().any(|sight| sight.property().name == name);
        assert!(wanted, "{name}:\n{}", story(checker.model(), path));
    }
    for sight in scenario.sights {
        let name = sight.property().name;
        assert!(checker.discovery(name).is_some(), "never seen: {name}");
    }
    assert!(
        checker.unique_state_count() >= scenario.floor,
        "something has become unreachable"
    );
}

#[test]
fn tabs() {
    check(Scenario::TABS);
}

#[test]
fn reloads() {
    check(Scenario::RELOADS);
}

#[test]
fn losses() {
    check(Scenario::LOSSES);
}

#[test]
fn crashes() {
    check(Scenario::CRASHES);
}

#[test]
fn mended() {
    check(Scenario::MENDED);
}

#[test]
fn mended_crash() {
    check(Scenario::MENDED_CRASH);
}

#[test]
fn lost() {
    check(Scenario::LOST);
}

#[test]
fn lost_days() {
    check(Scenario::LOST_DAYS);
}

#[test]
fn lost_theft() {
    check(Scenario::LOST_THEFT);
}

#[test]
fn theft() {
    check(Scenario::THEFT);
}

#[test]
fn mended_theft() {
    check(Scenario::MENDED_THEFT);
}

#[test]
fn leaving() {
    check(Scenario::LEAVING);
}

#[test]
fn epoch() {
    check(Scenario::EPOCH);
}

#[test]
fn time() {
    check(Scenario::TIME);
}

#[test]
fn forgery() {
    check(Scenario::FORGERY);
}

#[test]
fn restored() {
    check(Scenario::RESTORED);
}
