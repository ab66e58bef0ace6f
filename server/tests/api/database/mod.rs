//! What databases and the networks to them do in real life.

mod defects;
mod faults;
mod network;
mod pooler;
mod roles;
mod tls;
