//! Clients that open idle connections, against a process with few file descriptors.

use std::{path::Path, time::Duration};

use serde_json::json;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    time::{sleep, timeout},
};

use crate::support::{
    Db, PASSWORD,
    process::{Deployment, NodeProcess},
};

const READERS: usize = 700;
/// The default limit of a process on Linux.
const DESCRIPTORS: u32 = 1024;
const PATIENCE: Duration = Duration::from_mins(1);
/// Larger than all buffers between the server and a client.
const LARGE: usize = 32 * 1024 * 1024;

/// A deployment whose site has one large file.
fn deployment(db: &Db, site: &Path) -> Deployment {
    std::fs::create_dir(site.join("pkg")).expect("a folder");
    std::fs::write(site.join("pkg/large.bin"), vec![b'x'; LARGE]).expect("writes");
    Deployment::new(db)
        .descriptors(DESCRIPTORS)
        .with("KEYTURN__HTTP__SITE_DIR", site.display().to_string())
}

/// Requests the large file, from an address of this machine, and reads nothing of it.
async fn ask_and_read_nothing(node: &NodeProcess, from: [u8; 4]) -> TcpStream {
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.bind((from, 0).into()).expect("a loopback address");
    let mut stream = socket.connect(node.address()).await.expect("connects");
    let request = b"GET /pkg/large.bin HTTP/1.1\r\nhost: keyturn.example\r\n\r\n";
    stream.write_all(request).await.expect("writes");
    stream
}

async fn ask_all(node: &NodeProcess, from: [u8; 4]) -> Vec<TcpStream> {
    let mut readers = Vec::new();
    for _ in 0..READERS {
        readers.push(ask_and_read_nothing(node, from).await);
    }
    readers
}

/// How many of them receive the file.
async fn served(readers: &mut [TcpStream]) -> usize {
    let mut served = 0;
    for reader in readers {
        let mut head = [0; 12];
        let read = timeout(PATIENCE, reader.read_exact(&mut head))
            .await
            .expect("in time");
        served += usize::from(read.is_ok() && &head == b"HTTP/1.1 200");
    }
    served
}

#[tokio::test]
async fn one_client_with_many_connections_does_not_block_others() {
    let (db, site) = (Db::sqlite(), tempfile::tempdir().expect("a folder"));
    let node = deployment(&db, site.path()).node().await;
    let mut readers = ask_all(&node, [127, 0, 0, 2]).await;

    // Another client registers, which opens files and queries the database.
    let account = json!({ "email": "ada@example.com", "password": PASSWORD });
    let registered = node.post("/api/auth/register", None, &account).await;
    assert_eq!(registered.status, 201, "{}", registered.text);
    assert_eq!(node.refresh(&registered).await.status, 200);
    assert_eq!(
        served(&mut readers).await,
        128,
        "http.max_connections_per_address"
    );
    assert!(node.open_descriptors() < 500, "{}", node.open_descriptors());
}

#[tokio::test]
async fn slow_readers_do_not_exhaust_file_descriptors() {
    let (db, site) = (Db::sqlite(), tempfile::tempdir().expect("a folder"));
    let node = deployment(&db, site.path())
        .with("KEYTURN__HTTP__MAX_CONNECTIONS_PER_ADDRESS", "10000")
        .with("KEYTURN__HTTP__WRITE_TIMEOUT", "3s")
        .node()
        .await;
    let mut readers = ask_all(&node, [127, 0, 0, 2]).await;
    assert!(
        node.open_descriptors() < 1000,
        "{} of {DESCRIPTORS} descriptors",
        node.open_descriptors()
    );
    let served = served(&mut readers).await;
    // A busy machine may have closed the first before the last connected.
    assert!((400..READERS).contains(&served), "{served} were served");

    // They are closed automatically, and others are served again.
    let account = json!({ "email": "ada@example.com", "password": PASSWORD });
    let registered = async {
        loop {
            let answer = node.post("/api/auth/register", None, &account).await;
            if answer.status == 201 {
                return;
            }
            assert_eq!(answer.status, 503, "{}", answer.text);
            sleep(Duration::from_millis(200)).await;
        }
    };
    timeout(PATIENCE, registered).await.expect("there is room again");
}
