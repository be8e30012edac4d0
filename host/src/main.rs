//! The program: arguments in, exit code out.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program speaks to its user here")]

mod cli;
#[cfg(feature = "demo")]
mod demo;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let arguments = cli::Arguments::parse();
    match cli::run(&arguments) {
        Ok(report) => {
            print!("{}", report.render(arguments.format));
            if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
        }
        Err(error) => {
            let error = cli::describe(&error, arguments.format);
            // Whoever asks for JSON reads it where the results are.
            match arguments.format {
                cli::Format::Text => eprintln!("{error}"),
                cli::Format::Json => println!("{error}"),
            }
            ExitCode::FAILURE
        }
    }
}
