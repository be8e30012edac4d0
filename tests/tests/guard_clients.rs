//! The adapter `guard` tells clients apart by who they are: the real client, as several users and with
//! several certificates, through several listeners, on a real engine.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;

use powerstrip_tests::private::skip;
use powerstrip_tests::{Authority, Docker, Powerstrip, RealEngine};

/// What each kind of client may ask, and nothing else.
const RULES: &str = r#"
adapters:
  guard:
    config:
      rules:
        - {allow: container-list, client: {uid: "1200-1299", listener: local}}
        - {allow: image-list, client: {uid: 1234, listener: ops}}
        - {allow: container-list, client: {anonymous: true, listener: open}}
        - {allow: plugin-list, client: {tls: "CN=builder-*"}}
        - {allow: volume-list, client: {san: "DNS:ci.example.org"}}
        - {allow: network-list, client: {spiffe: "spiffe://example.org/ci/*"}}
endpoints: {"* *": {pre: [guard]}}
"#;

/// The commands that the rules are about, in their order.
const COMMANDS: [&str; 5] = ["ps", "images", "plugin ls", "volume ls", "network ls"];

/// Which of the commands work for whoever begins a line of shell like this.
async fn allowed(docker: &Docker, begin: &str) -> Vec<&'static str> {
    let mut allowed = Vec::new();
    for command in COMMANDS {
        // The folder of the client's own settings is closed to other users.
        let finished = docker.shell(&format!("DOCKER_CONFIG=/nowhere {begin} {command}")).await;
        let is_denied = finished.stderr.contains("guard denies");
        assert_ne!(finished.code == Some(0), is_denied, "{begin} {command}: {}", finished.stderr);
        if !is_denied {
            allowed.push(command);
        }
    }
    allowed
}

#[tokio::test]
async fn users_are_told_apart_by_what_the_kernel_says_of_them() {
    let Some(engine) = RealEngine::find().await else { return };
    if !rustix::process::getuid().is_root() {
        return skip("only root can be somebody else");
    }
    let listen = "listen: [{address: 'tcp://127.0.0.1:0', name: open}, \
                  {address: 'unix://[FOLDER]/p.sock', mode: '0666', name: local}, \
                  {address: 'unix://[FOLDER]/ops.sock', mode: '0666', name: ops}]";
    let text = format!("{listen}\nengine: {}{RULES}", engine.address());
    let powerstrip = Powerstrip::builder().component("guard").text(&text).start().await;
    let folder = powerstrip.folder();
    fs::set_permissions(folder, Permissions::from_mode(0o755)).expect("a folder of ours");
    let docker = Docker::at(&format!("unix://{}", folder.join("p.sock").display()));
    let ops = format!("-H unix://{}", folder.join("ops.sock").display());

    let somebody = "setpriv --reuid 1234 --regid 1234 --clear-groups docker";
    let same_group = "setpriv --reuid 1300 --regid 1234 --clear-groups docker";

    assert_eq!(allowed(&docker, somebody).await, ["ps"]);
    assert_eq!(allowed(&docker, &format!("{somebody} {ops}")).await, ["images"]);
    assert!(allowed(&docker, same_group).await.is_empty());
    assert!(allowed(&docker, "docker").await.is_empty(), "root is no user of these rules");
    let open = format!("docker -H {}", powerstrip.address());
    assert_eq!(allowed(&docker, &open).await, ["ps"]);
}

/// Listens for clients with certificates of this authority.
async fn with_certificates(authority: &Authority, engine: &RealEngine) -> Powerstrip {
    let path = authority.shown();
    let listen = format!(
        "listen: {{address: 'tcp://127.0.0.1:0', tls: {{cert: {path}/cert.pem, \
         key: {path}/key.pem, client_ca: {path}/ca.pem}}}}"
    );
    let text = format!("{listen}\nengine: {}{RULES}", engine.address());
    Powerstrip::builder().component("guard").text(&text).start().await
}

/// The client with the certificate in `client.pem`.
fn showing(authority: &Authority) -> String {
    let path = authority.shown();
    format!(
        "docker --tlsverify --tlscacert {path}/ca.pem --tlscert {path}/client.pem \
         --tlskey {path}/client-key.pem"
    )
}

#[tokio::test]
async fn certificates_are_told_apart_by_subject_or_name_and_not_by_the_other() {
    let Some(engine) = RealEngine::find().await else { return };
    let authority = Authority::new();
    let powerstrip = with_certificates(&authority, &engine).await;
    let docker = Docker::at(powerstrip.address());
    let client = async |common: Option<&str>, names: &[&str]| {
        authority.sign_names(common, names, ["client.pem", "client-key.pem"]);
        allowed(&docker, &showing(&authority)).await
    };
    let [_, _, plugins, volumes, networks] = COMMANDS;

    assert_eq!(client(Some("builder-7"), &[]).await, [plugins]);
    assert_eq!(client(Some("mallory"), &["DNS:ci.example.org"]).await, [volumes]);
    assert_eq!(client(None, &["DNS:a", "URI:spiffe://example.org/ci/7"]).await, [networks]);
    let two = ["URI:spiffe://example.org/ci/7", "URI:spiffe://example.org/ci/8"];
    assert!(client(None, &two).await.is_empty());
    let wishes = ["DNS:CN=builder-7", "URI:CN=builder-7", "email:CN=builder-7"];
    assert!(client(Some("mallory"), &wishes).await.is_empty());
    let wishes =
        ["DNS:spiffe://example.org/ci/7", "email:DNS:ci.example.org", "URI:ci.example.org"];
    assert!(client(Some("DNS:ci.example.org"), &wishes).await.is_empty());
    assert!(client(Some("spiffe://example.org/ci/7"), &[]).await.is_empty());
}

#[tokio::test]
async fn a_certificate_that_is_too_large_for_tls_harms_nobody_else() {
    let Some(engine) = RealEngine::find().await else { return };
    let authority = Authority::new();
    let powerstrip = with_certificates(&authority, &engine).await;
    let docker = Docker::at(powerstrip.address());
    let names: Vec<String> = (0..10_000).map(|number| format!("DNS:n{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let files = ["client.pem", "client-key.pem"];

    authority.sign_names(Some("builder-7"), &names, files);
    let many = docker.shell(&format!("{} plugin ls", showing(&authority))).await;
    powerstrip.logged("a client's TLS handshake failed").await;
    authority.sign_names(Some("builder-7"), &names[..256], files);
    let few = docker.shell(&format!("{} plugin ls", showing(&authority))).await;

    assert_ne!(many.code, Some(0), "{}", many.stdout);
    assert_eq!(few.code, Some(0), "{}", few.stderr);
}
