//! Builds the components that are part of the program: the adapter that speaks to webhooks, and,
//! with the feature `demo`, those that `powerstrip demo` shows.

use std::{env, process::ExitCode};

const BUILT_IN: [(&str, &str); 1] = [("http-adapter", "POWERSTRIP_HTTP_ADAPTER")];
const DEMO: [(&str, &str); 3] = [
    ("slowreq", "POWERSTRIP_DEMO_SLOWREQ"),
    ("envinject", "POWERSTRIP_DEMO_ENVINJECT"),
    ("spin", "POWERSTRIP_DEMO_SPIN"),
];

fn main() -> ExitCode {
    let mut guests = BUILT_IN.to_vec();
    if env::var_os("CARGO_FEATURE_DEMO").is_some() {
        guests.extend(DEMO);
    }

    powerstrip_guest_build::embed(&guests)
}
