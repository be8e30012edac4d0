//! The original's `test_config.py` and `test_parser.py`: what its functions returned, as an
//! operator sees it in `powerstrip check` and `powerstrip explain`.

use powerstrip_tests::{Powerstrip, command_line, eventually};
use serde_json::Value;

use crate::case::Case;
use crate::configuration::{edited, missing, passes, refused};
use crate::matching::matching;
use crate::rule::Rule::{AsTheEngine, Checked, Spellings};

/// The original's file for most of its tests.
const GOOD: &str = "version: 1\nendpoints:\n  # adapters are applied in order\n  \
    \"POST /*/containers/create\":\n    pre: [flocker, weave]\n    post: [weave, flocker]\n  \
    \"DELETE /*/containers/*\":\n    pre: [flocker]\nadapters:\n  \
    flocker: http://flocker/flocker-plugin\n  weave: http://weave/weave-plugin\n";

const CREATE: &str = "POST /v1.16/containers/create";

pub(crate) const CASES: &[Case] = &[
    Case::differs(
        "PluginConfigurationTests.test_read_from_yaml_file_success",
        "the file `ducks: cows` is read as a mapping",
        (Checked, "it is read, and its key is told to be unknown"),
        || Box::pin(refused("ducks: cows\n", &["ducks", "unknown"])),
    ),
    Case::same(
        "PluginConfigurationTests.test_read_from_yaml_file_missing",
        "`NoConfiguration`",
        || Box::pin(missing()),
    ),
    Case::same(
        "PluginConfigurationTests.test_read_from_yaml_file_invalid",
        "`InvalidConfiguration`",
        || Box::pin(refused("{' unclosed", &[":1:"])),
    ),
    Case::same(
        "PluginConfigurationTests.test_read_from_yaml_file_default_file",
        "without a path, `/etc/powerstrip/adapters.yml` is read",
        || Box::pin(default_file()),
    ),
    Case::same(
        "PluginConfigurationTests.test_parse_good_adapters",
        "endpoints and adapters are kept as they are written",
        || Box::pin(passes(GOOD)),
    ),
    Case::same("PluginConfigurationTests.test_endpoints", "the set of patterns", || {
        Box::pin(says_check(&["POST /*/containers/create", "DELETE /*/containers/*"]))
    }),
    Case::same("PluginConfigurationTests.test_endpoint", "the lists of one pattern", || {
        Box::pin(lists(GOOD, CREATE, &["flocker", "weave"], &["weave", "flocker"]))
    }),
    Case::same(
        "PluginConfigurationTests.test_endpoint_error",
        "a pattern that is not there has no lists",
        || Box::pin(lists(GOOD, "GET /v1.16/images/json", &[], &[])),
    ),
    Case::same("PluginConfigurationTests.test_adapters", "the set of names", || {
        Box::pin(says_check(&["flocker: ready", "weave: ready"]))
    }),
    Case::same("PluginConfigurationTests.test_adapter_uri", "the URL of a name", || {
        Box::pin(crate::original_proxy::each_at_its_url())
    }),
    Case::same(
        "PluginConfigurationTests.test_adapter_uri_error",
        "a name that is not there has no URL",
        || {
            let text = "endpoints: {'* /x': {pre: [nobody]}}\nadapters: {}\n";
            Box::pin(refused(text, &["no adapter is named \"nobody\""]))
        },
    ),
    Case::same("ReadAndParseTests.test_single_run", "a whole file, with a comment", || {
        Box::pin(lists(GOOD, CREATE, &["flocker", "weave"], &["weave", "flocker"]))
    }),
    Case::same("ReadAndParseTests.test_no_config", "`NoConfiguration`", || Box::pin(missing())),
    Case::same("ReadAndParseTests.test_bad_config", "`InvalidConfiguration`", || {
        Box::pin(refused("this is garbage", &["expected a mapping"]))
    }),
    Case::same(
        "ReadAndParseTests.test_config_change",
        "a second file replaces the first wholly; its `post` is absent",
        || Box::pin(edited()),
    ),
    Case::differs(
        "ConfigurationValidationTests.test_missing_endpoints",
        "`InvalidConfiguration`",
        (Checked, "accepted: there are none"),
        || Box::pin(passes("adapters: {}\n")),
    ),
    Case::differs(
        "ConfigurationValidationTests.test_missing_adapters",
        "`InvalidConfiguration`",
        (Checked, "accepted: there are none but those in the folder"),
        || Box::pin(passes("endpoints: {}\n")),
    ),
    Case::same(
        "ConfigurationValidationTests.test_unkown_endpoint_keys",
        "`InvalidConfiguration`",
        || {
            let text = "endpoints: {'* /x': {pre: [], wombat: []}}\nadapters: {}\n";
            Box::pin(refused(text, &["wombat", "unknown"]))
        },
    ),
    Case::same(
        "ConfigurationValidationTests.test_no_endpoint_keys",
        "`InvalidConfiguration`",
        || Box::pin(refused("endpoints: {'* /x': {}}\nadapters: {}\n", &["is empty"])),
    ),
    Case::same(
        "ConfigurationValidationTests.test_missing_defined_adapters",
        "`InvalidConfiguration`",
        || {
            let text = "endpoints: {'* /x': {pre: [a], post: [b]}}\nadapters: {}\n";
            Box::pin(refused(text, &["named \"a\"", "named \"b\""]))
        },
    ),
    Case::same("ConfigurationValidationTests.test_optional_pre", "none", || {
        let text = "endpoints: {'* *': {post: [a]}}\nadapters: {a: 'http://a/'}\n";
        Box::pin(lists(text, CREATE, &[], &["a"]))
    }),
    Case::same("ConfigurationValidationTests.test_optional_post", "none", || {
        let text = "endpoints: {'* *': {pre: [a]}}\nadapters: {a: 'http://a/'}\n";
        Box::pin(lists(text, CREATE, &["a"], &[]))
    }),
    Case::same("EndpointConfigurationTests.test_attributes", "`pre` and `post` as given", || {
        let text = "endpoints: {'* *': {pre: [a], post: [b]}}\n\
                    adapters: {a: 'http://a/', b: 'http://b/'}\n";
        Box::pin(lists(text, CREATE, &["a"], &["b"]))
    }),
];

/// The original's three endpoints.
const ENDPOINTS: [&str; 3] =
    ["POST /v1.16/containers/create", "GET /v1.16/images/*/json", "* /v*/images/*/json"];

pub(crate) const PARSER: &[Case] = &[
    Case::same("test_exact", "`POST /v1.16/containers/create` matches one", || {
        Box::pin(parsed("POST /v1.16/containers/create", &["POST /v1.16/containers/create"]))
    }),
    Case::same("test_matched", "another version matches any method's only", || {
        Box::pin(parsed("GET /v1.20/images/alpha/json", &["* /v*/images/*/json"]))
    }),
    Case::differs(
        "test_matched, with its own `GET /v2/images/alpha/json`",
        "matches any method's only",
        (AsTheEngine, "400, as from the engine: `v2` is no version of its API"),
        || Box::pin(no_version()),
    ),
    Case::same("test_multiple", "`GET /v1.16/images/*/json` matches both", || {
        Box::pin(parsed("GET /v1.16/images/*/json", &ENDPOINTS[1..]))
    }),
    Case::same("test_config_changed", "after a change, the new endpoints match", || {
        Box::pin(changed())
    }),
    Case::differs(
        "test_query_error",
        "a `?` in what is matched is an error of the caller; the proxy cuts it off",
        (Spellings, "a query is cut off, be it from a client or on the command line"),
        || Box::pin(parsed("POST /v1.16/containers/create?bar", &[CREATE])),
    ),
];

async fn default_file() {
    let finished = command_line(&["check"]).await;

    let said = finished.stdout + &finished.stderr;
    assert!(said.contains("/etc/powerstrip/adapters.yml"), "{said}");
}

/// `powerstrip check` shows all of this of the good file.
async fn says_check(words: &[&str]) {
    let file = Powerstrip::builder().text(GOOD).written();

    let finished = command_line(&["check", &file.path()]).await;

    for word in words {
        assert!(finished.stdout.contains(word), "no {word:?} in {}", finished.stdout);
    }
}

/// `powerstrip explain` names these adapters for a call.
async fn lists(text: &str, call: &str, pre: &[&str], post: &[&str]) {
    let file = Powerstrip::builder().text(text).written();

    let said = command_line(&["explain", "--config", &file.path(), call, "--format", "json"]).await;

    let said: Value = serde_json::from_str(&said.stdout).expect("one JSON value");
    let names = |hook: &str| {
        let hooks = said[hook].as_array().cloned().unwrap_or_default();
        hooks
            .iter()
            .map(|hook| hook["adapter"].as_str().unwrap_or("").to_owned())
            .collect::<Vec<_>>()
    };
    assert_eq!((names("pre"), names("post")), (owned(pre), owned(post)));
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|&name| name.to_owned()).collect()
}

async fn parsed(call: &str, expected: &[&str]) {
    assert_eq!(matching(&ENDPOINTS, call).await, expected);
}

async fn no_version() {
    let engine = powerstrip_tests::FakeEngine::start();
    let powerstrip = Powerstrip::before(engine.address()).await;

    let answer = powerstrip.get("/v2/images/alpha/json").await;

    assert_eq!(answer.status(), 400, "{}", answer.show());
}

async fn changed() {
    let engine = powerstrip_tests::FakeEngine::start();
    let webhook = powerstrip_tests::Webhook::echo();
    let builder = Powerstrip::builder().engine(engine.address()).pre("GET /*/version", &["a"]);
    let powerstrip = builder.adapter("a", webhook.url()).start().await;

    powerstrip.rewrite(|text| text.replace("/*/version", "/*/info"));
    let is_new = async || {
        powerstrip.get("/v1.41/info").await;
        (!webhook.calls().is_empty()).then_some(())
    };
    eventually("the new endpoint to match", is_new).await;
    let before = webhook.calls().len();
    powerstrip.get("/v1.41/version").await;

    assert_eq!(webhook.calls().len(), before, "the old endpoint is gone");
}
