#![doc = include_str!("../README.md")]

pub mod components;
pub mod experiment;
pub mod lab_port;
pub mod labels;
pub mod lifetimes;
pub mod live;
pub mod page;
pub mod page_url;
pub mod prose;
pub mod resource_watch;
pub mod simulator;
#[cfg(test)]
mod test_run;
pub mod token_family;

pub use lab_port::{LabPort, StreamMessage, provide_lab_port};
pub use page::LabPage;
