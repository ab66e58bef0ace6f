//! Configuration: every mistake is one line that names its key, and stops the program before a port is opened.

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
fn a_sound_file_is_accepted() {
    assert_eq!(
        mistake("[tokens]\naccess_ttl = \"5m\"\nreuse_grace = \"0s\""),
        "none"
    );
}

#[test]
fn every_mistake_names_its_key() {
    for (toml, key) in [
        ("colour = 1", "colour:"),
        ("[http]\nport = 1", "http.port:"),
        ("[tokens]\naccess_ttl = \"soon\"", "tokens.access_ttl:"),
        ("[tokens]\naccess_ttl = \"8d\"", "tokens.access_ttl:"),
        ("[tokens]\nrefresh_idle_ttl = \"60d\"", "tokens.refresh_idle_ttl:"),
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
            "[tokens]\nrefresh_idle_ttl_shared = \"20d\"",
            "tokens.refresh_idle_ttl_shared:",
        ),
        (
            "[tokens]\nrefresh_idle_ttl_shared = \"10m\"",
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
fn a_secret_is_never_repeated_in_a_mistake() {
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

/// Runs the program itself: the exit code, the one line, and what the environment and flags change.
#[test]
fn the_program_stops_with_one_line_and_a_code() {
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

    assert_eq!(run(&["config", "check"], &[]).0, Some(0));
    for (args, env, key) in [
        (
            &["config", "check"][..],
            &[("KEYTURN__HTTP__LISTEN", "nonsense")][..],
            "http.listen:",
        ),
        (&["config", "check"], &[("KEYTURN__NO__SUCH", "1")], "no:"),
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
fn the_embedded_secret_is_made_once_and_for_its_owner_alone() {
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
fn the_example_shows_the_defaults() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let example = include_str!("../../../keyturn.example.toml");
    // The one default that would write beside the test.
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
