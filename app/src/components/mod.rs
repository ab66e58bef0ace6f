//! Dumb building blocks.
