//! Silent networks and lost servers. No one is signed out, and the node works again without a restart.

use std::{net::SocketAddr, time::Duration};

use tokio::{task::JoinSet, time::timeout};

use crate::support::{Client, Db, TestApp, cluster::Cluster, proxy::Proxy};

/// What the product promises once the database is reachable again.
const SERVED_AGAIN: Duration = Duration::from_secs(10);

/// Refreshes until that succeeds. Until then each response must preserve the session.
async fn refresh_until_served(user: &mut Client) {
    let served = async {
        loop {
            let before = user.refresh.clone();
            let answer = user.refresh().await;
            if answer.status == 200 {
                return;
            }
            assert_eq!(answer.status, 503, "{}", answer.text());
            assert!(
                !answer.clears_the_cookie() && user.refresh == before,
                "the cookie changed"
            );
            // A missing server refuses immediately, and a busy retry loop would slow its start.
            tokio::task::yield_now().await;
        }
    };
    timeout(SERVED_AGAIN, served).await.expect("served within 10 s");
}

/// Opens many connections, like a busy node.
async fn fill_the_pool(app: &TestApp, user: &Client) {
    let mut requests = JoinSet::new();
    for _ in 0..24 {
        let mut client = app.anonymous();
        client.access.clone_from(&user.access);
        requests.spawn(async move { client.get("/api/sessions").await.status });
    }
    assert!(requests.join_all().await.into_iter().all(|status| status == 200));
}

fn address_of(url: &str) -> SocketAddr {
    let url = url::Url::parse(url).expect("a URL");
    let ip = url.host_str().expect("a host").parse().expect("an address");
    SocketAddr::new(ip, url.port().unwrap_or(5432))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unresponsive_database_connections_are_replaced() {
    let db = Db::postgres().await;
    let proxy = Proxy::to(address_of(&db.url)).await;
    let app = TestApp::new(db.through(proxy.address)).await;
    let mut user = app.user().await;
    for _ in 0..3 {
        fill_the_pool(&app, &user).await;
        proxy.silence();
        refresh_until_served(&mut user).await;
        // All places in the pool can be used again, and background reads work as well.
        fill_the_pool(&app, &user).await;
        timeout(SERVED_AGAIN, app.state.read_revocations())
            .await
            .expect("in time")
            .expect("revocations are read");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unresponsive_revocation_listener_is_detected() {
    let db = Db::postgres().await;
    let proxy = Proxy::to(address_of(&db.url)).await;
    let app = TestApp::with(db.through(proxy.address), |sections| {
        sections.database.timeout = Duration::from_secs(1);
    })
    .await;
    let mut listener = app
        .state
        .store
        .listen_for_revocations()
        .await
        .expect("connects")
        .expect("PostgreSQL");
    proxy.silence();
    let clock = std::sync::Arc::clone(&app.clock);
    let lost = timeout(
        Duration::from_secs(30),
        listener.recv(|| rotation::Clock::now(&*clock)),
    )
    .await;
    assert!(lost.expect("noticed").is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_restart_ends_no_session() {
    let cluster = Cluster::start("");
    let app = TestApp::new(Db::postgres_at(&cluster.admin_url()).await).await;
    let mut user = app.user().await;
    for mode in ["fast", "immediate"] {
        fill_the_pool(&app, &user).await;
        cluster.stop(mode);
        let before = user.refresh.clone();
        let answer = user.refresh().await;
        answer.assert_problem(503, "unavailable");
        assert!(!answer.clears_the_cookie() && user.refresh == before);
        cluster.resume();
        refresh_until_served(&mut user).await;
        fill_the_pool(&app, &user).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_survive_a_failover_to_a_standby() {
    // Each commit waits for the standby, so no confirmed write is lost with the primary.
    let primary = Cluster::start("-c synchronous_standby_names=* -c synchronous_commit=local");
    let standby = primary.standby();
    let db = Db::postgres_at(&primary.admin_url()).await;
    let proxy = Proxy::to(primary.address).await;
    let synchronous = "ALTER SYSTEM SET synchronous_commit = 'remote_apply'";
    let app = TestApp::new(db.through(proxy.address)).await;
    app.execute(synchronous).await;
    app.execute("SELECT pg_reload_conf()").await;
    let mut user = app.user().await;
    assert_eq!(user.refresh().await.status, 200);
    fill_the_pool(&app, &user).await;

    primary.stop("immediate");
    proxy.silence();
    proxy.redirect_to(standby.address);
    // The standby accepts no writes until it is promoted.
    user.refresh().await.assert_problem(503, "unavailable");
    app.anonymous()
        .get("/health/ready")
        .await
        .assert_problem(503, "unavailable");
    standby.promote();
    refresh_until_served(&mut user).await;
    fill_the_pool(&app, &user).await;
}
