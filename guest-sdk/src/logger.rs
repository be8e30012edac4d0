//! Carries lines of the `log` crate to Powerstrip's log.

use log::{Log, Metadata, Record};

use crate::bindings::powerstrip::adapter::log::Level;
use crate::host;

/// The one logger of an adapter.
struct Logger;

static LOGGER: Logger = Logger;

/// Makes the `log` macros work; calling it again changes nothing.
pub(crate) fn install() {
    if log::set_logger(&LOGGER).is_ok() {
        log::set_max_level(log::LevelFilter::Trace);
    }
}

impl Log for Logger {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        let level = match record.level() {
            log::Level::Error => Level::Error,
            log::Level::Warn => Level::Warn,
            log::Level::Info => Level::Info,
            log::Level::Debug => Level::Debug,
            log::Level::Trace => Level::Trace,
        };
        host::write_log(level, &record.args().to_string());
    }

    fn flush(&self) {}
}
