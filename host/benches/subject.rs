//! What the benches measure: each stage of a request that hooks see, on its own.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use bytes::Bytes;
use powerstrip::docker::json::{self, Canonical, Legacy};
use powerstrip::docker::{ApiVersion, Call as DockerCall, normalise};
use powerstrip::endpoint::{EndpointPattern, EndpointTable, Listeners, Rule};
use powerstrip::grants::{Grants, Values};
use powerstrip::hook::{
    Adapter, Body, Call, Carry, Chain, Context, Delivery, Description, Draft, HookFailure,
    HookRequest, HookResponse, Hooks, Link, May, Member, Mode, News, OnFailure, PostOutcome,
    PreOutcome, RequestPatch, Run, Scope, State, Tally, UnwindReason,
};
use powerstrip::limits::{DEFAULT_ANSWER, Instances, Limits, Warm};
use powerstrip::wasm::{
    AdapterSpec, ComponentFile, Kind, Runtime, RuntimeSettings, Source, WasmAdapter,
};
use serde_json::json;
use tokio::runtime;

/// A body as the docker command sends it.
const BODY: &[u8] = include_bytes!("create.json").trim_ascii();
/// The call that it is sent with.
const TARGET: &str = "/v1.43/containers/create?name=web";
/// The adapter that adds a variable.
const ENVINJECT: &[u8] = include_bytes!(env!("POWERSTRIP_DEMO_ENVINJECT"));

/// Does one stage once.
pub(crate) type Stage = Box<dyn FnMut()>;
/// Makes a stage, with all that it takes.
pub(crate) type Make = fn() -> Stage;

/// The stages by their names, in the order in which a request comes to them.
pub(crate) const STAGES: [(&str, Make); 8] = [
    ("normalise", normalise),
    ("match", match_call),
    ("read JSON", read_json),
    ("judge and apply a patch", apply_patch),
    ("fresh instance, passes", || hook(Instances::Fresh, "/v1.43/containers/web/start")),
    ("fresh instance, rewrites", || hook(Instances::Fresh, TARGET)),
    ("warm instance, passes", || hook(warm(), "/v1.43/containers/web/start")),
    ("warm instance, rewrites", || hook(warm(), TARGET)),
];

fn call() -> DockerCall {
    normalise::read(b"POST", TARGET.as_bytes()).expect("the call is clean")
}

fn normalise() -> Stage {
    Box::new(|| drop(std::hint::black_box(call())))
}

fn match_call() -> Stage {
    let patterns = ["POST /*/containers/create", "POST /containers/create", "* /*/images/*"];
    let rules = patterns.map(|text| Rule {
        pattern: EndpointPattern::parse(text).expect("the pattern is sound"),
        listeners: Listeners::default(),
        pre: vec![0_usize],
        post: Vec::new(),
        log_bodies: false,
    });
    let table = EndpointTable::build(rules.into()).expect("the patterns are sound");
    let (call, version) = (call(), ApiVersion::new(1, 43));
    Box::new(move || {
        let spellings = call.spellings(Some(&version));
        drop(std::hint::black_box(table.through("").lookup(&call.method, &spellings)));
    })
}

fn read_json() -> Stage {
    let call = call();
    Box::new(move || {
        let read = json::read(call.endpoint, BODY, Legacy::Ignore);
        assert_eq!(read, Ok(Canonical::AsSent));
    })
}

/// A chain of one adapter that takes no time to decide.
fn apply_patch() -> Stage {
    let patch = RequestPatch { body: Some(Bytes::from_static(BODY)), ..RequestPatch::default() };
    let link = Link { pattern: "* *".into(), member: Arc::new(member(patch)) };
    let mut draft = Draft {
        request: request(TARGET),
        body: Body::Shown,
        json: true,
        limit: 1 << 20,
        ..Draft::default()
    };
    let runtime = runtime();
    Box::new(move || {
        let chain = Chain { pre: vec![link.clone()], ..Chain::default() };
        let mut run = Run::new(chain, Context::default());
        let verdict = runtime.block_on(run.pre(&mut draft, &mut Create(call())));
        assert!(verdict.is_ok());
        draft.header_changes.clear();
    })
}

fn hook(instances: Instances, target: &'static str) -> Stage {
    let runtime = runtime();
    let adapter = runtime.block_on(load(instances));
    let call = Call { context: Arc::default(), pattern: "* *".into(), carry: Carry::default() };
    let request = request(target);
    Box::new(move || {
        let outcome = runtime.block_on(adapter.pre(&call, &request));
        let rewrites = matches!(outcome, Ok(PreOutcome::Modify(_)));
        assert_eq!((outcome.is_ok(), rewrites), (true, target == TARGET));
    })
}

/// Instances that serve as many calls as they can.
fn warm() -> Instances {
    Instances::Warm(Warm { uses: u64::MAX, ..Warm::default() })
}

async fn load(instances: Instances) -> WasmAdapter {
    // Compiling takes valgrind half a minute.
    let cache_dir = Some(concat!(env!("CARGO_TARGET_TMPDIR"), "/compiled").into());
    let settings = RuntimeSettings { slots: 1, cache_dir, compiler: None };
    let spec = AdapterSpec {
        name: "envinject".to_owned(),
        source: Source::Bytes(ComponentFile::new(ENVINJECT)),
        origin: "envinject".to_owned(),
        config: json!({"env": {"TEAM": "blue"}}),
        limits: Limits::component(),
        grants: Grants::default(),
        values: Values::default(),
        instances,
        output: DEFAULT_ANSWER,
        kind: Kind::Component,
    };
    let engine = Runtime::new(&settings).expect("this machine has an engine");
    engine.load(spec).await.expect("the adapter loads")
}

/// As in the program, but on this thread alone.
fn runtime() -> runtime::Runtime {
    runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn request(target: &str) -> HookRequest {
    let header = |name: &str, value: &'static str| (name.to_owned(), Bytes::from(value));
    HookRequest {
        method: "POST".to_owned(),
        path_with_query: target.to_owned(),
        headers: vec![
            header("host", "docker"),
            header("user-agent", "Docker-Client/28.2.2 (linux)"),
            header("content-type", "application/json"),
            header("content-length", "1354"),
        ]
        .into(),
        body: Some(Bytes::from_static(BODY)),
    }
}

fn member(patch: RequestPatch) -> Member {
    let description =
        Description { hooks: Hooks { pre: true, ..Hooks::default() }, ..Description::default() };
    Member {
        name: "decided".to_owned(),
        digest: None,
        state: State::Ready(Arc::new(Decided(description, patch))),
        on_failure: OnFailure::default(),
        mode: Mode::default(),
        may: May::default(),
        required: false,
        breaker: None,
        tally: Arc::new(Tally::default()),
        credentials: false,
        whole_bodies_only: false,
        original_request: false,
    }
}

/// An adapter that has decided beforehand.
struct Decided(Description, RequestPatch);

#[async_trait]
impl Adapter for Decided {
    fn description(&self) -> &Description {
        &self.0
    }

    async fn pre(&self, _: &Call, _: &HookRequest) -> Result<PreOutcome, HookFailure> {
        Ok(PreOutcome::Modify(self.1.clone()))
    }

    async fn post(
        &self,
        _: &Call,
        _: &HookRequest,
        _: &HookResponse,
    ) -> Result<PostOutcome, HookFailure> {
        Ok(PostOutcome::Pass)
    }

    async fn unwind(&self, _: &Call, _: &HookRequest, _: &UnwindReason) -> Result<(), HookFailure> {
        Ok(())
    }

    async fn event(&self, _: &Delivery, _: &News) -> Result<(), HookFailure> {
        Ok(())
    }
}

/// Keeps a request where it is, and reads what it becomes as the proxy does.
struct Create(DockerCall);

impl Scope for Create {
    fn aim(&self, _: Option<&str>, _: &[(String, String)]) -> Result<String, String> {
        Ok(TARGET.to_owned())
    }

    fn body(&self, body: Bytes) -> Result<Bytes, String> {
        json::read(self.0.endpoint, &body, Legacy::Ignore).map_err(|error| error.to_string())?;
        Ok(body)
    }

    fn go(&mut self, _: Option<&str>, _: &[(String, String)]) {}
}

/// Units of fuel that a call of the hook that rewrites uses: exact, whatever the machine.
#[allow(dead_code, reason = "only one of the two benches asks for it")]
pub(crate) fn fuel() -> u64 {
    let runtime = runtime();
    let adapter = runtime.block_on(load(Instances::Fresh));
    let call = Call { context: Arc::default(), pattern: "* *".into(), carry: Carry::default() };
    let (request, before) = (request(TARGET), adapter.fuel_used());
    let began = Instant::now();
    runtime.block_on(adapter.pre(&call, &request)).expect("it decides");
    assert!(began.elapsed().as_secs() < 10);
    adapter.fuel_used() - before
}
