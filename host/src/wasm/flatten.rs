//! Takes a detour out of components before they are compiled, so that their instances are cheaper.
//!
//! An import that reads or writes the guest's memory can only be made when the guest is there, whose
//! instance needs its imports first. Where toolchains put components together (`wit-component`) they
//! solve this by a core module between, the *shim*: its functions, which the *main* module imports,
//! call through a table, and that is filled when the main module's memory is known. For wasmtime each
//! function of the shim is an export to look up, in each instance that is made.
//!
//! Here the main module is given these few instructions as functions of its own, and the table with
//! them; then nothing is left of the shim. What the component does, imports and exports stays as it
//! was, its fuel included, and so do the places in its code that a backtrace names.
//!
//! Only the one shape is changed that the toolchain makes. All else is compiled as it is.

mod adjust;
mod body;
mod main_module;
mod outline;
mod place;
mod plan;
mod shim;

use plan::Plan;

/// The same component without its shim, if it has one of the known shape.
///
/// The bytes need not be valid: what is wrong with them remains so, or they are left alone.
#[must_use]
pub fn flatten(component: &[u8]) -> Option<Vec<u8>> {
    let plan = Plan::read(component)?;
    let main = main_module::rewrite(&plan)?;
    adjust::rewrite(component, &plan, &main)
}

/// Why something is left as it is: it has another shape.
#[derive(Debug)]
struct Unusual;

/// What re-encoding fails with.
type Error = wasm_encoder::reencode::Error<Unusual>;

#[cfg(test)]
mod tests;
