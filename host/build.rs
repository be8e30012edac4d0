//! Builds the components that are part of the program: the adapter that speaks to webhooks, and,
//! with the feature `demo`, those that `powerstrip demo` shows.

use std::{
    env, fs, io,
    path::PathBuf,
    process::{Command, ExitCode, Output},
};

const BUILT_IN: [(&str, &str); 1] = [("http-adapter", "POWERSTRIP_HTTP_ADAPTER")];
const DEMO: [(&str, &str); 3] = [
    ("slowreq", "POWERSTRIP_DEMO_SLOWREQ"),
    ("envinject", "POWERSTRIP_DEMO_ENVINJECT"),
    ("spin-forever", "POWERSTRIP_DEMO_SPIN"),
];

fn main() -> ExitCode {
    let mut guests = BUILT_IN.to_vec();
    if env::var_os("CARGO_FEATURE_DEMO").is_some() {
        guests.extend(DEMO);
        build_env_program();
    }

    powerstrip_guest_build::embed(&guests)
}

/// Compiles the only program of the demo's image, which has no libraries to lean on.
///
/// Where it cannot be linked without them the file is empty; the demo then inspects its container
/// instead of running it, and says so.
fn build_env_program() {
    const SOURCE: &str = "src/demo/env_program.rs";
    let variable = |name| env::var_os(name).expect("cargo sets it for build scripts");
    let program = PathBuf::from(variable("OUT_DIR")).join("print-environment");

    let mut rustc = Command::new(variable("RUSTC"));
    rustc.args(["--edition=2024", "--crate-name=print_environment", "-Copt-level=s", "-Clto"]);
    rustc.args(["-Cpanic=abort", "-Cstrip=symbols", "-Ctarget-feature=+crt-static"]);
    rustc.arg("--target").arg(variable("TARGET")).arg("-o").arg(&program).arg(SOURCE);
    if let Some(linker) = env::var_os("RUSTC_LINKER") {
        rustc.arg("-C").arg(format!("linker={}", linker.display()));
    }

    let is_linux = variable("CARGO_CFG_TARGET_OS") == "linux";
    if !is_linux || !succeeded(&rustc.output()) {
        println!("cargo::warning=no static executable can be linked; the demo runs no container");
        fs::write(&program, "").expect("OUT_DIR is there to be written to");
    }
    println!("cargo::rerun-if-changed={SOURCE}");
    println!("cargo::rustc-env=POWERSTRIP_DEMO_ENV_PROGRAM={}", program.display());
}

fn succeeded(output: &io::Result<Output>) -> bool {
    output.as_ref().is_ok_and(|output| output.status.success())
}
