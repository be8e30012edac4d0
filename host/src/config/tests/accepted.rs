//! What is accepted, and what it means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::json;

use super::super::{AdapterConfig, Config, Environment, Protocol, Source};
use super::{parse, parse_with, warnings};
use crate::addr::Address;
use crate::audit::{self, OnFull, Scope, Target};
use crate::grants::{GrantedBy, ValueStore, Values};
use crate::hook::{BreakerSettings, May, Mode, OnFailure};
use crate::limits::{BodyLimits, Instances, Limits, Warm};

const FULL: &str = r#"
version: 1
endpoints:
  "POST /*/containers/create":
    pre: [slowreq, envinject, flocker]
    post: [flocker]
adapters:
  flocker: http://flocker/flocker-adapter
  envinject:
    source: envinject.wasm
    config: {env: {TEAM: blue}, consul: {url: "http://consul:8500", prefix: app/}}
    limits: {deadline: 1m30s, fuel: 5, memory: 32MiB, concurrency: 8}
    grants: {http: ["consul:8500"], env: [TEAM], credentials: true, keyvalue: true}
    on_failure: ignore
    mode: monitor
    may: [modify, reject]
    breaker: {failures: 3}
    instances: {warm: {uses: 7, idle: 5s}}
    required: true
require_digest: true
listen:
  - {address: unix:///run/powerstrip/docker.sock, mode: "0660", owner: root, group: docker}
  - {address: tcp://0.0.0.0:2376, tls: {cert: c.pem, key: k.pem, client_ca: ca.pem}}
  - {address: fd://}
engine: {address: tcp://engine, tls: {ca: ca.pem, cert: c.pem, key: k.pem}}
limits: {body: 1MiB, answer: 2MiB}
keyvalue: redis://:secret@cache
adapters_dir: components
"#;

fn adapter(config: &Config, name: &str) -> AdapterConfig {
    let found = config.adapters.iter().find(|adapter| adapter.name.as_str() == name);
    found.expect("the adapter is there").clone()
}

fn adapters_yml(text: &str) -> Config {
    parse(text).unwrap_or_else(|error| panic!("{error}"))
}

#[test]
fn an_adapter_s_settings_are_read() {
    let config = adapters_yml(FULL);

    let envinject = adapter(&config, "envinject");

    assert_eq!(envinject.source, Source::Component("components/envinject.wasm".into()));
    assert_eq!(envinject.config["consul"], json!({"url": "http://consul:8500", "prefix": "app/"}));
    let limits =
        Limits { deadline: Duration::from_secs(90), fuel: 5, memory: 32 << 20, concurrency: 8 };
    assert_eq!(envinject.limits, limits);
    assert_eq!(envinject.grants.allows_http("consul", 8500), Some(GrantedBy::Name));
    assert!(envinject.grants.credentials && envinject.grants.keyvalue.is_some());
    assert_eq!(envinject.grants.env, ["TEAM"]);
    assert_eq!((envinject.on_failure, envinject.mode), (OnFailure::Ignore, Mode::Monitor));
    assert_eq!(envinject.may, May { respond: false, ..May::default() });
    let pause = Duration::from_secs(10);
    assert_eq!(envinject.breaker, Some(BreakerSettings { failures: 3, pause }));
    let warm = Warm { uses: 7, idle: Duration::from_secs(5), concurrency: 4 };
    assert_eq!(envinject.instances, Instances::Warm(warm));
    assert!(envinject.required && config.require_digest);
}

#[test]
fn what_narrows_an_adapter_is_off_by_default() {
    let config = adapters_yml("adapters: {flocker: \"http://a\", envinject: {instances: fresh}}");

    for name in ["flocker", "envinject", "slowreq"] {
        let adapter = adapter(&config, name);
        assert_eq!((adapter.may, adapter.breaker), (May::default(), None), "{name}");
        assert_eq!(adapter.instances, Instances::Fresh, "{name}");
    }
    assert!(!config.require_digest);
}

#[test]
fn a_webhook_has_five_minutes() {
    let config = adapters_yml(FULL);

    let flocker = adapter(&config, "flocker");

    assert_eq!(flocker.limits.deadline, Duration::from_secs(300));
    assert_eq!(flocker.protocol, Protocol::One);
    let Source::Webhook(url) = flocker.source else { panic!("a webhook") };
    assert_eq!(url.as_str(), "http://flocker/flocker-adapter");
}

#[test]
fn the_rest_of_the_file_is_read() {
    let config = adapters_yml(FULL);

    let addresses: Vec<String> =
        config.listeners.iter().map(|listener| listener.address.to_string()).collect();

    let all = ["unix:///run/powerstrip/docker.sock", "tcp://0.0.0.0:2376", "fd://"];
    assert_eq!(addresses, all);
    assert_eq!(config.listeners[0].mode, Some(0o660));
    assert_eq!(config.engine.address, Address::Tcp { host: "engine".into(), port: 2376 });
    let limits = BodyLimits { body: 1 << 20, answer: 2 << 20, ..BodyLimits::default() };
    assert_eq!(config.limits, limits);
    let ValueStore::Redis(url) = &config.keyvalue.store else { panic!("a server") };
    assert!(url.reveal().contains("secret"));
    assert!(!format!("{config:?}").contains("secret"));
    assert_eq!(config.adapters_dir, Path::new("components"));
    assert!(config.warnings.is_empty());
}

#[test]
fn defaults_fill_what_is_absent() {
    let config = adapters_yml("version: 1");

    let listener = &config.listeners[0];

    assert_eq!(listener.address.to_string(), "tcp://127.0.0.1:2375");
    assert_eq!(config.engine.address.to_string(), "unix:///var/run/docker.sock");
    assert_eq!(config.keyvalue, Values::default());
    assert_eq!(config.limits, BodyLimits::default());
    assert!(config.endpoints.is_empty());
}

#[test]
fn a_dropped_component_is_an_adapter() {
    let config = adapters_yml("endpoints: {\"POST /x\": {pre: [slowreq]}}");

    let names: Vec<&str> = config.adapters.iter().map(|adapter| adapter.name.as_str()).collect();

    assert_eq!(names, ["envinject", "slowreq"]);
    let slowreq = adapter(&config, "slowreq");
    assert_eq!(slowreq.source, Source::Component("adapters/slowreq.wasm".into()));
    assert_eq!(slowreq.config, json!({}));
}

#[test]
fn file_order_is_kept() {
    let text = "
adapters: {z: http://z, a: http://a}
endpoints: {\"* /z\": {pre: [z]}, \"* /a\": {pre: [a]}}
";

    let config = adapters_yml(text);

    let names: Vec<&str> = config.adapters.iter().map(|adapter| adapter.name.as_str()).collect();
    assert_eq!(names, ["z", "a", "envinject", "slowreq"]);
    assert_eq!(config.endpoints[0].pre[0].name.as_str(), "z");
}

#[test]
fn an_adapter_may_be_listed_several_times() {
    let config = adapters_yml("endpoints: {\"* /a\": {pre: [slowreq, slowreq, slowreq]}}");

    let count = config.endpoints[0].pre.len();

    assert_eq!(count, 3);
}

#[test]
fn anchors_and_merges_are_resolved() {
    let text = "
adapters:
  a: &a {url: 'http://a', limits: &l {fuel: 7}}
  b: {<<: *a, url: 'http://b'}
  c: {source: c.wasm, limits: *l}
";

    let config = adapters_yml(text);

    assert_eq!(adapter(&config, "b").limits.fuel, 7);
    assert_eq!(adapter(&config, "c").limits.fuel, 7);
}

#[test]
fn the_adapter_s_own_section_keeps_its_types() {
    let text = "
adapters:
  envinject:
    config: {n: 1, big: 18446744073709551615, f: 1.5, s: '1', b: true, none: null, list: [~, no]}
";

    let config = adapters_yml(text);

    let expected = json!({
        "n": 1, "big": u64::MAX, "f": 1.5, "s": "1", "b": true, "none": null, "list": [null, "no"],
    });
    assert_eq!(adapter(&config, "envinject").config, expected);
}

#[test]
fn a_single_listener_needs_no_list() {
    let config = adapters_yml("listen: /run/powerstrip.sock");

    let address = &config.listeners[0].address;

    assert_eq!(*address, Address::Unix("/run/powerstrip.sock".into()));
}

#[test]
fn a_mode_is_octal_with_or_without_quotes() {
    let text = "
listen:
  - {address: /a, mode: \"0660\"}
  - {address: /b, mode: 0660}
  - {address: /c, mode: 0o660}
";

    let config = adapters_yml(text);

    let modes: Vec<_> = config.listeners.iter().map(|listener| listener.mode).collect();
    assert_eq!(modes, [Some(0o660); 3]);
}

#[test]
fn the_environment_names_the_engine() {
    let environment = Environment {
        docker_host: Some("tcp://engine".into()),
        docker_tls_verify: Some("1".into()),
        docker_cert_path: Some(PathBuf::from("/certs")),
        ..Environment::default()
    };

    let config =
        parse_with("version: 1", &environment, &["cert.pem", "key.pem"]).expect("a configuration");

    assert_eq!(config.engine.address.to_string(), "tcp://engine:2376");
    let tls = config.engine.tls.expect("TLS");
    assert_eq!(tls.ca, Some("/certs/ca.pem".into()));
    assert_eq!(tls.identity.expect("an identity").key, Path::new("/certs/key.pem"));
}

#[test]
fn the_file_wins_over_the_environment() {
    let environment = Environment { docker_host: Some("nonsense://".into()), ..Default::default() };

    let config = parse_with("engine: /run/docker.sock", &environment, &[]);

    let address = config.expect("a configuration").engine.address;
    assert_eq!(address.to_string(), "unix:///run/docker.sock");
}

#[test]
fn a_file_and_a_folder_are_loaded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adapters.yml");
    std::fs::create_dir(folder.path().join("adapters")).expect("a folder");
    std::fs::write(folder.path().join("adapters/slow.wasm"), "").expect("a file");
    std::fs::write(&path, "version: 1").expect("a file");

    let config = Config::load(&path, &Environment::default()).expect("a configuration");

    let expected = Source::Component(folder.path().join("adapters/slow.wasm"));
    assert_eq!(adapter(&config, "slow").source, expected);
}

#[test]
fn the_pre_2015_spelling_is_accepted_with_warnings() {
    let text = "plugins: {flocker: http://flocker}\nendpoints: {\"/*/create\": {pre: [flocker]}}";

    let found = warnings(text);

    let expected = [
        "plugins: `plugins` is the old name of `adapters`; rename it; if its webhooks are as old, \
         write `protocol: 0` or `protocol: seed`",
        "endpoints.\"/*/create\": this pattern names no method, so it matches every method; \
         write \"* /*/create\" if that is meant",
    ];
    assert_eq!(found, expected);
}

#[test]
fn every_protocol_has_its_word_under_either_name_of_the_section() {
    let words = ["0", "1", "2", "seed", "\"2\""];

    let read = words.map(|word| {
        ["adapters", "plugins"].map(|section| {
            let text = format!("{section}: {{a: {{url: \"http://a\", protocol: {word}}}}}");
            adapter(&adapters_yml(&text), "a").protocol
        })
    });

    let expected = [Protocol::Zero, Protocol::One, Protocol::Two, Protocol::Seed, Protocol::Two];
    assert_eq!(read, expected.map(|protocol| [protocol; 2]));
}

#[test]
fn an_endpoint_may_be_there_for_the_log_alone() {
    let logs = ["log: {bodies: true}", "log: {bodies: false}", "log: {}", "pre: []"];

    let read = logs.map(|log| {
        adapters_yml(&format!("endpoints: {{\"POST /x\": {{{log}}}}}")).endpoints[0].log_bodies
    });

    assert_eq!(read, [true, false, false, false]);
}

#[test]
fn an_insecure_listener_is_accepted_with_a_warning() {
    let found = warnings("listen: {address: \"tcp://0.0.0.0:2375\", insecure: true}");

    let expected = "listen: whoever reaches tcp://0.0.0.0:2375 is root on this host: it has no TLS";
    assert_eq!(found, [expected]);
}

#[test]
fn tls_without_client_certificates_is_accepted_with_a_warning() {
    let found = warnings("listen: {address: \"tcp://0.0.0.0\", tls: {cert: a, key: b}}");

    let expected = "listen: whoever reaches tcp://0.0.0.0:2376 is root on this host: it asks for \
                    no certificate; give `tls` a `client_ca`";
    assert_eq!(found, [expected]);
}

#[test]
fn an_audit_is_a_file_or_standard_output_with_or_without_more() {
    let text = |audit: &str| parse(audit).expect("a configuration").audit.expect("an audit");

    let long = text("audit: {to: logs/a.jsonl, of: all, bodies: true, on_full: drop}");
    let (short, stdout) = (text("audit: /var/log/a.jsonl"), text("audit: stdout"));

    let (to, of) = (Target::File("logs/a.jsonl".into()), Scope::All);
    assert_eq!(long, audit::Settings { to, of, bodies: true, on_full: OnFull::Drop });
    assert_eq!(short, audit::Settings::new(Target::File("/var/log/a.jsonl".into())));
    assert_eq!((stdout.to, stdout.of), (Target::Stdout, Scope::Hooked));
    assert_eq!((stdout.bodies, stdout.on_full), (false, OnFull::Wait));
}
