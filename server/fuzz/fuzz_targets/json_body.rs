//! Request bodies: an object with exactly our members, each once and of its type, and what was read is what was sent.

#![no_main]

use api_types::{
    account::{AlarmSeenRequest, ChangePasswordRequest, DeleteAccountRequest},
    auth::{LoginRequest, RegisterRequest, UpdateMeRequest},
};
use keyturn_fuzz::{
    extract::{Refusal, read_body},
    strict,
};
use libfuzzer_sys::fuzz_target;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// What a member may be.
#[derive(Clone, Copy)]
enum Kind {
    Text,
    /// A text or null, or absent.
    OptionalText,
    /// A boolean, or absent.
    OptionalFlag,
}

use Kind::{OptionalFlag, OptionalText, Text};

fuzz_target!(|data: &[u8]| {
    let sent = strict::parse(data);
    let sent = sent.as_ref();
    read::<LoginRequest>(
        data,
        sent,
        &[("email", Text), ("password", Text), ("remember", OptionalFlag)],
        |object| {
            object.entry("remember").or_insert(Value::Bool(true));
        },
    );
    read::<RegisterRequest>(
        data,
        sent,
        &[
            ("email", Text),
            ("password", Text),
            ("display_name", OptionalText),
        ],
        |object| {
            object.retain(|_, value| !value.is_null());
        },
    );
    let unchanged = |_: &mut Map<String, Value>| {};
    read::<UpdateMeRequest>(data, sent, &[("display_name", OptionalText)], unchanged);
    read::<AlarmSeenRequest>(data, sent, &[("id", Text)], unchanged);
    read::<DeleteAccountRequest>(data, sent, &[("current_password", Text)], unchanged);
    read::<ChangePasswordRequest>(
        data,
        sent,
        &[("current_password", Text), ("new_password", Text)],
        unchanged,
    );
});

/// `sent` is the body as a second reader reads it, `None` if it is not JSON or has a member twice. `complete` makes an
/// object of it that says everything, also what may be left out.
fn read<T: DeserializeOwned + Serialize>(
    data: &[u8],
    sent: Option<&Value>,
    members: &[(&str, Kind)],
    complete: impl Fn(&mut Map<String, Value>),
) {
    let expected = sent
        .and_then(Value::as_object)
        .filter(|object| fits(object, members));
    match read_body::<T>(data) {
        Ok(request) => {
            let mut expected = expected.expect("only what fits is accepted").clone();
            complete(&mut expected);
            let written = serde_json::to_value(&request).expect("serialises");
            assert_eq!(written, Value::Object(expected));
        }
        Err(refusal) => {
            assert!(expected.is_none(), "{refusal:?} although it fits");
            if sent.is_some() {
                assert_eq!(refusal, Refusal::Shape);
            }
            if std::str::from_utf8(data).is_err() {
                assert_eq!(refusal, Refusal::Syntax);
            }
        }
    }
}

fn fits(object: &Map<String, Value>, members: &[(&str, Kind)]) -> bool {
    let is_known = |name: &String| members.iter().any(|(known, _)| known == name);
    object.keys().all(is_known)
        && members
            .iter()
            .all(|(name, kind)| match (kind, object.get(*name)) {
                (Text, Some(value)) => value.is_string(),
                (Text, None) => false,
                (OptionalText, Some(value)) => value.is_string() || value.is_null(),
                (OptionalFlag, Some(value)) => value.is_boolean(),
                (OptionalText | OptionalFlag, None) => true,
            })
}
