//! What a person may call themselves, what they may choose as a password, and what their browser is called: pure.

pub mod device;
pub mod display_name;
pub mod email;
pub mod password_policy;

use api_types::problem::FieldError;

/// One refused field: which, a stable code, and what to do.
pub(crate) fn refused(field: &str, code: &str, message: impl Into<String>) -> FieldError {
    FieldError {
        field: field.to_owned(),
        code: code.to_owned(),
        message: message.into(),
    }
}
