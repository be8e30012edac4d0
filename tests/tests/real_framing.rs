//! The same bytes straight at a real Docker Engine and through Powerstrip: the same transcripts.

use powerstrip_tests::{Client, Powerstrip, RealEngine};

const CLOSE: &str = "Host: docker\r\nConnection: close\r\n\r\n";

/// Everything that comes back for these bytes.
async fn transcript(address: &str, bytes: &str) -> String {
    let mut client = Client::connect(address).await;
    // Somebody who refuses a head may hang up before all of it is out.
    let _ = client.try_send(bytes).await;
    String::from_utf8_lossy(&client.hung_up().await).into_owned()
}

/// Without what two runs, or two hops, may say differently: the time, and whose connection it is.
fn lines(transcript: &str) -> Vec<&str> {
    let is_same = |line: &&str| !line.starts_with("Date: ") && !line.starts_with("Connection: ");
    transcript.split("\r\n").filter(is_same).collect()
}

/// The statuses of all answers, and where redirects lead.
fn statuses(transcript: &str) -> Vec<&str> {
    let line = |line: &&str| line.starts_with("HTTP/1.") || line.starts_with("Location: ");
    transcript
        .split("\r\n")
        .filter(line)
        .map(|line| line.strip_prefix("HTTP/1.1 ").map_or(line, |rest| &rest[..3]))
        .collect()
}

/// Runs each case without adapters and with one that passes everything on.
macro_rules! compared {
    ($group:ident, $by:ident: $($name:ident: $bytes:expr;)*) => {
        mod $group {
            use super::*;

            $(mod $name {
                use super::*;

                #[tokio::test]
                async fn without_adapters() {
                    let Some(engine) = RealEngine::find().await else { return };
                    let powerstrip = Powerstrip::before(engine.address()).await;

                    are_equal(&engine, &powerstrip, &$bytes, $by).await;
                }

                #[tokio::test]
                async fn with_a_pass_through_adapter() {
                    let Some(engine) = RealEngine::find().await else { return };
                    let builder = Powerstrip::builder().engine(engine.address());
                    let powerstrip = builder.with_identity().start().await;

                    are_equal(&engine, &powerstrip, &$bytes, $by).await;
                }
            })*
        }
    };
}

async fn are_equal(
    engine: &RealEngine,
    powerstrip: &Powerstrip,
    bytes: &str,
    by: fn(&str) -> Vec<&str>,
) {
    let straight = transcript(engine.address(), bytes).await;
    let through = transcript(powerstrip.address(), bytes).await;

    assert!(!straight.is_empty(), "the engine answered");
    assert_eq!(by(&straight), by(&through), "straight (left), through Powerstrip (right)");
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\n{CLOSE}")
}

fn posted(line: &str, headers: &str, body: &str) -> String {
    format!("{line} HTTP/1.1\r\n{headers}{CLOSE}{body}")
}

const JSON_CHUNKS: &str = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n";

compared! { the_same_transcript, lines:
    ping: get("/_ping");
    ping_by_head: format!("HEAD /_ping HTTP/1.1\r\n{CLOSE}");
    version_without_a_version: get("/version");
    the_oldest_version: get("/v1.24/version");
    a_version_that_is_too_old: get("/v1.1/version");
    a_version_that_is_too_new: get("/v1.99/version");
    options: format!("OPTIONS /v1.41/anything HTTP/1.1\r\n{CLOSE}");
    options_of_the_server: format!("OPTIONS * HTTP/1.1\r\n{CLOSE}");
    an_unknown_method: format!("FOO /v1.41/info HTTP/1.1\r\n{CLOSE}");
    a_method_in_lower_case: format!("get /_ping HTTP/1.1\r\n{CLOSE}");
    head_of_a_get_route: format!("HEAD /v1.41/info HTTP/1.1\r\n{CLOSE}");
    head_of_an_archive: format!("HEAD /v1.41/containers/nope/archive?path=/ HTTP/1.1\r\n{CLOSE}");
    an_absolute_target: get("http://elsewhere/_ping");
    a_get_with_a_body: posted("GET /_ping", "Content-Length: 5\r\n", "hello");
    a_delete_with_length_zero: posted("DELETE /v1.41/containers/nope", "Content-Length: 0\r\n", "");
    a_post_without_a_length: posted("POST /v1.41/containers/nope/start", "", "");
    a_post_of_length_zero: posted("POST /v1.41/containers/nope/stop", "Content-Length: 0\r\n", "");
    chunks_with_an_extension_and_a_trailer: posted("POST /v1.41/containers/create", JSON_CHUNKS,
        "10;a=b\r\n{\"Image\":\"nope\"}\r\n0\r\nX-Trailer: 1\r\n\r\n");
    an_upload_to_nowhere: posted("PUT /v1.41/containers/nope/archive?path=/",
        "Content-Length: 4\r\n", "junk");
    an_expectation_that_is_not_met: posted("PUT /v1.41/containers/nope/archive?path=/",
        "Expect: 100-continue\r\nContent-Length: 4\r\n", "");
    two_at_once: format!("GET /_ping HTTP/1.1\r\nHost: d\r\n\r\n{}", get("/v1.41/version"));
    a_long_query: get(&format!("/_ping?{}", "x".repeat(114 * 1024)));
    many_headers: posted("GET /_ping", &"X-Many: 1\r\n".repeat(500), "");
    braces_and_quotes: get("/v1.41/images/json?filters={\"reference\":[\"nope\"]}");
    an_encoded_path: get("/v1.41/%76ersion");
    http_1_0: "GET /v1.41/containers/nope/json HTTP/1.0\r\n\r\n";
    a_host_that_is_empty: "GET /_ping HTTP/1.1\r\nHost: \r\nConnection: close\r\n\r\n";
    a_host_of_the_go_client:
        "GET /_ping HTTP/1.1\r\nHost: api.moby.localhost\r\nConnection: close\r\n\r\n";
}

compared! { the_same_statuses, statuses:
    a_path_that_is_not_clean: get("/v1.41//containers/../version?a=b");
    an_encoded_path_that_is_not_clean: get("/v1.41/containers/%2e%2e/version");
    an_unknown_expectation: posted("POST /v1.41/containers/nope/stop",
        "Expect: tea\r\nContent-Length: 2\r\n", "{}");
    a_host_that_is_a_path: "GET /_ping HTTP/1.1\r\nHost: /a\r\nConnection: close\r\n\r\n";
    no_host: "GET /_ping HTTP/1.1\r\nConnection: close\r\n\r\n";
    two_hosts: posted("GET /_ping", "Host: a\r\n", "");
    two_lengths: posted("POST /v1.41/auth", "Content-Length: 2\r\nContent-Length: 3\r\n", "{}");
    an_unknown_coding: posted("POST /v1.41/auth", "Transfer-Encoding: gzip, chunked\r\n", "");
    a_broken_escape: get("/v1.41/%zz");
    no_http_at_all: "hello there\r\n\r\n";
}
