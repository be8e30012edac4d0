//! What a component is made of, as far as its core modules go.

use wasmparser::{
    CanonicalFunction, ComponentAlias, ComponentExternalKind, ComponentInstance,
    ComponentOuterAliasKind, ComponentTypeRef, ExternalKind, Instance, Parser, Payload,
};

/// The core modules of a component, their instances, and what is taken out of these.
#[derive(Default)]
pub(super) struct Outline<'a> {
    /// The bytes of each module, by its index.
    pub(super) modules: Vec<&'a [u8]>,
    /// Each instance, by its index.
    pub(super) instances: Vec<Instance<'a>>,
    /// What is taken out of instances, in the order of the file.
    pub(super) aliases: Vec<Alias<'a>>,
    /// How many core functions there are so far.
    functions: u32,
}

/// An export of an instance that the component uses.
pub(super) struct Alias<'a> {
    /// A function, a table, a memory.
    pub(super) kind: ExternalKind,
    /// The instance.
    pub(super) instance: u32,
    /// What it is exported as.
    pub(super) name: &'a str,
    /// Its index, if it is a function.
    pub(super) function: u32,
    /// How many instances the file has before.
    pub(super) instances_before: usize,
}

impl<'a> Outline<'a> {
    /// Reads a component; none if it is damaged, or its modules are more than parts of itself: then
    /// others may depend on what they are.
    pub(super) fn read(component: &'a [u8]) -> Option<Self> {
        let mut outline = Self::default();
        let mut depth = 0_usize;
        for payload in Parser::new(0).parse_all(component) {
            let payload = payload.ok()?;
            if let Payload::ModuleSection { unchecked_range, .. } = &payload
                && depth == 0
            {
                outline.modules.push(component.get(unchecked_range.clone())?);
            }
            match payload {
                Payload::ModuleSection { .. } | Payload::ComponentSection { .. } => depth += 1,
                Payload::End(_) => depth = depth.saturating_sub(1),
                payload if depth == 0 => outline.add(payload)?,
                Payload::ComponentAliasSection(aliases) => {
                    aliases.into_iter().try_for_each(|alias| own_modules(&alias.ok()?))?;
                }
                _ => {}
            }
        }
        Some(outline)
    }

    /// The two names of each import of a module.
    pub(super) fn imports_of(&self, module: u32) -> Option<Vec<(&'a str, &'a str)>> {
        let mut names = Vec::new();
        for payload in Parser::new(0).parse_all(self.modules.get(module as usize)?) {
            let Payload::ImportSection(imports) = payload.ok()? else { continue };
            for import in imports.into_imports() {
                let import = import.ok()?;
                names.push((import.module, import.name));
            }
        }
        Some(names)
    }

    /// Takes a section of the component itself.
    fn add(&mut self, payload: Payload<'a>) -> Option<()> {
        match payload {
            Payload::InstanceSection(instances) => {
                for instance in instances {
                    self.instances.push(instance.ok()?);
                }
            }
            Payload::ComponentAliasSection(aliases) => {
                for alias in aliases {
                    let alias = alias.ok()?;
                    own_modules(&alias)?;
                    self.alias(&alias);
                }
            }
            Payload::ComponentCanonicalSection(functions) => {
                for function in functions {
                    let lifted = matches!(function.ok()?, CanonicalFunction::Lift { .. });
                    self.functions += u32::from(!lifted);
                }
            }
            Payload::ComponentImportSection(imports) => {
                for import in imports {
                    let module = matches!(import.ok()?.ty, ComponentTypeRef::Module(_));
                    (!module).then_some(())?;
                }
            }
            Payload::ComponentExportSection(exports) => {
                for export in exports {
                    own(export.ok()?.kind)?;
                }
            }
            Payload::ComponentInstanceSection(instances) => {
                for instance in instances {
                    own_arguments(&instance.ok()?)?;
                }
            }
            _ => {}
        }
        Some(())
    }

    fn alias(&mut self, alias: &ComponentAlias<'a>) {
        let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = *alias else {
            return;
        };
        self.aliases.push(Alias {
            kind,
            instance: instance_index,
            name,
            function: self.functions,
            instances_before: self.instances.len(),
        });
        self.functions += u32::from(kind == ExternalKind::Func);
    }
}

fn own_modules(alias: &ComponentAlias<'_>) -> Option<()> {
    match alias {
        ComponentAlias::InstanceExport { kind, .. } => own(*kind),
        ComponentAlias::Outer { kind, .. } => {
            (*kind != ComponentOuterAliasKind::CoreModule).then_some(())
        }
        ComponentAlias::CoreInstanceExport { .. } => Some(()),
    }
}

fn own_arguments(instance: &ComponentInstance<'_>) -> Option<()> {
    match instance {
        ComponentInstance::Instantiate { args, .. } => args.iter().try_for_each(|it| own(it.kind)),
        ComponentInstance::FromExports(exports) => exports.iter().try_for_each(|it| own(it.kind)),
    }
}

/// Modules are neither handed in nor out.
fn own(kind: ComponentExternalKind) -> Option<()> {
    (kind != ComponentExternalKind::Module).then_some(())
}
