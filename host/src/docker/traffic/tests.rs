//! Tables of calls and what is made of their bodies.

use super::*;
use crate::docker::normalise;

const JSON: &str = "application/json";
const TAR: &str = "application/x-tar";
const RAW: &str = "application/vnd.docker.raw-stream";
const MUX: &str = "application/vnd.docker.multiplexed-stream";

fn call(line: &str) -> (Option<&'static Endpoint>, Option<String>) {
    let (method, target) = line.split_once(' ').expect("a method and a target");
    let call = normalise::read(method.as_bytes(), target.as_bytes()).expect("a good line");
    (call.endpoint, call.query)
}

macro_rules! requests {
    ($($test:ident, $line:expr, $content_type:expr, $expected:expr;)*) => {$(
        #[test]
        fn $test() {
            let (endpoint, query) = call($line);
            let head = RequestHead { content_type: $content_type, has_body: true };

            let view = of_request(endpoint, query.as_deref(), head);

            assert_eq!(view, $expected);
        }
    )*};
}

requests! {
    create_is_json, "POST /v1.41/containers/create", Some(JSON), RequestView::Json;
    create_is_json_under_any_name, "POST /containers/create", Some("text/plain"), RequestView::Json;
    create_is_json_without_a_name, "POST /containers/create", None, RequestView::Json;
    a_build_is_opaque, "POST /build?t=x", Some(TAR), RequestView::Hidden(Hidden::Opaque);
    a_build_is_opaque_under_any_name, "POST /build", Some(JSON),
        RequestView::Hidden(Hidden::Opaque);
    an_import_is_opaque, "POST /images/create?fromSrc=-", None,
        RequestView::Hidden(Hidden::Opaque);
    a_pull_reads_no_body, "POST /images/create?fromImage=a", Some(JSON),
        RequestView::Hidden(Hidden::Unread);
    attach_reads_no_body, "POST /containers/a/attach", Some(JSON),
        RequestView::Hidden(Hidden::Unread);
    exec_start_is_json, "POST /exec/a/start", Some(JSON), RequestView::Json;
    credentials_are_hidden, "POST /auth", Some(JSON), RequestView::Hidden(Hidden::Secret);
    secrets_are_hidden, "POST /secrets/create", Some(JSON), RequestView::Hidden(Hidden::Secret);
    an_unknown_request_follows_its_type, "POST /v5.0.0/libpod/pods/create", Some(JSON),
        RequestView::Json;
    the_unknown_is_opaque_else, "POST /libpod/play/kube", Some("text/yaml"),
        RequestView::Hidden(Hidden::Opaque);
    forms_are_told, "POST /containers/a/rename?name=b", Some("application/x-www-form-urlencoded"),
        RequestView::Form;
    a_form_would_be_read_in_place_of_an_import, "POST /images/create?fromSrc=-",
        Some("application/x-www-form-urlencoded"), RequestView::Form;
    an_upload_must_not_be_a_form, "PUT /containers/a/archive?path=/tmp",
        Some("application/x-www-form-urlencoded"), RequestView::Form;
    a_build_is_an_archive_even_as_a_form, "POST /build?t=x",
        Some("application/x-www-form-urlencoded"), RequestView::Hidden(Hidden::Opaque);
}

#[test]
fn without_a_body_there_is_nothing_to_see() {
    let (endpoint, query) = call("POST /containers/create");
    let head = RequestHead { content_type: Some(JSON), has_body: false };

    let view = of_request(endpoint, query.as_deref(), head);

    assert_eq!(view, RequestView::NoBody);
}

macro_rules! answers {
    ($($test:ident, $line:expr, $status:expr, $type:expr, $framing:ident, $view:ident;)*) => {$(
        #[test]
        fn $test() {
            let (endpoint, query) = call($line);
            let framing = Framing::$framing;
            let head = AnswerHead { status: $status, content_type: $type, framing };

            let view = of_answer(endpoint, query.as_deref(), head);

            assert_eq!(view, AnswerView::$view);
        }
    )*};
}

answers! {
    json_is_whole, "GET /containers/json", 200, Some(JSON), Framed, Whole;
    a_status_is_whole, "POST /containers/a/start", 204, None, UntilClose, Whole;
    not_modified_is_whole, "POST /containers/a/start", 304, None, UntilClose, Whole;
    a_pull_is_progress, "POST /images/create?fromImage=a", 200, Some(JSON), Framed, Progress;
    a_failed_pull_is_whole, "POST /images/create?fromImage=a", 404, Some(JSON), Framed, Whole;
    events_are_endless, "GET /events", 200, Some(JSON), Framed, HeadOnly;
    wait_is_endless, "POST /containers/a/wait", 200, Some(JSON), Framed, HeadOnly;
    wait_for_nothing_is_whole, "POST /containers/a/wait", 404, Some(JSON), Framed, Whole;
    logs_are_raw, "GET /containers/a/logs", 200, None, Framed, HeadOnly;
    stats_are_endless, "GET /containers/a/stats", 200, Some(JSON), Framed, HeadOnly;
    stats_once_are_whole, "GET /containers/a/stats?stream=0", 200, Some(JSON), Framed, Whole;
    an_archive_is_raw, "GET /containers/a/archive?path=/", 200, Some(TAR), Framed, HeadOnly;
    secrets_are_not_shown, "GET /swarm/unlockkey", 200, Some(JSON), Framed, HeadOnly;
    switched_is_a_tunnel, "POST /containers/a/attach", 101, Some(RAW), UntilClose, Tunnel;
    switched_is_a_tunnel_for_grpc, "POST /grpc", 101, None, UntilClose, Tunnel;
    raw_without_framing_is_a_tunnel, "POST /containers/a/attach", 200, Some(RAW), UntilClose,
        Tunnel;
    mux_without_framing_is_a_tunnel, "POST /exec/a/start", 200, Some(MUX), UntilClose, Tunnel;
    raw_with_framing_is_none, "POST /exec/a/start", 200, Some(RAW), Framed, HeadOnly;
    raw_logs_are_no_tunnel, "GET /containers/a/logs", 200, Some(RAW), UntilClose, HeadOnly;
    a_refused_attach_is_no_tunnel, "POST /containers/a/attach", 404, Some(RAW), UntilClose,
        HeadOnly;
    a_detached_exec_is_no_tunnel, "POST /exec/a/start", 200, None, Empty, Whole;
    an_unknown_answer_follows_its_type, "GET /libpod/pods/json", 200, Some(JSON), Framed, Whole;
    an_unknown_stream_is_raw, "GET /new", 200, Some("application/x-ndjson"), Framed, HeadOnly;
    an_unknown_raw_stream_is_no_tunnel, "POST /new", 200, Some(RAW), UntilClose, HeadOnly;
}
