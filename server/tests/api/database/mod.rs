//! Failures of databases and of the networks to them.

mod defects;
mod faults;
mod network;
mod pooler;
mod roles;
mod tls;
