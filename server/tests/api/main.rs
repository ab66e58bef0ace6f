//! The API from outside: real requests against the real router, on SQLite and on PostgreSQL.
//!
//! Each test has a separate database and clock, so tests share nothing and pass in any order. The modules mirror the
//! paths. `KEYTURN_TEST_POSTGRES` names a PostgreSQL server whose user may create databases; `./dev test` starts one.
//! Without it the tests fail, because half of the promise would be unproven.

mod account;
mod admin;
mod attacks;
mod auth;
mod backup;
mod behind_proxies;
mod breached;
mod command_line;
mod config;
mod cross_site;
mod csp_report;
mod database;
mod endpoint_coverage;
mod guesses;
mod headers;
mod health;
mod help;
mod keys;
mod lab;
mod lab_live;
mod mailboxes;
mod many_sessions;
mod me;
mod memory;
mod nodes;
mod overload;
mod pages;
mod proxies;
mod pruning;
mod request_id;
mod request_log;
mod revocations;
mod revoke_sessions;
mod security_log;
mod serve;
mod session_limit;
mod sessions;
mod site;
mod support;
mod unreadable;
