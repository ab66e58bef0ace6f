//! Builds the file of breached passwords from a corpus, in bounded memory.

use std::{
    fs::{self, File},
    io::{self, BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write},
    path::Path,
};

use super::{HEADER, MAGIC, MAX_BITS, MIN_BITS, VERSION, first_entry, key_of, split};

/// The average number of entries in a full bucket.
const ENTRIES_PER_BUCKET: u64 = 64;
/// Longer than any password of a corpus. It bounds the memory for a line.
const MAX_LINE: u64 = 64 * 1024;

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
pub(super) fn bits_for(entries: u64) -> u32 {
    let buckets = entries.div_ceil(ENTRIES_PER_BUCKET).next_power_of_two();
    buckets.trailing_zeros().clamp(MIN_BITS, MAX_BITS)
}

/// The first 64 bits of the hash that a line contains: `21BD12DC183F740EE76F27B78EB39C8AD972A757:52579`.
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
