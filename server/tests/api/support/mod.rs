//! Shared by the tests.

pub(crate) mod app;
pub(crate) mod client;
pub(crate) mod cluster;
pub(crate) mod db;
pub(crate) mod http;
pub(crate) mod kept_logs;
pub(crate) mod log;
pub(crate) mod process;
pub(crate) mod proxy;

pub(crate) use app::TestApp;
pub(crate) use client::{Client, TestResponse};
pub(crate) use db::Db;

/// A password that the policy accepts.
pub(crate) const PASSWORD: &str = "kettle moss orbit";

/// Runs a test body on both databases, as two tests.
macro_rules! on_both_databases {
    ($(async fn $name:ident($db:ident: Db) $body:block)*) => {
        $(
            mod $name {
                use super::*;

                async fn body($db: Db) $body

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn sqlite() {
                    body(Db::sqlite()).await;
                }

                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn postgres() {
                    body(Db::postgres().await).await;
                }
            }
        )*
    };
}
pub(crate) use on_both_databases;
