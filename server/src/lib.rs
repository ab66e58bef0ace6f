//! Keyturn's program: the composition root of the server.
//!
//! [`cli`] has the commands. It is the one place that knows both the product ([`web`]) and the lab ([`lab`]): `serve`
//! opens the lab if the configuration says so, and adds its routes to those of the product.

pub mod cli;
