//! The environment as a layer of the configuration, and variables whose names look like misspelt keys.

use std::{collections::BTreeSet, ffi::OsString, fmt};

use serde::Deserialize;
use toml::{Table, Value};

use super::{ConfigError, RawConfig};

const PREFIX: &str = "KEYTURN__";

/// The variables that are configuration keys: the dotted key and the raw value.
pub(super) struct Environment(Vec<(String, String)>);

/// A variable that is ignored, although its name looks like a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MisspeltVariable {
    pub name: String,
    pub meant: String,
}

impl fmt::Display for MisspeltVariable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "is ignored; did you mean {}?", self.meant)
    }
}

impl Environment {
    /// # Errors
    /// If a name lacks a section or a key, or a value is not UTF-8.
    pub(super) fn read(variables: impl Iterator<Item = (OsString, OsString)>) -> Result<Self, ConfigError> {
        let mut keys = Vec::new();
        for (name, value) in variables {
            let Some(name) = name.to_str() else { continue };
            let is_ours = name
                .get(..PREFIX.len())
                .is_some_and(|prefix| prefix.eq_ignore_ascii_case(PREFIX));
            if !is_ours {
                continue;
            }
            let key = name[PREFIX.len()..].to_ascii_lowercase().replace("__", ".");
            if key.split('.').any(str::is_empty) {
                let why =
                    "has no section or no key; write KEYTURN__SECTION__KEY, such as KEYTURN__HTTP__LISTEN";
                return Err(ConfigError::new(name, why));
            }
            let Ok(value) = value.into_string() else {
                return Err(ConfigError::new(key, "is not UTF-8 (in the environment)"));
            };
            keys.push((key, value));
        }
        Ok(Self(keys))
    }

    pub(super) fn sets(&self, key: &str) -> bool {
        self.0.iter().any(|(name, _)| name == key)
    }

    /// Applies the variables on top of the configuration so far. Values are parsed as TOML where possible, so that
    /// numbers and lists work, except for the keys in `as_text`.
    pub(super) fn apply_to(&self, configuration: &mut Table, as_text: &BTreeSet<String>) {
        for (key, value) in &self.0 {
            let parsed = value.trim().parse().ok();
            let value = parsed
                .filter(|_| !as_text.contains(key))
                .unwrap_or_else(|| text_of(value));
            insert(configuration, key, value);
        }
    }
}

fn insert(table: &mut Table, key: &str, value: Value) {
    let Some((section, rest)) = key.split_once('.') else {
        table.insert(key.to_owned(), value);
        return;
    };
    let section = table.entry(section).or_insert_with(|| Table::new().into());
    if !section.is_table() {
        *section = Table::new().into();
    }
    if let Value::Table(section) = section {
        insert(section, rest, value);
    }
}

/// The value as text, or as a list of texts if it is written as a list.
fn text_of(value: &str) -> Value {
    let value = value.trim();
    let list = value.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    match list {
        Some(items) => {
            let items = items.split(',').map(|item| item.trim().trim_matches('"'));
            items.map(Value::from).collect::<Vec<_>>().into()
        }
        None => Value::from(value),
    }
}

/// All keys, as `section.key`.
pub(super) fn all_keys() -> Vec<String> {
    let keys = fields_of(None).into_iter().flat_map(|section| {
        let keys = fields_of(Some(&section));
        keys.into_iter().map(move |key| format!("{section}.{key}"))
    });
    keys.collect()
}

/// The sections, or the keys of a section. Asks the types themselves: serde rejects an unknown field with the list of
/// known fields, each in backticks.
pub(super) fn fields_of(section: Option<&str>) -> Vec<String> {
    let mut probe = Table::from_iter([("(a probe)".to_owned(), Value::from(0))]);
    if let Some(section) = section {
        probe = Table::from_iter([(section.to_owned(), probe.into())]);
    }
    match RawConfig::deserialize(probe) {
        Err(error) => error
            .message()
            .split('`')
            .skip(3)
            .step_by(2)
            .map(str::to_owned)
            .collect(),
        Ok(_) => Vec::new(),
    }
}

/// The key that was probably meant, if there is one with a similar spelling.
pub(super) fn nearest_key(written: &str) -> Option<String> {
    let flat = |text: &str| text.to_ascii_lowercase().replace(['.', '-', '_'], "");
    let written = flat(written);
    let near = all_keys()
        .into_iter()
        .map(|key| (distance(&flat(&key), &written), key));
    let (distance, key) = near.min()?;
    (distance <= 2 + written.len() / 8).then_some(key)
}

pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

/// Finds variables such as `KEYTURN_HTTP_LISTEN`, which have too few underscores to be keys. Other variables that begin
/// with `KEYTURN_` are ignored: they belong to `./dev`, or to Kubernetes, which writes `KEYTURN_PORT_3000_TCP` for a
/// service of this name.
pub fn misspelt_variables(names: impl Iterator<Item = OsString>) -> Vec<MisspeltVariable> {
    let sections = fields_of(None);
    let mut found: Vec<_> = names
        .filter_map(|name| {
            let name = name.to_str()?;
            let upper = name.to_ascii_uppercase();
            let rest = upper.strip_prefix("KEYTURN")?;
            if upper.starts_with(PREFIX) || !rest.starts_with(['_', '-', '.']) {
                return None;
            }
            let rest = rest.trim_start_matches(['_', '-', '.']).to_ascii_lowercase();
            let is_section = |section: &&String| {
                let key = rest.strip_prefix(section.as_str());
                key.is_some_and(|key| key.starts_with(['_', '-', '.']))
            };
            sections.iter().find(is_section)?;
            Some(MisspeltVariable {
                name: name.to_owned(),
                meant: nearest_key(&rest)
                    .map_or_else(|| "KEYTURN__SECTION__KEY".to_owned(), |key| variable_of(&key)),
            })
        })
        .collect();
    found.sort_by(|one, other| one.name.cmp(&other.name));
    found
}

/// How many letters must be added, removed or replaced to turn one text into the other (Levenshtein distance).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (i, letter) in one.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, against) in other.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *against);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_keys_are_those_of_the_types() {
        let keys = all_keys();
        for key in [
            "http.listen",
            "database.url",
            "tokens.access_ttl",
            "lab.enabled",
            "log.format",
        ] {
            assert!(keys.iter().any(|known| known == key), "{key} in {keys:?}");
        }
        assert!(keys.len() > 40, "{keys:?}");
    }

    #[test]
    fn a_close_miss_is_recognised() {
        for (written, meant) in [
            ("http_listen", "http.listen"),
            ("http.lisen", "http.listen"),
            ("database.ulr", "database.url"),
            ("tokens.refresh_idle_tll", "tokens.refresh_idle_ttl"),
            ("secret.master", "secrets.master"),
            ("http.public-origin", "http.public_origin"),
        ] {
            assert_eq!(nearest_key(written).as_deref(), Some(meant), "{written}");
        }
        for written in ["colour", "no.such", "x"] {
            assert_eq!(nearest_key(written), None, "{written}");
        }
    }

    #[test]
    fn only_variables_with_too_few_underscores_are_reported() {
        let names = [
            "KEYTURN_HTTP_LISTEN",
            "KEYTURN_DATABASE__URL",
            "keyturn_secrets_master",
            "KEYTURN_LOG_LEVEL",
            "KEYTURN__HTTP__LISTEN",
            "KEYTURN_TEST_POSTGRES",
            "KEYTURN_CHROMIUM",
            "KEYTURN_PORT_3000_TCP_ADDR",
            "KEYTURN_SERVICE_HOST",
            "KEYTURNED_HTTP_LISTEN",
            "PATH",
        ];
        let found = misspelt_variables(names.iter().map(OsString::from));
        let found: Vec<_> = found
            .iter()
            .map(|misspelt| (misspelt.name.as_str(), misspelt.meant.as_str()))
            .collect();
        assert_eq!(
            found,
            [
                ("KEYTURN_DATABASE__URL", "KEYTURN__DATABASE__URL"),
                ("KEYTURN_HTTP_LISTEN", "KEYTURN__HTTP__LISTEN"),
                ("KEYTURN_LOG_LEVEL", "KEYTURN__SECTION__KEY"),
                ("keyturn_secrets_master", "KEYTURN__SECRETS__MASTER"),
            ]
        );
    }
}
