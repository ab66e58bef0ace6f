#![doc = include_str!("../README.md")]

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
