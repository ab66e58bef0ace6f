//! How values of the domain look on the wire.

use rotation::Timestamp;

/// A moment in wire format: whole seconds since the Unix epoch.
pub(crate) fn wire_seconds(at: Timestamp) -> u64 {
    u64::try_from(at.secs()).unwrap_or(0)
}
