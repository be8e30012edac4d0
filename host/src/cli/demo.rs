//! `powerstrip demo`.

use std::io::Write;

use super::{Format, Report};
use crate::demo;

/// Shows what adapters do; people can watch, programs get it all at the end.
pub(super) async fn run(format: Format) -> anyhow::Result<Report> {
    let tell = |line: &str| {
        if format == Format::Text {
            // A reader that went away does not keep the demo from clearing up.
            let _ = writeln!(std::io::stdout(), "{line}");
        }
    };
    let outcome = demo::run(&tell).await?;
    Ok(Report::new(outcome.text, outcome.json).with_problem(!outcome.complete))
}
