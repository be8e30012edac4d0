//! What the host lends; in native tests, a stand-in for it that lives as long as the thread.

#[cfg(not(target_family = "wasm"))]
pub(crate) use native::{carry, config, set_carry, write_log};
#[cfg(target_family = "wasm")]
pub(crate) use wasm::{carry, config, set_carry, write_log};

#[cfg(target_family = "wasm")]
mod wasm {
    use crate::bindings::powerstrip::adapter;
    use crate::bindings::powerstrip::adapter::log::Level;

    pub(crate) fn config() -> String {
        adapter::config::get()
    }

    pub(crate) fn carry() -> Option<Vec<u8>> {
        adapter::carry::get()
    }

    pub(crate) fn set_carry(bytes: &[u8]) {
        adapter::carry::set(bytes);
    }

    pub(crate) fn write_log(level: Level, message: &str) {
        adapter::log::write(level, message);
    }
}

#[cfg(not(target_family = "wasm"))]
mod native {
    use std::cell::RefCell;

    use crate::bindings::powerstrip::adapter::log::Level;

    thread_local! {
        static CARRY: RefCell<Option<Vec<u8>>> = const { RefCell::new(None) };
    }

    pub(crate) fn config() -> String {
        "null".to_owned()
    }

    pub(crate) fn carry() -> Option<Vec<u8>> {
        CARRY.with_borrow(Clone::clone)
    }

    pub(crate) fn set_carry(bytes: &[u8]) {
        CARRY.set(Some(bytes.to_vec()));
    }

    pub(crate) fn write_log(level: Level, message: &str) {
        crate::testing::record_log(level, message);
    }
}
