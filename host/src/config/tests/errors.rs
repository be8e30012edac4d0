//! Every error, as it is printed.

use std::path::Path;

use super::super::{Config, Environment};
use super::{parse, parse_with, problems};

macro_rules! errors {
    ($($name:ident: $text:expr => $expected:expr;)*) => {$(
        #[test]
        fn $name() {
            let text = $text;

            let found = problems(text);

            assert_eq!(found.replace("adapters.yml:", ""), $expected);
        }
    )*};
}

errors! {
    an_empty_file: "" =>
        "1:1: the file is empty; write `version: 1`: a Powerstrip without adapters passes every \
         call on";
    a_scalar_at_the_top: "hello" => "1:1: expected a mapping, found a string";
    a_list_at_the_top: "[a]" => "1:1: expected a mapping, found a list";
    bad_syntax: "adapters: [" => "1:11: this is not YAML: unclosed bracket '['";
    two_documents: "version: 1\n---\nversion: 1" =>
        "2:1: a configuration is one YAML document; here begins a second";
    a_custom_tag: "adapters: !python/object {}" =>
        "1:26: the tag !python/object means nothing here";
    a_complex_key: "? [a]\n: b" => "1:3: a key must be a string";
    an_unknown_version: "version: 2" =>
        "1:10: version: version 2 is not known; this Powerstrip reads version 1";
    an_unknown_key: "endpoint: {}" =>
        "1:1: endpoint: this key is unknown; did you mean \"endpoints\"?";
    an_unknown_key_unlike_any: "quux: {}" =>
        "1:1: quux: this key is unknown; known here: version, endpoints, events, adapters, listen, \
         engine, limits, keyvalue, audit, adapters_dir, require_digest";
    both_spellings: "plugins: {}\nadapters: {}" =>
        "1:10: plugins: `plugins` is the old name of `adapters`, which is here too; move its \
         entries to `adapters`";

    an_audit_without_a_file: "audit: {of: all}" =>
        "1:8: audit: `to` is missing; write `to: /var/log/powerstrip/audit.jsonl` or `to: stdout`";
    an_audit_of_something_else: "audit: {to: a, of: hook}" =>
        "1:20: audit.of: expected hooked or all, found \"hook\"; did you mean \"hooked\"?";
    an_audit_that_does_something_else: "audit: {to: a, on_full: block}" =>
        "1:25: audit.on_full: expected wait or drop or fail, found \"block\"";
    an_audit_to_no_file: "audit: /" => "1:8: audit: `/` is not the path of a file";
    a_null_audit: "audit:" =>
        "1:6: audit: expected the path of a file, or stdout, found nothing; give it a value or \
         remove it";

    null_endpoints: "endpoints:" =>
        "1:10: endpoints: expected a mapping of patterns to `pre` and `post`, found nothing; give \
         it a value or remove it";
    null_adapters: "adapters:" =>
        "1:9: adapters: expected a mapping of adapter names to URLs or settings, found nothing; \
         give it a value or remove it";
    endpoints_as_a_list: "endpoints: [a]" =>
        "1:12: endpoints: expected a mapping of patterns to `pre` and `post`, found a list";
    an_empty_endpoint: "endpoints: {\"POST /x\": {}}" =>
        "1:13: endpoints.\"POST /x\": this endpoint is empty; give it `pre`, `post` or `log`, or \
         remove it";
    a_null_endpoint: "endpoints: {\"POST /x\": }" =>
        "1:13: endpoints.\"POST /x\": this endpoint is empty; give it `pre`, `post` or `log`, or \
         remove it";
    an_endpoint_with_other_keys: "endpoints: {\"POST /x\": {pree: []}}" =>
        "1:25: endpoints.\"POST /x\".pree: this key is unknown; did you mean \"pre\"?";
    a_null_list: "endpoints: {\"POST /x\": {pre: }}" =>
        "1:28: endpoints.\"POST /x\".pre: expected a list of adapter names, found nothing; give it \
         a value or remove it";
    a_string_in_place_of_a_list: "endpoints: {\"POST /x\": {pre: slowreq}}" =>
        "1:30: endpoints.\"POST /x\".pre: expected a list of adapter names, found a string; write \
         [slowreq]";
    a_list_in_a_list: "endpoints: {\"POST /x\": {pre: [[slowreq]]}}" =>
        "1:31: endpoints.\"POST /x\".pre[0]: expected the name of an adapter, found a list";
    an_undefined_adapter: "endpoints: {\"POST /x\": {pre: [slowerq]}}" =>
        "1:31: endpoints.\"POST /x\".pre[0]: no adapter is named \"slowerq\"; did you mean \
         \"slowreq\"?";
    an_undefined_adapter_unlike_any: "endpoints: {\"POST /x\": {post: [quux]}}" =>
        "1:32: endpoints.\"POST /x\".post[0]: no adapter is named \"quux\"; known: envinject, \
         slowreq";
    a_duplicate_endpoint:
        "endpoints:\n  \"POST /x\": {pre: [slowreq]}\n  \"POST /x\": {post: [slowreq]}" =>
        "3:3: endpoints.\"POST /x\": this key stands on line 2 already; merge the two or remove \
         one";
    a_duplicate_in_an_adapter_s_own_section:
        "adapters: {envinject: {config: {a: 1, b: {c: 1, c: 2}, a: 2}}}" =>
        "1:49: adapters.envinject.config.b.c: this key stands on line 1 already; merge the two or \
         remove one\n\
         1:56: adapters.envinject.config.a: this key stands on line 1 already; merge the two or \
         remove one";

    null_events: "events:" =>
        "1:7: events: expected a list of entries with `adapters` and `filters`, found nothing; \
         give it a value or remove it";
    events_as_a_mapping: "events: {adapters: [slowreq]}" =>
        "1:9: events: expected a list of entries with `adapters` and `filters`, found a mapping";
    events_for_nobody: "events: [{filters: {type: [image]}}, {adapters: []}]" =>
        "1:10: events[0]: this entry names no adapter; give it `adapters: [NAME]`, or remove it\n\
         1:38: events[1]: this entry names no adapter; give it `adapters: [NAME]`, or remove it";
    events_for_an_undefined_adapter: "events: [{adapters: [slowerq]}]" =>
        "1:22: events[0].adapters[0]: no adapter is named \"slowerq\"; did you mean \"slowreq\"?";
    bad_filters: "events: [{adapters: [slowreq], filters: {typ: [image], event: start, label: []}}]" =>
        "1:42: events[0].filters.typ: this key is unknown; did you mean \"type\"?\n\
         1:63: events[0].filters.event: expected a list of values, found a string; write [start]\n\
         1:77: events[0].filters.label: no event matches an empty list; give it a value or remove it";

    a_word_for_an_adapter: "adapters: {flocker: flocker.wasm}" =>
        "1:21: adapters.flocker: `flocker.wasm` is not a URL; a webhook is http://HOST/PATH, a \
         component is {source: flocker.wasm}";
    a_null_adapter: "adapters: {flocker: }" =>
        "1:19: adapters.flocker: expected a URL or a mapping, found nothing; for flocker.wasm \
         without settings write {}";
    a_list_for_an_adapter: "adapters: {flocker: []}" =>
        "1:21: adapters.flocker: expected a URL or a mapping, found a list";
    a_url_without_a_host: "adapters: {flocker: \"http:///x\"}" =>
        "1:21: adapters.flocker: the URL has no host";
    a_url_with_credentials: "adapters: {flocker: \"http://a:b@c/\"}" =>
        "1:21: adapters.flocker: a URL with credentials is refused: it would appear in logs";
    a_registry: "adapters: {flocker: {source: \"oci://registry/flocker\"}}" =>
        "1:30: adapters.flocker.source: components from a registry (oci://) are not supported yet";
    a_registry_in_short: "adapters: {flocker: \"oci://registry/flocker\"}" =>
        "1:21: adapters.flocker: components from a registry (oci://) are not supported yet";
    a_url_as_a_source: "adapters: {flocker: {source: \"http://flocker\"}}" =>
        "1:30: adapters.flocker.source: a source is the path of a component; a webhook has a `url`";
    a_webhook_with_config: "adapters: {flocker: {url: http://a, config: {}}}" =>
        "1:45: adapters.flocker.config: this key is for components; a webhook has a `url`";
    a_component_with_a_protocol: "adapters: {envinject: {protocol: 2}}" =>
        "1:34: adapters.envinject.protocol: only webhooks have a protocol";
    an_unknown_protocol: "adapters: {flocker: {url: http://a, protocol: 3}}" =>
        "1:47: adapters.flocker.protocol: expected 0 or 1 or 2 or seed, found \"3\"";
    a_log_of_nothing: "endpoints: {\"POST /x\": {log: true}}" =>
        "1:30: endpoints.\"POST /x\".log: expected a mapping, found a boolean";
    a_log_of_something_else: "endpoints: {\"POST /x\": {log: {body: true}}}" =>
        "1:31: endpoints.\"POST /x\".log.body: this key is unknown; did you mean \"bodies\"?";
    a_log_in_words: "endpoints: {\"POST /x\": {log: {bodies: all}}}" =>
        "1:39: endpoints.\"POST /x\".log.bodies: expected true or false, found a string";
    null_config: "adapters: {envinject: {config: }}" =>
        "1:30: adapters.envinject.config: expected the adapter's settings, found nothing; give it \
         a value or remove it";
    a_number_beyond_json: "adapters: {envinject: {config: {x: .inf}}}" =>
        "1:36: adapters.envinject.config: this number does not fit into JSON";
    a_bad_name: "adapters: {a/b: http://a}" =>
        "1:12: adapters.\"a/b\": the name of an adapter holds no `/` and no control characters: \
         \"a/b\"";
    a_bad_digest: "adapters: {envinject: {digest: \"sha256:12\"}}" =>
        "1:32: adapters.envinject.digest: expected sha256: and 64 hexadecimal digits";
    a_bad_choice: "adapters: {envinject: {on_failure: ignored, mode: off}}" =>
        "1:36: adapters.envinject.on_failure: expected fail or ignore, found \"ignored\"; did you \
         mean \"ignore\"?\n\
         1:51: adapters.envinject.mode: expected enforce or monitor, found \"off\"";
    bad_outcomes: "adapters: {envinject: {may: [modfy, pass, quux]}}" =>
        "1:30: adapters.envinject.may[0]: expected modify, respond or reject, found \"modfy\"; did \
         you mean \"modify\"?\n\
         1:43: adapters.envinject.may[2]: expected modify, respond or reject, found \"quux\"";
    an_outcome_in_place_of_a_list: "adapters: {envinject: {may: reject}}" =>
        "1:29: adapters.envinject.may: expected a list of outcomes, found one word; write [reject]";
    a_bad_breaker: "adapters: {envinject: {breaker: {failures: 0, pause: 10, x: 1}}}" =>
        "1:44: adapters.envinject.breaker.failures: it must be more than 0\n\
         1:54: adapters.envinject.breaker.pause: `10` is not a time: write 30s, 500ms or 1m30s\n\
         1:58: adapters.envinject.breaker.x: this key is unknown; known here: failures, pause";
    bad_instances: "adapters: {envinject: {instances: {warm: {uses: 0, idle: 9, concurrency: 65}}}}" =>
        "1:49: adapters.envinject.instances.warm.uses: it must be more than 0\n\
         1:58: adapters.envinject.instances.warm.idle: `9` is not a time: write 30s, 500ms or \
         1m30s\n\
         1:74: adapters.envinject.instances.warm.concurrency: it must not be more than 64";
    an_unknown_kind_of_instance: "adapters: {envinject: {instances: wram}}" =>
        "1:35: adapters.envinject.instances: expected fresh or warm, found \"wram\"; did you mean \
         \"warm\"?";
    a_webhook_with_what_components_have:
        "adapters: {flocker: {url: http://a, digest: x, instances: warm}}" =>
        "1:45: adapters.flocker.digest: a webhook has no digest: its component is built in\n\
         1:59: adapters.flocker.instances: this key is for components; a webhook has a `url`";
    a_word_for_require_digest: "require_digest: sure" =>
        "1:17: require_digest: expected true or false, found a string";
    bad_limits:
        "adapters: {envinject: {limits: {deadline: 30, fuel: 1_000, memory: 64M, \
         concurrency: 0}}}" =>
        "1:43: adapters.envinject.limits.deadline: `30` is not a time: write 30s, 500ms or 1m30s\n\
         1:53: adapters.envinject.limits.fuel: `1_000` is not a whole number\n\
         1:68: adapters.envinject.limits.memory: `64M` is not a size: write 64MiB, 500kB or a \
         number of bytes\n\
         1:86: adapters.envinject.limits.concurrency: it must be more than 0";
    limits_beyond_sense:
        "adapters: {envinject: {limits: {deadline: 48h, memory: 5GiB, concurrency: 20000}}}" =>
        "1:43: adapters.envinject.limits.deadline: it must not be more than 24h\n\
         1:56: adapters.envinject.limits.memory: it must not be more than 4 GiB\n\
         1:75: adapters.envinject.limits.concurrency: it must not be more than 10000";
    bad_grants:
        "adapters: {envinject: {grants: {http: [\"http://a\", \"a*:80\"], env: [A=B], \
         keyvalue: 1, credentials: yes}}}" =>
        "1:40: adapters.envinject.grants.http[0]: `http://a` is a URL: a grant is HOST:PORT\n\
         1:52: adapters.envinject.grants.http[1]: `a*:80` has its `*` in the wrong place: write \
         *.example.org or *\n\
         1:68: adapters.envinject.grants.env[0]: this cannot name an environment variable\n\
         1:84: adapters.envinject.grants.keyvalue: expected true or false, found a number\n\
         1:100: adapters.envinject.grants.credentials: expected true or false, found a string";
    grants_as_a_string: "adapters: {envinject: {grants: {http: \"consul:8500\"}}}" =>
        "1:39: adapters.envinject.grants.http: expected a list of HOST:PORT, found a string";

    an_open_listener: "listen: tcp://0.0.0.0:2375" =>
        "1:9: listen: whoever reaches tcp://0.0.0.0:2375 is root on this host: it has no TLS; give \
         it `tls`, or write `insecure: true` if that is meant";
    an_empty_list_of_listeners: "listen: []" =>
        "1:9: listen: the list is empty; remove the key to listen at tcp://127.0.0.1:2375";
    null_listen: "listen:" =>
        "1:7: listen: expected an address or a mapping, found nothing; give it a value or remove \
         it";
    a_listener_without_an_address: "listen: [{mode: \"0660\"}]" =>
        "1:10: listen[0]: `address` is missing";
    a_listener_listed_twice: "listen: [localhost:80, 127.0.0.1:80]" =>
        "1:24: listen[1]: tcp://127.0.0.1:80 is listed twice";
    a_mode_for_tcp: "listen: {address: localhost, mode: \"0660\"}" =>
        "1:36: listen.mode: this key has no meaning for tcp:// addresses";
    tls_for_a_socket: "listen: {address: /a, tls: {cert: a, key: b}}" =>
        "1:28: listen.tls: this key has no meaning for unix:// addresses";
    a_bad_mode: "listen: {address: /a, mode: rw}" =>
        "1:29: listen.mode: `rw` is not the mode of a file: write \"0660\"";
    tls_without_a_key: "listen: {address: \"tcp://0.0.0.0\", tls: {cert: a}}" =>
        "1:41: listen.tls: `key` is missing";
    tls_without_anything: "listen: {address: \"tcp://0.0.0.0\", tls: {}}" =>
        "1:41: listen.tls: `cert` and `key` are missing";
    the_engine_as_a_listener: "listen: /var/run/docker.sock" =>
        "1:9: listen: unix:///var/run/docker.sock is the Docker Engine's address too (the \
         default); name the Docker Engine's own address under `engine`";
    a_listener_as_the_engine: "engine: \"tcp://localhost:2375\"" =>
        " listen: tcp://localhost:2375 is the Docker Engine's address too (engine); name the \
         Docker Engine's own address under `engine`";
    a_bad_engine: "engine: ssh://engine" =>
        "1:9: engine: addresses of the kind `ssh://` are not supported";
    an_engine_to_listen_for: "engine: fd://" => "1:9: engine: fd:// is for listening only";
    an_engine_without_an_address: "engine: {tls: {}}" => "1:9: engine: `address` is missing";
    tls_for_the_engine_s_socket: "engine: {address: /a, tls: {}}" =>
        "1:28: engine.tls: TLS is for tcp:// addresses only";
    bad_sizes: "limits: {body: 0, answer: many, boddy: 1}" =>
        "1:16: limits.body: it must be more than 0\n\
         1:27: limits.answer: `many` is not a size: write 64MiB, 500kB or a number of bytes\n\
         1:33: limits.boddy: this key is unknown; did you mean \"body\"?";
    a_bad_store: "keyvalue: etcd://x" => "1:11: keyvalue: expected memory or redis://HOST";
    a_store_without_a_host: "keyvalue: redis://" =>
        "1:11: keyvalue: expected memory or redis://HOST";
}

#[test]
fn all_problems_are_found_at_once_in_file_order() {
    let text = "\
endpoints:
  POST /*/containers/create:
    pre: [slowreq,
          flocer]
    psot: []
adapters:
  flocker: {url: 'flocker', limits: {fuel: lots}}
engine: 1:2:3
";

    let found = problems(text);

    let expected = "\
adapters.yml:4:11: endpoints.\"POST /*/containers/create\".pre[1]: no adapter is named \"flocer\"; \
did you mean \"flocker\"?
adapters.yml:5:5: endpoints.\"POST /*/containers/create\".psot: this key is unknown; did you mean \
\"post\"?
adapters.yml:7:18: adapters.flocker.url: `flocker` is not a URL; a webhook is http://HOST/PATH, a \
component is {source: flocker}
adapters.yml:7:44: adapters.flocker.limits.fuel: `lots` is not a whole number
adapters.yml:8:9: engine: `1:2:3` is not a host name or an IP address";
    assert_eq!(found, expected);
}

#[test]
fn a_bad_glob_is_named_by_its_key() {
    let text = "endpoints: {\"POST /[x\": {pre: [slowreq]}}";

    let found = problems(text);

    assert!(found.starts_with("adapters.yml:1:13: endpoints.\"POST /[x\": "), "{found}");
}

#[test]
fn a_missing_file_is_named() {
    let path = Path::new("/does/not/exist.yml");

    let error = Config::load(path, &Environment::default()).expect_err("no file");

    let expected = "/does/not/exist.yml: there is no such file; create it, or name another with \
                    --config or POWERSTRIP_CONFIG";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_file_that_is_not_utf_8_names_the_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("adapters.yml");
    std::fs::write(&path, b"version: 1\nadapters: \xff").expect("a file");

    let error = Config::load(&path, &Environment::default()).expect_err("not UTF-8");

    let expected = format!("{}: the file is not UTF-8 (line 2)", path.display());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_exported_docker_host_that_is_powerstrip_is_refused() {
    let docker_host = Some("tcp://localhost:2375".to_owned());
    let environment = Environment { docker_host, ..Environment::default() };

    let error = parse_with("version: 1", &environment, &[]).expect_err("a loop");

    let expected = "adapters.yml: listen: tcp://localhost:2375 is the Docker Engine's address too \
                    (DOCKER_HOST); name the Docker Engine's own address under `engine`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_bad_docker_host_is_named() {
    let environment =
        Environment { docker_host: Some("ssh://engine".to_owned()), ..Environment::default() };

    let error = parse_with("version: 1", &environment, &[]).expect_err("a bad address");

    let expected = "adapters.yml: DOCKER_HOST: addresses of the kind `ssh://` are not supported; \
                    correct the variable, or name the Docker Engine under `engine`";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn an_empty_folder_says_where_components_go() {
    let text = "endpoints: {\"POST /x\": {pre: [slowreq]}}";

    let error = parse_with(text, &Environment::default(), &[]).expect_err("no adapter");

    let expected = "adapters.yml:1:31: endpoints.\"POST /x\".pre[0]: no adapter is named \
                    \"slowreq\"; name it under `adapters`, or put slowreq.wasm into adapters";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn problems_are_printed_as_json_too() {
    let error = parse("version: 2").expect_err("a version");

    let json = serde_json::to_string(&error).expect("JSON");

    let problem = r#"{"line":1,"column":10,"key":"version","message":"version 2 is not known","#;
    let hint = r#""hint":"this Powerstrip reads version 1"}"#;
    assert_eq!(json, format!(r#"{{"path":"adapters.yml","problems":[{problem}{hint}]}}"#));
}
