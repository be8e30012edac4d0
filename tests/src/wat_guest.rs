//! Adapters written by hand, as core WebAssembly text: for what no compiler would emit.
//!
//! Each is an adapter with a pre-hook that passes, until a part of it is replaced.

use std::env;
use std::path::PathBuf;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// Where a guest may lay down data of its own; [`PASS`] is zeros, which mean *pass*.
pub const DATA: u32 = 1280;
/// The result of a hook that passes.
pub const PASS: &str = "(i32.const 1200)";

/// The standard interfaces that guests here import, as far as they do.
const WASI: &str = "
package tests:guest;
package wasi:io@0.2.0 {
    interface poll { resource pollable { block: func(); } }
    interface error { resource error; }
    interface streams {
        use error.{error};
        variant stream-error { last-operation-failed(error), closed }
        resource input-stream { blocking-read: func(len: u64) -> result<list<u8>, stream-error>; }
    }
}
package wasi:cli@0.2.0 {
    interface exit { exit: func(status: result); }
    interface stdin {
        use wasi:io/streams@0.2.0.{input-stream};
        get-stdin: func() -> input-stream;
    }
}
package wasi:clocks@0.2.0 {
    interface monotonic-clock {
        use wasi:io/poll@0.2.0.{pollable};
        subscribe-duration: func(when: u64) -> pollable;
    }
}
package wasi:random@0.2.0 {
    interface random { get-random-bytes: func(len: u64) -> list<u8>; }
}
INTERFACES
world guest {
    import powerstrip:adapter/log@0.1.0;
    import powerstrip:adapter/carry@0.1.0;
    import wasi:cli/exit@0.2.0;
    import wasi:cli/stdin@0.2.0;
    import wasi:io/streams@0.2.0;
    import wasi:io/poll@0.2.0;
    import wasi:clocks/monotonic-clock@0.2.0;
    import wasi:random/random@0.2.0;
    export powerstrip:adapter/lifecycle@0.1.0;
    export powerstrip:adapter/pre-hook@0.1.0;
    EXPORTS
}
";

/// A description with a name, a version, a summary, and one hook: the pre-hook.
const DESCRIPTION: &str = r#"
  (data (i32.const 1024) "\44\04\00\00\03\00\00\00\44\04\00\00\03\00\00\00\44\04\00\00\03\00\00\00\40\04\00\00\01\00\00\00\01\00\00\00")
  (data (i32.const 1088) "\00\00\00\00bad")"#;

/// Gives the next piece of memory, and grows it where that is needed.
const ALLOCATE: &str = "
    (local $at i32)
    (local.set $at (i32.and (i32.add (global.get $next) (i32.const 15)) (i32.const -16)))
    (global.set $next (i32.add (local.get $at) (local.get 3)))
    (drop (memory.grow (i32.shr_u (local.get 3) (i32.const 16))))
    (local.get $at)";

/// The parts of a guest, each the body of a function unless it says otherwise.
#[derive(Debug, Clone)]
pub struct WatGuest {
    imports: String,
    pages: u32,
    allocate: String,
    describe: String,
    validate: String,
    pre: String,
    /// Further fields of the module: functions, globals, data.
    fields: String,
    /// Further exports of the world, and the interfaces that they are, in WIT.
    exports: String,
    interfaces: String,
}

impl Default for WatGuest {
    fn default() -> Self {
        Self {
            imports: String::new(),
            pages: 3,
            allocate: ALLOCATE.to_owned(),
            describe: "(i32.const 1024)".to_owned(),
            validate: "(i32.const 1200)".to_owned(),
            pre: PASS.to_owned(),
            fields: String::new(),
            exports: String::new(),
            interfaces: String::new(),
        }
    }
}

impl WatGuest {
    /// One whose pre-hook does this, and passes if it gets that far.
    #[must_use]
    pub fn pre(body: &str) -> Self {
        Self { pre: format!("{body} {PASS}"), ..Self::default() }
    }

    /// One whose pre-hook gives the result that these bytes are, in the text format's escapes;
    /// they begin at [`DATA`].
    #[must_use]
    pub fn result(bytes: &str) -> Self {
        let pre = format!("(i32.const {DATA})");
        let fields = format!("(data (i32.const {DATA}) \"{bytes}\")");
        Self { pre, fields, ..Self::default() }
    }

    /// Imports this function of the host.
    #[must_use]
    pub fn import(mut self, module: &str, name: &str, signature: &str) -> Self {
        self.imports += &format!("(import \"{module}\" \"{name}\" (func {signature}))\n");
        self
    }

    /// Starts with so many pages of memory.
    #[must_use]
    pub fn pages(mut self, pages: u32) -> Self {
        self.pages = pages;
        self
    }

    /// Allocates for the host like this, in place of doing it right.
    #[must_use]
    pub fn allocate(mut self, body: &str) -> Self {
        body.clone_into(&mut self.allocate);
        self
    }

    /// Describes itself like this.
    #[must_use]
    pub fn describe(mut self, body: &str) -> Self {
        body.clone_into(&mut self.describe);
        self
    }

    /// Looks at its configuration like this.
    #[must_use]
    pub fn validate(mut self, body: &str) -> Self {
        body.clone_into(&mut self.validate);
        self
    }

    /// Has these fields too.
    #[must_use]
    pub fn field(mut self, field: &str) -> Self {
        self.fields += field;
        self
    }

    /// Exports an interface of its own too, given in WIT.
    #[must_use]
    pub fn export(mut self, name: &str, interface: &str) -> Self {
        self.exports = format!("export {name};");
        self.interfaces = format!("interface {name} {{ {interface} }}");
        self
    }

    /// Runs this after the pre-hook, to free its result.
    #[must_use]
    pub fn post_return(self, body: &str) -> Self {
        let name = "cabi_post_powerstrip:adapter/pre-hook@0.1.0#handle";
        self.field(&format!("(func (export \"{name}\") (param i32) {body})"))
    }

    /// The component.
    ///
    /// # Panics
    /// When the text is no WebAssembly, or does not fit the world.
    #[must_use]
    pub fn component(&self) -> Vec<u8> {
        let mut module = match wat::parse_str(self.text()) {
            Ok(module) => module,
            Err(error) => panic!("{error}\nin {}", self.text()),
        };
        let mut resolve = Resolve::default();
        resolve.push_dir(wit()).expect("wit/ is sound");
        let wasi = WASI.replace("EXPORTS", &self.exports).replace("INTERFACES", &self.interfaces);
        let package = resolve.push_str("guest.wit", &wasi).expect("the interfaces are sound");
        let world = resolve.select_world(&[package], Some("guest")).expect("it is there");
        embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8)
            .expect("it is a module");
        let mut encoder = ComponentEncoder::default();
        encoder.validate(true).module(&module).expect("it fits the world");
        encoder.encode().expect("it fits the world")
    }

    fn text(&self) -> String {
        let Self { imports, pages, allocate, describe, validate, pre, fields, .. } = self;
        let lifecycle = "powerstrip:adapter/lifecycle@0.1.0";
        format!(
            "(module {imports}
  (memory (export \"memory\") {pages})
  (global $next (mut i32) (i32.const 65536))
  (func (export \"cabi_realloc\") (param i32 i32 i32 i32) (result i32) {allocate})
  (func (export \"{lifecycle}#describe\") (result i32) {describe})
  (func (export \"{lifecycle}#validate-config\") (param i32 i32) (result i32) {validate})
  (func (export \"powerstrip:adapter/pre-hook@0.1.0#handle\") (param i32) (result i32) {pre})
  {DESCRIPTION} {fields})"
        )
    }
}

/// The folder of the interfaces. A program that is not run by cargo stands in the workspace.
fn wit() -> PathBuf {
    env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| "wit".into(), |own| PathBuf::from(own).join("../wit"))
}
