//! The lab: where a page may keep its tokens, and what each way is worth, measured in the visitor's own browser.
//!
//! The page shows what the server says about a run and decides nothing: verdicts come with their evidence over the wire.
//! What it reckons and plays by itself it does with the server's own code, the `rotation` crate.
//!
//! # Layout
//! - [`page`] the page; [`address`] what its address says
//! - [`bench`] a table with its run, of which there are four: where tokens are kept, forged requests, smuggled
//!   scripts, races
//! - [`watch`] something followed as it happens: the stream of events, and asking where there is no stream
//! - [`follow`] one run, followed
//! - [`matrix`] the table, [`evidence`] what is known of one cell, [`exchange`] a request with its answer
//! - [`guards`] what several guards against forged requests stop together
//! - [`theatre`] an owner and a thief with one refresh token, under each design; [`tree`] draws its family
//! - [`live`] the same with a real session, as the server tells of it; [`steps`] the table of what was done in either
//! - [`lifetimes`] two sliders, and what lifetimes come to
//! - [`port`] what the lab needs from the browser; `frontend` implements it
//! - [`words`] names and sentences that change; [`prose`] what only the server writes: the story and the glossary
//!
//! # Invariants
//! - It is there only where the server says so ([`LabIsOpen`](ui::lab_open::LabIsOpen)); elsewhere its address leads nowhere.
//! - It knows no token of this site: its requests carry none, and the tokens that it shows are a run's, made to be shown.
//! - What is always the same stands in the server's HTML alone. The texts of all parts of the program are in the one that
//!   every page loads, and those of the lab would be a burden to people who only sign in.

pub mod address;
pub mod bench;
pub mod evidence;
pub mod exchange;
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
pub mod watch;
pub mod words;

pub use page::LabPage;
pub use port::{Heard, LabPort, provide_lab_port};
