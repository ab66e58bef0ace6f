//! Many failed passwords before a sign-in, as shown to the account's owner.

use super::Message;

/// What happened. Calm, because this is common and the attempts failed.
pub fn failed_sign_ins() -> Message {
    Message {
        title: "Wrong passwords were tried for your account",
        body: "Before you signed in, many sign-ins with your email failed. None of them got in. The server slows such \
               attempts down, and browsers where you have signed in before are not affected.",
    }
}

/// The sentence above the possible actions.
pub const WHAT_TO_DO_ABOUT_FAILED_SIGN_INS: &str = "If these were your own typing errors, there is nothing to do. If not, \
     make sure that your password is long and that you use it nowhere else.";

/// The number of attempts, for people.
pub fn how_often(count: u32) -> String {
    match count {
        1 => "once".into(),
        2 => "twice".into(),
        more => format!("{more} times"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_written_in_words() {
        assert_eq!([1, 2, 37].map(how_often), ["once", "twice", "37 times"]);
    }

    #[test]
    fn the_text_says_that_all_attempts_failed() {
        assert!(failed_sign_ins().body.contains("None of them got in"));
        assert!(WHAT_TO_DO_ABOUT_FAILED_SIGN_INS.contains("typing errors"));
    }
}
