//! The lab: where a page can keep its tokens, and how each option withstands attacks, measured in the visitor's own
//! browser.
//!
//! The page shows what the server says about a run and decides nothing: verdicts and their evidence come from the
//! server. For its own calculations and simulations it uses the server's own code, the `rotation` crate.
//!
//! # Layout
//! - [`page`] the page; [`address`] its state in the URL
//! - [`bench`] an experiment: a table with its run. There are four: token storage, CSRF, injected scripts, refresh
//!   races
//! - [`watch`] follows a server resource as it changes: an event stream, or polling where there is no stream
//! - [`follow`] follows one run
//! - [`matrix`] the table, [`evidence`] the evidence of one cell, [`exchange`] a request with its response
//! - [`guards`] the combined effect of several CSRF defences
//! - [`theatre`] the simulator: an owner and an attacker with one refresh token, under each design; [`tree`] draws its
//!   token family
//! - [`live`] the same with a real session, as the server reports it; [`steps`] the table of steps of both
//! - [`lifetimes`] two sliders, and the consequences of token lifetimes
//! - [`port`] what the lab needs from the browser; `frontend` implements it
//! - [`words`] names and sentences that change; [`prose`] what only the server writes: the story and the glossary
//!
//! # Invariants
//! - The lab exists only if the server says so ([`LabIsOpen`](ui::lab_open::LabIsOpen)); otherwise its path is “not found”.
//! - It has no access to this site's tokens: its requests carry none. The tokens that it shows belong to a run and are
//!   made to be shown.
//! - Text that never changes exists in the server's HTML alone. The texts of all parts of the app are in the part that
//!   every page loads, and the lab's texts would be a burden for people who only sign in.

pub mod address;
pub mod bench;
pub mod evidence;
pub mod exchange;
pub mod experiment_state;
pub mod follow;
pub mod guards;
pub mod lifetimes;
pub mod live;
pub mod matrix;
pub mod page;
pub mod port;
pub mod prose;
pub mod steps;
pub mod theatre;
pub mod tree;
pub mod verdict_mark;
pub mod watch;
pub mod words;

pub use page::LabPage;
pub use port::{Heard, LabPort, provide_lab_port};
