use super::*;

const SOLVE: &str = "buildkit-solve";
const STEP: &str = "buildkit-bridge-solve";
const CONTAINER: &str = "buildkit-container-create";
const HISTORY: &str = "buildkit-history";

/// A field that holds a text, bytes or a message.
fn field(number: u8, value: impl AsRef<[u8]>) -> Vec<u8> {
    let value = value.as_ref();
    let length = u8::try_from(value.len()).expect("a short value");
    assert!(length < 128, "a length of one byte");
    [&tag(number, 2)[..], &[length], value].concat()
}

/// A field that holds a number.
fn number(number: u8, value: u8) -> Vec<u8> {
    [&tag(number, 0)[..], &[value]].concat()
}

fn tag(number: u8, kind: u8) -> Vec<u8> {
    let tag = u32::from(number) << 3 | u32::from(kind);
    match u8::try_from(tag).ok().filter(|tag| *tag < 128) {
        Some(tag) => vec![tag],
        None => vec![(tag & 0x7f) as u8 | 0x80, (tag >> 7) as u8],
    }
}

/// An entry of a mapping of texts.
fn entry(at: u8, key: &str, value: &str) -> Vec<u8> {
    field(at, [field(1, key), field(2, value)].concat())
}

/// An exporter or a cache with one attribute or more.
fn exporter(at: u8, kind: &str, attributes: &[(&str, &str)]) -> Vec<u8> {
    let entries = attributes.iter().map(|(key, value)| entry(2, key, value));
    field(at, [field(1, kind), entries.flatten().collect()].concat())
}

/// What is said about a call to which every endpoint is open; empty if it goes on.
fn said(mut config: Value, endpoint: &str, message: Option<Vec<u8>>) -> String {
    let mut rules = config["rules"].as_array().cloned().unwrap_or_default();
    rules.push(json!({"allow": "* *"}));
    config["rules"] = rules.into();
    let context = Context { endpoint: Some(endpoint.to_owned()), ..Context::default() };
    let refusal = refusal(&config, testing::grpc(context, "/grpc/a.B/C", message));
    refusal.map(|refusal| format!("{} {}", refusal.status, refusal.message)).unwrap_or_default()
}

macro_rules! denied {
    ($($name:ident: $config:tt, $endpoint:expr, $message:expr => $words:literal;)+) => {$(
        #[test]
        fn $name() {
            let said = said(json!($config), $endpoint, Some($message));

            assert!(said.starts_with("403 powerstrip: guard denies "), "{said}");
            assert!(said.contains($words), "{said}");
        }
    )+};
}

macro_rules! passes {
    ($($name:ident: $config:tt, $endpoint:expr, $message:expr;)+) => {$(
        #[test]
        fn $name() {
            assert_eq!(said(json!($config), $endpoint, Some($message)), "");
        }
    )+};
}

macro_rules! unclear {
    ($($name:ident: $endpoint:expr, $message:expr;)+) => {$(
        #[test]
        fn $name() {
            let said = said(json!({}), $endpoint, $message);

            assert!(said.starts_with("400 powerstrip: guard cannot read "), "{said}");
        }
    )+};
}

denied! {
    the_network_of_the_host: {}, SOLVE, field(9, "network.host") => "containers.host: [network]";
    every_right: {}, SOLVE, field(9, "security.insecure") => "containers.privileged: true";
    the_second_entitlement: {"containers": {"host": ["network"]}}, SOLVE,
        [field(9, "network.host"), field(9, "security.insecure")].concat() => "security.insecure";
    a_device: {}, SOLVE, field(9, "device=acme.com/gpu=0") => "containers.device_requests: true";
    an_entitlement_of_tomorrow: {}, SOLVE, field(9, "kernel.write") => "containers.unknown: true";
    a_field_of_tomorrow: {}, SOLVE, field(99, "x") => "field 99";
    the_network_by_a_setting: {}, SOLVE, entry(7, "force-network-mode", "host") =>
        "containers.host: [network]";
    the_network_in_a_step: {}, STEP, entry(3, "force-network-mode", "host") =>
        "containers.host: [network]";
    a_cgroup: {}, STEP, entry(3, "cgroup-parent", "/x") => "the cgroup parent /x";
    a_context_from_elsewhere: {}, STEP, entry(3, "context", "https://x/y.git") =>
        "build.remote: [\"https://x/y.git\"]";
    a_context_by_ssh: {}, STEP, entry(3, "context", "git@x:y") => "the remote context git@x:y";
    a_named_context_from_elsewhere: {}, SOLVE, entry(7, "context:lib", "github.com/a/b") =>
        "the remote context github.com/a/b";
    a_context_under_another_key: {}, STEP,
        [entry(3, "build-arg:x", "http://x/"), entry(3, "contextkey", "build-arg:x")].concat() =>
        "the remote context http://x/";
    the_network_of_a_container: {}, CONTAINER, number(3, 1) => "containers.host: [network]";
    processes_in_containers: {}, "buildkit-container-exec", Vec::new() =>
        "containers.privileged: true";
    a_push: {"rules": [{"deny": "image-push", "name": "no-push"}]}, SOLVE,
        exporter(13, "image", &[("name", "acme/app"), ("push", "true")]) => "the rule \"no-push\"";
    a_push_without_a_value: {"rules": [{"deny": "image-push"}]}, SOLVE,
        exporter(13, "image", &[("push", "")]) => "it pushes an image (image-push)";
    a_push_of_an_old_client: {"rules": [{"deny": "image-push"}]}, SOLVE,
        [field(3, "image"), entry(4, "push", "1")].concat() => "it pushes an image";
    a_push_to_a_path: {"rules": [{"deny": "POST /images/evil/*/push"}]}, SOLVE,
        exporter(13, "image", &[("name", "good/a,evil/b"), ("push", "true")]) => "it pushes";
    a_cache_in_a_registry: {"rules": [{"deny": "image-push"}]}, SOLVE,
        field(8, exporter(4, "registry", &[("ref", "acme/cache")])) => "it pushes an image";
    a_cache_of_an_old_client: {"rules": [{"deny": "image-push"}]}, SOLVE,
        field(8, field(1, "acme/cache")) => "it pushes an image";
    the_history_of_others: {"owner": {"value": "me"}}, HISTORY, number(1, 1) => "tells of others'";
    the_history_of_no_build: {"owner": {"value": "me"}}, HISTORY, [field(2, "a"), field(2, "")].concat() =>
        "tells of others'";
}

passes! {
    a_plain_build: {"owner": {"value": "me"}}, SOLVE,
        [field(1, "ref"), field(6, "dockerfile.v0"), entry(7, "target", "app"),
         exporter(13, "moby", &[("name", "app"), ("push", "false")]),
         field(8, exporter(5, "registry", &[("ref", "acme/cache")]))].concat();
    an_empty_message: {}, SOLVE, Vec::new();
    contexts_of_the_client: {}, STEP,
        [entry(3, "context:a", "local:a"), entry(3, "context:b", "docker-image://alpine@sha256:0"),
         entry(3, "context", "input:x"), entry(3, "build-arg:url", "http://x/")].concat();
    what_is_written_down: {"containers": {
        "host": ["network"], "privileged": true, "device_requests": true, "unknown": true,
    }, "build": {"remote": "*"}}, SOLVE,
        [field(9, "network.host"), field(9, "security.insecure"), field(9, "device"),
         field(9, "new"), field(99, "x"), entry(7, "context", "git://x")].concat();
    whatever_any_allows: {"containers": "any"}, SOLVE, field(9, "security.insecure");
    a_push_that_is_allowed: {}, SOLVE, exporter(13, "image", &[("name", "a"), ("push", "true")]);
    a_container_of_its_own: {}, CONTAINER, [field(1, "id"), number(3, 2)].concat();
    the_history_of_one_build: {"owner": {"value": "me"}}, HISTORY, field(2, "ref");
    the_history_where_nobody_owns: {}, HISTORY, Vec::new();
}

unclear! {
    a_build_without_a_message: SOLVE, None;
    a_message_that_is_none: SOLVE, Some(b"{}".to_vec());
    an_entitlement_that_is_a_number: SOLVE, Some(number(9, 1));
    an_entitlement_that_is_no_text: SOLVE, Some(field(9, b"\xff"));
    a_network_that_nobody_knows: CONTAINER, Some(number(3, 7));
    a_setting_twice_in_one: STEP, Some(field(3, [field(1, "a"), field(1, "b")].concat()));
}
