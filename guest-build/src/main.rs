//! `powerstrip-guest-build FOLDER PACKAGE…`: builds components and copies them into a folder.

use std::{env, path::Path, process::ExitCode};

#[expect(clippy::print_stdout, clippy::print_stderr, reason = "this program talks to a person")]
fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((folder, packages)) = arguments.split_first().filter(|(_, rest)| !rest.is_empty())
    else {
        eprintln!("usage: powerstrip-guest-build FOLDER PACKAGE…");
        return ExitCode::from(2);
    };
    let packages: Vec<&str> = packages.iter().map(String::as_str).collect();

    match powerstrip_guest_build::export(&packages, Path::new(folder)) {
        Ok(components) => {
            for path in components.values() {
                println!("{}", path.display());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {}", powerstrip_guest_build::explain(&error));
            ExitCode::FAILURE
        }
    }
}
