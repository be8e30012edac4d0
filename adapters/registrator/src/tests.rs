use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use powerstrip_sdk::{Context, Resync, http, testing};
use serde_json::{Value, json};

use super::*;

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A Docker Engine with one container, and a Consul.
#[derive(Clone, Default)]
struct World {
    /// What the engine tells of the container; null for a container that is gone.
    container: Rc<RefCell<Value>>,
    /// The services of Consul by their ids.
    services: Rc<RefCell<BTreeMap<String, Value>>>,
}

impl World {
    fn new() -> Self {
        let world = Self::default();
        let serving = world.clone();
        testing::http(move |request| Ok(serving.answer(request)));
        world
    }

    fn answer(&self, request: &http::Request) -> http::Response {
        let path = request.url.split_once("://").expect("a URL").1;
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        let reply = |status, body: Value| http::Response {
            status,
            body: body.to_string().into(),
            ..Default::default()
        };
        if path == "engine.internal/containers/json" {
            let container = self.container.borrow().clone();
            let is_running = container["State"]["Running"] == true;
            let all: Vec<Value> = Some(container).filter(|_| is_running).into_iter().collect();
            return reply(200, json!(all));
        }
        if path.starts_with("engine.internal/containers/") {
            let container = self.container.borrow().clone();
            return reply(if container.is_null() { 404 } else { 200 }, container);
        }
        if path == "consul/v1/agent/services" {
            return reply(200, json!(*self.services.borrow()));
        }
        if let Some(id) = path.strip_prefix("consul/v1/agent/service/deregister/") {
            let id = id.replace("%3A", ":");
            let removed = self.services.borrow_mut().remove(&id);
            return reply(if removed.is_some() { 200 } else { 404 }, Value::Null);
        }
        assert_eq!(path, "consul/v1/agent/service/register");
        let mut listed = body.clone();
        listed["Service"] =
            listed.as_object_mut().expect("an object").remove("Name").expect("a name");
        let id = body["ID"].as_str().expect("an id").to_owned();
        self.services.borrow_mut().insert(id, listed);
        reply(200, Value::Null)
    }

    fn runs(&self, running: bool, ports: &Value, labels: &Value) {
        *self.container.borrow_mut() = json!({
            "Id": ID, "Name": "/web", "State": {"Running": running},
            "Config": {"Image": "docker.io/library/nginx:1", "Labels": labels, "Env": ["SERVICE_TAGS=a,b"]},
            "NetworkSettings": {"Ports": ports},
        });
    }

    /// Id, service and place of each entry.
    fn entries(&self) -> Vec<(String, String, String)> {
        let services = self.services.borrow();
        let text = |value: &Value| value.as_str().expect("a string").to_owned();
        let entry = |(id, service): (&String, &Value)| {
            let place = format!("{}:{}", text(&service["Address"]), service["Port"]);
            (id.clone(), text(&service["Service"]), place)
        };
        services.iter().map(entry).collect()
    }
}

fn adapter() -> Registrator {
    testing::adapter(
        json!({"address": "10.0.0.5", "node": "n1", "consul": {"url": "http://consul"}}),
    )
}

fn call(endpoint: &str, target: &str, name: &str, status: u16) {
    let context = Context {
        endpoint: Some(endpoint.to_owned()),
        variables: vec![("name".to_owned(), name.to_owned())],
        ..Context::default()
    };
    let request = testing::request_in(context, "POST", target, Value::Null);
    let outcome = adapter().post(&request, &mut testing::response(status, Value::Null));
    assert!(matches!(outcome, Ok(Post::Pass)), "{outcome:?}");
}

fn published(port: &str) -> Value {
    json!([{"HostIp": "0.0.0.0", "HostPort": port}, {"HostIp": "::", "HostPort": port}])
}

fn entry(id: &str, service: &str, place: &str) -> (String, String, String) {
    (format!("n1:web:0123456789ab:{id}"), service.to_owned(), place.to_owned())
}

#[test]
fn a_container_that_starts_is_written_down_once_for_each_port() {
    let world = World::new();
    let ports = json!({
        "80/tcp": published("32768"), "53/udp": published("53"), "9000/tcp": null,
        "81/tcp": [{"HostIp": "127.0.0.1", "HostPort": "81"}],
        "82/tcp": [{"HostIp": "10.9.9.9", "HostPort": "82"}],
    });
    world.runs(true, &ports, &json!({"SERVICE_82_NAME": "admin"}));

    call("container-start", "/containers/web/start", "web", 204);

    let expected = [
        entry("53-udp", "nginx-53", "10.0.0.5:53"),
        entry("80", "nginx-80", "10.0.0.5:32768"),
        entry("82", "admin", "10.9.9.9:82"),
    ];
    assert_eq!(world.entries(), expected);
    assert_eq!(world.services.borrow()["n1:web:0123456789ab:80"]["Tags"], json!(["a", "b"]));
}

#[test]
fn a_container_that_stops_is_struck_out() {
    let world = World::new();
    world.runs(true, &json!({"80/tcp": published("80")}), &json!({"SERVICE_NAME": "shop"}));
    call("container-start", "/containers/web/start", "web", 204);
    let started = world.entries();
    world.runs(false, &json!({}), &json!({}));

    call("container-stop", "/containers/web/stop", "web", 204);

    assert_eq!(started, [entry("80", "shop", "10.0.0.5:80")]);
    assert_eq!(world.entries(), []);
}

#[test]
fn a_container_that_is_gone_is_struck_out_by_its_name_or_its_id() {
    for name in ["web", ID, "0123"] {
        let world = World::new();
        world.runs(true, &json!({"80/tcp": published("80")}), &Value::Null);
        call("container-start", "/containers/web/start", "web", 204);
        assert_eq!(world.entries().len(), 1);
        *world.container.borrow_mut() = Value::Null;

        call("container-delete", "/containers/web", name, 204);

        assert_eq!(world.entries(), [], "{name}");
    }
}

#[test]
fn a_signal_that_does_not_end_it_changes_nothing() {
    let world = World::new();
    world.runs(true, &json!({"80/tcp": published("80")}), &Value::Null);
    call("container-start", "/containers/web/start", "web", 204);

    call("container-kill", "/containers/web/kill?signal=HUP", "web", 204);

    assert_eq!(world.entries().len(), 1);
}

#[test]
fn a_container_that_is_renamed_is_written_down_anew() {
    let world = World::new();
    world.runs(true, &json!({"80/tcp": published("80")}), &Value::Null);
    call("container-start", "/containers/web/start", "web", 204);
    world.container.borrow_mut()["Name"] = json!("/shop");

    call("container-rename", "/containers/web/rename?name=shop", "web", 204);

    let names: Vec<String> = world.entries().into_iter().map(|entry| entry.0).collect();
    assert_eq!(names, ["n1:shop:0123456789ab:80"]);
}

#[test]
fn what_an_earlier_container_of_the_same_name_has_left_is_struck_out() {
    let world = World::new();
    world.runs(true, &json!({"80/tcp": published("80")}), &Value::Null);
    call("container-start", "/containers/web/start", "web", 204);
    world.container.borrow_mut()["Id"] = json!(ID.replace("0123", "9876"));

    call("container-start", "/containers/web/start", "web", 204);

    let ids: Vec<String> = world.entries().into_iter().map(|entry| entry.0).collect();
    assert_eq!(ids, [format!("n1:web:{}:80", &ID.replace("0123", "9876")[..12])]);
}

#[test]
fn a_container_that_was_created_by_an_id_is_a_service_of_its_own_name() {
    for image in ["sha256:c0ffee98", "c0ffee", "sha256:c0ffee"] {
        let world = World::new();
        world.runs(true, &json!({"80/tcp": published("80")}), &Value::Null);
        world.container.borrow_mut()["Image"] = json!("sha256:c0ffee98");
        world.container.borrow_mut()["Config"]["Image"] = json!(image);

        call("container-start", "/containers/web/start", "web", 204);

        assert_eq!(world.entries(), [entry("80", "web", "10.0.0.5:80")], "{image}");
    }
}

#[test]
fn a_container_that_wants_to_be_ignored_is() {
    let world = World::new();
    world.runs(true, &json!({"80/tcp": published("80")}), &json!({"SERVICE_IGNORE": "1"}));

    call("container-start", "/containers/web/start", "web", 204);

    assert_eq!(world.entries(), []);
}

#[test]
fn a_call_that_failed_is_left_alone() {
    let world = World::new();
    world.runs(true, &json!({"80/tcp": published("80")}), &Value::Null);

    call("container-start", "/containers/web/start", "web", 500);

    assert_eq!(world.entries(), []);
}

#[test]
fn where_the_registry_is_down_a_call_may_pass_and_an_event_fails() {
    assert_eq!(testing::logs(), Vec::<String>::new());
    testing::http(|_| Ok(http::Response { status: 503, ..http::Response::default() }));
    let adapter: Registrator = testing::adapter(
        json!({"address": "a", "consul": {"url": "http://consul"}, "on_error": "pass"}),
    );
    let context = Context {
        endpoint: Some("container-start".to_owned()),
        variables: vec![("name".to_owned(), "web".to_owned())],
        ..Context::default()
    };
    let request = testing::request_in(context, "POST", "/containers/web/start", Value::Null);

    let called = adapter.post(&request, &mut testing::response(204, Value::Null));
    let died = json!({"Type": "container", "Action": "die", "Actor": {"ID": ID, "Attributes": {}}});
    let told = adapter.event(&testing::event(died));

    assert!(matches!(called, Ok(Post::Pass)), "{called:?}");
    assert!(testing::logs()[0].starts_with("warn: container web is not written down"));
    assert!(told.is_err(), "{told:?}");
}

#[test]
fn what_others_have_registered_stays() {
    let world = World::new();
    let foreign = json!({"ID": "consul", "Service": "consul", "Port": 8300});
    world.services.borrow_mut().insert("consul".to_owned(), foreign);
    let alike =
        json!({"ID": "n1:web:0123456789ab:80", "Service": "nginx", "Address": "", "Port": 1});
    world.services.borrow_mut().insert("n1:web:0123456789ab:80".to_owned(), alike);

    call("container-delete", "/containers/web", "web", 204);

    assert_eq!(world.services.borrow().len(), 2);
}

fn told(action: &str) {
    let actor = json!({"ID": ID, "Attributes": {"name": "web"}});
    let event = json!({"Type": "container", "Action": action, "Actor": actor});
    adapter().event(&testing::event(event)).expect("the hook works");
}

#[test]
fn a_container_that_ends_by_itself_is_struck_out_and_one_that_comes_back_is_not() {
    let world = World::new();
    world.runs(true, &json!({"80/tcp": published("80")}), &Value::Null);
    told("start");
    let started = world.entries().len();
    world.runs(false, &json!({}), &Value::Null);
    told("exec_die");
    let untouched = world.entries().len();

    told("die");

    assert_eq!((started, untouched), (1, 1));
    assert_eq!(world.entries(), []);
}

#[test]
fn where_events_may_be_missing_all_is_compared() {
    let world = World::new();
    world.runs(true, &json!({"80/tcp": published("80")}), &Value::Null);
    let stale = json!({
        "ID": "n1:old:ba9876543210:80", "Service": "nginx", "Address": "10.0.0.5", "Port": 1,
        "Meta": {"registered-by": "powerstrip"},
    });
    let elsewhere = json!({
        "ID": "n2:old:ba9876543210:80", "Service": "nginx", "Address": "10.0.0.6", "Port": 1,
        "Meta": {"registered-by": "powerstrip"},
    });
    for service in [stale, elsewhere] {
        let id = service["ID"].as_str().expect("an id").to_owned();
        world.services.borrow_mut().insert(id, service);
    }

    adapter().event(&testing::resync(Resync::Began)).expect("the hook works");

    let ids: Vec<String> = world.entries().into_iter().map(|entry| entry.0).collect();
    assert_eq!(ids, ["n1:web:0123456789ab:80", "n2:old:ba9876543210:80"]);
}

macro_rules! refuses {
    ($($name:ident: $config:tt => $expected:literal;)+) => {$(
        #[test]
        fn $name() {
            let config = json!($config);

            let refused = testing::try_adapter::<Registrator>(config);

            assert_eq!(refused.expect_err("the configuration is wrong"), $expected);
        }
    )+};
}

refuses! {
    no_registry: {"address": "a"} => "write one of consul and etcd";
    two_registries: {"address": "a", "consul": {"url": "http://c"}, "etcd": {"url": "http://e"}} =>
        "write one of consul and etcd";
    no_address: {"consul": {"url": "http://c"}} => "missing field `address`";
    a_url_that_is_none: {"address": "a", "etcd": {"url": "etcd:2379"}} =>
        "etcd.url: \"etcd:2379\" is not an http:// or https:// URL";
    a_node_that_would_divide_a_key: {"address": "a", "node": "a/b", "etcd": {"url": "http://e"}} =>
        "node: \"a/b\" is no name for a node";
}
