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

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    os::unix::fs::FileExt,
    path::Path,
};

use aws_lc_rs::digest;

const MAGIC: &[u8; 8] = b"KTBREACH";
const VERSION: u8 = 1;
const HEADER: u64 = 24;
const HEADER_BYTES: usize = 24;
/// At least 8, because the first byte of the hash selects the temporary file.
const MIN_BITS: u32 = 8;
const MAX_BITS: u32 = 32;
const ENTRIES_PER_BUCKET: u64 = 64;
/// Far more entries than chance puts into one bucket; a damaged file must not cause a large read.
const MAX_IN_BUCKET: u64 = 1 << 16;
/// Longer than any password of a corpus. It bounds the memory for a line.
const MAX_LINE: u64 = 64 * 1024;

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

/// How to interpret the lines of a corpus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CorpusFormat {
    /// Decided by the first line: SHA-1 hashes if it is one, otherwise passwords.
    Detected,
    /// Passwords, whatever they look like.
    Plain,
}

/// The numbers of lines read and entries written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FilterSummary {
    pub lines: u64,
    pub entries: u64,
    pub bytes: u64,
    pub hashes: bool,
}

/// Why a filter could not be built.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error("cannot be written: {0}")]
    Io(#[from] io::Error),
    #[error("cannot be read: {0}")]
    Read(io::Error),
    #[error(
        "line {0} is not a SHA-1 hash (40 hexadecimal digits, perhaps with :count behind them), as the first line is; \
         if the lines are passwords, add --plain"
    )]
    NotAHash(u64),
    #[error("line {0} is longer than 64 KiB; this is not a list of passwords or hashes")]
    LongLine(u64),
    #[error("there is not one password or hash in it")]
    Empty,
}

/// Builds a filter from a corpus: one password or SHA-1 hash per line, in any order, with repetitions.
///
/// Needs about 16 MiB of memory plus 1/32 of the size of the hashes, and temporarily eight bytes per line of disk space
/// next to `output`. `output` appears only when it is complete.
///
/// # Errors
/// What is wrong with a line, or why a file could not be read or written.
pub fn build(
    mut input: impl BufRead,
    lines: CorpusFormat,
    output: &Path,
) -> Result<FilterSummary, BuildError> {
    let folder = match output.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let work = tempfile::tempdir_in(folder)?;
    let mut spills = SpillFiles::create(work.path())?;
    let mut counted = 0;
    let mut hashes = (lines == CorpusFormat::Plain).then_some(false);
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        let mut limited = input.by_ref().take(MAX_LINE + 1);
        let read = limited.read_until(b'\n', &mut line).map_err(BuildError::Read)?;
        if read == 0 {
            break;
        }
        if line.len() as u64 > MAX_LINE {
            return Err(BuildError::LongLine(number));
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        if text.is_empty() {
            continue;
        }
        let key = if *hashes.get_or_insert_with(|| key_of_hash(text).is_some()) {
            key_of_hash(text).ok_or(BuildError::NotAHash(number))?
        } else {
            key_of(text)
        };
        spills.push(key)?;
        counted += 1;
    }
    if counted == 0 {
        return Err(BuildError::Empty);
    }
    let unfinished = work.path().join("filter");
    let entries = write_filter(spills, bits_for(counted), &unfinished)?;
    fs::rename(&unfinished, output)?;
    Ok(FilterSummary {
        lines: counted,
        entries,
        bytes: fs::metadata(output)?.len(),
        hashes: hashes == Some(true),
    })
}

/// Keys split into files by their first byte. That limits the memory and sorts the keys.
struct SpillFiles {
    files: Vec<BufWriter<File>>,
}

impl SpillFiles {
    fn create(folder: &Path) -> io::Result<Self> {
        let create = |first: u32| {
            let path = folder.join(format!("{first:02x}"));
            let file = File::options()
                .read(true)
                .write(true)
                .create_new(true)
                .open(path)?;
            Ok(BufWriter::with_capacity(64 * 1024, file))
        };
        let files = (0..1 << MIN_BITS).map(create).collect::<io::Result<_>>()?;
        Ok(Self { files })
    }

    fn push(&mut self, key: u64) -> io::Result<()> {
        let first = usize::from(key.to_be_bytes()[0]);
        self.files[first].write_all(&key.to_le_bytes())
    }

    /// The keys of each file, sorted. All keys of one file come before all of the next.
    fn sorted(self) -> impl Iterator<Item = io::Result<Vec<u64>>> {
        self.files.into_iter().map(|file| {
            let mut file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
            file.seek(SeekFrom::Start(0))?;
            let mut keys = Vec::with_capacity(usize::try_from(file.metadata()?.len() / 8).unwrap_or(0));
            let (mut reader, mut bytes) = (BufReader::new(file), [0; 8]);
            while reader.read_exact(&mut bytes).is_ok() {
                keys.push(u64::from_le_bytes(bytes));
            }
            keys.sort_unstable();
            Ok(keys)
        })
    }
}

fn write_filter(spills: SpillFiles, bits: u32, path: &Path) -> io::Result<u64> {
    let file = File::options().write(true).create_new(true).open(path)?;
    // The index precedes the entries but is complete only after them, so it is written through a second handle.
    let mut index = BufWriter::new(File::options().write(true).open(path)?);
    index.seek(SeekFrom::Start(HEADER))?;
    let mut entries = BufWriter::new(file);
    entries.seek(SeekFrom::Start(first_entry(bits)))?;

    let (mut written, mut next_bucket, mut last) = (0_u64, 0_u64, None);
    for keys in spills.sorted() {
        for key in keys? {
            let place = split(key, bits);
            if last == Some(place) {
                continue;
            }
            last = Some(place);
            let (bucket, entry) = place;
            while next_bucket <= bucket {
                index.write_all(&written.to_le_bytes())?;
                next_bucket += 1;
            }
            entries.write_all(&entry.to_le_bytes())?;
            written += 1;
        }
    }
    while next_bucket <= 1 << bits {
        index.write_all(&written.to_le_bytes())?;
        next_bucket += 1;
    }
    index.flush()?;
    let mut file = entries.into_inner().map_err(io::IntoInnerError::into_error)?;
    let mut header = Vec::with_capacity(16);
    header.extend_from_slice(MAGIC);
    header.extend_from_slice(&[VERSION, u8::try_from(bits).unwrap_or(0), 0, 0, 0, 0, 0, 0]);
    header.extend_from_slice(&written.to_le_bytes());
    file.seek(SeekFrom::Start(0))?;
    file.write_all(&header)?;
    file.sync_all()?;
    Ok(written)
}

/// The bucket bits for this many entries.
fn bits_for(entries: u64) -> u32 {
    let buckets = entries.div_ceil(ENTRIES_PER_BUCKET).next_power_of_two();
    buckets.trailing_zeros().clamp(MIN_BITS, MAX_BITS)
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

/// The same for a line that contains the hash: `21BD12DC183F740EE76F27B78EB39C8AD972A757:52579`.
fn key_of_hash(line: &[u8]) -> Option<u64> {
    let (hash, rest) = line.split_at_checked(40)?;
    let is_count = match rest.split_first() {
        None => true,
        Some((b':', count)) => !count.is_empty() && count.iter().all(u8::is_ascii_digit),
        Some(_) => false,
    };
    if !is_count || !hash.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let digits = std::str::from_utf8(&hash[..16]).ok()?;
    u64::from_str_radix(digits, 16).ok()
}

fn read_number(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .rev()
        .fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

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
    fn what_is_wrong_with_a_corpus_is_said() {
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
    fn what_is_wrong_with_a_filter_is_said_at_the_start() {
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
    fn a_damaged_index_is_an_error_and_orders_no_large_read() {
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
