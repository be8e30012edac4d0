//! The machine and the programs that were measured on it.

use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

use crate::running::program;

/// What a reader must know to compare.
pub(crate) struct Machine {
    lines: Vec<(String, String)>,
}

impl Machine {
    /// Looks around.
    pub(crate) fn look() -> Self {
        let mut lines = vec![
            ("date".to_owned(), said("date", &["-u", "+%Y-%m-%d %H:%M UTC"])),
            ("processor".to_owned(), processor()),
            ("memory".to_owned(), memory()),
            ("kernel".to_owned(), said("uname", &["-sr"])),
        ];
        let own = powerstrip_tests::program().to_string_lossy().into_owned();
        let programs: [(&str, &str, &[&str]); 5] = [
            ("Powerstrip", &own, &["version"]),
            ("HAProxy", "haproxy", &["-v"]),
            ("Envoy", "envoy", &["--version"]),
            ("nginx", "nginx", &["-v"]),
            ("wrk", "wrk", &["-v"]),
        ];
        lines.extend(
            programs.map(|(name, program, arguments)| (name.to_owned(), said(program, arguments))),
        );
        Self { lines }
    }

    /// One line for each.
    pub(crate) fn show(&self) -> String {
        let lines = self.lines.iter().map(|(name, what)| format!("- {name}: {what}"));
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The first line that a program says with these arguments; Envoy's holds its path before its version.
fn said(name: &str, arguments: &[&str]) -> String {
    let path = if name.contains('/') { Ok(name.into()) } else { program(name) };
    let output = path.ok().and_then(|path| Command::new(path).args(arguments).output().ok());
    let Some(output) = output else { return "not installed".to_owned() };
    let text = [output.stdout, output.stderr].concat();
    let text = String::from_utf8_lossy(&text).into_owned();
    let line = text.lines().find(|line| !line.trim().is_empty()).unwrap_or("?").trim();
    line.rsplit_once("version: ").map_or(line, |(_, version)| version).to_owned()
}

fn processor() -> String {
    let model = field("/proc/cpuinfo", "model name");
    let cores = available_parallelism().map_or(1, usize::from);
    format!("{}, {cores} cores", model.as_deref().unwrap_or("unknown"))
}

fn memory() -> String {
    let kib = field("/proc/meminfo", "MemTotal");
    let kib = kib.and_then(|text| text.split(' ').next()?.parse::<u64>().ok());
    kib.map_or("unknown".to_owned(), |kib| format!("{} GiB", (kib + (1 << 19)) >> 20))
}

/// The value behind a name and a colon.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let pairs = text.lines().filter_map(|line| line.split_once(':'));
    let mut found = pairs.filter(|(known, _)| known.trim() == name);
    found.next().map(|(_, value)| value.trim().to_owned())
}
