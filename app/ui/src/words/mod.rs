//! The texts of pages for everything that did not work: plain functions from a cause to a text.
//!
//! Every text says what happened, what it means for the person, and what to do next, in that order.

pub mod admin_action;
pub mod claims;
pub mod event;
pub mod failed_sign_ins;
pub mod failure;
pub mod reuse;
pub mod sign_out_status;
pub mod signed_out_reason;

pub use admin_action::AdminAction;
pub use event::event;
pub use failed_sign_ins::{WHAT_TO_DO_ABOUT_FAILED_SIGN_INS, failed_sign_ins, how_often};
pub use failure::{Failure, Operation};
pub use reuse::{WHAT_TO_DO_ABOUT_REUSE, origin, reuse};
pub use sign_out_status::sign_out_status;
pub use signed_out_reason::signed_out_reason;

/// A heading and a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    pub title: &'static str,
    pub body: &'static str,
}
