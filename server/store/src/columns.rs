//! How numbers of the domain are stored.

use rotation::Generation;

/// The column of a generation. It never wraps around: the last number stays.
pub(crate) fn generation_column(generation: Generation) -> i32 {
    i32::try_from(generation.number()).unwrap_or(i32::MAX)
}

/// An epoch from its column. Epochs are only compared for equality, so every number is valid, including negative ones.
pub(crate) const fn epoch_of(column: i32) -> u32 {
    column.cast_unsigned()
}

/// An epoch as its column value.
pub(crate) const fn epoch_column(epoch: u32) -> i32 {
    epoch.cast_signed()
}
