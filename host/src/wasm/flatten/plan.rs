//! What is to be changed in a component.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use wasmparser::{ExternalKind, Instance, InstantiationArg};

use super::outline::Outline;
use super::shim::{Detour, Shim};

/// Which parts are the shim and the main module, and how they are joined.
pub(super) struct Plan<'a> {
    /// The shim's module and its instance.
    pub(super) shim_module: u32,
    pub(super) shim_instance: u32,
    /// What it consists of.
    pub(super) shim: Shim<'a>,
    /// The main module and its instance.
    pub(super) main_module: u32,
    pub(super) main_instance: u32,
    /// The main module's bytes.
    pub(super) main: &'a [u8],
    /// Instances that are lists of what the main module imports, functions of the shim among it.
    pub(super) lists: BTreeSet<u32>,
    /// The component's indices of the shim's functions.
    pub(super) functions: BTreeSet<u32>,
    /// What the main module imports of the shim, by the import's two names.
    pub(super) imports: HashMap<(&'a str, &'a str), Detour>,
}

impl<'a> Plan<'a> {
    /// Reads a component; none if it is not of the shape that is changed.
    pub(super) fn read(component: &'a [u8]) -> Option<Self> {
        let outline = Outline::read(component)?;
        let (shim_instance, shim_module, shim) = outline.shim()?;
        let functions = outline.functions_of(shim_instance, &shim)?;
        let lists = outline.lists_of(&functions);
        let (main_instance, main_module, args) = outline.only_user_of(&lists)?;
        outline.only_table_is_used(shim_instance, main_instance, shim.table_name)?;
        // The main module is where the table is to be, and was not.
        let mut tables = outline.aliases.iter().filter(|it| it.kind == ExternalKind::Table);
        let usual = tables.all(|it| match it.instance {
            instance if instance == shim_instance => it.instances_before > main_instance as usize,
            instance => instance != main_instance || it.name != shim.table_name,
        });
        let once = |module| outline.instantiated(module).count() == 1;
        let usual = usual && once(shim_module) && once(main_module);
        Some(Self {
            imports: outline.imports(args, &functions)?,
            main: usual.then(|| outline.modules.get(main_module as usize))??,
            functions: functions.into_keys().collect(),
            shim_module,
            shim_instance,
            shim,
            main_module,
            main_instance,
            lists,
        })
    }
}

impl<'a> Outline<'a> {
    /// The instance that needs nothing and is made of a shim.
    fn shim(&self) -> Option<(u32, u32, Shim<'a>)> {
        self.instantiations().filter(|(_, _, args)| args.is_empty()).find_map(
            |(instance, module, _)| {
                let bytes = self.modules.get(module as usize)?;
                Some((instance, module, Shim::read(bytes)?))
            },
        )
    }

    /// The indices of the shim's functions, if nothing but these and the table is taken out of it.
    fn functions_of(&self, instance: u32, shim: &Shim<'a>) -> Option<BTreeMap<u32, Detour>> {
        let mut functions = BTreeMap::new();
        for alias in self.aliases.iter().filter(|it| it.instance == instance) {
            match alias.kind {
                ExternalKind::Func => {
                    functions.insert(alias.function, shim.detours.get(alias.name)?.clone());
                }
                ExternalKind::Table => (alias.name == shim.table_name).then_some(())?,
                _ => return None,
            }
        }
        Some(functions)
    }

    /// Whether those that are given an instance whole come after the main one, and import nothing of
    /// it but a table of this name: the main module's is the same for them.
    fn only_table_is_used(&self, instance: u32, main: u32, table: &str) -> Option<()> {
        for (user, module, args) in self.instantiations() {
            for arg in args.iter().filter(|arg| arg.index == instance) {
                let imports = self.imports_of(module)?;
                let mut imports = imports.iter().filter(|(module, _)| *module == arg.name);
                let usual = user > main && imports.all(|(_, name)| *name == table);
                usual.then_some(())?;
            }
        }
        Some(())
    }

    /// The instances that list one of these functions.
    fn lists_of(&self, functions: &BTreeMap<u32, Detour>) -> BTreeSet<u32> {
        let lists = (0..).zip(&self.instances).filter(|(_, instance)| match instance {
            Instance::FromExports(exports) => exports
                .iter()
                .any(|it| it.kind == ExternalKind::Func && functions.contains_key(&it.index)),
            Instance::Instantiate { .. } => false,
        });
        lists.map(|(index, _)| index).collect()
    }

    /// The one instance that is given these, its module, and all that it is given.
    fn only_user_of(&self, lists: &BTreeSet<u32>) -> Option<(u32, u32, &[InstantiationArg<'a>])> {
        let uses =
            |args: &[InstantiationArg<'_>]| args.iter().any(|arg| lists.contains(&arg.index));
        let mut users = self.instantiations().filter(|(_, _, args)| uses(args));
        let user = users.next()?;
        users.next().is_none().then_some(user)
    }

    /// What the main module imports of the shim, by its names for it.
    fn imports(
        &self,
        args: &[InstantiationArg<'a>],
        functions: &BTreeMap<u32, Detour>,
    ) -> Option<HashMap<(&'a str, &'a str), Detour>> {
        let mut imports = HashMap::new();
        for arg in args {
            let Instance::FromExports(exports) = self.instances.get(arg.index as usize)? else {
                continue;
            };
            let exports = exports.iter().filter(|it| it.kind == ExternalKind::Func);
            let listed = exports.filter_map(|it| Some((it.name, functions.get(&it.index)?)));
            for (name, detour) in listed {
                let again = imports.insert((arg.name, name), detour.clone());
                again.is_none().then_some(())?;
            }
        }
        Some(imports)
    }

    fn instantiated(&self, module: u32) -> impl Iterator<Item = u32> {
        self.instantiations().filter(move |it| it.1 == module).map(|(instance, ..)| instance)
    }

    /// Instances that are made of a module: their index, its index, and what they are given.
    fn instantiations(&self) -> impl Iterator<Item = (u32, u32, &[InstantiationArg<'a>])> {
        (0..).zip(&self.instances).filter_map(|(index, instance)| match instance {
            Instance::Instantiate { module_index, args } => Some((index, *module_index, &args[..])),
            Instance::FromExports(_) => None,
        })
    }
}
