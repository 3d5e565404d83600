// SPDX-License-Identifier: MIT
//! A peer of the other side, on one version of the published crate.
//!
//!     peer-N <format> <spec> <shm> <instance> <d2h> <h2d> [rate block in out]
//!                         a plugin host, started by a DAW
//!     peer-N daw          a DAW, led by lines on its standard input
//!     peer-N layout       the offsets of this crate, as in tests/offsets.tsv
mod blocks;
mod daw;
mod host;
mod layout;
mod plugin;
mod requests;
mod script;
mod segment;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let code = match words.first().map(String::as_str) {
        Some("layout") => layout::print(),
        Some("daw") => script::run(),
        _ => host::run(&words),
    };
    std::process::exit(code);
}
