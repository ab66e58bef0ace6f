//! The texts of pages for everything that did not work: plain functions from a cause to a text.
//!
//! Every text says what happened, what it means for the person, and what to do next, in that order.

pub mod claims;
pub mod deed;
pub mod ended;
pub mod event;
pub mod failed_sign_ins;
pub mod failure;
pub mod farewell;
pub mod reuse;

pub use deed::Deed;
pub use ended::ended;
pub use event::event;
pub use failed_sign_ins::{WHAT_TO_DO_ABOUT_FAILED_SIGN_INS, failed_sign_ins, how_often};
pub use failure::{Attempt, Failure};
pub use farewell::farewell;
pub use reuse::{WHAT_TO_DO_ABOUT_REUSE, origin, reuse};

/// A heading and a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    pub title: &'static str,
    pub body: &'static str,
}
