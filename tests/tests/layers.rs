//! The architecture's rules, found in the sources themselves: who may know whom, and how long a
//! file may be. docs/ARCHITECTURE.md says why.

use std::fs;
use std::path::{Path, PathBuf};

/// Lines that a file may have, tests included.
const LONGEST: usize = 450;

/// The modules of the host, and which others each may name. `app` puts them together; `main` and
/// `cli` are the program.
const MODULES: &[(&str, &[&str])] = &[
    ("addr", &[]),
    ("aside", &[]),
    ("limits", &[]),
    ("stream", &[]),
    ("telemetry", &[]),
    ("tls", &["telemetry"]),
    ("docker", &[]),
    ("http1", &[]),
    ("http2", &[]),
    ("endpoint", &["docker"]),
    ("grants", &["addr", "docker", "endpoint"]),
    ("hook", &["aside", "docker", "telemetry", "limits"]),
    ("audit", &["docker", "hook"]),
    ("config", &["addr", "audit", "docker", "endpoint", "grants", "hook", "limits", "telemetry"]),
    ("server", &["addr", "http1", "stream", "telemetry", "tls"]),
    ("upstream", &["addr", "http1", "stream", "telemetry", "tls"]),
    ("wasm", &["addr", "grants", "hook", "limits", "telemetry", "tls"]),
    (
        "generation",
        &["aside", "config", "docker", "endpoint", "grants", "hook", "limits", "telemetry", "wasm"],
    ),
    (
        "proxy",
        &[
            "aside",
            "audit",
            "docker",
            "endpoint",
            "generation",
            "hook",
            "http1",
            "http2",
            "limits",
            "server",
            "stream",
            "telemetry",
            "upstream",
        ],
    ),
    ("events", &["docker", "generation", "hook", "http1", "telemetry", "upstream"]),
    (
        "app",
        &[
            "addr",
            "aside",
            "audit",
            "config",
            "docker",
            "endpoint",
            "events",
            "generation",
            "grants",
            "hook",
            "limits",
            "proxy",
            "server",
            "telemetry",
            "tls",
            "upstream",
            "wasm",
        ],
    ),
    // A program of its own, in the program: it looks at all from outside.
    ("demo", &["addr", "telemetry"]),
    ("lib", &[]),
    ("main", &[]),
    ("cli", &["demo"]),
];

/// A file of the host: its module, and its code without comments.
struct Source {
    path: PathBuf,
    module: String,
    code: String,
    lines: usize,
}

#[test]
fn a_module_names_only_those_below_it() {
    for source in sources() {
        let allowed = MODULES.iter().find(|(name, _)| *name == source.module);
        let (_, allowed) = allowed.unwrap_or_else(|| {
            panic!("{}: give the new module its place in this test", source.path.display())
        });
        for named in names_after(&source.code, "crate::") {
            let is_module = MODULES.iter().any(|(name, _)| *name == named);
            let is_allowed = named == source.module || allowed.contains(&named.as_str());
            let path = source.path.display();
            assert!(!is_module || is_allowed, "{path}: {} may not know {named}", source.module);
        }
    }
}

#[test]
fn wasmtime_is_named_only_under_wasm() {
    // The program tells its version, and the log hushes it by its name.
    only_in("wasmtime", &["wasm", "cli", "telemetry"]);
    only_in("wasmparser", &["wasm"]);
    only_in("wasm_encoder", &["wasm"]);
}

#[test]
fn hyper_speaks_for_adapters_and_inside_the_tunnel() {
    // The demo is a client of Powerstrip's.
    only_in("hyper", &["wasm", "http2", "demo", "telemetry"]);
    only_in("hyper_util", &["wasm", "http2", "demo", "telemetry"]);
}

fn only_in(name: &str, modules: &[&str]) {
    for source in sources().iter().filter(|source| !modules.contains(&source.module.as_str())) {
        let names = words(&source.code).any(|word| word == name);
        assert!(!names, "{} names {name}", source.path.display());
    }
}

#[test]
fn the_pure_modules_do_no_input_or_output() {
    for source in sources() {
        if !["docker", "endpoint", "hook", "http1", "limits"].contains(&source.module.as_str()) {
            continue;
        }
        for forbidden in ["std::fs", "std::net", "tokio::fs", "tokio::net", "std::process"] {
            let path = source.path.display();
            assert!(!source.code.contains(forbidden), "{path} uses {forbidden}");
        }
    }
}

#[test]
fn only_the_program_prints_and_exits() {
    // The demo's image holds a program too.
    let is_program =
        |source: &Source| source.module == "main" || source.path.ends_with("env_program.rs");
    for source in sources().iter().filter(|source| !is_program(source)) {
        for forbidden in ["println!(", "eprintln!(", "process::exit", "ExitCode"] {
            let is_in_cli = source.module == "cli" && forbidden == "ExitCode";
            let path = source.path.display();
            assert!(is_in_cli || !source.code.contains(forbidden), "{path} uses {forbidden}");
        }
    }
}

#[test]
fn no_file_is_longer_than_can_be_read_at_once() {
    let folders =
        ["bench", "fuzz", "host", "guest-sdk", "guest-build", "stores", "adapters", "tests"];
    for path in folders.iter().flat_map(|folder| files(&root().join(folder))) {
        let lines = read(&path).lines().count();
        assert!(lines <= LONGEST, "{} has {lines} lines", path.display());
    }
    assert!(sources().iter().all(|source| source.lines <= LONGEST));
}

fn sources() -> Vec<Source> {
    let base = root().join("host/src");
    let sources: Vec<Source> = files(&base).into_iter().map(|path| source(&base, path)).collect();
    assert!(!sources.is_empty(), "there are no sources in {}", base.display());
    sources
}

fn source(base: &Path, path: PathBuf) -> Source {
    let within = path.strip_prefix(base).expect("it was found there");
    let first = within.components().next().expect("a file has a name");
    let module = first.as_os_str().to_string_lossy().trim_end_matches(".rs").to_owned();
    let text = read(&path);
    let lines = text.lines().count();
    let is_code = |line: &&str| !line.trim_start().starts_with("//");
    let code: Vec<&str> = text.lines().filter(is_code).collect();
    Source { path, module, code: code.join("\n"), lines }
}

/// All `.rs` files below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else { return found };
    for path in entries.flatten().map(|entry| entry.path()) {
        if path.is_dir() && path.file_name().is_some_and(|name| name != "target") {
            found.extend(files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The words that stand directly behind a prefix.
fn names_after(code: &str, prefix: &str) -> Vec<String> {
    let behind = code.split(prefix).skip(1);
    behind.filter_map(|rest| words(rest).next().map(str::to_owned)).collect()
}

fn words(code: &str) -> impl Iterator<Item = &str> {
    code.split(|character: char| !character.is_alphanumeric() && character != '_')
}

fn root() -> PathBuf {
    powerstrip_tests::repository()
}

fn read(path: &Path) -> String {
    match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}
