//! `powerstrip suggest`: from what an audit log recorded to the rules of `guard` that allow it.
//!
//! - `log` reads the lines of audit logs, one at a time.
//! - `lessons` asks the guard what each call takes, and adds up; the guard itself judges.
//! - `policy` makes a configuration of what was learned, and `tree` writes it down.

mod lessons;
mod log;
mod policy;
mod tree;

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use anyhow::anyhow;

use super::Report;
use lessons::Lessons;
use log::{Line, LineError};

/// Lines that are named because they cannot be read; the rest is counted.
const MAX_NAMED: usize = 100;

/// Which calls count, and how.
#[derive(Debug, clap::Args)]
pub(super) struct Options {
    /// Audit logs; `-` is the standard input.
    #[arg(required = true, value_name = "LOG")]
    logs: Vec<PathBuf>,
    /// Write rules for each client: by its user, or by its certificate.
    #[arg(long)]
    by_client: bool,
    /// Leave out calls before this time, such as 2026-11-21T13:20:00Z, or longer ago, such as 24h.
    #[arg(long, value_name = "TIME", value_parser = since)]
    since: Option<SystemTime>,
    /// Learn also from calls that were refused.
    #[arg(long)]
    refused: bool,
}

/// Reads the logs and suggests a configuration.
pub(super) fn run(options: &Options) -> anyhow::Result<Report> {
    let mut reading = Reading::new(options);
    for path in &options.logs {
        for (number, line) in log::open(path)? {
            match line {
                Err(LineError::Read(error)) => return Err(log::unreadable(path, error)),
                Err(error) => reading.skip(&format!("{}:{number}: {error}", path.display())),
                Ok(line) => reading.take(line),
            }
        }
    }
    reading.report()
}

/// What has been read so far.
struct Reading<'a> {
    options: &'a Options,
    lessons: Lessons,
    lines: u64,
    /// Lines of no call, and those before the time that counts.
    left_out: u64,
    /// Lines that cannot be read, and the first of them by name.
    broken: u64,
    named: Vec<String>,
}

impl<'a> Reading<'a> {
    fn new(options: &'a Options) -> Self {
        let lessons = Lessons::new(options.by_client);
        Self { options, lessons, lines: 0, left_out: 0, broken: 0, named: Vec::new() }
    }

    fn take(&mut self, line: Line) {
        self.lines += 1;
        if line.is_before(self.options.since) || line.was_invalid() {
            self.left_out += 1;
        } else if line.was_refused() && !self.options.refused {
            self.lessons.leave_out(&line);
        } else {
            self.lessons.add(line);
        }
    }

    fn skip(&mut self, why: &str) {
        self.lines += 1;
        self.broken += 1;
        if self.named.len() < MAX_NAMED {
            self.named.push(tree::plain(why));
        }
    }

    fn report(self) -> anyhow::Result<Report> {
        let Self { lessons, lines, left_out, broken, named: mut said, .. } = self;
        if lessons.calls() == 0 {
            let other = format!("{left_out} of no call or too old, {broken} that cannot be read");
            let refused = lessons.refused();
            said.push(format!(
                "no call to learn from in {lines} lines: {refused} of refused calls, {other}"
            ));
            return Err(anyhow!(said.join("\n")));
        }
        if broken > 0 {
            said.push(format!("{broken} of {lines} lines cannot be read, and are left out"));
        }
        let notes = lessons.notes();
        let config = policy::suggest(&lessons);
        let report = Report::new(policy::file(&config, &lessons, &notes), config.to_json());
        said.extend(notes);
        Ok(report.with_notes(said).with_problem(broken > 0))
    }
}

/// A time, or how long ago it was.
fn since(text: &str) -> Result<SystemTime, String> {
    let ago = |ago: Duration| SystemTime::now().checked_sub(ago);
    let time = humantime::parse_rfc3339_weak(text).ok();
    time.or_else(|| humantime::parse_duration(text).ok().and_then(ago))
        .ok_or_else(|| "write a time as 2026-11-21T13:20:00Z, or how long ago, as 24h".to_owned())
}
