#![doc = include_str!("../README.md")]

pub mod account;
pub mod admin;
pub mod auth;
pub mod header;
pub mod paths;
pub mod problem;
pub mod session;
