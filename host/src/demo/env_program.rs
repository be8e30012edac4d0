//! The only program in the demo's image: prints the environment that it was given.
//!
//! No module of the crate: the build script compiles it to a static executable of its own.

use std::io::{self, Write};

fn main() -> io::Result<()> {
    for (name, value) in std::env::vars() {
        writeln!(io::stdout(), "{name}={value}")?;
    }
    Ok(())
}
