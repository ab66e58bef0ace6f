//! The `keyturn` binary in its own process.

use std::{
    collections::HashMap,
    fs::{self, OpenOptions},
    net::{SocketAddr, TcpListener},
    path::{Path, PathBuf},
    process::{Output, Stdio},
    time::Duration,
};

use serde_json::Value;
use tempfile::TempDir;
use tokio::{
    io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
    process::{Child, Command},
    time::timeout,
};

use super::{Db, kept_logs};

/// A deployment behind a proxy: one origin for all nodes.
const HOST: &str = "keyturn.example";
/// Long enough for a debug build on a busy machine; a process that takes longer hangs.
const PATIENCE: Duration = Duration::from_mins(1);

/// The database and the secret of a process.
pub(crate) struct Deployment {
    environment: HashMap<&'static str, String>,
    program: PathBuf,
    /// The limit of file descriptors per process. `None`: the limit of this process.
    descriptors: Option<u32>,
    /// The value of `http.site_dir`.
    _site: TempDir,
    /// The log file of nodes, if a test reads it.
    log: Option<PathBuf>,
}

/// A running `keyturn serve`. It is killed when this is dropped.
pub(crate) struct NodeProcess {
    address: SocketAddr,
    process: Child,
}

/// A node's response.
#[derive(Debug)]
pub(crate) struct NodeResponse {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Deployment {
    pub(crate) fn new(db: &Db) -> Self {
        let program = PathBuf::from(env!("CARGO_BIN_EXE_keyturn"));
        let site = site_of(&program);
        let environment = HashMap::from([
            ("KEYTURN__DATABASE__URL", db.url.clone()),
            (
                "KEYTURN__SECRETS__MASTER",
                "one secret of all nodes, long enough and of many letters".into(),
            ),
            ("KEYTURN__HTTP__PUBLIC_ORIGIN", format!("https://{HOST}")),
            ("KEYTURN__HTTP__TRUSTED_PROXIES", "none".into()),
            ("KEYTURN__HTTP__SITE_DIR", site.path().display().to_string()),
            ("KEYTURN__PASSWORDS__MEMORY_KIB", "7168".into()),
            ("KEYTURN__PASSWORDS__ITERATIONS", "5".into()),
            ("KEYTURN__LIMITS__ATTEMPTS_PER_MINUTE", "100000".into()),
        ]);
        let mut deployment = Self {
            environment,
            program,
            descriptors: None,
            _site: site,
            log: None,
        };
        if kept_logs::are_kept() {
            deployment = deployment.with("KEYTURN__LOG__FILTER", kept_logs::FILTER);
        }
        deployment
    }

    /// Runs a copy of the binary.
    pub(crate) fn program(self, program: PathBuf) -> Self {
        Self { program, ..self }
    }

    /// Limits the file descriptors of each process.
    pub(crate) fn descriptors(self, limit: u32) -> Self {
        Self {
            descriptors: Some(limit),
            ..self
        }
    }

    fn command(&self) -> Command {
        let mut command = match self.descriptors {
            None => Command::new(&self.program),
            Some(limit) => {
                let mut shell = Command::new("/bin/sh");
                shell.args(["-c", &format!("ulimit -n {limit} && exec \"$0\" \"$@\"")]);
                shell.arg(&self.program);
                shell
            }
        };
        command.env_clear().envs(&self.environment).kill_on_drop(true);
        command
    }

    /// With an additional configuration key.
    pub(crate) fn with(mut self, key: &'static str, value: impl Into<String>) -> Self {
        self.environment.insert(key, value.into());
        self
    }

    /// Makes nodes append their log to this file.
    pub(crate) fn logging_to(mut self, path: &Path) -> Self {
        self.log = Some(path.to_owned());
        self
    }

    fn stderr(&self) -> Stdio {
        let Some(path) = &self.log else {
            return kept_logs::stderr();
        };
        let file = OpenOptions::new().create(true).append(true).open(path);
        Stdio::from(file.expect("a log"))
    }

    /// Starts a node and waits until it is ready.
    pub(crate) async fn node(&self) -> NodeProcess {
        Self::start(self.command(), self.stderr()).await
    }

    /// A node whose file size can be limited: see [`Node::limit_files`].
    pub(crate) async fn limitable_node(&self) -> NodeProcess {
        let mut command = Command::new("sh");
        // If the signal is ignored, a write beyond the limit is an error instead of the end of the process.
        command
            .args([
                "-c",
                "trap '' XFSZ; exec \"$0\" \"$@\"",
                env!("CARGO_BIN_EXE_keyturn"),
            ])
            .env_clear()
            .envs(&self.environment)
            .kill_on_drop(true);
        Self::start(command, self.stderr()).await
    }

    async fn start(mut command: Command, log: Stdio) -> NodeProcess {
        let address = free_address();
        let mut process = command
            .args(["serve", "--listen", &address.to_string()])
            .stdout(Stdio::piped())
            .stderr(log)
            .spawn()
            .expect("the program starts");
        let stdout = process.stdout.take().expect("a pipe");
        let mut lines = BufReader::new(stdout).lines();
        let first = timeout(PATIENCE, lines.next_line()).await.expect("in time");
        let first = first.expect("reads").expect("a line");
        assert!(first.starts_with("Keyturn is ready"), "{first}");
        NodeProcess { address, process }
    }

    /// Runs a command to its end, with `input` on its standard input.
    pub(crate) async fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command();
        if kept_logs::are_kept() {
            // Tests check a command's output, so it logs at its default level.
            command.env_remove("KEYTURN__LOG__FILTER");
        }
        let mut process = command
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut stdin = process.stdin.take().expect("a pipe");
        // A command that reads nothing may have closed it already.
        let _ = stdin.write_all(input.as_bytes()).await;
        drop(stdin);
        let output = timeout(PATIENCE, process.wait_with_output()).await;
        output.expect("in time").expect("ends")
    }

    /// Runs a command that must succeed, and returns its output.
    pub(crate) async fn stdout_of(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input).await;
        assert!(
            output.status.success(),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).expect("UTF-8")
    }

    /// Runs a command that must fail, and returns its one-line error.
    pub(crate) async fn stderr_of(&self, arguments: &[&str], input: &str) -> String {
        let output = self.run(arguments, input).await;
        assert!(!output.status.success(), "{arguments:?} succeeded");
        String::from_utf8(output.stderr).expect("UTF-8")
    }
}

/// A folder that the binary accepts as its pages. A binary built by `cargo leptos` has a list of file names next to it;
/// without that list, a debug build needs no pages.
pub(crate) fn site_of(program: &Path) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let pkg = folder.path().join("pkg");
    fs::create_dir(&pkg).expect("a folder");
    let hashes = fs::read_to_string(program.with_file_name("hash.txt")).unwrap_or_default();
    for name in web::site::names(&hashes) {
        fs::write(pkg.join(name), "").expect("writes");
    }
    folder
}

/// An address that is currently free.
pub(crate) fn free_address() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address")
}

impl NodeProcess {
    /// How many file descriptors the process has open.
    pub(crate) fn open_descriptors(&self) -> usize {
        let pid = self.process.id().expect("it runs");
        fs::read_dir(format!("/proc/{pid}/fd"))
            .expect("a process")
            .count()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The same process through another of its listeners.
    pub(crate) fn at(self, address: SocketAddr) -> Self {
        Self { address, ..self }
    }

    /// Resident memory of the process (`VmRSS`), in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let pid = self.process.id().expect("it runs");
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).expect("Linux");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let figure = line.and_then(|line| line.split_whitespace().next());
        figure.and_then(|figure| figure.parse().ok()).expect("a figure")
    }

    /// Limits the size of every file of this process to this many bytes; `None`: unlimited.
    pub(crate) fn limit_files(&self, bytes: Option<u64>) {
        let limit = bytes.map_or_else(|| "unlimited".to_owned(), |bytes| bytes.to_string());
        let pid = self.process.id().expect("it runs").to_string();
        let set = std::process::Command::new("prlimit")
            .args(["--pid", &pid, &format!("--fsize={limit}:unlimited")])
            .status();
        assert!(set.expect("prlimit starts (Debian: util-linux)").success());
    }

    /// Stops the process as a supervisor does, and waits for its end.
    pub(crate) async fn stop(mut self) {
        let pid = self.process.id().expect("it runs").to_string();
        let asked = std::process::Command::new("kill").args(["-TERM", &pid]).status();
        assert!(asked.expect("kill starts").success());
        timeout(PATIENCE, self.process.wait())
            .await
            .expect("in time")
            .expect("ends");
    }

    pub(crate) async fn post(&self, path: &str, token: Option<&str>, body: &Value) -> NodeResponse {
        self.send("POST", path, token, &body.to_string()).await
    }

    pub(crate) async fn get(&self, path: &str, token: &str) -> NodeResponse {
        self.send("GET", path, Some(token), "").await
    }

    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        token: Option<&str>,
        body: &str,
    ) -> NodeResponse {
        let bearer = token.map_or_else(String::new, |token| format!("authorization: Bearer {token}\r\n"));
        self.exchange(method, path, &bearer, body).await
    }

    /// Refreshes with the cookie that a response has set.
    pub(crate) async fn refresh(&self, answer: &NodeResponse) -> NodeResponse {
        let set = answer
            .text
            .lines()
            .find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = set.and_then(|set| set.split(';').next()).expect("a cookie");
        let header = format!("cookie: {cookie}\r\n");
        self.exchange("POST", "/api/auth/refresh", &header, "").await
    }

    pub(crate) async fn exchange(&self, method: &str, path: &str, header: &str, body: &str) -> NodeResponse {
        let request = format!(
            "{method} {path} HTTP/1.1\r\nhost: {HOST}\r\norigin: https://{HOST}\r\nx-requested-with: keyturn\r\n\
             {header}content-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        );
        let mut stream = TcpStream::connect(self.address).await.expect("connects");
        stream.write_all(request.as_bytes()).await.expect("writes");
        let mut text = String::new();
        stream.read_to_string(&mut text).await.expect("reads");
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        NodeResponse {
            status: status.expect("a status"),
            text,
        }
    }

    /// Sends requests until the token is refused.
    ///
    /// # Panics
    /// If that takes longer than the promised second.
    pub(crate) async fn assert_refuses_within_a_second(&self, token: &str) {
        let refused = async {
            loop {
                let answer = self.get("/api/auth/session", token).await;
                if answer.status == 401 {
                    return;
                }
                assert_eq!(answer.status, 200, "{}", answer.text);
            }
        };
        timeout(Duration::from_secs(1), refused)
            .await
            .expect("refused within a second");
    }
}

impl NodeResponse {
    pub(crate) fn json(&self) -> Value {
        let body = self.text.split_once("\r\n\r\n").expect("a body").1;
        serde_json::from_str(body).unwrap_or_else(|_| panic!("not JSON: {}", self.text))
    }
}
