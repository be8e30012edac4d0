use super::*;

const CREATE: (&str, &str) = ("POST /containers/create", "container-create");
const UPDATE: (&str, &str) = ("POST /containers/{web}/update", "container-update");
const EXEC: (&str, &str) = ("POST /containers/{web}/exec", "container-exec");
const VOLUME: (&str, &str) = ("POST /volumes/create", "volume-create");
const NETWORK: (&str, &str) = ("POST /networks/create", "network-create");
const SERVICE: (&str, &str) = ("POST /services/create", "service-create");
const PLUGIN: (&str, &str) = ("POST /plugins/pull?remote=acme/disk:1", "plugin-pull");

/// What is said about a call to which every endpoint is open; empty if it goes on.
fn said(mut config: Value, (line, endpoint): (&str, &str), body: Value) -> String {
    config["rules"] = json!([{"allow": "* *"}]);
    engine(world());
    let refusal = refusal(&config, request(line, endpoint, body));
    refusal.map(|refusal| format!("{} {}", refusal.status, refusal.message)).unwrap_or_default()
}

fn world() -> Value {
    let privileged = json!({"NetworkMode": "host", "PidMode": "", "Privileged": true});
    json!({
        "GET /containers/web/json": {"Id": "w1", "HostConfig": {"NetworkMode": "bridge"}, "Mounts": [
            {"Type": "bind", "Source": "/etc", "RW": true}, {"Type": "volume", "Name": "data"},
        ]},
        "GET /containers/plain/json": {"Id": "p1", "HostConfig": {"NetworkMode": "container:web"}},
        "GET /containers/root/json": {"Id": "r1", "HostConfig": privileged},
        "GET /containers/loop/json": {"Id": "l1", "HostConfig": {"NetworkMode": "container:loop"}},
        "GET /volumes/etc": {"Name": "etc", "Driver": "local", "Options": {
            "type": "none", "o": "bind", "device": "/etc",
        }},
        "GET /volumes/data": {"Name": "data", "Driver": "local", "Options": null},
        "GET /networks/abc": {"Id": "abcdef", "Driver": "host"},
        "GET /networks/def": {"Id": "defabc", "Driver": "bridge"},
        "GET /images/3f5": {},
        "GET /images/3f5/json": {"Id": "sha256:3f5", "RepoTags": ["evil:1"]},
        "GET /images/4a4/json": {"Id": "sha256:4a4", "RepoTags": ["alpine:3.19"]},
    })
}

#[expect(clippy::needless_pass_by_value, reason = "json!(…) reads better than &json!(…)")]
fn host(config: Value) -> Value {
    json!({"Image": "alpine", "HostConfig": config})
}

macro_rules! denied {
    ($($name:ident: $config:tt, $call:expr, $body:expr => $words:literal;)+) => {$(
        #[test]
        fn $name() {
            let said = said(json!($config), $call, $body);

            assert!(said.starts_with("403 powerstrip: guard denies "), "{said}");
            assert!(said.contains($words), "{said}");
        }
    )+};
}

macro_rules! passes {
    ($($name:ident: $config:tt, $call:expr, $body:expr;)+) => {$(
        #[test]
        fn $name() {
            let said = said(json!($config), $call, $body);

            assert_eq!(said, "");
        }
    )+};
}

denied! {
    privileged: {}, CREATE, host(json!({"Privileged": true})) => "containers.privileged: true";
    a_capability: {}, CREATE, host(json!({"CapAdd": ["cap_sys_admin"]})) => "capability SYS_ADMIN";
    all_capabilities: {"containers": {"capabilities": "NET_ADMIN"}}, CREATE,
        host(json!({"CapAdd": ["ALL"]})) => "[\"ALL\"]";
    the_hosts_network: {}, CREATE, host(json!({"NetworkMode": "host"})) => "host: [network]";
    the_hosts_network_by_its_id: {}, CREATE, host(json!({"NetworkMode": "abc"})) => "host: [network]";
    the_hosts_network_beside_another: {}, CREATE, json!({
        "HostConfig": {}, "NetworkingConfig": {"EndpointsConfig": {"abc": {}}},
    }) => "host: [network]";
    the_hosts_processes: {"containers": {"host": ["network"]}}, CREATE,
        host(json!({"PidMode": "host"})) => "host: [pid]";
    the_hosts_memory: {}, CREATE, host(json!({"IpcMode": "host"})) => "host: [ipc]";
    the_hosts_name: {}, CREATE, host(json!({"UTSMode": "host"})) => "host: [uts]";
    the_hosts_users: {}, CREATE, host(json!({"UsernsMode": "host"})) => "host: [user]";
    the_hosts_cgroups: {}, CREATE, host(json!({"CgroupnsMode": "host"})) => "host: [cgroup]";
    anothers_network: {}, CREATE, host(json!({"NetworkMode": "container:web"})) => "join: [network]";
    the_hosts_network_through_another: {"containers": {"join": ["network"]}}, CREATE,
        host(json!({"NetworkMode": "container:root"})) => "host: [network]";
    the_processes_of_a_privileged_one: {"containers": {"join": ["pid"]}}, CREATE,
        host(json!({"PidMode": "container:root"})) => "of a privileged container";
    a_bind: {}, CREATE, host(json!({"Binds": ["/srv:/data:ro"]})) => "containers.binds: [\"/srv\"]";
    a_bind_that_climbs: {"containers": {"binds": "/srv"}}, CREATE,
        host(json!({"Binds": ["/srv/../etc:/x"]})) => "the bind of /etc";
    a_bind_beside_the_folder: {"containers": {"binds": "/srv"}}, CREATE,
        host(json!({"Binds": ["/srv2:/x"]})) => "the bind of /srv2";
    a_bind_to_be_written: {"containers": {"binds": [{"path": "/srv", "read_only": true}]}}, CREATE,
        host(json!({"Binds": ["/srv/x:/x"]})) => "read-only";
    a_mount: {}, CREATE, host(json!({"Mounts": [{"Type": "bind", "Source": "/"}]})) => "bind of /,";
    a_mount_of_a_new_kind: {}, CREATE, host(json!({"Mounts": [{"Type": "BIND"}]})) => "type \"BIND\"";
    a_volume_that_is_a_bind: {}, CREATE, host(json!({"Mounts": [{
        "Type": "volume", "Source": "new", "VolumeOptions": {"DriverConfig": {"Options":
        {"type": "none", "o": "rbind,rw", "device": "/../etc"}}},
    }]})) => "the bind of /etc";
    a_volume_that_was_made_of_a_path: {}, CREATE, host(json!({"Binds": ["etc:/x"]})) => "bind of /etc";
    the_same_as_a_mount: {}, CREATE,
        host(json!({"Mounts": [{"Type": "volume", "Source": "etc"}]})) => "bind of /etc";
    anothers_binds: {}, CREATE, host(json!({"VolumesFrom": ["web"]})) => "bind of /etc";
    a_volume_driver: {}, CREATE, host(json!({"VolumeDriver": "sshfs"})) => "volumes.drivers";
    a_device: {"containers": {"devices": "/dev/fuse"}}, CREATE,
        host(json!({"Devices": [{"PathOnHost": "/dev/../dev/sda"}]})) => "the device /dev/sda";
    graphics: {}, CREATE, host(json!({"DeviceRequests": [{"Count": -1}]})) => "device_requests";
    rules_for_devices: {}, CREATE, host(json!({"DeviceCgroupRules": ["a *:* rwm"]})) => "cgroup_rules";
    no_seccomp: {}, CREATE, host(json!({"SecurityOpt": ["seccomp=unconfined"]})) => "seccomp";
    nothing_masked: {}, CREATE, host(json!({"MaskedPaths": []})) => "masked_paths";
    a_sysctl: {"containers": {"sysctls": "net.*"}}, CREATE,
        host(json!({"Sysctls": {"kernel.shmmax": "1"}})) => "kernel.shmmax=1";
    a_runtime: {}, CREATE, host(json!({"Runtime": "sysbox"})) => "containers.runtimes";
    a_cgroup: {}, CREATE, host(json!({"CgroupParent": "/system.slice"})) => "cgroup_parents";
    a_log_driver: {}, CREATE, host(json!({"LogConfig": {"Type": "syslog"}})) => "log_drivers";
    a_log_option: {"containers": {"log_drivers": "syslog"}}, CREATE,
        host(json!({"LogConfig": {"Type": "syslog", "Config": {"syslog-address": "udp://x"}}})) =>
        "log_options: [\"syslog-address=udp://x\"]";
    a_restart_policy: {"containers": {"restart": "on-failure"}}, CREATE,
        host(json!({"RestartPolicy": {"Name": "always"}})) => "restart";
    an_annotation: {}, CREATE, host(json!({"Annotations": {"run.oci.x": "1"}})) => "annotations";
    a_port: {"containers": {"ports": ["8000-8999"]}}, CREATE,
        host(json!({"PortBindings": {"80/tcp": [{"HostPort": "80"}]}})) => "containers.ports";
    a_port_on_every_address: {"containers": {"ports": "127.0.0.1:*"}}, CREATE,
        host(json!({"PortBindings": {"80/tcp": [{"HostPort": "8080"}]}})) => "containers.ports";
    any_port_at_all: {"containers": {"ports": []}}, CREATE,
        host(json!({"PublishAllPorts": true})) => "containers.ports";
    too_much_memory: {"containers": {"memory": "1GiB"}}, CREATE,
        host(json!({"Memory": 1_073_741_825})) => "1073741824 or less";
    swap_without_an_end: {"containers": {"memory": "1GiB"}}, CREATE,
        host(json!({"Memory": 1024, "MemorySwap": -1})) => "MemorySwap -1";
    too_many_processors: {"containers": {"cpus": 1.5}}, CREATE,
        host(json!({"NanoCpus": 1_600_000_000})) => "1.5 or less";
    too_many_by_their_quota: {"containers": {"cpus": 2}}, CREATE,
        host(json!({"CpuQuota": 50_000, "CpuPeriod": 10_000})) => "2.0 or less";
    too_many_processes: {"containers": {"pids": 100}}, CREATE,
        host(json!({"PidsLimit": 101})) => "100 or less";
    to_outlive_others: {}, CREATE, host(json!({"OomScoreAdj": -500})) => "containers.priority";
    what_is_new: {}, CREATE, host(json!({"TrapDoor": {"Open": true}})) => "containers.unknown";
    another_image: {"images": ["alpine:3.*"]}, CREATE, json!({"Image": "alpine"}) => "the image alpine";
    another_image_by_its_id: {"images": ["alpine", "3f5"]}, CREATE,
        json!({"Image": "3f5"}) => "the image 3f5";
    an_update_to_no_processes: {"containers": {"pids": 100}}, UPDATE, json!({"PidsLimit": -1}) => "1 to 100";
    an_update_of_half_a_quota: {"containers": {"cpus": 1}}, UPDATE, json!({"CpuQuota": 1000}) => "both";
    an_update_with_a_device: {}, UPDATE, json!({"Devices": [{"PathOnHost": "/dev/sda"}]}) => "/dev/sda";
    an_exec_with_privileges: {}, EXEC, json!({"Privileged": true}) => "exec.privileged";
    an_exec_as_root: {"exec": {"users": ["app"]}}, EXEC, json!({"User": "0"}) => "User \"0\"";
    a_start_with_a_body: {}, ("POST /containers/{web}/start", "container-start"),
        json!({"Privileged": true}) => "a start has a body";
    a_start_with_a_body_that_says_nothing: {}, ("POST /containers/{web}/start", "container-start"),
        json!({"MaskedPaths": []}) => "a start has a body";
    a_start_with_a_body_of_zeros: {}, ("POST /containers/{web}/start", "container-start"),
        json!({"Memory": 0}) => "a start has a body";
    processes_under_another_name_for_their_ids: {},
        ("GET /containers/{web}/top?ps_args=-ovsz%3DPID%20-oargs", "container-top"), json!(null) =>
        "ps_args";
    processes_whose_ids_come_after_words: {},
        ("GET /containers/{web}/top?ps_args=-ocmd,pid%20-e", "container-top"), json!(null) => "ps_args";
    processes_with_more_options: {},
        ("GET /containers/{web}/top?ps_args=-o%20pid,args%20-e%20fe", "container-top"), json!(null) =>
        "ps_args";
    a_start_from_a_checkpoint: {},
        ("POST /containers/{web}/start?checkpoint=x&checkpoint-dir=/etc", "container-start"),
        json!(null) => "a checkpoint";
    a_volume_of_a_path: {}, VOLUME, json!({"DriverOpts": {"o": "bind", "device": "/etc"}}) => "/etc";
    a_volume_of_a_disk: {}, VOLUME,
        json!({"DriverOpts": {"type": "ext4", "device": "/dev/sda1"}}) => "volumes.options";
    a_volume_that_calls_itself_memory: {}, VOLUME,
        json!({"DriverOpts": {"type": "tmpfs", "o": "size=1m,bind", "device": "/etc"}}) => "bind of /etc";
    a_volume_over_the_network: {}, VOLUME,
        json!({"DriverOpts": {"type": "nfs", "o": "addr=10.0.0.1"}}) => "volumes.options";
    a_volume_of_another_driver: {}, VOLUME, json!({"Driver": "sshfs"}) => "volumes.drivers";
    a_network_beside_the_hosts: {}, NETWORK, json!({"Driver": "macvlan"}) => "networks.drivers";
    a_bridge_by_its_name: {}, NETWORK,
        json!({"Options": {"com.docker.network.bridge.name": "docker0"}}) => "networks.options";
    a_network_made_of_another: {}, NETWORK,
        json!({"ConfigFrom": {"Network": "x"}}) => "ConfigFrom";
    a_connection_to_the_host: {}, ("POST /networks/{abc}/connect", "network-connect"),
        json!({"Container": "web"}) => "host: [network]";
    a_build_on_the_hosts_network: {}, ("POST /build?networkmode=host", "build"), json!(null) =>
        "host: [network]";
    a_build_from_elsewhere: {}, ("POST /build?remote=http://x/y.git", "build"), json!(null) =>
        "build.remote";
    a_build_without_seccomp: {}, ("POST /build?securityopt=%5B%22seccomp=unconfined%22%5D", "build"),
        json!(null) => "seccomp=unconfined";
    a_build_without_seccomp_after_another_option: {},
        ("POST /build?securityopt=%5B%5D&securityopt=seccomp=unconfined", "build"), json!(null) =>
        "seccomp=unconfined";
    a_connection_with_options: {}, ("POST /networks/{def}/connect", "network-connect"),
        json!({"EndpointConfig": {"DriverOpts": {"com.docker.network.endpoint.sysctls": "x"}}}) =>
        "networks.options";
    a_service_with_something_new: {}, SERVICE, json!({"TaskTemplate": {"ContainerSpec":
        {"Devices": [1]}}}) => "containers.unknown";
    a_build_in_a_cgroup: {}, ("POST /build?cgroupparent=/x", "build"), json!(null) => "cgroup_parents";
    a_build_with_much_memory: {"containers": {"memory": "1MB"}},
        ("POST /build?memory=2000000", "build"), json!(null) => "containers.memory";
    a_pull_of_another_image: {"images": "ghcr.io/acme/*"},
        ("POST /images/create?fromImage=ghcr.io/evil/x&tag=1", "image-create"), json!(null) => "evil";
    a_service_with_a_bind: {}, SERVICE, json!({"TaskTemplate": {"ContainerSpec": {"Mounts":
        [{"Type": "bind", "Source": "/etc"}]}}}) => "bind of /etc";
    a_service_with_a_capability: {}, SERVICE, json!({"TaskTemplate": {"ContainerSpec":
        {"CapabilityAdd": ["CAP_SYS_ADMIN"]}}}) => "SYS_ADMIN";
    a_service_on_the_hosts_network: {}, SERVICE, json!({"TaskTemplate": {"Networks":
        [{"Target": "host"}]}}) => "host: [network]";
    a_service_without_seccomp: {}, SERVICE, json!({"TaskTemplate": {"ContainerSpec":
        {"Privileges": {"Seccomp": {"Mode": "unconfined"}}}}}) => "Seccomp unconfined";
    a_service_without_limits: {"containers": {"memory": "1GiB"}}, SERVICE, json!({"TaskTemplate":
        {"ContainerSpec": {}}}) => "--limit-memory";
    a_service_that_is_a_plugin: {}, SERVICE, json!({"TaskTemplate": {"Runtime": "plugin"}}) => "plugin";
    a_plugin: {}, PLUGIN, json!([]) => "plugins.sources";
    a_privilege_of_a_plugin: {"plugins": {"sources": "acme/*", "privileges": "network=bridge"}}, PLUGIN,
        json!([{"Name": "mount", "Value": ["/"]}]) => "the privilege mount=/";
    all_reasons_at_once: {}, CREATE, host(json!({"Privileged": true, "PidMode": "host"})) =>
        "Privileged, which takes containers.privileged: true; PidMode host, which takes";
}

passes! {
    a_plain_container: {}, CREATE, host(json!({
        "Binds": null, "CapAdd": ["CHOWN"], "NetworkMode": "default", "MemorySwappiness": -1,
        "RestartPolicy": {"Name": "always"}, "LogConfig": {"Type": "json-file", "Config":
        {"max-size": "1m"}}, "MaskedPaths": null, "SecurityOpt": ["no-new-privileges"],
        "PortBindings": {"80/tcp": [{"HostIp": "", "HostPort": "80"}]}, "PidsLimit": null,
    }));
    a_named_volume: {}, CREATE, host(json!({"Binds": ["data:/x", "new:/y"]}));
    a_network_that_reads_like_an_id: {}, CREATE, host(json!({"NetworkMode": "def"}));
    a_bind_below_the_folder: {"containers": {"binds": "/srv"}}, CREATE,
        host(json!({"Binds": ["/srv/./a//b:/x"]}));
    a_bind_that_is_only_read: {"containers": {"binds": {"path": "/srv", "read_only": true}}}, CREATE,
        host(json!({"Binds": ["/srv:/x:z,ro"]}));
    whatever_is_asked: {"containers": "any"}, CREATE, host(json!({"Privileged": true}));
    an_image_by_the_id_of_a_good_one: {"images": "alpine"}, CREATE, json!({"Image": "4a4"});
    anothers_network_where_that_is_allowed: {"containers": {"join": ["network"]}}, CREATE,
        host(json!({"NetworkMode": "container:plain"}));
    a_volume_in_memory: {}, VOLUME,
        json!({"DriverOpts": {"type": "tmpfs", "device": "tmpfs", "o": "size=1m,uid=7,nodev"}});
    a_volume_of_an_allowed_path: {"containers": {"binds": "/srv"}}, VOLUME,
        json!({"DriverOpts": {"type": "none", "o": "bind", "device": "/srv/x"}});
    a_plain_network: {}, NETWORK, json!({"Driver": "bridge", "ConfigFrom": null, "Options": {}});
    a_start_with_what_counts_as_no_body: {}, ("POST /containers/{web}/start", "container-start"),
        json!({});
    processes: {}, ("GET /containers/{web}/top", "container-top"), json!(null);
    processes_of_all_kinds: {}, ("GET /containers/{web}/top?ps_args=aux", "container-top"), json!(null);
    processes_by_columns: {},
        ("GET /containers/{web}/top?ps_args=-o%20pid,user,%25cpu,args", "container-top"), json!(null);
    a_build: {}, ("POST /build?t=app&networkmode=default&remote=client-session", "build"), json!(null);
    an_update_of_the_restart_policy: {"containers": {"memory": "1GiB", "cpus": 1}}, UPDATE,
        json!({"RestartPolicy": {"Name": "always"}});
    a_plugin_with_its_privileges: {"plugins": {"sources": "acme/*", "privileges": "mount=/data"}},
        PLUGIN, json!([{"Name": "mount", "Value": ["/data"]}]);
}

#[test]
fn what_cannot_be_read_is_the_clients_fault() {
    for body in [json!({"HostConfig": {"CapAdd": "ALL"}}), json!({"HostConfig": {"Memory": 1.5}})] {
        let said = said(json!({"containers": {"memory": "1GiB"}}), CREATE, body);

        assert!(said.starts_with("400 powerstrip: guard cannot read"), "{said}");
    }
}

#[test]
fn a_create_without_a_body_is_not_let_through() {
    assert!(said(json!({}), CREATE, json!(null)).starts_with("400"));
}

#[test]
fn containers_that_join_each_other_in_a_circle_are_refused() {
    let body = host(json!({"NetworkMode": "container:loop"}));

    let said = said(json!({"containers": {"join": ["network"]}}), CREATE, body);

    assert!(said.starts_with("400"), "{said}");
}

#[test]
fn without_the_grant_a_volume_cannot_be_judged_and_the_grant_is_named() {
    let config = json!({"rules": [{"allow": "* *"}]});
    let body = host(json!({"Binds": ["data:/x"]}));

    let refusal = refusal(&config, request(CREATE.0, CREATE.1, body)).expect("a refusal");

    assert_eq!(refusal.status, 503);
    assert!(refusal.message.contains("grants: {engine: [\"GET /volumes/data\"]}"), "{refusal:?}");
}

#[test]
fn ceilings_are_given_to_those_who_ask_for_none() {
    let ceilings = json!({"memory": "1GiB", "cpus": 1.5, "pids": 100});
    let config = json!({"rules": [{"allow": "* *"}], "containers": ceilings});
    let mut request =
        request(CREATE.0, CREATE.1, json!({"Image": "a", "HostConfig": {"Memory": 7}}));

    outcome(&config, &mut request);

    let host = json!({"Memory": 7, "NanoCpus": 1_500_000_000_i64, "PidsLimit": 100});
    assert_eq!(request.json::<Value>().expect("JSON"), json!({"Image": "a", "HostConfig": host}));
}

#[test]
fn ceilings_are_given_to_classic_builds() {
    let ceilings = json!({"memory": "1MiB", "cpus": 0.5});
    let config = json!({"rules": [{"allow": "* *"}], "containers": ceilings});
    for asked in ["", "&memory=0&cpuquota=", "&memory=00&cpuquota=0x1", "&memory=much&cpuquota=-0"]
    {
        let mut request = request(&format!("POST /build?t=a{asked}"), "build", json!(null));

        outcome(&config, &mut request);

        let query = "t=a&memory=1048576&cpuperiod=100000&cpuquota=50000";
        assert_eq!(request.query_string(), query, "{asked}");
    }
}

#[test]
fn an_engines_own_list_of_masked_paths_is_left_to_the_engine() {
    let masked = json!([
        "/proc/asound",
        "/proc/acpi",
        "/proc/interrupts",
        "/proc/kcore",
        "/proc/keys",
        "/proc/latency_stats",
        "/proc/timer_list",
        "/proc/timer_stats",
        "/proc/sched_debug",
        "/proc/scsi",
        "/sys/firmware",
        "/sys/devices/virtual/powercap",
        "/sys/devices/system/cpu/cpu0/thermal_throttle"
    ]);
    let read_only =
        json!(["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]);
    let config = json!({"rules": [{"allow": "container-create"}]});
    let create = |masked: &Value| {
        let body = json!({"HostConfig": {"MaskedPaths": masked, "ReadonlyPaths": read_only}});
        let mut request = request("POST /containers/create", "container-create", body);
        let outcome = outcome(&config, &mut request);
        (outcome, request.json::<Value>().expect("JSON"))
    };

    let (passed, body) = create(&masked);
    let (shorter, _) = create(&json!(["/proc/acpi"]));
    let mut longer = masked.clone();
    longer.as_array_mut().expect("a list").push(json!("/etc"));
    let (longer, _) = create(&longer);

    assert!(matches!(passed, Pre::Pass), "{passed:?}");
    assert_eq!(body, json!({"HostConfig": {}}));
    assert!(matches!(shorter, Pre::Reject(_)));
    assert!(matches!(longer, Pre::Reject(_)));
}
