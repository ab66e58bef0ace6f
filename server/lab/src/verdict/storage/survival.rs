//! Whether a session survives a reload, another tab or a restart.

use lab_types::{Evidence, Threat};

use crate::{
    evidence::account_seen,
    verdict::judgement::{Judgement, Unmeasured, lost, signed_in_before, survives},
};

pub(super) fn judge(threat: Threat, evidence: &[Evidence]) -> Judgement {
    let afterwards = account_seen(evidence, "afterwards").ok_or(match threat {
        Threat::Restart => {
            "A page cannot restart the browser. The project’s own tests measure this row.".into()
        }
        Threat::NewTab => "The other tab never reported.".into(),
        _ => Unmeasured::NotRun,
    })?;
    let visitor = signed_in_before(evidence)?;
    match afterwards {
        Some(user) if user == visitor => {
            survives(format!("Afterwards this browser was still signed in as {user}."))
        }
        Some(user) => lost(format!(
            "Afterwards this browser was signed in as someone else: {user}."
        )),
        None => lost("Afterwards the page held no valid credential."),
    }
}

#[cfg(test)]
mod tests {
    use lab_types::CellVerdict;

    use super::*;
    use crate::verdict::fixtures::{LOST, SURVIVES, account, verdict_of};

    fn verdict(evidence: &[Evidence]) -> Option<CellVerdict> {
        verdict_of(judge(Threat::Reload, evidence))
    }

    #[test]
    fn a_session_survives_if_the_same_user_is_signed_in_afterwards() {
        let before = account("before", Some("ada@x"));
        assert_eq!(verdict(std::slice::from_ref(&before)), None);
        let case = |user| verdict(&[before.clone(), account("afterwards", user)]);
        assert_eq!(case(None), LOST);
        assert_eq!(case(Some("ada@x")), SURVIVES);
        assert_eq!(case(Some("bob@x")), LOST, "a different account");
        assert_eq!(
            verdict(&[account("before", None), account("afterwards", Some("ada@x"))]),
            None
        );
    }
}
