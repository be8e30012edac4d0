use super::*;

fn problems(config: Value) -> String {
    testing::try_adapter::<Guard>(config).expect_err("the configuration is refused")
}

#[test]
fn without_a_configuration_nothing_but_a_hello_is_allowed() {
    let guard = testing::try_adapter::<Guard>(Value::Null);

    assert!(guard.is_ok(), "{guard:?}");
}

#[test]
fn all_problems_are_told_at_once() {
    let said = problems(json!({
        "preset": "ci",
        "ruls": [],
        "rules": [
            {"allow": "container-crate"},
            {"alow": ["*"]},
            {"allow": "*", "client": {"uid": "many"}},
            {"allow": "*", "deny": "*"},
        ],
        "containers": {"privleged": true, "memory": "much", "host": ["net"], "binds": ["srv"]},
        "exec": "all",
        "owner": {"value": "{user}"},
    }));

    for words in [
        "preset: unknown variant `ci`",
        "unknown field `ruls`",
        "rules[0].allow: no endpoint is named \"container-crate\"; did you mean container-create?",
        "rules[1].alow: unknown field `alow`",
        "rules[2].client.uid: \"many\" is not a range",
        "rules[3]: it needs either allow or deny",
        "containers.privleged: unknown field `privleged`",
        "containers.memory: \"much\" is not a size",
        "containers.host[0]: unknown variant `net`",
        "containers.binds[0]: \"srv\" is not an absolute path",
        "exec: \"all\": write settings, or any",
        "owner.value: in \"{user}\" only {uid}",
    ] {
        assert!(said.contains(words), "no \"{words}\" in:\n{}", said.replace("; ", "\n"));
    }
}

#[test]
fn an_owner_needs_a_value() {
    assert!(problems(json!({"owner": {}})).contains("owner.value"));
}

#[test]
fn the_schema_names_every_key() {
    let schema: Value = serde_json::from_str(include_str!("../config.schema.json")).expect("JSON");
    let said = problems(
        json!({"?": 1, "containers": {"?": 1}, "rules": [{"?": 1}], "volumes": {"?": 1},
        "networks": {"?": 1}, "exec": {"?": 1}, "build": {"?": 1}, "plugins": {"?": 1}, "owner": {"?": 1}}),
    );
    let places = [
        "/properties",
        "/$defs/containers/properties",
        "/$defs/rule/properties",
        "/$defs/volumes/properties",
        "/$defs/networks/properties",
        "/$defs/exec/properties",
        "/$defs/build/properties",
        "/$defs/plugins/properties",
        "/$defs/owner/properties",
    ];

    let schema_keys: std::collections::BTreeSet<&str> = places
        .iter()
        .flat_map(|place| schema.pointer(place).and_then(Value::as_object).expect(place).keys())
        .map(String::as_str)
        .collect();

    // Serde lists the keys that there are: `a`, `b`, …
    for list in said.split("expected ").skip(1) {
        let list = list.split(';').next().unwrap_or_default();
        for key in list.split('`').skip(1).step_by(2) {
            assert!(schema_keys.contains(key), "the schema does not know {key}");
        }
    }
}
