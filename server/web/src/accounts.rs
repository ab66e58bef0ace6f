//! Rules for account data: display names, email addresses and mailboxes, device names.

pub mod device;
pub mod display_name;
pub mod email;
pub mod mailboxes;

use api_types::problem::FieldError;
use password_policy::PolicyViolation;

/// One refused field: its name, a stable code, and what to do.
pub(crate) fn refused(field: &str, code: &str, message: impl Into<String>) -> FieldError {
    FieldError {
        field: field.to_owned(),
        code: code.to_owned(),
        message: message.into(),
    }
}

/// The field error for a password that the policy refuses.
pub(crate) fn refused_password(field: &str, refusal: PolicyViolation) -> FieldError {
    refused(field, refusal.code(), refusal.sentence())
}

/// The field error for a password in the operator's list of breached passwords.
pub fn breached_password(field: &str) -> FieldError {
    let message =
        "This password is in a list of passwords that leaked elsewhere, so attackers try it. Choose another.";
    refused(field, "breached", message)
}
