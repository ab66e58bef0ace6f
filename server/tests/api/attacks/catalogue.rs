//! Reads tables of requirements and the tests that they name: "`api/me.rs`: `a_test`, `another`; `e2e/x.spec.ts`: “a title”".

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// One test that a table names: a file of the repository, and a function or a title in it. Without a name, all of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Named {
    pub(super) file: String,
    pub(super) name: Option<Name>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Name {
    Function(String),
    Title(String),
}

/// The files that have tests, by their path in the repository, each with the names of its tests.
pub(super) struct Sources(BTreeMap<String, Vec<Name>>);

/// The cells of every row of every table but its head.
pub(super) fn rows(text: &str) -> impl Iterator<Item = Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_head = |at: usize| {
        lines
            .get(at + 1)
            .is_some_and(|next| next.starts_with("|---") || next.starts_with("| ---"))
    };
    let rows: Vec<_> = (0..lines.len())
        .filter(|at| lines[*at].starts_with("| ") && !lines[*at].starts_with("| ---") && !is_head(*at))
        .map(|at| cells(lines[at]))
        .collect();
    rows.into_iter()
}

fn cells(line: &str) -> Vec<String> {
    let inner = line.trim().trim_start_matches('|').trim_end_matches('|');
    inner.split(" | ").map(|cell| cell.trim().to_owned()).collect()
}

/// Every test that a cell names. Items end with `;`, and in each of them the names belong to the files in front.
pub(super) fn tests_in(cell: &str) -> Vec<Named> {
    let mut tests = Vec::new();
    let (mut files, mut names) = (Vec::new(), Vec::new());
    let mut finish = |files: &mut Vec<String>, names: &mut Vec<Name>| {
        for file in files.drain(..) {
            let test_of = |name: Option<&Name>| Named {
                file: file.clone(),
                name: name.cloned(),
            };
            match names.as_slice() {
                [] => tests.push(test_of(None)),
                names => tests.extend(names.iter().map(|name| test_of(Some(name)))),
            }
        }
        names.clear();
    };
    let mut rest = cell;
    while let Some(at) = rest.find(['`', '“', ';']) {
        let open = rest[at..].chars().next().expect("it was found");
        rest = &rest[at + open.len_utf8()..];
        if open == ';' {
            finish(&mut files, &mut names);
            continue;
        }
        let close = if open == '“' { '”' } else { '`' };
        let Some((span, after)) = rest.split_once(close) else {
            break;
        };
        rest = after;
        if open == '“' {
            names.push(Name::Title(span.to_owned()));
        } else if is_file(span) {
            files.push(file_of(span));
        } else if is_function(span) {
            names.push(Name::Function(span.to_owned()));
        }
    }
    finish(&mut files, &mut names);
    tests
}

fn is_file(span: &str) -> bool {
    is_rust(span) || span.ends_with(".spec.ts")
}

fn is_rust(path: &str) -> bool {
    Path::new(path)
        .extension()
        .is_some_and(|extension| extension == "rs")
}

fn is_function(span: &str) -> bool {
    !span.is_empty()
        && span
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
}

/// A path of the repository; `api/`, `proof/` and `e2e/` are short for the folders of tests.
fn file_of(span: &str) -> String {
    for (short, folder) in [
        ("api/", "server/tests/api/"),
        ("proof/", "server/tests/proof/"),
        ("e2e/", "end2end/tests/"),
    ] {
        if let Some(rest) = span.strip_prefix(short) {
            return format!("{folder}{rest}");
        }
    }
    span.to_owned()
}

pub(super) fn complaints_about_test(id: &str, test: &Named, sources: &Sources) -> Option<String> {
    let Named { file, name } = test;
    let Some(names) = sources.0.get(file) else {
        return Some(format!("{id}: there is no file {file} with tests"));
    };
    let name = name.as_ref()?;
    let shown = match name {
        Name::Function(name) => name.clone(),
        Name::Title(title) => format!("“{title}”"),
    };
    (!names.contains(name)).then(|| format!("{id}: no test {shown} in {file}"))
}

impl Sources {
    /// Reads the sources of the repository.
    pub(super) fn read() -> Self {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"))
            .parent()
            .expect("a folder")
            .to_owned();
        let mut all = BTreeMap::new();
        for folder in ["app", "server", "migrations", "frontend", "end2end/tests"] {
            collect(&root, &root.join(folder), &mut all);
        }
        Self(all)
    }
}

fn collect(root: &Path, folder: &Path, all: &mut BTreeMap<String, Vec<Name>>) {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("an entry").path()).collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        if path.is_dir() {
            if name != "target" && name != "node_modules" {
                collect(root, &path, all);
            }
            continue;
        }
        let names: fn(&str) -> Vec<Name> = if is_rust(name) {
            functions
        } else if name.ends_with(".spec.ts") {
            titles
        } else {
            continue;
        };
        let text = fs::read_to_string(&path).expect("UTF-8");
        let names = names(&text);
        if !names.is_empty() {
            let inside = path.strip_prefix(root).expect("inside").to_str().expect("UTF-8");
            all.insert(inside.to_owned(), names);
        }
    }
}

/// The tests of a Rust file: functions with an attribute that makes them one, those of `on_both_databases!`, and the
/// names that `races!` makes modules of.
fn functions(text: &str) -> Vec<Name> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("#[") {
            is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
            continue;
        }
        let function = line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ");
        if let Some((name, rest)) = function.and_then(|line| line.split_once('(')) {
            let on_both_databases = line.starts_with("async fn") && rest == "db: Db) {";
            if is_test || on_both_databases {
                names.push(Name::Function(name.to_owned()));
            }
        } else if let Some((name, rest)) = line.split_once(": ")
            && is_function(name)
            && rest.starts_with("Rival::")
        {
            names.push(Name::Function(name.to_owned()));
        }
        if !line.is_empty() && !line.starts_with("//") {
            is_test = false;
        }
    }
    names
}

/// The titles of a browser test's file. What a template inserts is written as `…`.
fn titles(text: &str) -> Vec<Name> {
    let mut names = Vec::new();
    for (at, _) in text.match_indices('(') {
        let called = text[..at]
            .rsplit(|c: char| !c.is_alphanumeric() && c != '.' && c != '_')
            .next();
        if !called.is_some_and(|called| {
            called == "test"
                || called == "hidden"
                || called.split_once('.').is_some_and(|(_, rest)| rest == "only")
        }) {
            continue;
        }
        let mut rest = text[at + 1..].chars();
        let Some(quote @ ('"' | '`' | '\'')) = rest.next() else {
            continue;
        };
        names.push(Name::Title(title(rest.as_str(), quote)));
    }
    names
}

fn title(text: &str, quote: char) -> String {
    let mut title = String::new();
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            end if end == quote => break,
            '\\' => title.extend(characters.next()),
            '$' if quote == '`' && characters.peek() == Some(&'{') => {
                let mut depth = 0;
                for inserted in characters.by_ref() {
                    match inserted {
                        '{' => depth += 1,
                        '}' => depth -= 1,
                        _ => {}
                    }
                    if depth == 0 {
                        break;
                    }
                }
                title.push('…');
            }
            other => title.push(other),
        }
    }
    title
}
