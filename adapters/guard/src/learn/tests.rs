use powerstrip_sdk::{Adapter, Pre, testing};
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::Guard;

fn create(body: Value) -> Recorded {
    called("POST /containers/create", "container-create", body)
}

fn called(line: &str, endpoint: &str, body: Value) -> Recorded {
    let (method, target) = line.split_once(' ').expect("METHOD PATH");
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (name.to_owned(), value.to_owned())
    };
    Recorded {
        method: method.to_owned(),
        path: path.to_owned(),
        query: query.split('&').filter(|it| !it.is_empty()).map(pair).collect(),
        endpoint: Some(endpoint.to_owned()).filter(|it| !it.is_empty()),
        body,
        ..Recorded::default()
    }
}

/// What a call takes, as it is written: `containers.privileged: true`.
fn takes(recorded: Recorded) -> Vec<String> {
    let lesson = Learner::default().learn(recorded, false);
    assert_eq!(lesson.stuck, None);
    let shown = |take: &Take| match (take, value(take)) {
        (Take::Rule(_), _) => None,
        (Take::List(_), _) => None,
        (take, value) => {
            let setting = setting_of(take).unwrap_or_default();
            Some(format!("{setting}: {}", value.unwrap_or_default()))
        }
    };
    lesson.takes.iter().filter_map(shown).collect()
}

/// The configuration that says this and nothing else.
fn config(takes: &BTreeSet<Take>) -> Value {
    let rules = takes.iter().filter(|take| matches!(take, Take::Rule(_))).filter_map(value);
    let rules = rules.map(|rule| json!({"allow": rule})).collect::<Value>();
    setting::over(json!({"rules": rules}), takes)
}

fn allows(takes: &BTreeSet<Take>, recorded: &Recorded) -> bool {
    let guard: Guard = testing::adapter(config(takes));
    let outcome = guard.pre(&mut recorded.clone().request());
    matches!(outcome.expect("the guard judges whatever it is given"), Pre::Pass)
}

/// What nobody asks for who does nothing special, so that a test shows only what it is about.
const USUAL: [&str; 4] = [
    "containers.cpus: null",
    "containers.memory: null",
    "containers.pids: null",
    "images: \"docker.io/library/a:latest\"",
];

macro_rules! takes {
    ($($name:ident: $host:tt => [$($take:literal),*];)+) => {$(
        #[test]
        fn $name() {
            let mut takes = takes(create(json!({"Image": "a", "HostConfig": $host})));

            takes.retain(|take| !USUAL.contains(&take.as_str()));
            let expected: Vec<&str> = vec![$($take),*];
            assert_eq!(takes, expected);
        }
    )+};
}

takes! {
    a_plain_container: {} => [];
    a_privileged_one: {"Privileged": true} => ["containers.privileged: true"];
    what_hides_behind_something_else: {"Privileged": true, "PidMode": "host", "CapAdd": ["cap_sys_admin", "KILL"]}
        => ["containers.privileged: true", "containers.capabilities: \"SYS_ADMIN\"", "containers.host: \"pid\""];
    a_bind_that_is_cleaned: {"Binds": ["/srv/./a/../b:/x"]} => ["containers.binds: \"/srv/b\""];
    binds_of_one_path: {"Binds": ["/srv:/x:ro", "/srv:/y"]} => ["containers.binds: \"/srv\""];
    a_bind_below_one_that_is_written: {"Binds": ["/srv:/x", "/srv/y:/y:ro"]} => ["containers.binds: \"/srv\""];
    a_bind_that_is_written_below_one_that_is_not: {"Binds": ["/srv:/x:ro", "/srv/y:/y"]} => [
        "containers.binds: {\"path\":\"/srv\",\"read_only\":true}", "containers.binds: \"/srv/y\""];
    ports: {"PortBindings": {"80/tcp": [{"HostPort": "8080"}], "81/tcp": [{"HostIp": "::1", "HostPort": ""}]}}
        => ["containers.ports: \"8080\""];
    ports_of_addresses: {"PortBindings": {"80/tcp": [{"HostIp": "10.0.0.1", "HostPort": "80-81"}, {"HostIp": "::1"}]}}
        => ["containers.ports: \"10.0.0.1:80-81\"", "containers.ports: \"[::1]:0\""];
    a_port_that_the_engine_chooses: {"PublishAllPorts": true} => ["containers.ports: \"0\""];
    a_policy: {"RestartPolicy": {"Name": "always"}} => ["containers.restart: \"always\""];
    anothers_network: {"NetworkMode": "container:web"} => ["containers.join: \"network\""];
    a_star_means_no_more_than_one_character: {"CapAdd": ["*"]} => ["containers.capabilities: \"?\""];
    a_volume_that_is_a_bind: {"Mounts": [{"Type": "volume", "Source": "v", "VolumeOptions":
        {"DriverConfig": {"Options": {"type": "none", "o": "bind", "device": "/srv"}}}}]}
        => ["containers.binds: \"/srv\""];
    what_no_setting_names: {"Privileged": true, "Mounts": [{"Type": "npipe", "Source": "x"}]}
        => ["containers: \"any\""];
}

#[test]
fn ceilings_are_what_was_asked_for() {
    let host = json!({"Memory": 1 << 30, "NanoCpus": 570_000_000_i64, "PidsLimit": 100});

    let takes = takes(create(json!({"Image": "a", "HostConfig": host})));

    assert_eq!(
        takes,
        [
            "images: \"docker.io/library/a:latest\"",
            "containers.cpus: 0.57",
            "containers.memory: \"1GiB\"",
            "containers.pids: 100",
        ]
    );
}

#[test]
fn calls_have_their_own_settings() {
    let exec = called(
        "POST /containers/web/exec",
        "container-exec",
        json!({"User": "app", "Privileged": true}),
    );
    let pull = called("POST /images/create?fromImage=alpine&tag=3", "image-create", Value::Null);
    let build = called("POST /build?version=2&remote=https://a/b.git", "build", Value::Null);
    let volume = called(
        "POST /volumes/create",
        "volume-create",
        json!({"Driver": "nfs", "DriverOpts": {"o": "a"}}),
    );
    let plugin = called("POST /plugins/x/set", "plugin-set", json!(["A=1"]));

    let taken = [exec, pull, build, volume, plugin].map(takes);

    let expected: [&[&str]; 5] = [
        &["exec.privileged: true", "exec.users: \"app\""],
        &["images: \"docker.io/library/alpine:3\""],
        &["build.remote: \"https://a/b.git\""],
        &["volumes.drivers: \"nfs\"", "volumes.options: \"o=a\""],
        &["plugins: \"any\""],
    ];
    assert_eq!(taken, expected);
}

#[test]
fn a_rule_is_what_the_guard_calls_the_call() {
    let rule = |line: &str, endpoint: &str| {
        let lesson = Learner::default().learn(called(line, endpoint, Value::Null), false);
        lesson.takes.into_iter().find(|take| matches!(take, Take::Rule(_))).map(|take| value(&take))
    };

    assert_eq!(rule("GET /_ping", "ping"), None);
    assert_eq!(rule("GET /info", "system-info"), Some(Some(json!("system-info"))));
    assert_eq!(
        rule("POST /images/create?fromSrc=-", "image-create"),
        Some(Some(json!("image-import")))
    );
    assert_eq!(rule("POST /new/%2A", ""), Some(Some(json!("POST /new/?"))));
}

#[test]
fn a_body_that_is_not_known_limits_nothing() {
    let lesson = Learner::default().learn(create(Value::Null), true);

    assert!(lesson.is_blind && lesson.stuck.is_none());
    let unset = lesson.takes.iter().filter(|take| matches!(take, Take::Unset(_))).count();
    assert_eq!((unset, lesson.takes.len()), (6, 7), "{:?}", lesson.takes);
}

#[test]
fn a_body_that_does_not_count_is_not_missed() {
    let kill = called("POST /containers/web/kill", "container-kill", Value::Null);

    assert!(!Learner::default().learn(kill, true).is_blind);
}

#[test]
fn an_image_by_its_id_leaves_images_open() {
    let lesson = Learner::default().learn(create(json!({"Image": "4a4f5bd0e7c1"})), false);

    assert!(lesson.takes.contains(&Take::Unset("images")) && lesson.has_assumed);
}

#[test]
fn what_the_engine_would_refuse_opens_nothing() {
    let mount = json!({"Type": "bind", "Source": ""});
    let body = json!({"Image": "a", "HostConfig": {"Mounts": [mount], "Privileged": true}});

    let lesson = Learner::default().learn(create(body), false);

    assert!(lesson.stuck.is_some_and(|why| why.contains("the bind of /")));
    assert!(lesson.takes.contains(&Take::Flag("containers.privileged")));
    assert!(!lesson.takes.iter().any(|take| matches!(take, Take::Bind { .. })));
}

prop_compose! {
    fn limits()(
        memory in prop::option::of(1_i64..1 << 40),
        nano in prop::option::of(1_i64..64_000_000_000),
        pids in prop::option::of(1_i64..100_000),
        restart in select(vec!["", "no", "always", "on-failure"]),
        image in select(vec!["a", "a:1", "docker.io/library/a", "ghcr.io/x/y:z", "a@sha256:00"]),
    ) -> (Value, &'static str) {
        let policy = json!({"Name": restart});
        (json!({"Memory": memory, "NanoCpus": nano, "PidsLimit": pids, "RestartPolicy": policy}), image)
    }
}

prop_compose! {
    fn body()(
        (mut host, image) in limits(),
        privileged in any::<bool>(),
        caps in subsequence(vec!["KILL", "NET_ADMIN", "cap_sys_admin", "ALL"], 0..3),
        binds in subsequence(vec!["/srv:/a", "/srv/x:/b:ro", "/srv/x:/c", "/:/d:ro", "v:/e"], 0..4),
        modes in subsequence(vec!["NetworkMode", "PidMode", "IpcMode", "UTSMode"], 0..3),
        ports in subsequence(vec!["80", "8000-8010", "8005", ""], 0..4),
        address in select(vec!["", "127.0.0.1", "::1"]),
        sysctls in subsequence(vec!["a=1", "b=*", "c=?"], 0..3),
        devices in subsequence(vec!["/dev/fuse", "/dev/../dev/kvm"], 0..2),
    ) -> Value {
        let ports = ports.iter().map(|port| json!({"HostIp": address, "HostPort": port}));
        let devices = devices.iter().map(|path| json!({"PathOnHost": path}));
        let pairs = sysctls.iter().filter_map(|pair| pair.split_once('='));
        host["Privileged"] = json!(privileged);
        host["CapAdd"] = json!(caps);
        host["Binds"] = json!(binds);
        host["PortBindings"] = json!({"80/tcp": ports.collect::<Vec<_>>()});
        host["Sysctls"] = pairs.map(|(key, value)| (key.to_owned(), json!(value))).collect();
        host["Devices"] = devices.collect();
        for mode in modes {
            host[mode] = json!("host");
        }
        json!({"Image": image, "HostConfig": host})
    }
}

/// The same with one thing less, for each thing that can be less.
fn with_one_less(takes: &BTreeSet<Take>) -> Vec<BTreeSet<Take>> {
    let lists = takes.iter().filter_map(setting_of).filter(|setting| setting::is_list(setting));
    let lists: Vec<&'static str> = UNLIMITED
        .iter()
        .flat_map(|(_, settings)| settings.iter().copied())
        .filter(|setting| lists.clone().any(|list| list == *setting))
        .collect();
    let without = |gone: &Take| {
        let mut fewer = takes.clone();
        fewer.remove(gone);
        if let Take::AtLeast(setting, least) = gone {
            fewer.insert(Take::AtLeast(setting, least - 1));
        }
        fewer.extend(lists.iter().map(|list| Take::List(list)));
        fewer
    };
    let counts = |take: &&Take| match take {
        Take::List(_) | Take::Unset(_) => false,
        Take::AtLeast(_, least) => *least > 2,
        _ => true,
    };
    takes.iter().filter(counts).map(without).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn what_is_learned_allows_all_and_nothing_of_it_is_needless(bodies in prop::collection::vec(body(), 1..4)) {
        let calls: Vec<_> = bodies.into_iter().map(create).collect();
        let learner = Learner::default();
        let mut lesson = Lesson::default();
        for call in &calls {
            lesson.takes.extend(learner.learn(call.clone(), false).takes);
        }
        lesson.narrow();

        for call in &calls {
            prop_assert!(allows(&lesson.takes, call), "{:?} {:?}", config(&lesson.takes), call.body);
        }
        for fewer in with_one_less(&lesson.takes) {
            let all = calls.iter().all(|call| allows(&fewer, call));
            prop_assert!(!all, "{:?} is enough of {:?}", config(&fewer), config(&lesson.takes));
        }
    }
}
