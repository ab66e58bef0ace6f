//! TLS to PostgreSQL, against a server with a certificate.

use std::{
    path::Path,
    process::{Command, Stdio},
};

use tempfile::TempDir;

use crate::support::{
    Db, PASSWORD,
    cluster::{Cluster, is_root},
    process::Deployment,
};

/// A certificate authority and a server's certificate for the loopback address, made by openssl.
struct Certificates(TempDir);

impl Certificates {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let certificates = Self(folder);
        certificates.openssl(&[
            "req",
            "-x509",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-days",
            "2",
            "-subj",
            "/CN=a test's authority",
            "-keyout",
            "ca.key",
            "-out",
            "ca.crt",
        ]);
        certificates.openssl(&[
            "req",
            "-newkey",
            "ec",
            "-pkeyopt",
            "ec_paramgen_curve:prime256v1",
            "-nodes",
            "-subj",
            "/CN=127.0.0.1",
            "-keyout",
            "server.key",
            "-out",
            "server.csr",
        ]);
        std::fs::write(certificates.path().join("names"), "subjectAltName=IP:127.0.0.1\n").expect("writes");
        certificates.openssl(&[
            "x509",
            "-req",
            "-in",
            "server.csr",
            "-CA",
            "ca.crt",
            "-CAkey",
            "ca.key",
            "-CAcreateserial",
            "-days",
            "2",
            "-extfile",
            "names",
            "-out",
            "server.crt",
        ]);
        // PostgreSQL reads its key only if no one else can.
        run("chmod", &["0755"], certificates.path());
        run("chmod", &["0600"], &certificates.path().join("server.key"));
        if is_root() {
            run("chown", &["postgres"], &certificates.path().join("server.key"));
        }
        certificates
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    fn file(&self, name: &str) -> String {
        self.path().join(name).display().to_string()
    }

    fn openssl(&self, arguments: &[&str]) {
        let made = Command::new("openssl")
            .args(arguments)
            .current_dir(self.path())
            .stderr(Stdio::null())
            .status();
        assert!(
            made.expect("openssl starts (Debian: apt-get install openssl)")
                .success(),
            "{arguments:?}"
        );
    }
}

fn run(program: &str, arguments: &[&str], path: &Path) {
    let status = Command::new(program).args(arguments).arg(path).status();
    assert!(status.expect("starts").success(), "{program} {}", path.display());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_certificate_is_verified_over_tls() {
    let certificates = Certificates::new();
    let cluster = Cluster::start(&format!(
        "-c ssl=on -c ssl_cert_file={} -c ssl_key_file={}",
        certificates.file("server.crt"),
        certificates.file("server.key"),
    ));
    let db = Db::postgres_at(&cluster.admin_url()).await;
    // From here on plain text is refused.
    std::fs::write(
        format!("{}/pg_hba.conf", cluster.data()),
        "hostssl all all 127.0.0.1/32 trust\n",
    )
    .expect("writes");
    cluster.stop("fast");
    cluster.resume();

    let with = |query: String| Deployment::new(&Db::at(format!("{}?{query}", db.url)));
    let authority = certificates.file("ca.crt");
    let verified = with(format!("sslmode=verify-full&sslrootcert={authority}"));
    let node = verified.node().await;
    let account = serde_json::json!({"email": "ada@example.com", "password": PASSWORD});
    let answer = node.post("/api/auth/register", None, &account).await;
    assert_eq!(answer.status, 201, "{}", answer.text);
    assert_eq!(node.refresh(&answer).await.status, 200);
    drop(node);

    assert!(
        with("sslmode=require".to_owned())
            .stdout_of(&["users", "list"], "")
            .await
            .contains("ada@")
    );
    let plain = with("sslmode=disable".to_owned()).stderr_of(&["serve"], "").await;
    assert!(plain.contains("database.url"), "{plain}");
    // An authority that did not sign the server's certificate: the public ones, and another of our own.
    let stranger = Certificates::new();
    for strict in [
        "sslmode=verify-full".to_owned(),
        format!("sslmode=verify-full&sslrootcert={}", stranger.file("ca.crt")),
        format!("sslmode=verify-ca&sslrootcert={}", stranger.file("ca.crt")),
    ] {
        let complaint = with(strict).stderr_of(&["serve"], "").await;
        assert!(complaint.contains("ertificate"), "{complaint}");
    }
}

#[tokio::test]
async fn a_remote_database_needs_verified_tls() {
    let remote = "postgres://keyturn:a%20secret%20password@db.example.invalid/keyturn?sslmode=require";
    let complaint = Deployment::new(&Db::at(remote.to_owned()))
        .stderr_of(&["config", "check"], "")
        .await;
    assert!(complaint.contains("sslmode=verify-full"), "{complaint}");
    assert!(complaint.contains("database.allow_unverified_tls"), "{complaint}");
    assert!(!complaint.contains("secret"), "{complaint}");
    let allowed =
        Deployment::new(&Db::at(remote.to_owned())).with("KEYTURN__DATABASE__ALLOW_UNVERIFIED_TLS", "true");
    let other = allowed.run(&["config", "check"], "").await;
    let text = String::from_utf8_lossy(&other.stderr).into_owned();
    assert!(!text.contains("sslmode"), "{text}");
}
