use powerstrip_sdk::testing;
use serde_json::{Value, json};

use super::*;

macro_rules! parses {
    ($($name:ident: $text:literal => $expected:expr;)+) => {$(
        #[test]
        fn $name() {
            let text = $text;

            let probe = Probe::parse(text).ok();

            assert_eq!(probe, $expected);
        }
    )+};
}

parses! {
    the_containers_own_check: "health" => Some(Probe::Health);
    no_check_at_all: "none" => Some(Probe::None);
    a_path: "http:80/ready?x=1" => Some(Probe::Http { port: 80, path: "/ready?x=1".to_owned() });
    a_port_that_speaks_http: "http:80" => Some(Probe::Http { port: 80, path: "/".to_owned() });
    a_port: "tcp:5432" => Some(Probe::Tcp { port: 5432 });
    a_port_that_is_none: "tcp:0" => None;
    a_port_that_is_missing: "tcp" => None;
    a_port_with_a_path: "tcp:80/a" => None;
    health_of_a_port: "health:80" => None;
    a_path_with_a_blank: "http:80/a b" => None;
    an_unknown_kind: "exec:true" => None;
    nothing: "" => None;
}

fn looks(probe: &str, container: Value) -> Sight {
    let container: Container = serde_json::from_value(container).expect("a container");
    let probe = Probe::parse(probe).expect("a probe");
    probe.look(&container, "10.0.0.5", Duration::from_secs(1))
}

fn running(health: &Value) -> Value {
    let ports = json!({"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": "32768"}], "81/tcp": null});
    json!({"State": {"Running": true, "Health": health}, "NetworkSettings": {"Ports": ports}})
}

#[test]
fn health_decides() {
    let of = |status: &str| json!({"Status": status, "Log": [{"Output": "no\n"}]});

    let sights =
        ["healthy", "starting", "unhealthy"].map(|status| looks("health", running(&of(status))));

    let starting = Sight::Waiting("its health is \"starting\"".to_owned());
    let unhealthy = Sight::Unhealthy("its health check failed: no".to_owned());
    assert_eq!(sights, [Sight::Done, starting, unhealthy]);
}

#[test]
fn who_has_no_check_is_ready_and_so_is_who_has_ended() {
    let ended = json!({"State": {"Running": false, "Health": {"Status": "starting"}}});

    let sights = [looks("health", running(&Value::Null)), looks("health", ended)];

    assert_eq!(sights, [Sight::Done, Sight::Done]);
}

#[test]
fn a_port_is_asked_where_it_is_published() {
    testing::http(|request| {
        assert_eq!(request.url, "http://10.0.0.5:32768/ready");
        Ok(http::Response { status: 503, ..http::Response::default() })
    });

    let sight = looks("http:80/ready", running(&Value::Null));

    assert_eq!(sight, Sight::Waiting("http://10.0.0.5:32768/ready answers 503".to_owned()));
}

#[test]
fn a_port_that_is_not_published_cannot_be_asked() {
    let sights = ["http:81", "tcp:82"].map(|probe| looks(probe, running(&Value::Null)));

    let because = |port| Sight::Unhealthy(format!("its port {port} is not published"));
    assert_eq!(sights, [because(81), because(82)]);
}

#[test]
fn whoever_says_anything_listens() {
    let replies = [
        Ok(http::Response { status: 500, ..http::Response::default() }),
        Err(http::Error::Broken("the answer is not HTTP".to_owned())),
        Err(http::Error::Unreachable("connection refused".to_owned())),
        Err(http::Error::Denied),
    ];
    let sights = replies.map(|reply| {
        testing::http(move |_| reply.clone());
        looks("tcp:80", running(&Value::Null))
    });

    let [answers, speaks, refuses, denied] = sights;
    assert_eq!((answers, speaks), (Sight::Done, Sight::Done));
    assert!(matches!(refuses, Sight::Waiting(_)), "{refuses:?}");
    assert!(matches!(denied, Sight::Unhealthy(_)), "{denied:?}");
}
