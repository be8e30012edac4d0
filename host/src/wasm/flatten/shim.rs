//! The module between: functions that hand their arguments on, through a table.

use std::collections::HashMap;

use wasmparser::{
    ExternalKind, FuncType, FunctionBody, Operator, Parser, Payload, RefType, TableInit, TableType,
};

/// What a function of the shim does.
#[derive(Clone)]
pub(super) struct Detour {
    /// Its type, which is also that of the function in the table.
    pub(super) ty: FuncType,
    /// Which element of the table it calls.
    pub(super) slot: u32,
}

/// A module that does nothing but this.
pub(super) struct Shim<'a> {
    /// Its functions by the names that they are exported under.
    pub(super) detours: HashMap<&'a str, Detour>,
    /// The name of the table.
    pub(super) table_name: &'a str,
    /// The table.
    pub(super) table: TableType,
}

/// What has been read of a module.
#[derive(Default)]
struct Parts<'a> {
    types: Vec<FuncType>,
    /// The types of its functions.
    functions: Vec<u32>,
    detours: Vec<Detour>,
    table: Option<TableType>,
    exports: Vec<(&'a str, ExternalKind, u32)>,
}

impl<'a> Shim<'a> {
    /// Reads a module; most are none.
    pub(super) fn read(module: &'a [u8]) -> Option<Self> {
        let mut parts = Parts::default();
        for payload in Parser::new(0).parse_all(module) {
            parts.add(payload.ok()?)?;
        }
        let table = parts.table?;
        let mut detours = HashMap::new();
        let mut table_name = None;
        for (name, kind, index) in parts.exports {
            let unusual = match kind {
                ExternalKind::Func => {
                    let detour = parts.detours.get(index as usize)?.clone();
                    detours.insert(name, detour).is_some()
                }
                ExternalKind::Table => index != 0 || table_name.replace(name).is_some(),
                _ => true,
            };
            if unusual {
                return None;
            }
        }
        let fits = |detour: &Detour| u64::from(detour.slot) < table.initial;
        let usual = !detours.is_empty() && detours.values().all(fits);
        usual.then_some(Self { detours, table_name: table_name?, table })
    }
}

impl<'a> Parts<'a> {
    /// Takes a section, of those that a shim has.
    fn add(&mut self, payload: Payload<'a>) -> Option<()> {
        match payload {
            Payload::TypeSection(types) => {
                self.types = types.into_iter_err_on_gc_types().collect::<Result<_, _>>().ok()?;
            }
            Payload::FunctionSection(functions) => {
                self.functions = functions.into_iter().collect::<Result<_, _>>().ok()?;
            }
            Payload::TableSection(tables) => {
                let mut tables = tables.into_iter();
                let (table, more) = (tables.next()?.ok()?, tables.next());
                let ty = table.ty;
                let plain = ty.element_type == RefType::FUNCREF && !ty.table64 && !ty.shared;
                let empty = matches!(table.init, TableInit::RefNull);
                let usual = plain && empty && more.is_none() && ty.maximum == Some(ty.initial);
                self.table = Some(usual.then_some(ty)?);
            }
            Payload::ExportSection(exports) => {
                for export in exports {
                    let export = export.ok()?;
                    self.exports.push((export.name, export.kind, export.index));
                }
            }
            Payload::CodeSectionEntry(body) => {
                let ty = *self.functions.get(self.detours.len())?;
                let detour = detour(&body, ty, self.types.get(ty as usize)?)?;
                self.detours.push(detour);
            }
            Payload::Version { .. }
            | Payload::CodeSectionStart { .. }
            | Payload::CustomSection(_)
            | Payload::End(_) => {}
            _ => return None,
        }
        Some(())
    }
}

/// All parameters in their order, and then the call, and nothing else.
fn detour(body: &FunctionBody<'_>, type_index: u32, ty: &FuncType) -> Option<Detour> {
    if body.get_locals_reader().ok()?.get_count() != 0 {
        return None;
    }
    let mut code = body.get_operators_reader().ok()?;
    for index in 0..u32::try_from(ty.params().len()).ok()? {
        let expected = Operator::LocalGet { local_index: index };
        (code.read().ok()? == expected).then_some(())?;
    }
    let Operator::I32Const { value } = code.read().ok()? else { return None };
    let call = Operator::CallIndirect { type_index, table_index: 0 };
    let usual = code.read().ok()? == call && code.read().ok()? == Operator::End && code.eof();
    let slot = u32::try_from(value).ok()?;
    usual.then(|| Detour { ty: ty.clone(), slot })
}
