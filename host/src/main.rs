//! The program: arguments in, exit code out.

mod cli;
#[cfg(feature = "demo")]
mod demo;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

/// A tenth of what a small request costs in the program is memory; this allocator halves it, and gives
/// back what is free, as `.cargo/config.toml` has it.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::run(&arguments) {
        Ok(report) => {
            report.notes().iter().for_each(|note| say(io::stderr(), &format!("{note}\n")));
            say(io::stdout(), &report.render(arguments.format));
            if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let error = cli::describe(&error, arguments.format) + "\n";
            // Whoever asks for JSON reads it where the results are.
            match arguments.format {
                cli::Format::Text => say(io::stderr(), &error),
                cli::Format::Json => say(io::stdout(), &error),
            }
            ExitCode::FAILURE
        }
    }
}

/// Writes for the user, who may have closed the pipe: `powerstrip explain … | head`.
fn say(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes()).and_then(|()| to.flush());
}
