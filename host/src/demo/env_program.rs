//! The only program in the demo's image: prints the environment that it was given.
//!
//! No module of the crate: the build script compiles it to a static executable of its own.

use std::env;

fn main() {
    for (name, value) in env::vars() {
        println!("{name}={value}");
    }
}
