//! Failed calls, in words.

use std::borrow::Cow;

use api_types::problem::{Problem, ProblemCode};
use session_client::ApiError;

/// What the person was trying to do; the advice depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    SignIn,
    Register,
    SaveProfile,
    LoadSession,
    EndSessions,
    ChangePassword,
    DeleteAccount,
    ChangeUser,
}

/// The error to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub title: Cow<'static, str>,
    pub body: Cow<'static, str>,
    /// Technical details, behind a disclosure: status and code.
    pub technical: Option<String>,
    /// Field name and message, in the server's order.
    pub fields: Vec<(String, String)>,
}

impl Failure {
    /// Describes an error.
    pub fn of(error: &ApiError, operation: Operation) -> Self {
        match error {
            ApiError::Problem(problem) => Self::of_problem(problem, operation),
            ApiError::Offline => Self::plain("The server did not answer", offline(operation)),
            ApiError::Unexpected { status } => Self {
                technical: Some(format!("Status {status}, without a problem document.")),
                ..Self::plain(
                    "The answer made no sense",
                    "Something between this page and the server answered in its place, or the two are of different \
                     versions. Nothing is lost. Reload the page and try again.",
                )
            },
            ApiError::SignedOut => Self::plain(
                "Your session has ended",
                "This needs you to be signed in, and this page holds no token any more. Sign in and try again.",
            ),
        }
    }

    /// For fields that were left empty; nothing was sent.
    pub fn of_fields(fields: Vec<(String, String)>) -> Self {
        Self {
            fields,
            ..Self::plain("Something is missing", "Fill in what is marked below.")
        }
    }

    /// The message for one field.
    pub fn field(&self, name: &str) -> Option<String> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, message)| message.clone())
    }

    /// The failure without the message of a corrected field. `None` if it was about that field alone.
    pub fn without(mut self, name: &str) -> Option<Self> {
        self.fields.retain(|(field, _)| field != name);
        (!self.fields.is_empty()).then_some(self)
    }

    fn of_problem(problem: &Problem, operation: Operation) -> Self {
        let (title, body): (Cow<'static, str>, Cow<'static, str>) = match problem.code {
            ProblemCode::InvalidCredentials
                if matches!(operation, Operation::ChangePassword | Operation::DeleteAccount) =>
            {
                (
                    "That is not your current password".into(),
                    "Nothing was changed. Check it: capital letters and spaces count.".into(),
                )
            }
            ProblemCode::InvalidCredentials => (
                "Email and password do not match".into(),
                "Check both and try again: capital letters and spaces count in a password. \
                 If you have no account yet, create one."
                    .into(),
            ),
            ProblemCode::EmailTaken => (
                "There is an account with this email already".into(),
                "No second one was created. Sign in with it, or use another email.".into(),
            ),
            ProblemCode::ValidationFailed => (
                "The server asks for a change".into(),
                "Nothing was saved yet. See what is marked below, and send it again.".into(),
            ),
            // The server knows how long to wait, and the alternatives.
            ProblemCode::RateLimited
                if matches!(
                    operation,
                    Operation::SignIn | Operation::ChangePassword | Operation::DeleteAccount
                ) =>
            {
                ("Too many attempts".into(), problem.detail.clone().into())
            }
            ProblemCode::RateLimited => (
                "Too many attempts in a short time".into(),
                "The server has paused attempts like this one to slow down people who guess. \
                 Wait a minute, then try again; what you typed is kept."
                    .into(),
            ),
            ProblemCode::Busy | ProblemCode::Unavailable | ProblemCode::RequestTimeout => (
                "The server is busy".into(),
                "It could not do this just now, and nothing was changed. Try again in a few seconds; \
                 what you typed is kept."
                    .into(),
            ),
            ProblemCode::AccountDisabled => (
                "This account is disabled".into(),
                "Signing in will not work for now. Ask the people who run this site.".into(),
            ),
            ProblemCode::AmbiguousCookie => (
                "This browser sent two session cookies".into(),
                "One of them may be forged, so both were ignored. Clear this site’s cookies and try again."
                    .into(),
            ),
            ProblemCode::CrossSiteRequest | ProblemCode::MisdirectedRequest => (
                "The server refused this page’s address".into(),
                "It answers only to pages opened at its own address. Open the site at the address that you \
                 were given, not inside another page, and try again."
                    .into(),
            ),
            ProblemCode::InvalidToken => (
                "Your session was not accepted".into(),
                "The access token of this page is not valid any more. Sign in again to continue.".into(),
            ),
            _ => (problem.title.clone().into(), problem.detail.clone().into()),
        };
        let mut fields: Vec<_> = problem
            .errors
            .iter()
            .map(|error| (error.field.clone(), error.message.clone()))
            .collect();
        if problem.code == ProblemCode::EmailTaken && operation == Operation::Register && fields.is_empty() {
            fields.push(("email".into(), "This email has an account already.".into()));
        }
        let technical = format!(
            "Status {}, code {}. {}",
            problem.status,
            problem.code.as_str(),
            problem.detail
        );
        Self {
            title,
            body,
            technical: Some(technical),
            fields,
        }
    }

    fn plain(title: &'static str, body: &'static str) -> Self {
        Self {
            title: title.into(),
            body: body.into(),
            technical: None,
            fields: Vec::new(),
        }
    }
}

fn offline(operation: Operation) -> &'static str {
    match operation {
        Operation::SignIn => {
            "You may be offline, or the server is not running. What you typed is still here. \
             Check the connection and try again."
        }
        // It is unknown whether the request arrived. A second request would be told that the email is taken.
        Operation::Register => {
            "You may be offline, or the answer got lost on its way. What you typed is still here. Check the \
             connection and try again; if the email is then reported as taken, the account exists and you can sign in."
        }
        Operation::SaveProfile => {
            "You may be offline. What you typed is still here, and may not have been saved. \
             Check the connection and save again."
        }
        Operation::EndSessions => {
            "You may be offline. Whether the server has ended anything is not known. Check the connection, and \
             look at the list again."
        }
        // It is unknown whether the request arrived; signing in shows it.
        Operation::ChangePassword => {
            "You may be offline, or the answer got lost on its way. Check the connection and try again. If your \
             current password is then refused, the new one counts already: sign in with it."
        }
        Operation::DeleteAccount => {
            "You may be offline, or the answer got lost on its way. Whether the account is deleted is not known. \
             Check the connection and reload the page: it will tell."
        }
        Operation::ChangeUser => {
            "You may be offline, or the answer got lost on its way. Whether the server has done it is not known. Check \
             the connection and search again: the list tells. Doing it twice does no harm."
        }
        Operation::LoadSession => {
            "You may be offline. You stay signed in. Check the connection and try again."
        }
    }
}

#[cfg(test)]
mod tests {
    use api_types::problem::FieldError;

    use super::*;

    fn problem(code: ProblemCode, status: u16, errors: Vec<FieldError>) -> ApiError {
        ApiError::Problem(Problem {
            kind: code.type_uri(),
            title: "A title".into(),
            status,
            detail: "A detail.".into(),
            code,
            reason: None,
            errors,
            request_id: None,
        })
    }

    #[test]
    fn a_corrected_field_leaves_the_others() {
        let fields = vec![
            ("email".into(), "Enter it.".into()),
            ("password".into(), "Enter it.".into()),
        ];
        let failure = Failure::of_fields(fields).without("email").expect("one is left");
        assert_eq!(failure.field("email"), None);
        assert_eq!(failure.field("password").as_deref(), Some("Enter it."));
        assert_eq!(
            failure.without("password"),
            None,
            "the summary goes with the last of them"
        );
    }

    #[test]
    fn field_errors_keep_the_servers_message() {
        let error = FieldError {
            field: "password".into(),
            code: "too_common".into(),
            message: "Too common.".into(),
        };
        let failure = Failure::of(
            &problem(ProblemCode::ValidationFailed, 422, vec![error]),
            Operation::Register,
        );
        assert_eq!(failure.field("password").as_deref(), Some("Too common."));
        assert_eq!(failure.field("email"), None);
    }

    #[test]
    fn a_taken_email_is_marked_on_its_field() {
        let failure = Failure::of(
            &problem(ProblemCode::EmailTaken, 409, vec![]),
            Operation::Register,
        );
        assert!(failure.field("email").is_some());
    }

    #[test]
    fn wrong_credentials_mark_no_field() {
        let failure = Failure::of(
            &problem(ProblemCode::InvalidCredentials, 401, vec![]),
            Operation::SignIn,
        );
        assert!(failure.fields.is_empty());
        assert_eq!(
            failure.technical.as_deref(),
            Some("Status 401, code invalid_credentials. A detail.")
        );
    }

    #[test]
    fn a_sign_in_limit_shows_the_servers_detail() {
        let limited = problem(ProblemCode::RateLimited, 429, vec![]);
        assert_eq!(Failure::of(&limited, Operation::SignIn).body, "A detail.");
        assert_ne!(Failure::of(&limited, Operation::Register).body, "A detail.");
    }

    #[test]
    fn an_unknown_code_shows_the_servers_texts() {
        let failure = Failure::of(&problem(ProblemCode::Unknown, 418, vec![]), Operation::SignIn);
        assert_eq!(
            (failure.title.as_ref(), failure.body.as_ref()),
            ("A title", "A detail.")
        );
    }

    #[test]
    fn a_lost_registration_explains_the_taken_email() {
        assert!(
            Failure::of(&ApiError::Offline, Operation::Register)
                .body
                .contains("taken")
        );
        assert!(
            Failure::of(&ApiError::Offline, Operation::LoadSession)
                .body
                .contains("stay signed in")
        );
    }
}
