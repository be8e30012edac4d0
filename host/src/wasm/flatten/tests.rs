//! Components with and without their shims: what they do is the same.

use serde_json::json;
use wasmparser::{Parser, Payload, Validator};
use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine, Store};

use super::*;
use crate::grants::{Grants, Values};
use crate::hook::{Adapter as _, Call, Carry, HookRequest};
use crate::limits::{Instances, Limits};
use crate::wasm::engine;
use crate::wasm::{AdapterSpec, ComponentFile, Kind, Runtime, RuntimeSettings, Source};

/// A component as `wit-component` makes them, whose main module uses its imports in all ways.
const COMPONENT: &str = include_str!("tests/component.wat");
/// One that makes something of a create.
#[cfg(feature = "demo")]
const ENVINJECT: &[u8] = include_bytes!(env!("POWERSTRIP_DEMO_ENVINJECT"));
/// One that imports much.
const HTTP_ADAPTER: &[u8] = include_bytes!(env!("POWERSTRIP_HTTP_ADAPTER"));

fn component() -> Vec<u8> {
    wat::parse_str(COMPONENT).expect("the text is a component")
}

fn is_valid(component: &[u8]) -> bool {
    Validator::new().validate_all(component).is_ok()
}

/// What the component's function gives, and the fuel that this took.
fn run(component: &[u8]) -> (u32, u64) {
    let engine = Engine::new(Config::new().consume_fuel(true)).expect("this machine has an engine");
    let component = Component::new(&engine, component).expect("it compiles");
    let mut linker = Linker::new(&engine);
    let mut root = linker.root();
    let length = |text: &str| u32::try_from(text.len()).expect("it is short");
    root.func_wrap("greet", move |_, (text,): (String,)| Ok((length(&text),))).expect("a name");
    root.func_wrap("twice", |_, (number,): (u32,)| Ok((2 * number,))).expect("a name");
    root.func_wrap("measure", move |_, (text,): (String,)| Ok((100 * length(&text),)))
        .expect("a name");
    let mut store = Store::new(&engine, ());
    store.set_fuel(10_000).expect("fuel is counted");
    let instance = linker.instantiate(&mut store, &component).expect("all imports are there");
    let run = instance.get_typed_func::<(), (u32,)>(&mut store, "run").expect("it is exported");
    let (sum,) = run.call(&mut store, ()).expect("it runs");
    (sum, 10_000 - store.get_fuel().expect("fuel is counted"))
}

/// Where the functions of the first module begin in the file, and how many there are.
fn functions(component: &[u8]) -> Vec<usize> {
    let payloads = Parser::new(0).parse_all(component).map(|payload| payload.expect("it is sound"));
    let module = payloads.skip_while(|it| !matches!(it, Payload::ModuleSection { .. }));
    let module = module.take_while(|it| !matches!(it, Payload::End(_)));
    let starts = module.filter_map(|payload| match payload {
        Payload::CodeSectionEntry(body) => Some(body.range().start),
        _ => None,
    });
    starts.collect()
}

#[test]
fn without_its_shim_a_component_does_the_same_for_the_same_fuel() {
    let component = component();

    let flat = flatten(&component).expect("it has a shim");

    assert_eq!(run(&component).0, 5 + 42 + 300 + 1007 + 400 + 6);
    assert_eq!(run(&flat), run(&component));
}

/// How `wit-component` hands the table on since version 0.258.
fn handed_on_whole() -> String {
    let listed = "(export \"$imports\" (table $shim_instance \"$imports\"))";
    let fixup = COMPONENT.replace("(import \"\" \"$imports\"", "(import \"shim\" \"$imports\"");
    let whole = "(instantiate $fixup (with \"shim\" (instance $shim_instance))";
    fixup.replace(listed, "").replace("(instantiate $fixup", whole)
}

#[test]
fn the_table_may_be_handed_on_with_the_whole_shim() {
    let component = wat::parse_str(handed_on_whole()).expect("a component");

    let flat = flatten(&component).expect("it has a shim");

    assert_eq!(run(&flat), run(&component));
}

#[test]
fn a_function_that_is_handed_on_with_the_shim_leaves_it_as_it_is() {
    let more = "(import \"shim\" \"0\" (func (type $text))) (import \"shim\" \"$imports\"";
    let text = handed_on_whole().replace("(import \"shim\" \"$imports\"", more);
    let component = wat::parse_str(text).expect("a component");

    assert!(is_valid(&component));
    assert_eq!(flatten(&component), None);
}

#[test]
fn nothing_is_left_of_the_shim() {
    for component in [&component()[..], HTTP_ADAPTER] {
        let (before, plan) = (count(component), Plan::read(component).expect("it has a shim"));
        let (detours, added) = (plan.shim.detours.len(), plan.imports.len());

        let flat = flatten(component).expect("it has a shim");

        assert!(is_valid(&flat));
        let after = Counts {
            instances: before.instances - 1,
            imports: before.imports - added,
            functions: before.functions - detours + added,
        };
        assert_eq!(count(&flat), after);
        assert_eq!(flatten(&flat), None);
    }
}

/// Instances that are made of modules, functions that the first module imports, and all functions.
#[derive(Debug, PartialEq)]
struct Counts {
    instances: usize,
    imports: usize,
    functions: usize,
}

fn count(component: &[u8]) -> Counts {
    let outline = outline::Outline::read(component).expect("it is sound");
    let made = |it: &&_| matches!(it, wasmparser::Instance::Instantiate { .. });
    let mut imports = 0;
    for payload in Parser::new(0).parse_all(outline.modules[0]) {
        if let Payload::ImportSection(section) = payload.expect("it is sound") {
            imports += section.into_imports().count();
        }
    }
    let functions = outline.modules.iter().map(|module| bodies(module)).sum();
    Counts { instances: outline.instances.iter().filter(made).count(), imports, functions }
}

fn bodies(module: &[u8]) -> usize {
    let payloads = Parser::new(0).parse_all(module);
    payloads.filter(|it| matches!(it, Ok(Payload::CodeSectionEntry(_)))).count()
}

#[test]
fn code_keeps_its_place_in_the_file() {
    let before = functions(HTTP_ADAPTER);

    let flat = flatten(HTTP_ADAPTER).expect("it has a shim");

    assert_eq!(functions(&flat)[..before.len()], before);
}

/// A component that hands its module to another one is left as it is.
#[cfg(feature = "demo")]
fn with_its_shim(component: &[u8]) -> Vec<u8> {
    use wasm_encoder::{
        Alias, Component, ComponentAliasSection, ComponentOuterAliasKind, NestedComponentSection,
    };

    let mut aliases = ComponentAliasSection::new();
    let kind = ComponentOuterAliasKind::CoreModule;
    aliases.alias(Alias::Outer { kind, count: 1, index: 0 });
    let mut inner = Component::new();
    inner.section(&aliases);
    let mut outer = Component::new();
    outer.section(&NestedComponentSection(&inner));
    // Without the name, version and layer of a file of its own.
    [component, &outer.as_slice()[8..]].concat()
}

#[test]
fn what_has_lost_its_shim_fits_into_the_pool() {
    let flat = flatten(HTTP_ADAPTER).expect("it has a shim");
    let engine = engine::build(1, None).expect("this machine has an engine");

    let compiled = Component::new(&engine, flat).map(drop);

    assert!(compiled.is_ok(), "{compiled:?}");
}

#[cfg(feature = "demo")]
#[tokio::test]
async fn an_adapter_decides_the_same_without_its_shim() {
    let before = with_its_shim(ENVINJECT);
    assert!(flatten(&before).is_none() && flatten(ENVINJECT).is_some());

    let outcomes = [outcomes(&before).await, outcomes(ENVINJECT).await];

    assert!(["TEAM=blue", "Reject("].iter().all(|text| outcomes[0].contains(text)), "{outcomes:?}");
    assert_eq!(outcomes[0], outcomes[1]);
}

/// What envinject says of itself and does with some requests, in words.
#[cfg(feature = "demo")]
async fn outcomes(component: &[u8]) -> String {
    let settings = RuntimeSettings { slots: 1, ..RuntimeSettings::default() };
    let runtime = Runtime::new(&settings).expect("this machine has an engine");
    let spec = AdapterSpec {
        name: "envinject".to_owned(),
        source: Source::Bytes(ComponentFile::new(component)),
        origin: "envinject".to_owned(),
        config: json!({"env": {"TEAM": "blue"}}),
        limits: Limits::component(),
        grants: Grants::default(),
        values: Values::default(),
        instances: Instances::Fresh,
        output: 4096,
        kind: Kind::Component,
    };
    let adapter = runtime.load(spec).await.expect("it loads");
    let call =
        Call { context: std::sync::Arc::default(), pattern: "* *".into(), carry: Carry::default() };
    let mut outcomes = format!("{:?}", adapter.description());
    for body in [r#"{"Image":"a"}"#, r#"{"Env":["A=1"]}"#, r#"{"Env":["#, "[]"] {
        let request = HookRequest {
            method: "POST".to_owned(),
            path_with_query: "/v1.43/containers/create".to_owned(),
            body: Some(body.into()),
            ..HookRequest::default()
        };
        outcomes += &format!("{:?}", adapter.pre(&call, &request).await);
    }
    outcomes
}

/// Components of another shape, each by what is replaced.
macro_rules! left_as_it_is {
    ($($name:ident: $old:literal => $new:literal;)*) => {$(
        #[test]
        fn $name() {
            assert!(COMPONENT.contains($old));
            let component = wat::parse_str(COMPONENT.replace($old, $new)).expect("a component");
            assert!(is_valid(&component));

            assert_eq!(flatten(&component), None);
        }
    )*};
}

left_as_it_is! {
    a_shim_that_does_more: "local.get 0 local.get 1 i32.const 1" =>
        "nop local.get 0 local.get 1 i32.const 1";
    a_shim_that_swaps_arguments: "local.get 0 local.get 1 i32.const 1" =>
        "local.get 1 local.get 0 i32.const 1";
    a_shim_with_a_memory: "(table (export \"$imports\") 2 2 funcref)" =>
        "(table (export \"$imports\") 2 2 funcref) (memory (export \"m\") 1)";
    a_shim_whose_table_grows: "2 2 funcref" => "2 funcref";
    a_shim_that_is_made_twice: "(core instance $shim_instance (instantiate $shim))" =>
        "(core instance $shim_instance (instantiate $shim)) (core instance (instantiate $shim))";
    a_shim_that_the_main_module_is_given_whole: "(instantiate $main" =>
        "(instantiate $main (with \"shim\" (instance $shim_instance))";
    a_main_module_with_such_an_export: "(memory (export \"memory\") 1)" =>
        "(memory (export \"memory\") (export \"$imports\") 1)";
    a_shim_for_two_modules: ";; more modules" =>
        "(core module $more (import \"\" \"f\" (func (param i32 i32) (result i32))))
        (core instance (instantiate $more
            (with \"\" (instance (export \"f\" (func $shim_instance \"0\"))))))";
    a_module_that_is_handed_in: ";; more modules" =>
        "(import \"module\" (core module))";
    a_module_that_is_handed_out: ";; more modules" =>
        "(export \"module\" (core module $main))";
    a_module_that_is_used_within: ";; more modules" =>
        "(component (alias outer 1 $main (core module)))";
}

#[test]
fn components_without_modules_are_left_as_they_are() {
    for text in ["(component)", "(component (core module))", "(component (component))", "(module)"]
    {
        let component = wat::parse_str(text).expect("it is sound");

        assert_eq!(flatten(&component), None, "{text}");
    }
}

#[test]
fn a_component_within_keeps_its_own_shim() {
    let inner = COMPONENT.replace("(component $component", "(component");
    let outer = COMPONENT.replace(";; more modules", &inner);
    let component = wat::parse_str(outer).expect("a component");

    let flat = flatten(&component).expect("it has a shim");

    let inner = wat::parse_str(&inner).expect("a component");
    let holds = |bytes: &[u8]| bytes.windows(inner.len()).any(|part| part == inner);
    assert!(is_valid(&flat) && holds(&flat) && holds(&component));
}

#[test]
fn damage_is_neither_repaired_nor_done() {
    let component = component();
    let truncated = (0..component.len()).map(|length| component[..length].to_vec());
    let changed = (0..component.len()).flat_map(|at| {
        [0x00, 0x01, 0x0b, 0x7f, 0x80, 0xff].map(|byte| {
            let mut changed = component.clone();
            changed[at] = byte;
            changed
        })
    });

    let (mut flattened, mut left) = (0, 0);
    for damaged in truncated.chain(changed) {
        let Some(flat) = flatten(&damaged) else {
            left += 1;
            continue;
        };
        flattened += 1;
        assert_eq!(is_valid(&flat), is_valid(&damaged), "{damaged:x?}");
    }

    assert!(flattened > 500 && left > 2000, "{flattened}, {left}");
}

#[test]
fn a_large_component_may_end_anywhere() {
    for length in (0..HTTP_ADAPTER.len()).step_by(997) {
        let flat = flatten(&HTTP_ADAPTER[..length]);

        assert!(flat.is_none_or(|flat| is_valid(&flat)), "{length}");
    }
}
