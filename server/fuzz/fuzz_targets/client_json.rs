//! The browser's reader of responses: on every text that is JSON it agrees with `serde_json`, in both directions, but for
//! three forms that the API does not write.

#![no_main]

use std::{collections::BTreeMap, fmt::Debug};

use api_types::{
    account::{AlarmResponse, EventPage, SessionPage},
    auth::{SignedInResponse, TokenResponse},
    problem::{Problem, ProblemCode},
};
use keyturn_fuzz::read_response;
use libfuzzer_sys::fuzz_target;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

/// Something of everything that a response is made of, and no member that is passed over.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Everything {
    t: String,
    o: Option<u64>,
    #[serde(default)]
    i: i64,
    #[serde(default)]
    s: u16,
    #[serde(default)]
    b: bool,
    c: Option<ProblemCode>,
    #[serde(default)]
    m: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    n: Vec<Everything>,
}

/// Whether a type passes over members that it does not know.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Unknown {
    PassedOver,
    Refused,
}

fuzz_target!(|text: &str| {
    let json = serde_json::from_str::<Value>(text).ok();
    let json = json.as_ref();
    compare::<Problem>(text, json, Unknown::PassedOver);
    compare::<SignedInResponse>(text, json, Unknown::PassedOver);
    compare::<TokenResponse>(text, json, Unknown::PassedOver);
    compare::<SessionPage>(text, json, Unknown::PassedOver);
    compare::<EventPage>(text, json, Unknown::PassedOver);
    compare::<AlarmResponse>(text, json, Unknown::PassedOver);
    compare::<Everything>(text, json, Unknown::Refused);
    compare::<Vec<String>>(text, json, Unknown::Refused);
    compare::<BTreeMap<String, Option<i64>>>(text, json, Unknown::Refused);
    compare::<Vec<Option<u8>>>(text, json, Unknown::Refused);
});

fn compare<T: DeserializeOwned + Serialize + PartialEq + Debug>(
    text: &str,
    json: Option<&Value>,
    unknown: Unknown,
) {
    let ours = read_response::<T>(text);
    if let Some(json) = json {
        match (&ours, serde_json::from_str::<T>(text).ok()) {
            (None, Some(theirs)) => {
                let written = serde_json::to_value(&theirs).expect("serialises");
                assert!(has_other_form(json, &written), "only serde_json reads {theirs:?}");
            }
            // The third known difference: `serde_json` takes `-0` for a fraction.
            (Some(_), None) => assert!(text.contains("-0"), "serde_json does not read {ours:?}"),
            (ours, theirs) => assert_eq!(*ours, theirs),
        }
    } else if unknown == Unknown::Refused {
        assert_eq!(ours, None, "the text is not JSON");
    }
    // In a value that is passed over only its end is looked for. What was read is complete all the same.
    if let Some(value) = ours {
        let written = serde_json::to_string(&value).expect("serialises");
        assert_eq!(read_response::<T>(&written), Some(value));
    }
}

/// Two known differences: `serde_json` also reads the members of a struct from an array, and the name of an enum from
/// `{"name":null}`. The API writes neither.
fn has_other_form(json: &Value, written: &Value) -> bool {
    match (json, written) {
        (Value::Array(_), Value::Object(_)) | (Value::Object(_), Value::String(_)) => true,
        (Value::Array(some), Value::Array(others)) => some
            .iter()
            .zip(others)
            .any(|(value, written)| has_other_form(value, written)),
        (Value::Object(some), Value::Object(others)) => others
            .iter()
            .any(|(name, written)| some.get(name).is_some_and(|value| has_other_form(value, written))),
        _ => false,
    }
}
