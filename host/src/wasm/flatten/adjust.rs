//! The component around its modules.
//!
//! Modules and instances keep their numbers: where the shim was there is a module without content,
//! and an instance that lists nothing, which costs nothing. Only core functions get lower ones.

use wasm_encoder::reencode::component_utils as utils;
use wasm_encoder::reencode::{Reencode, ReencodeComponent};
use wasm_encoder::{
    Alias, Component, ComponentAliasSection, ComponentSectionId, ExportKind, InstanceSection,
    Module, RawSection,
};
use wasmparser::{
    ComponentAlias, ComponentAliasSectionReader, CustomSectionReader, ExternalKind, Instance,
    KnownCustom, Parser,
};

use super::plan::Plan;
use super::{Error, Unusual};

/// Puts the component together again, with this main module.
pub(super) fn rewrite(component: &[u8], plan: &Plan<'_>, main: &[u8]) -> Option<Vec<u8>> {
    let mut adjust = Adjust { plan, main, modules: 0, instances: 0 };
    let mut adjusted = Component::new();
    adjust.parse_component(&mut adjusted, Parser::new(0), component).ok()?;
    Some(adjusted.finish())
}

struct Adjust<'a> {
    plan: &'a Plan<'a>,
    main: &'a [u8],
    /// Modules and instances so far.
    modules: u32,
    instances: u32,
}

impl Adjust<'_> {
    /// An alias, unless it is gone.
    fn alias<'b>(&mut self, alias: ComponentAlias<'b>) -> Result<Option<Alias<'b>>, Error> {
        let ComponentAlias::CoreInstanceExport { kind, instance_index, name } = alias else {
            return self.component_alias(alias).map(Some);
        };
        if instance_index != self.plan.shim_instance {
            return self.component_alias(alias).map(Some);
        }
        Ok((kind == ExternalKind::Table).then_some(Alias::CoreInstanceExport {
            instance: self.plan.main_instance,
            kind: ExportKind::Table,
            name,
        }))
    }
}

impl Reencode for Adjust<'_> {
    type Error = Unusual;

    /// Whoever else uses a function of the shim makes the component an unusual one.
    fn function_index(&mut self, index: u32) -> Result<u32, Error> {
        let gone = &self.plan.functions;
        if gone.contains(&index) {
            return Err(Error::UserError(Unusual));
        }
        let before = u32::try_from(gone.range(..index).count());
        before.map(|before| index - before).map_err(|_| Error::UserError(Unusual))
    }
}

impl ReencodeComponent for Adjust<'_> {
    /// Whoever is given the shim whole takes nothing but the table of it.
    fn instance_index(&mut self, index: u32) -> u32 {
        if index == self.plan.shim_instance { self.plan.main_instance } else { index }
    }

    fn parse_component_submodule(
        &mut self,
        component: &mut Component,
        _parser: Parser,
        module: &[u8],
    ) -> Result<(), Error> {
        let empty = Module::new();
        let data = match self.modules {
            index if index == self.plan.main_module => self.main,
            index if index == self.plan.shim_module => empty.as_slice(),
            _ => module,
        };
        self.modules += 1;
        component.section(&RawSection { id: ComponentSectionId::CoreModule.into(), data });
        Ok(())
    }

    fn parse_component_subcomponent(
        &mut self,
        component: &mut Component,
        _parser: Parser,
        subcomponent: &[u8],
        _whole_component: &[u8],
    ) -> Result<(), Error> {
        let id = ComponentSectionId::Component.into();
        component.section(&RawSection { id, data: subcomponent });
        Ok(())
    }

    fn parse_component_alias_section(
        &mut self,
        aliases: &mut ComponentAliasSection,
        section: ComponentAliasSectionReader<'_>,
    ) -> Result<(), Error> {
        for alias in section {
            if let Some(alias) = self.alias(alias?)? {
                aliases.alias(alias);
            }
        }
        Ok(())
    }

    fn parse_instance(
        &mut self,
        instances: &mut InstanceSection,
        instance: Instance<'_>,
    ) -> Result<(), Error> {
        let index = self.instances;
        self.instances += 1;
        match instance {
            Instance::Instantiate { .. } if index == self.plan.shim_instance => {
                instances.export_items::<[_; 0], &str>([]);
                Ok(())
            }
            Instance::FromExports(exports) if self.plan.lists.contains(&index) => {
                let gone = &self.plan.functions;
                let kept = exports
                    .iter()
                    .filter(|it| it.kind != ExternalKind::Func || !gone.contains(&it.index));
                let kept = kept.copied().collect();
                utils::parse_instance(self, instances, Instance::FromExports(kept))
            }
            other => utils::parse_instance(self, instances, other),
        }
    }

    fn parse_component_custom_section(
        &mut self,
        component: &mut Component,
        section: CustomSectionReader<'_>,
    ) -> Result<(), Error> {
        // Names of what may have another number now; nobody reads them.
        if matches!(section.as_known(), KnownCustom::ComponentName(_)) {
            return Ok(());
        }
        utils::parse_component_custom_section(self, component, section)
    }
}
