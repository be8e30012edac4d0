//! The main module, with functions of its own in place of those that it imports of the shim.
//!
//! They come last, so that the code of all others keeps its place; these have lower numbers now.

use wasm_encoder::reencode::{Reencode, utils};
use wasm_encoder::{
    CodeSection, EntityType, ExportKind, ExportSection, FunctionSection, ImportSection, Module,
    NameMap, NameSection, SectionId, TableSection,
};
use wasmparser::{
    CodeSectionReader, CustomSectionReader, ExportSectionReader, FuncType, FunctionBody,
    FunctionSectionReader, Import, Imports, Name, Parser, TableSectionReader, TypeRef,
    TypeSectionReader,
};

use super::plan::Plan;
use super::shim::Detour;
use super::{Error, Unusual, body, place};

/// Rewrites the main module of a plan.
pub(super) fn rewrite(plan: &Plan<'_>) -> Option<Vec<u8>> {
    let mut main = Main::new(plan);
    let mut module = Module::new();
    main.parse_core_module(&mut module, Parser::new(0), plan.main).ok()?;
    let bytes = main.complete().then(|| module.finish())?;
    place::keep(plan.main, bytes, main.code_at)
}

/// The main module on its way.
pub(super) struct Main<'a> {
    plan: &'a Plan<'a>,
    types: Vec<FuncType>,
    /// Imported functions, in the order of their old numbers.
    imports: Vec<Imported>,
    /// How many of them are still imported.
    kept: u32,
    /// Functions that it has had itself.
    defined: u32,
    /// The tables that it has had, and how far ours has got.
    tables: u32,
    table_added: bool,
    table_exported: bool,
    /// The detours that it gets.
    detours: Vec<Added>,
    detours_added: bool,
    /// Where the section of code begins.
    code_at: usize,
}

/// What has become of an imported function.
#[derive(Clone, Copy)]
enum Imported {
    /// It has another number.
    Kept(u32),
    /// It is one of our own, counted from zero.
    Added(u32),
}

/// A function that is added.
struct Added {
    type_index: u32,
    params: usize,
    slot: u32,
}

impl<'a> Main<'a> {
    fn new(plan: &'a Plan<'a>) -> Self {
        Self {
            plan,
            types: Vec::new(),
            imports: Vec::new(),
            kept: 0,
            defined: 0,
            tables: 0,
            table_added: false,
            table_exported: false,
            detours: Vec::new(),
            detours_added: false,
            code_at: 0,
        }
    }

    /// Whether it had all the sections that something had to be added to.
    fn complete(&self) -> bool {
        self.table_added && self.table_exported && self.detours_added
    }

    /// The table's type is that of the shim's.
    fn add_table(&mut self, tables: &mut TableSection) -> Result<(), Error> {
        tables.table(self.table_type(self.plan.shim.table)?);
        self.table_added = true;
        Ok(())
    }

    fn import(&mut self, imports: &mut ImportSection, import: Import<'_>) -> Result<(), Error> {
        match import.ty {
            TypeRef::Func(type_index) => {
                let detour = self.plan.imports.get(&(import.module, import.name));
                if let Some(detour) = detour {
                    return self.add(detour, type_index);
                }
                self.imports.push(Imported::Kept(self.kept));
                self.kept += 1;
            }
            TypeRef::FuncExact(_) => return Err(Error::UserError(Unusual)),
            TypeRef::Table(_) => self.tables += 1,
            TypeRef::Memory(_) | TypeRef::Global(_) | TypeRef::Tag(_) => {}
        }
        let ty: EntityType = self.entity_type(import.ty)?;
        imports.import(import.module, import.name, ty);
        Ok(())
    }

    /// What was imported is one of our own; it has the type that it was imported with.
    fn add(&mut self, detour: &Detour, type_index: u32) -> Result<(), Error> {
        if self.types.get(type_index as usize) != Some(&detour.ty) {
            return Err(Error::UserError(Unusual));
        }
        self.imports.push(Imported::Added(number(self.detours.len())?));
        let (params, slot) = (detour.ty.params().len(), detour.slot);
        self.detours.push(Added { type_index, params, slot });
        Ok(())
    }
}

impl Reencode for Main<'_> {
    type Error = Unusual;

    fn function_index(&mut self, index: u32) -> Result<u32, Error> {
        let imported = self.imports.get(index as usize).copied();
        match imported {
            Some(Imported::Kept(kept)) => Ok(kept),
            Some(Imported::Added(added)) => Ok(self.kept + self.defined + added),
            None => {
                let (imports, added) = (number(self.imports.len())?, number(self.detours.len())?);
                existing(index, imports + self.defined).map(|index| index - added)
            }
        }
    }

    /// The last table is ours; nobody knew of it.
    fn table_index(&mut self, index: u32) -> Result<u32, Error> {
        existing(index, self.tables)
    }

    fn parse_type_section(
        &mut self,
        types: &mut wasm_encoder::TypeSection,
        section: TypeSectionReader<'_>,
    ) -> Result<(), Error> {
        self.types = section.clone().into_iter_err_on_gc_types().collect::<Result<_, _>>()?;
        utils::parse_type_section(self, types, section)
    }

    fn parse_imports(
        &mut self,
        section: &mut ImportSection,
        imports: Imports<'_>,
    ) -> Result<(), Error> {
        match imports {
            Imports::Single(_, import) => self.import(section, import),
            Imports::Compact1 { .. } | Imports::Compact2 { .. } => Err(Error::UserError(Unusual)),
        }
    }

    fn parse_function_section(
        &mut self,
        functions: &mut FunctionSection,
        section: FunctionSectionReader<'_>,
    ) -> Result<(), Error> {
        let count = section.count();
        utils::parse_function_section(self, functions, section)?;
        self.defined = count;
        for detour in &self.detours {
            functions.function(detour.type_index);
        }
        Ok(())
    }

    fn parse_table_section(
        &mut self,
        tables: &mut TableSection,
        section: TableSectionReader<'_>,
    ) -> Result<(), Error> {
        let count = section.count();
        utils::parse_table_section(self, tables, section)?;
        self.tables += count;
        self.add_table(tables)
    }

    fn parse_export_section(
        &mut self,
        exports: &mut ExportSection,
        section: ExportSectionReader<'_>,
    ) -> Result<(), Error> {
        let name = self.plan.shim.table_name;
        for export in section.clone() {
            if export?.name == name {
                return Err(Error::UserError(Unusual));
            }
        }
        utils::parse_export_section(self, exports, section)?;
        exports.export(name, ExportKind::Table, self.tables);
        self.table_exported = true;
        Ok(())
    }

    fn parse_code_section(
        &mut self,
        code: &mut CodeSection,
        section: CodeSectionReader<'_>,
    ) -> Result<(), Error> {
        utils::parse_code_section(self, code, section)?;
        for Added { type_index, params, slot } in &self.detours {
            let detour = body::detour(*params, *slot, *type_index, self.tables);
            code.function(&detour.ok_or(Error::UserError(Unusual))?);
        }
        self.detours_added = true;
        Ok(())
    }

    fn parse_function_body(
        &mut self,
        code: &mut CodeSection,
        function: FunctionBody<'_>,
    ) -> Result<(), Error> {
        body::copy(self, code, &function)
    }

    fn intersperse_section_hook(
        &mut self,
        module: &mut Module,
        after: Option<SectionId>,
        before: Option<SectionId>,
    ) -> Result<(), Error> {
        // A module may have had no table.
        if after == Some(SectionId::Function) && before != Some(SectionId::Table) {
            let mut tables = TableSection::new();
            self.add_table(&mut tables)?;
            module.section(&tables);
        }
        if before == Some(SectionId::Code) {
            self.code_at = module.len();
        }
        Ok(())
    }

    fn parse_custom_section(
        &mut self,
        module: &mut Module,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error> {
        // Hints about code name functions by their numbers.
        if section.name().starts_with("metadata.code.") {
            return Ok(());
        }
        utils::parse_custom_section(self, module, section)
    }

    fn parse_custom_name_subsection(
        &mut self,
        names: &mut NameSection,
        section: Name<'_>,
    ) -> Result<(), Error> {
        let Name::Function(functions) = section else {
            return utils::parse_custom_name_subsection(self, names, section);
        };
        let mut sorted = Vec::new();
        for naming in functions {
            let naming = naming?;
            sorted.push((self.function_index(naming.index)?, naming.name));
        }
        sorted.sort_unstable();
        let mut functions = NameMap::new();
        sorted.into_iter().for_each(|(index, name)| functions.append(index, name));
        names.functions(&functions);
        Ok(())
    }
}

/// An index of one of so many; another is none, and is not to become one.
fn existing(index: u32, count: u32) -> Result<u32, Error> {
    if index < count { Ok(index) } else { Err(Error::UserError(Unusual)) }
}

fn number(length: usize) -> Result<u32, Error> {
    u32::try_from(length).map_err(|_| Error::UserError(Unusual))
}
