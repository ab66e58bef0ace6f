//! Passwords known from data breaches, in a file that the operator builds (OWASP ASVS 6.2.12).
//!
//! Lookups are offline: no password and no part of its hash leaves the machine. The file holds a part of the SHA-1 hash
//! of each password, because published corpora consist of SHA-1 hashes. SHA-1 is only a lookup key here; it protects
//! nothing.
//!
//! # Format
//! All numbers are little-endian.
//!
//! | bytes | what |
//! |---|---|
//! | 8 | `KTBREACH` |
//! | 1 | version, 1 |
//! | 1 | bits of a bucket number, `b`: 8 to 32 |
//! | 6 | zero |
//! | 8 | number of entries, `n` |
//! | 8 × (2^b + 1) | for each bucket the number of entries before it, and `n` |
//! | 4 × n | entries: the 32 bits of the hash after the bucket's bits, ascending in each bucket |
//!
//! A bucket has at most 64 entries on average, so a password that is in no breach is refused by mistake with a
//! probability of at most 64 / 2^32: once in 67 million passwords. A password in the file is always found. One billion
//! (10^9) entries take about 4.1 GB.

mod builder;

use std::{fs::File, io, os::unix::fs::FileExt, path::Path};

use aws_lc_rs::digest;

pub use builder::{BuildError, CorpusFormat, FilterSummary, build};

const MAGIC: &[u8; 8] = b"KTBREACH";
const VERSION: u8 = 1;
const HEADER: u64 = 24;
const HEADER_BYTES: usize = 24;
/// At least 8, because the first byte of the hash selects the temporary file.
const MIN_BITS: u32 = 8;
const MAX_BITS: u32 = 32;
/// Far more entries than chance puts into one bucket; a damaged file must not cause a large read.
const MAX_IN_BUCKET: u64 = 1 << 16;

/// An open file of breached passwords.
#[derive(Debug)]
pub struct BreachedFilter {
    file: File,
    bits: u32,
    entries: u64,
}

/// What is wrong with the filter file.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    #[error("cannot be read: {0}")]
    Io(#[from] io::Error),
    #[error("is not a filter; make one with: keyturn passwords build-filter INPUT OUTPUT")]
    NotAFilter,
    #[error("was made for another version of Keyturn; build it again")]
    OtherVersion,
    #[error("has {found} bytes instead of {expected}; copy or build it again")]
    Incomplete { found: u64, expected: u64 },
}

impl BreachedFilter {
    /// Opens a filter and checks that it is complete.
    ///
    /// # Errors
    /// What is wrong with the file.
    pub fn open(path: &Path) -> Result<Self, FilterError> {
        let file = File::open(path)?;
        let found = file.metadata()?.len();
        let mut header = [0; HEADER_BYTES];
        file.read_exact_at(&mut header, 0)
            .map_err(|error| match error.kind() {
                io::ErrorKind::UnexpectedEof => FilterError::NotAFilter,
                _ => FilterError::Io(error),
            })?;
        let (head, entries) = header.split_at(16);
        if head[..8] != *MAGIC {
            return Err(FilterError::NotAFilter);
        }
        let bits = u32::from(head[9]);
        if head[8] != VERSION || !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(FilterError::OtherVersion);
        }
        let filter = Self {
            file,
            bits,
            entries: read_number(entries),
        };
        let expected = filter
            .entries
            .checked_mul(4)
            .and_then(|entries| entries.checked_add(filter.first_entry()))
            .ok_or(FilterError::NotAFilter)?;
        if found != expected {
            return Err(FilterError::Incomplete { found, expected });
        }
        Ok(filter)
    }

    /// The number of passwords in the filter.
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Whether the password is known from a breach. Blocks for two small reads.
    ///
    /// # Errors
    /// If the file cannot be read or is damaged.
    pub fn contains(&self, password: &str) -> io::Result<bool> {
        let key = key_of(password.as_bytes());
        let (bucket, entry) = split(key, self.bits);
        let mut bounds = [0; 16];
        self.file.read_exact_at(&mut bounds, HEADER + 8 * bucket)?;
        let (start, end) = (read_number(&bounds[..8]), read_number(&bounds[8..]));
        let count = end.checked_sub(start).filter(|count| *count <= MAX_IN_BUCKET);
        let Some(count) = count.filter(|_| end <= self.entries) else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the filter of breached passwords is damaged",
            ));
        };
        let mut entries = vec![0; usize::try_from(4 * count).unwrap_or(0)];
        self.file
            .read_exact_at(&mut entries, self.first_entry() + 4 * start)?;
        let wanted = entry.to_le_bytes();
        Ok(entries.chunks_exact(4).any(|found| found == wanted))
    }

    fn first_entry(&self) -> u64 {
        first_entry(self.bits)
    }
}

fn first_entry(bits: u32) -> u64 {
    HEADER + 8 * ((1 << bits) + 1)
}

/// The bucket of a key, and the entry in that bucket.
#[expect(clippy::cast_possible_truncation, reason = "32 bits are what is wanted")]
fn split(key: u64, bits: u32) -> (u64, u32) {
    (key >> (64 - bits), (key >> (32 - bits)) as u32)
}

/// The first 64 bits of the password's SHA-1 hash.
fn key_of(password: &[u8]) -> u64 {
    let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password);
    hash.as_ref()[..8]
        .iter()
        .fold(0, |key, byte| key << 8 | u64::from(*byte))
}

fn read_number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, fs};

    use super::{builder::bits_for, *};

    struct Files(tempfile::TempDir);

    impl Files {
        fn new() -> Self {
            Self(tempfile::tempdir().expect("a folder"))
        }

        fn output(&self) -> std::path::PathBuf {
            self.0.path().join("breached.filter")
        }

        fn build(&self, input: &str, lines: CorpusFormat) -> Result<FilterSummary, BuildError> {
            build(input.as_bytes(), lines, &self.output())
        }

        fn open(&self) -> BreachedFilter {
            BreachedFilter::open(&self.output()).expect("a sound filter")
        }
    }

    fn hash_line(password: &str) -> String {
        let hash = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, password.as_bytes());
        let mut line = String::new();
        for byte in hash.as_ref() {
            write!(line, "{byte:02X}").expect("a string");
        }
        line
    }

    #[test]
    fn hashes_and_passwords_make_the_same_filter() {
        let passwords: Vec<String> = (0..5_000)
            .map(|number| format!("correct horse {number}"))
            .collect();
        let plain = Files::new();
        let built = plain
            .build(&passwords.join("\n"), CorpusFormat::Detected)
            .expect("builds");
        assert_eq!((built.lines, built.entries, built.hashes), (5_000, 5_000, false));

        let hashed = Files::new();
        let mut lines: Vec<String> = passwords
            .iter()
            .map(|password| format!("{}:3", hash_line(password)))
            .collect();
        lines.push(hash_line(&passwords[7]).to_lowercase());
        lines.reverse();
        let built = hashed
            .build(&format!("{}\r\n\r\n", lines.join("\r\n")), CorpusFormat::Detected)
            .expect("builds");
        assert_eq!((built.lines, built.entries, built.hashes), (5_001, 5_000, true));

        let (first, second) = (fs::read(plain.output()), fs::read(hashed.output()));
        assert!(first.expect("reads") == second.expect("reads"), "byte for byte");
        let filter = hashed.open();
        assert_eq!(filter.entries(), 5_000);
        for password in &passwords {
            assert!(filter.contains(password).expect("reads"), "{password}");
        }
        let wrong =
            (0..20_000).filter(|number| filter.contains(&format!("fresh snow {number}")).expect("reads"));
        assert_eq!(wrong.count(), 0, "one in 67 million is promised");
    }

    #[test]
    fn a_published_hash_is_found() {
        // SHA-1 of `password`, as in the corpora.
        let files = Files::new();
        files
            .build(
                "5BAA61E4C9B93F3F0682250B6CF8331B7EE68FD8:9545824\n",
                CorpusFormat::Detected,
            )
            .expect("builds");
        assert!(files.open().contains("password").expect("reads"));
        assert!(!files.open().contains("Password").expect("reads"));
    }

    #[test]
    fn a_filter_grows_by_its_entries() {
        for (entries, bits) in [
            (1, 8),
            (16_384, 8),
            (16_385, 9),
            (1_000_000_000, 24),
            (u64::MAX / 2, 32),
        ] {
            assert_eq!(bits_for(entries), bits, "{entries}");
        }
        // Keys that differ in any of their 64 bits stay distinct, for every number of bucket bits.
        for bits in MIN_BITS..=MAX_BITS {
            let (bucket, entry) = split(0xfedc_ba98_7654_3210, bits);
            assert_eq!(
                (bucket << 32) | u64::from(entry),
                0xfedc_ba98_7654_3210 >> (32 - bits)
            );
        }
    }

    #[test]
    fn corpus_errors_name_the_problem() {
        let files = Files::new();
        let hash = hash_line("password");
        for (input, lines, message) in [
            (String::new(), CorpusFormat::Detected, "not one"),
            ("\n\r\n\n".into(), CorpusFormat::Plain, "not one"),
            (
                format!("{hash}:1\nhunter2\n"),
                CorpusFormat::Detected,
                "line 2 is not a SHA-1 hash",
            ),
            (
                format!("{hash}:1\n{hash}:\n"),
                CorpusFormat::Detected,
                "line 2 is not a SHA-1 hash",
            ),
            (
                format!("fine\n{}\n", "x".repeat(70_000)),
                CorpusFormat::Plain,
                "line 2 is longer",
            ),
        ] {
            let error = files.build(&input, lines).expect_err(message).to_string();
            assert!(error.contains(message), "{error}");
            assert!(!files.output().exists(), "nothing half done is left");
        }
        assert_eq!(fs::read_dir(files.0.path()).expect("reads").count(), 0);
        // A password that looks like a hash.
        files.build(&hash, CorpusFormat::Plain).expect("builds");
        assert!(files.open().contains(&hash).expect("reads"));
        assert!(!files.open().contains("password").expect("reads"));
    }

    #[test]
    fn lines_need_not_be_utf_8() {
        let files = Files::new();
        build(
            &b"caf\xe9 au lait\nanother one\n"[..],
            CorpusFormat::Detected,
            &files.output(),
        )
        .expect("builds");
        assert!(files.open().contains("another one").expect("reads"));
    }

    #[test]
    fn a_damaged_filter_is_refused_at_start() {
        let files = Files::new();
        files
            .build("one password\nanother password\n", CorpusFormat::Detected)
            .expect("builds");
        let sound = fs::read(files.output()).expect("reads");
        let message = |bytes: &[u8]| {
            fs::write(files.output(), bytes).expect("writes");
            BreachedFilter::open(&files.output())
                .expect_err("damaged")
                .to_string()
        };
        assert!(message(b"").contains("is not a filter"));
        assert!(message(b"hunter2\npassword\nand so on\n").contains("is not a filter"));
        assert!(message(&sound[..sound.len() - 1]).contains("bytes instead of"));
        assert!(message(&[&sound[..], b"x"].concat()).contains("bytes instead of"));
        let mut other = sound.clone();
        other[8] = 2;
        assert!(message(&other).contains("another version"));
        let mut huge = sound;
        huge[16..24].fill(0xff);
        assert!(message(&huge).contains("is not a filter"));
        assert!(
            BreachedFilter::open(Path::new("/nowhere/at/all"))
                .expect_err("missing")
                .to_string()
                .contains("cannot be read")
        );
    }

    #[test]
    fn a_damaged_index_is_an_error_without_a_large_read() {
        let files = Files::new();
        files
            .build("one password\n", CorpusFormat::Detected)
            .expect("builds");
        let mut bytes = fs::read(files.output()).expect("reads");
        let index = usize::try_from(HEADER).expect("small")..usize::try_from(first_entry(8)).expect("small");
        for number in bytes[index].chunks_exact_mut(16) {
            number[8..].fill(0x7f);
        }
        fs::write(files.output(), bytes).expect("writes");
        let answers: Vec<_> = (0..64)
            .map(|number| files.open().contains(&number.to_string()))
            .collect();
        assert!(answers.iter().any(Result::is_err));
    }
}
