//! Configuration: every mistake is one line that names its key, and stops the server before a port is opened.

use std::{fs, path::Path, process::Command};

use crate::support::{app::load_from, process::site_of};

fn mistake(toml: &str) -> String {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("keyturn.toml");
    let database = folder.path().join("data/keyturn.db");
    let toml = if toml.contains("[database]") {
        toml.to_owned()
    } else {
        format!("{toml}\n[database]\nurl = \"sqlite://{}\"", database.display())
    };
    fs::write(&file, toml).expect("writes");
    match load_from(&file) {
        Ok(_) => "none".to_owned(),
        Err(error) => error.to_string(),
    }
}

#[test]
fn a_valid_configuration_file_is_accepted() {
    assert_eq!(
        mistake("[tokens]\naccess_ttl = \"5m\"\nreuse_grace = \"0s\""),
        "none"
    );
}

#[test]
fn every_configuration_error_names_its_key() {
    for (toml, key) in [
        ("colour = 1", "colour:"),
        ("[http]\nport = 1", "http.port:"),
        ("[tokens]\naccess_ttl = \"soon\"", "tokens.access_ttl:"),
        ("[tokens]\naccess_ttl = \"31d\"", "tokens.access_ttl:"),
        (
            "[tokens]\naccess_ttl = \"8d\"\nrefresh_idle_ttl = \"7d\"",
            "tokens.access_ttl:",
        ),
        (
            "[tokens]\nrefresh_idle_ttl = \"60d\"\nrefresh_absolute_ttl = \"30d\"",
            "tokens.refresh_idle_ttl:",
        ),
        ("[tokens]\nreuse_grace = \"1h\"", "tokens.reuse_grace:"),
        ("[tokens]\nsigning_alg = \"none\"", "tokens.signing_alg:"),
        ("[tokens]\nsigning_alg = \"eddsa\"", "tokens.signing_alg:"),
        ("[tokens]\nkey_rotation = \"20m\"", "tokens.key_rotation:"),
        (
            "[http]\npublic_origin = \"http://keyturn.example\"",
            "http.public_origin:",
        ),
        (
            "[http]\npublic_origin = \"http://localhost:4000\"",
            "http.public_origin:",
        ),
        (
            "[http]\npublic_origin = \"https://*.keyturn.example\"",
            "http.public_origin:",
        ),
        ("[http]\nlisen = \"127.0.0.1:1\"", "http.lisen:"),
        (
            "[http]\npublic_origin = \"http://[::1]:3000\"",
            "http.public_origin:",
        ),
        (
            "[http]\npublic_origin = \"https://keyturn.example\"\ntrusted_proxies = \"none\"",
            "secrets.master:",
        ),
        (
            "[http]\npublic_origin = \"https://keyturn.example\"",
            "http.trusted_proxies:",
        ),
        (
            "[http]\npublic_origin = \"https://keyturn.example\"\ntrusted_proxies = []",
            "http.trusted_proxies:",
        ),
        ("[http]\ntrusted_proxies = [\"proxy\"]", "http.trusted_proxies:"),
        ("[http]\ntrusted_proxies = \"0.0.0.0/0\"", "http.trusted_proxies:"),
        ("[http]\ntrusted_proxies = true", "http.trusted_proxies:"),
        ("[database]\nurl = \"postgres://db/keyturn\"", "secrets.master:"),
        ("[database]\nurl = \"mysql://db/keyturn\"", "database.url:"),
        ("[database]\nurl = \"sqlite::memory:\"", "database.url:"),
        (
            "[database]\nurl = \"sqlite://x.db?cache=shared\"",
            "database.url:",
        ),
        (
            "[lab]\nenabled = true\ndatabase_url = \"mysql://x\"",
            "lab.database_url:",
        ),
        ("[secrets]\nmaster = \"changeme\"", "secrets.master:"),
        (
            "[secrets]\nmaster = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"",
            "secrets.master:",
        ),
        ("[secrets]\nmaster = []", "secrets.master:"),
        ("[cookies]\nname = \"refresh\"", "cookies.name:"),
        ("[cookies]\nname = \"__Host-a; Domain=x\"", "cookies.name:"),
        ("[passwords]\nmemory_kib = 8", "passwords.memory_kib:"),
        ("[passwords]\nmin_length = 4", "passwords.min_length:"),
        ("[limits]\nattempts_per_minute = 0", "limits.attempts_per_minute:"),
        (
            "[tokens]\nrefresh_idle_ttl_shared = \"20d\"\nrefresh_idle_ttl = \"7d\"",
            "tokens.refresh_idle_ttl_shared:",
        ),
        (
            "[tokens]\nrefresh_idle_ttl_shared = \"10m\"\naccess_ttl = \"15m\"",
            "tokens.refresh_idle_ttl_shared:",
        ),
        (
            "[tokens]\naudience = \"http://localhost:3000/api/auth/refresh\"",
            "tokens.audience:",
        ),
        ("[http]\nrequest_timeout = \"0s\"", "http.request_timeout:"),
        (
            "[database]\nurl = \"sqlite://x.db\"\nmax_connections = 0",
            "database.max_connections:",
        ),
        ("[log]\nfilter = \"info,==\"", "log.filter:"),
        ("[admin]\nlisten = \"127.0.0.1:3000\"", "admin.listen:"),
        ("[revocations]\nmax_age = \"10ms\"", "revocations.max_age:"),
        (
            "[lab]\nenabled = true\nlisten = \"127.0.0.1:3000\"",
            "lab.listen:",
        ),
        (
            "[lab]\nenabled = true\norigin = \"http://localhost:3002\"",
            "lab.origin:",
        ),
        (
            "[lab]\nenabled = true\nattacker_origin = \"http://lab.localhost:9\"",
            "lab.origin:",
        ),
        (
            "[lab]\nenabled = true\norigin = \"http://lab.example\"",
            "lab.origin:",
        ),
        (
            "[database]\nurl = \"sqlite://x.db\"\n[lab]\nenabled = true\ndatabase_url = \"sqlite://x.db\"",
            "lab.database_url:",
        ),
        (
            "[lab]\nenabled = true\norigin = \"http://lab.evil.localhost:3002\"\nattacker_origin = \"http://evil.localhost:3003\"",
            "lab.attacker_origin:",
        ),
        (
            "[lab]\nenabled = true\nattacker_origin = \"http://evil.lab.localhost:3003\"",
            "lab.origin:",
        ),
        (
            "[http]\npublic_origin = \"http://app.lab.localhost:3000\"\n[lab]\nenabled = true",
            "lab.origin:",
        ),
        (
            "[lab]\nenabled = true\nsibling_origin = \"http://siblinglab.localhost:3003\"",
            "lab.sibling_origin:",
        ),
        (
            "[http]\npublic_origin = \"https://keyturn.example\"\ntrusted_proxies = \"none\"\n[lab]\nenabled = true",
            "lab.origin:",
        ),
        ("[http\nlisten = 1", "the file:"),
    ] {
        let mistake = mistake(toml);
        assert!(mistake.starts_with(key), "{toml}: {mistake}");
        assert!(!mistake.contains('\n'), "{toml}: {mistake}");
    }
}

#[test]
fn configuration_errors_do_not_contain_secrets() {
    for (toml, key) in [
        (
            "[secrets]\nmaster = { hidden = \"hunter2-hunter2-hunter2\" }",
            "secrets.master",
        ),
        ("[secrets]\nmaster = \"hunter2-hunter2-hunter2", "the file"),
        (
            "[secrets]\nmaster = \"hunter2\"\nmaster = \"hunter2\"",
            "the file",
        ),
        (
            "[database]\nurl = postgres://keyturn:hunter2@db/keyturn",
            "the file",
        ),
        ("[secrets]\nmaster = \"hunter2\"", "secrets.master"),
    ] {
        let mistake = mistake(toml);
        assert!(mistake.starts_with(key), "{mistake}");
        assert!(!mistake.contains("hunter2"), "{mistake}");
        assert!(!mistake.contains('\n'), "{mistake}");
    }
}

/// For every mistake in a URL, and in every output format.
#[test]
fn configuration_errors_do_not_contain_database_passwords() {
    let urls = [
        "postgres://keyturn:hunter2@db:port/keyturn",
        "postgres://keyturn:hunter2@[db/keyturn",
        "postgres://keyturn:hun/ter2@db/keyturn",
        "postgres://keyturn:12/hunter2@db/keyturn",
        "postgres://keyturn:12#hunter2@db/keyturn",
        "postgres://keyturn:hunter2%zz@db/keyturn",
        "postgres://db/keyturn?pasword=hunter2",
        "postgres://db/keyturn?sslmode=hunter2",
        "postgres:keyturn:hunter2@db/keyturn",
        "mysql://keyturn:hunter2@db/keyturn",
        "keyturn:hunter2@db",
        "sqlite://keyturn:hunter2@db/keyturn",
        "sqlite://x.db?key=hunter2",
        "sqlite://%zzhunter2",
    ];
    for url in urls {
        for key in ["database.url", "lab.database_url"] {
            let (section, key_name) = key.split_once('.').expect("a section");
            let mistake = mistake(&format!("[{section}]\n{key_name} = '{url}'"));
            assert!(mistake.starts_with(&format!("{key}: ")), "{url}: {mistake}");
            assert!(
                !mistake.contains("hunter2") && !mistake.contains("ter2@"),
                "{mistake}"
            );
        }
    }
    // A URL under the wrong key.
    for key in [
        "http.listen",
        "http.public_origin",
        "database.timeout",
        "log.format",
        "cookies.name",
        "tokens.signing_alg",
        "database",
        "http.trusted_proxies",
    ] {
        let (section, key_name) = key.split_once('.').unwrap_or(("", key));
        let line = format!("{key_name} = 'postgres://keyturn:hunter2@db/keyturn'");
        let toml = if section.is_empty() {
            line
        } else {
            format!("[{section}]\n{line}")
        };
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("keyturn.toml");
        fs::write(&file, toml).expect("writes");
        let mistake = load_from(&file).expect_err(key);
        assert!(
            !format!("{mistake} {mistake:?}").contains("hunter2"),
            "{key}: {mistake}"
        );
    }
}

#[test]
fn debug_output_of_a_configuration_has_no_database_password() {
    let config = crate::support::app::config("postgres://keyturn:hunter2@db/keyturn", |sections| {
        sections.lab.enabled = true;
        sections.lab.database_url = Some("postgres://keyturn:hunter2@db/lab".to_owned());
        assert!(!format!("{sections:?}").contains("hunter2"));
    });
    assert!(!format!("{config:?} {config:#?}").contains("hunter2"));
}

#[test]
fn the_master_key_is_stored_next_to_the_sqlite_file() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("keyturn.toml");
    let url = format!("sqlite://{}/my%20data/key%25turn.db", folder.path().display());
    fs::write(&file, format!("[database]\nurl = \"{url}\"")).expect("writes");
    load_from(&file).expect("a sound configuration");
    assert!(folder.path().join("my data/master.key").is_file());
}

/// Secrets with https and with PostgreSQL, where they protect others.
#[test]
fn a_low_entropy_master_secret_is_refused_in_production() {
    let secrets = [
        "changeme-changeme-changeme-changeme",
        "please-change-this-secret-key-in-production",
        "0123456789abcdefghijklmnopqrstuvwxyz",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v",
        "qwertyuiopasdfghjklzxcvbnm1234567890",
        "f3Kx9!qLm2f3Kx9!qLm2f3Kx9!qLm2f3Kx9!qLm2",
    ];
    for secret in secrets {
        for place in [
            "[http]\npublic_origin = \"https://keyturn.example\"\ntrusted_proxies = \"none\"",
            "[database]\nurl = \"postgres://127.0.0.1/keyturn\"",
        ] {
            let mistake = mistake(&format!("{place}\n[secrets]\nmaster = [\"{secret}\"]"));
            assert!(mistake.starts_with("secrets.master: "), "{secret}: {mistake}");
            assert!(
                mistake.ends_with("make one with: openssl rand -base64 48"),
                "{mistake}"
            );
            assert!(!mistake.contains(secret), "{mistake}");
        }
    }
}

#[test]
fn unset_lifetimes_default_to_fit_the_configured_ones() {
    let minutes = |lines: &str| {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let file = folder.path().join("keyturn.toml");
        let url = format!("sqlite://{}/x.db", folder.path().display());
        fs::write(&file, format!("[database]\nurl = \"{url}\"\n[tokens]\n{lines}")).expect("writes");
        let policy = load_from(&file)
            .map_err(|error| format!("{lines}: {error}"))
            .expect("sound")
            .policy;
        let lifetimes = policy.lifetimes;
        [
            lifetimes.access,
            lifetimes.refresh_idle_shared,
            lifetimes.refresh_idle,
            lifetimes.refresh_absolute,
        ]
        .map(|lifetime| lifetime.as_secs() / 60)
    };
    let (hour, day) = (60, 24 * 60);
    for (lines, expected) in [
        ("", [15, 12 * hour, 7 * day, 30 * day]),
        ("refresh_idle_ttl = \"6h\"", [15, 6 * hour, 6 * hour, 30 * day]),
        ("refresh_idle_ttl = \"60d\"", [15, 12 * hour, 60 * day, 60 * day]),
        ("refresh_idle_ttl = \"10m\"", [5, 10, 10, 30 * day]),
        ("refresh_absolute_ttl = \"1h\"", [15, hour, hour, hour]),
        (
            "refresh_idle_ttl_shared = \"20d\"",
            [15, 20 * day, 20 * day, 30 * day],
        ),
        ("refresh_idle_ttl_shared = \"10m\"", [5, 10, 7 * day, 30 * day]),
        ("access_ttl = \"13h\"", [13 * hour, 7 * day, 7 * day, 30 * day]),
        ("access_ttl = \"8d\"", [8 * day, 30 * day, 30 * day, 30 * day]),
        ("access_ttl = \"15s\"", [0, 12 * hour, 7 * day, 30 * day]),
        (
            "refresh_idle_ttl = \"6h\"\nrefresh_absolute_ttl = \"6h\"",
            [15, 6 * hour, 6 * hour, 6 * hour],
        ),
    ] {
        assert_eq!(minutes(lines), expected, "{lines}");
    }
}

/// Runs `config check` without any other configuration.
fn check_with(env: &[(&str, &str)], folder: &std::path::Path) -> (Option<i32>, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_keyturn"))
        .args(["config", "check"])
        .env_clear()
        .env("KEYTURN__HTTP__LISTEN", "127.0.0.1:0")
        .env("KEYTURN__HTTP__PUBLIC_ORIGIN", "https://keyturn.example")
        .env("KEYTURN__HTTP__TRUSTED_PROXIES", "none")
        .env(
            "KEYTURN__SECRETS__MASTER",
            "one secret of all nodes, long enough and of many letters",
        )
        .envs(env.iter().copied())
        .current_dir(folder)
        .output()
        .expect("the program runs");
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim().to_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn environment_values_are_strings_for_string_keys() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, value) in [
        ("KEYTURN__TOKENS__AUDIENCE", "true"),
        ("KEYTURN__TOKENS__AUDIENCE", "12345"),
        ("KEYTURN__TOKENS__AUDIENCE", "007"),
        ("KEYTURN__TOKENS__AUDIENCE", "1.10"),
        ("KEYTURN__TOKENS__AUDIENCE", "1e3"),
        ("KEYTURN__TOKENS__AUDIENCE", "\"quoted\""),
        ("KEYTURN__TOKENS__AUDIENCE", "[x]"),
        ("KEYTURN__TOKENS__ISSUER", "false"),
        ("KEYTURN__HTTP__SITE_DIR", "2026"),
        (
            "KEYTURN__SECRETS__MASTER",
            "73914862059130758264901573820461957302846193507",
        ),
        (
            "KEYTURN__SECRETS__MASTER",
            "[73914862059130758264901573820461957302846193507, 19573028461935079468205738201739148620591307582]",
        ),
        (
            "KEYTURN__SECRETS__MASTER",
            "7391486205913.07582649015738204619573028461935",
        ),
    ] {
        let (code, _, said) = check_with(&[(name, value)], folder.path());
        // A list is not a text.
        let expected = if value == "[x]" { Some(1) } else { Some(0) };
        assert_eq!(code, expected, "{name}={value}: {said}");
    }
    // A key that expects a number still gets one, and its error has its own reason.
    let (code, _, said) = check_with(
        &[("KEYTURN__DATABASE__MAX_CONNECTIONS", "70000000000")],
        folder.path(),
    );
    assert_eq!(code, Some(1));
    assert!(
        said.contains("database.max_connections: ") && said.contains("in the environment"),
        "{said}"
    );
}

#[test]
fn config_check_reports_what_would_fail_at_startup() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (code, said, _) = check_with(&[], folder.path());
    assert_eq!(code, Some(0));
    assert!(said.starts_with("The configuration is sound"), "{said}");
    // The check leaves no files.
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);

    fs::write(folder.path().join("a-file"), "").expect("writes");
    fs::create_dir(folder.path().join("a-folder.db")).expect("a folder");
    fs::write(folder.path().join("no-database.db"), "x".repeat(8192)).expect("writes");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let taken = taken
        .local_addr()
        .map(|address| (taken, address.to_string()))
        .expect("an address");
    for (name, value, key) in [
        (
            "KEYTURN__DATABASE__URL",
            "sqlite://a-file/keyturn.db",
            "database.url: ",
        ),
        (
            "KEYTURN__DATABASE__URL",
            "sqlite:///proc/keyturn/keyturn.db",
            "database.url: ",
        ),
        ("KEYTURN__DATABASE__URL", "sqlite://a-folder.db", "database.url: "),
        (
            "KEYTURN__DATABASE__URL",
            "sqlite://no-database.db",
            "database.url: ",
        ),
        (
            "KEYTURN__DATABASE__URL",
            "postgres://keyturn:hunter2@127.0.0.1:1/keyturn",
            "database.url: ",
        ),
        ("KEYTURN__HTTP__LISTEN", &taken.1, "http.listen: "),
        ("KEYTURN__HTTP__LISTEN", "203.0.113.1:3000", "http.listen: "),
        ("KEYTURN__ADMIN__LISTEN", &taken.1, "admin.listen: "),
        (
            "KEYTURN__HTTP__PUBLIC_ORIGIN",
            "https://*.keyturn.example",
            "http.public_origin: ",
        ),
        (
            "KEYTURN_HTTP_LISTEN",
            "127.0.0.1:0",
            "KEYTURN_HTTP_LISTEN: is ignored; did you mean KEYTURN__HTTP__LISTEN?",
        ),
        (
            "KEYTURN__HTTP_LISTEN",
            "127.0.0.1:0",
            "http_listen: there is no such key; did you mean http.listen (in the environment KEYTURN__HTTP__LISTEN)?",
        ),
        (
            "KEYTURN__HTTP__",
            "x",
            "KEYTURN__HTTP__: has no section or no key",
        ),
        (
            "KEYTURN__TOKENS__ACCES_TTL",
            "5m",
            "tokens.acces_ttl: there is no such key; did you mean tokens.access_ttl",
        ),
    ] {
        let env = [(name, value), ("KEYTURN__DATABASE__TIMEOUT", "1s")];
        let (code, _, said) = check_with(&env, folder.path());
        assert_eq!(code, Some(1), "{name}={value}: {said}");
        assert!(
            said.starts_with(&format!("keyturn: configuration: {key}")),
            "{name}={value}: {said}"
        );
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(!said.contains("hunter2"), "{said}");
    }

    // All together, one line each.
    let (code, _, said) = check_with(
        &[
            ("KEYTURN__HTTP__LISTEN", &taken.1),
            ("KEYTURN__DATABASE__URL", "sqlite://a-file/keyturn.db"),
            ("KEYTURN_LOG_FILTER", "debug"),
        ],
        folder.path(),
    );
    assert_eq!(code, Some(1));
    assert_eq!(said.lines().count(), 3, "{said}");
    assert!(
        said.lines()
            .all(|line| line.starts_with("keyturn: configuration: ")),
        "{said}"
    );
}

#[test]
fn a_group_readable_master_key_error_suggests_fixes() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("keyturn.toml");
    let url = format!("sqlite://{}/keyturn.db", folder.path().display());
    fs::write(&file, format!("[database]\nurl = \"{url}\"")).expect("writes");
    load_from(&file).expect("a sound configuration");
    let key = folder.path().join("master.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o640)).expect("a mode");
    let mistake = load_from(&file).expect_err("a mode for others").to_string();
    assert!(
        mistake.contains(&format!("chmod 600 {}", key.display())),
        "{mistake}"
    );
    assert!(mistake.contains("KEYTURN__SECRETS__MASTER"), "{mistake}");
}

/// Runs the binary: the exit code, the single line, and the effect of the environment and flags.
#[test]
fn configuration_errors_exit_with_code_1_and_one_line() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let program = Path::new(env!("CARGO_BIN_EXE_keyturn"));
    let site = site_of(program);
    let run = |args: &[&str], env: &[(&str, &str)]| {
        let output = Command::new(program)
            .args(args)
            .env("KEYTURN__HTTP__SITE_DIR", site.path())
            .envs(env.iter().copied())
            .current_dir(folder.path())
            .output()
            .expect("the program runs");
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stderr).trim().to_owned(),
        )
    };

    let free_port = &[
        ("KEYTURN__HTTP__LISTEN", "127.0.0.1:0"),
        ("KEYTURN__HTTP__PUBLIC_ORIGIN", "http://localhost:0"),
    ];
    assert_eq!(run(&["config", "check"], free_port), (Some(0), String::new()));
    for (args, env, key) in [
        (
            &["config", "check"][..],
            &[("KEYTURN__HTTP__LISTEN", "nonsense")][..],
            "http.listen:",
        ),
        (&["config", "check"], &[("KEYTURN__NO__SUCH", "1")], "no:"),
        (
            &["serve"],
            &[("KEYTURN__HTTP_LISTEN", "127.0.0.1:1")],
            "http_listen:",
        ),
        (
            &["config", "check"],
            &[("KEYTURN__SECRETS__MASTER", "short")],
            "secrets.master:",
        ),
        (&["config", "check", "--config", "missing.toml"], &[], "--config:"),
        (
            &["serve", "--origin", "http://keyturn.example"],
            &[],
            "http.public_origin:",
        ),
        (
            &["serve"],
            &[
                ("KEYTURN__DATABASE__URL", "postgres://127.0.0.1:1/none"),
                ("KEYTURN__DATABASE__TIMEOUT", "1s"),
                (
                    "KEYTURN__SECRETS__MASTER",
                    "a test's secret, long enough and of many letters",
                ),
            ],
            "database.url:",
        ),
    ] {
        let (code, line) = run(args, env);
        assert_eq!(code, Some(1), "{line}");
        assert!(
            line.starts_with(&format!("keyturn: configuration: {key}")),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1, "{line}");
    }
}

#[test]
fn the_master_key_file_is_created_once_with_mode_600() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a temporary folder");
    let file = folder.path().join("keyturn.toml");
    fs::write(
        &file,
        format!(
            "[database]\nurl = \"sqlite://{}/data/keyturn.db\"",
            folder.path().display()
        ),
    )
    .expect("writes");
    load_from(&file).expect("a sound configuration");
    let key = folder.path().join("data/master.key");
    let first = fs::read_to_string(&key).expect("reads");
    assert_eq!(
        fs::metadata(&key).expect("metadata").permissions().mode() & 0o777,
        0o600
    );
    load_from(&file).expect("a sound configuration");
    assert_eq!(fs::read_to_string(&key).expect("reads"), first);
}

#[test]
fn the_example_configuration_contains_the_defaults() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let example = include_str!("../../../keyturn.example.toml");
    // The only default that would write files next to the test.
    let example = example.replace(
        "sqlite://data",
        &format!("sqlite://{}/data", folder.path().display()),
    );
    let file = folder.path().join("keyturn.toml");
    fs::write(&file, example).expect("writes");
    let shown = load_from(&file).expect("a sound configuration");
    fs::write(
        &file,
        format!(
            "[database]\nurl = \"sqlite://{}/data/keyturn.db\"",
            folder.path().display()
        ),
    )
    .expect("writes");
    let default = load_from(&file).expect("a sound configuration");
    assert_eq!(format!("{shown:?}"), format!("{default:?}"));
}
