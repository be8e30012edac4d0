//! The real adapters of 2015 and 2016, as they were on the wire.

use powerstrip_tests::{
    Answer, Builder, FakeEngine, Gate, Powerstrip, Request, Webhook, api_answer,
};
use serde_json::{Value, json};

use crate::case::Case;
use crate::rule::Rule::{Answered, Documented, Kept};
use crate::site::PATTERN;

mod stand_ins;

use stand_ins::{calico, cilium, contiv, debug, flocker, logfiles, priu, socketplane, weave};

const START: &str = "POST /*/containers/*/start";

pub(crate) const CASES: &[Case] = &[
    Case::same("flocker: a bind of `/flocker/NAME`", "leads to the data set's folder", || {
        Box::pin(flocker_rewrites())
    }),
    Case::same(
        "flocker: until the volume has moved",
        "the client waits, and then is served",
        || Box::pin(flocker_waits()),
    ),
    Case::same("weave: a container with `WEAVE_CIDR`", "waits for its network first", || {
        Box::pin(weave_changes())
    }),
    Case::differs(
        "weave: a container without it, and all other calls",
        "echoed; a GET without its `Body` key, so that the client waits for ever",
        (Kept, "nothing changes"),
        || Box::pin(weave_echoes()),
    ),
    Case::same("weave: a start", "the client's 204 comes after the post-hook", || {
        Box::pin(weave_starts())
    }),
    Case::differs(
        "weave: 500 and text for an error of its own",
        "the client waits for ever",
        (Answered, "the client reads the text"),
        || Box::pin(weave_fails()),
    ),
    Case::same("calico: an inspection", "the address stands in the answer", || {
        Box::pin(calico_inspects())
    }),
    Case::differs(
        "calico: `ModifiedClientRequest: {}` after a failure",
        "the client waits for ever",
        (Kept, "nothing changes"),
        || Box::pin(calico_fails()),
    ),
    Case::differs(
        "contiv: a container without its labels",
        "the client waits for ever",
        (Answered, "the client reads 500 and the text"),
        || Box::pin(contiv_denies()),
    ),
    Case::differs(
        "contiv: both halves, the other one with empty fields",
        "a start, whose body was null, goes up",
        (Documented, "a creation and a start go up; `Code` 0 is no status"),
        || Box::pin(contiv_passes()),
    ),
    Case::differs(
        "cilium: a policy in the body, a name in the query, version 2",
        "the query is honoured by cilium's own Powerstrip only",
        (Documented, "both go up"),
        || Box::pin(cilium_merges()),
    ),
    Case::differs(
        "priu: an image of another user",
        "the client waits for ever",
        (Answered, "the client reads 403"),
        || Box::pin(priu_denies()),
    ),
    Case::same("priu: an image of its user", "goes up", || Box::pin(priu_allows())),
    Case::same("logfiles: `LOGS` in the environment", "becomes binds, and a token", || {
        Box::pin(logfiles_binds())
    }),
    Case::differs(
        "socketplane: 404 from a post-hook",
        "the client reads the engine's status",
        (Documented, "the client reads 404"),
        || Box::pin(socketplane_answers()),
    ),
    Case::same("debug: around the others, twice in one list", "sees each step", || {
        Box::pin(debug_around())
    }),
    Case::same("flocker and weave in one chain", "both are done", || Box::pin(composition())),
    Case::same(
        "components and webhooks in one chain",
        "(there were no components; chains passed on what each left)",
        || Box::pin(components_and_webhooks()),
    ),
    Case::differs(
        "a denial behind components and webhooks",
        "the client waits for ever",
        (Answered, "the chain ends there, and the client reads the denial"),
        || Box::pin(denied_behind_others()),
    ),
];

/// A container's creation.
fn container() -> Value {
    json!({
        "Image": "clusterhq/app", "Cmd": ["serve"], "Labels": {},
        "Env": ["A=1"], "HostConfig": {"Binds": ["/flocker/data:/data", "/etc:/etc:ro"]},
    })
}

/// An engine and a Powerstrip with these webhooks and these lists for creations.
async fn chain(
    webhooks: &[(&str, &Webhook)],
    pre: &[&str],
    post: &[&str],
) -> (FakeEngine, Powerstrip) {
    chain_with(webhooks, |builder| builder.endpoint(PATTERN, pre, post)).await
}

async fn chain_with(
    webhooks: &[(&str, &Webhook)],
    hooked: impl FnOnce(Builder) -> Builder,
) -> (FakeEngine, Powerstrip) {
    let engine = FakeEngine::start();
    let builder = Powerstrip::builder().engine(engine.address());
    let builder = webhooks.iter().fold(builder, |builder, (name, webhook)| {
        builder.adapter(name, format!("http://{}/{name}-adapter", webhook.host()))
    });
    let powerstrip = hooked(builder).start().await;
    (engine, powerstrip)
}

async fn create(powerstrip: &Powerstrip, body: &Value) -> Answer {
    powerstrip.post("/v1.16/containers/create?name=web", body).await
}

/// What the engine was told to create.
async fn created(engine: &FakeEngine) -> Value {
    engine.called("POST /create").await.json()
}

async fn flocker_rewrites() {
    let flocker = flocker(None);
    let (engine, powerstrip) = chain(&[("flocker", &flocker)], &["flocker"], &[]).await;

    let answer = create(&powerstrip, &container()).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    // It drops the other binds, as the real one did.
    let binds = json!(["/flocker/4711.default.data:/data"]);
    assert_eq!(created(&engine).await["HostConfig"]["Binds"], binds);
    let target = engine.called("POST /create").await.head.target().to_owned();
    assert_eq!(target, "/v1.16/containers/create?name=web");
}

async fn flocker_waits() {
    let moved = Gate::new();
    let flocker = flocker(Some(moved.clone()));
    let (engine, powerstrip) = chain(&[("flocker", &flocker)], &["flocker"], &[]).await;
    let mut client = powerstrip.connect().await;

    client.send(Request::post("/v1.16/containers/create", &container()).to_bytes()).await;
    flocker.server().called("POST ").await;
    let too_early = engine.calls("POST /create").len();
    moved.open();

    assert_eq!((too_early, client.answer().await.status()), (0, 201));
}

async fn weave_changes() {
    let weave = weave();
    let (engine, powerstrip) = chain(&[("weave", &weave)], &["weave"], &[]).await;
    let mut body = container();
    body["Env"] = json!(["WEAVE_CIDR=10.255.0.10/8"]);

    create(&powerstrip, &body).await;

    let created = created(&engine).await;
    assert_eq!(created["Entrypoint"], json!(["/home/weavewait/wait-for-weave"]));
    assert_eq!(created["Cmd"], json!(["/entry", "serve"]));
    assert_eq!(created["HostConfig"]["VolumesFrom"], json!(["weavewait:ro"]));
}

async fn weave_echoes() {
    let weave = weave();
    let all = |builder: Builder| builder.endpoint("* *", &["weave"], &["weave"]);
    let (engine, powerstrip) = chain_with(&[("weave", &weave)], all).await;

    let created = create(&powerstrip, &container()).await;
    let listed = powerstrip.get("/v1.16/containers/json").await;

    assert_eq!([created.status(), listed.status()], [201, 200]);
    assert_eq!(engine.called("POST /create").await.json(), container());
}

async fn weave_starts() {
    let weave = weave();
    let post = |builder: Builder| builder.post(START, &["weave"]);
    let (_engine, powerstrip) = chain_with(&[("weave", &weave)], post).await;

    let answer = powerstrip.call(Request::new("POST", "/v1.16/containers/web/start")).await;

    assert_eq!((answer.status(), answer.body.len()), (204, 0));
    assert_eq!(weave.calls()[0]["ServerResponse"]["Code"], 204);
}

async fn weave_fails() {
    let weave = weave();
    let (engine, powerstrip) = chain(&[("weave", &weave)], &["weave"], &[]).await;
    let mut body = container();
    body["Image"] = json!("gone");
    body["Env"] = json!(["WEAVE_CIDR=10.255.0.10/8"]);

    let answer = create(&powerstrip, &body).await;

    assert_eq!((answer.status(), answer.message().as_str()), (500, "error: no such image: gone"));
    assert!(engine.calls("POST /create").is_empty());
}

async fn calico_inspects() {
    let calico = calico();
    let post = |builder: Builder| builder.post("GET /*/containers/*/json", &["calico"]);
    let (engine, powerstrip) = chain_with(&[("calico", &calico)], post).await;
    let inspected = json!({"Id": "c0ffee", "NetworkSettings": {"IPAddress": "", "Ports": {}}});
    engine.on("GET /web/json", api_answer(200, &inspected));

    let answer = powerstrip.get("/v1.16/containers/web/json").await;

    let expected = json!({"IPAddress": "192.168.1.1", "Ports": {}});
    assert_eq!(answer.json()["NetworkSettings"], expected);
}

async fn calico_fails() {
    let calico = calico();
    let (engine, powerstrip) = chain(&[("calico", &calico)], &["calico"], &[]).await;
    let mut body = container();
    body["Env"] = json!(["CALICO_IP=none"]);

    let answer = create(&powerstrip, &body).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    assert_eq!(created(&engine).await, body);
}

async fn contiv_denies() {
    let contiv = contiv();
    let (engine, powerstrip) = chain(&[("contiv", &contiv)], &["contiv"], &["contiv"]).await;

    let answer = create(&powerstrip, &container()).await;

    let message = "Internal Error: container has no label netid";
    assert_eq!((answer.status(), answer.message().as_str()), (500, message));
    assert!(engine.calls("POST /create").is_empty());
}

async fn contiv_passes() {
    let contiv = contiv();
    let both = |builder: Builder| {
        let builder = builder.endpoint(PATTERN, &["contiv"], &["contiv"]);
        builder.endpoint(START, &["contiv"], &["contiv"])
    };
    let (engine, powerstrip) = chain_with(&[("contiv", &contiv)], both).await;
    let mut body = container();
    body["Labels"] = json!({"netid": "blue", "tenantid": "one"});

    let answer = create(&powerstrip, &body).await;
    let start = Request::new("POST", "/v1.16/containers/web/start");
    let started = powerstrip.call(start.header("Content-Type", "text/plain")).await;

    assert_eq!([answer.status(), started.status()], [201, 204]);
    assert_eq!(created(&engine).await, body);
}

async fn cilium_merges() {
    let cilium = cilium();
    let (engine, powerstrip) = chain(&[("cilium", &cilium)], &["cilium"], &[]).await;

    create(&powerstrip, &container()).await;

    let call = engine.called("POST /create").await;
    assert_eq!(call.head.target(), "/v1.16/containers/create?name=cilium-web");
    assert_eq!(call.json()["HostConfig"]["Dns"], json!(["10.0.0.1"]));
    assert_eq!(call.json()["Cmd"], json!(["serve"]));
}

async fn priu_denies() {
    let priu = priu();
    let (engine, powerstrip) = chain(&[("priu", &priu)], &["priu"], &[]).await;

    let answer = create(&powerstrip, &json!({"Image": "evil/app"})).await;

    assert_eq!(answer.status(), 403);
    assert!(answer.message().contains("priu"), "{}", answer.show());
    assert!(engine.calls("POST /create").is_empty());
}

async fn priu_allows() {
    let priu = priu();
    let (engine, powerstrip) = chain(&[("priu", &priu)], &["priu"], &[]).await;

    let answer = create(&powerstrip, &container()).await;

    assert_eq!(answer.status(), 201);
    assert_eq!(created(&engine).await, container());
}

async fn logfiles_binds() {
    let logfiles = logfiles();
    let lists = ["logfiles"];
    let (engine, powerstrip) = chain(&[("logfiles", &logfiles)], &lists, &lists).await;
    let mut body = container();
    body["Env"] = json!(["LOGS=/var/log,/tmp"]);

    let answer = create(&powerstrip, &body).await;

    assert_eq!(answer.status(), 201);
    let created = created(&engine).await;
    assert_eq!(created["Env"][1], "POWERSTRIP_TOKEN__=guid");
    assert_eq!(created["HostConfig"]["Binds"][2], "/logs/original/guid/var/log:/var/log");
    assert_eq!(created["HostConfig"]["Binds"].as_array().map(Vec::len), Some(4));
}

async fn socketplane_answers() {
    let socketplane = socketplane();
    let post = |builder: Builder| builder.post(START, &["socketplane"]);
    let (_engine, powerstrip) = chain_with(&[("socketplane", &socketplane)], post).await;

    let answer = powerstrip.call(Request::new("POST", "/v1.16/containers/web/start")).await;

    assert_eq!((answer.status(), answer.header("content-type")), (404, Some("application/json")));
}

async fn debug_around() {
    let (debug, weave) = (debug(), weave());
    let webhooks = [("debug", &debug), ("weave", &weave)];
    let (_engine, powerstrip) = chain(&webhooks, &["debug", "weave", "debug"], &["debug"]).await;
    let mut body = container();
    body["Env"] = json!(["WEAVE_CIDR=10.255.0.10/8"]);

    let answer = create(&powerstrip, &body).await;

    assert_eq!(answer.status(), 201);
    let calls = debug.calls();
    let has_entry = |call: &Value| {
        call["ClientRequest"]["Body"].as_str().is_some_and(|body| body.contains("Entrypoint"))
    };
    let seen: Vec<bool> = calls.iter().map(has_entry).collect();
    assert_eq!(seen, [false, true, false], "the post-hook sees the client's own request");
}

async fn composition() {
    let (flocker, weave) = (flocker(None), weave());
    let webhooks = [("flocker", &flocker), ("weave", &weave)];
    let (engine, powerstrip) = chain(&webhooks, &["flocker", "weave"], &["weave"]).await;
    let mut body = container();
    body["Env"] = json!(["WEAVE_CIDR=10.255.0.10/8"]);

    let answer = create(&powerstrip, &body).await;

    assert_eq!(answer.status(), 201);
    let created = created(&engine).await;
    assert_eq!(created["HostConfig"]["Binds"], json!(["/flocker/4711.default.data:/data"]));
    assert_eq!(created["HostConfig"]["VolumesFrom"], json!(["weavewait:ro"]));
}

/// `envinject` and `slowreq` before and behind webhooks.
async fn mixed(webhooks: &[(&str, &Webhook)], pre: &[&str]) -> (FakeEngine, Powerstrip) {
    let hooked = |builder: Builder| {
        let builder =
            builder.configured("envinject", &json!({"env": {"WEAVE_CIDR": "10.0.0.1/8"}}));
        let builder = builder.configured("slowreq", &json!({"delay": "50ms"}));
        builder.endpoint(PATTERN, pre, &["slowreq", "weave"])
    };
    chain_with(webhooks, hooked).await
}

async fn components_and_webhooks() {
    let (flocker, weave) = (flocker(None), weave());
    let webhooks = [("flocker", &flocker), ("weave", &weave)];
    let pre = ["slowreq", "envinject", "flocker", "weave", "slowreq"];
    let (engine, powerstrip) = mixed(&webhooks, &pre).await;

    let answer = create(&powerstrip, &container()).await;

    assert_eq!(answer.status(), 201, "{}", answer.show());
    let created = created(&engine).await;
    assert_eq!(created["Env"], json!(["A=1", "WEAVE_CIDR=10.0.0.1/8"]));
    assert_eq!(created["Entrypoint"], json!(["/home/weavewait/wait-for-weave"]));
    assert_eq!(created["HostConfig"]["Binds"], json!(["/flocker/4711.default.data:/data"]));
    let sent = flocker.calls()[0]["ClientRequest"]["Body"].as_str().map(str::to_owned);
    assert!(sent.is_some_and(|body| body.contains("WEAVE_CIDR")));
}

async fn denied_behind_others() {
    let (priu, weave) = (priu(), weave());
    let webhooks = [("priu", &priu), ("weave", &weave)];
    let pre = ["envinject", "weave", "priu", "slowreq"];
    let (engine, powerstrip) = mixed(&webhooks, &pre).await;

    let answer = create(&powerstrip, &json!({"Image": "evil/app", "Env": []})).await;

    assert_eq!(answer.status(), 403, "{}", answer.show());
    assert_eq!((weave.calls().len(), priu.calls().len()), (1, 1));
    assert!(engine.calls("POST /create").is_empty());
}
