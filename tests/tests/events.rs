//! The Docker Engine's events reach the adapters that ask for them: in order, through breaks of the
//! stream, and whatever other adapters do.

use powerstrip_tests::{Builder, EventStream, FakeEngine, Gate, Powerstrip, Reply, Webhook};
use powerstrip_tests::{Request, command_line, event_line, eventually, repository};
use serde_json::{Value, json};

/// A second, in the engine's nanoseconds.
const SECOND: i64 = 1_000_000_000;

/// A Powerstrip before an engine with these streams, whose adapter `herald` is told of all events.
async fn herald(engine: &FakeEngine, streams: Vec<EventStream>) -> Powerstrip {
    engine.stream_events(streams);
    builder(engine, "[{adapters: [herald]}]", &json!({})).start().await
}

fn builder(engine: &FakeEngine, events: &str, config: &Value) -> Builder {
    let builder = Powerstrip::builder().engine(engine.address()).configured("herald", config);
    builder.line(&format!("events: {events}"))
}

/// What an adapter of this name has been told: `action`, or the reason of a resync.
fn told(powerstrip: &Powerstrip, name: &str) -> Vec<String> {
    powerstrip.seen_by(name).iter().map(word).collect()
}

fn word(seen: &Value) -> String {
    let word = seen["resync"].as_str().or(seen["action"].as_str());
    word.expect("an event is told by its action").to_owned()
}

/// What an adapter has been told once this is the last of it.
async fn told_up_to(powerstrip: &Powerstrip, name: &str, last: &str) -> Vec<String> {
    let look = async || {
        let told = told(powerstrip, name);
        (told.last().map(String::as_str) == Some(last)).then_some(told)
    };
    eventually(&format!("{name} to be told of {last}"), look).await
}

/// What a webhook has been told, once it is so much.
async fn calls(webhook: &Webhook, count: usize) -> Vec<Value> {
    let look = async || Some(webhook.calls()).filter(|calls| calls.len() >= count);
    eventually(&format!("{count} calls of a webhook"), look).await
}

#[tokio::test]
async fn an_adapter_is_told_what_it_asks_for_and_nothing_else() {
    let engine = FakeEngine::start();
    let actions = ["create", "start", "pause", "die"].map(|action| event_line(action, SECOND));
    engine.stream_events(vec![EventStream::after(&[]).chunk(&actions.concat())]);
    let filters = "{type: [container], event: [start, die], container: [we]}";
    let rules = format!("[{{adapters: [herald], filters: {filters}}}]");

    let powerstrip = builder(&engine, &rules, &json!({})).start().await;

    assert_eq!(told_up_to(&powerstrip, "herald", "die").await, ["began", "start", "die"]);
    let seen = &powerstrip.seen_by("herald")[1];
    let expected = json!(["container", "c1", "web", SECOND, 1]);
    assert_eq!(
        json!([seen["kind"], seen["actor"], seen["name"], seen["time"], seen["attempt"]]),
        expected
    );
}

#[tokio::test]
async fn events_come_whole_however_the_stream_is_cut() {
    let engine = FakeEngine::start();
    let many: String = (0..101).map(|at| event_line("exec_die", SECOND + at)).collect();
    let last = event_line("stop", 2 * SECOND);
    let (first, second) = last.split_at(40);

    let stream = EventStream::after(&[]).chunk(&many).chunk(first).chunk(second);
    let powerstrip = herald(&engine, vec![stream]).await;

    let told = told_up_to(&powerstrip, "herald", "stop").await;
    let times: Vec<_> =
        powerstrip.seen_by("herald").iter().filter_map(|it| it["time"].as_i64()).collect();
    assert_eq!(told.len(), 1 + 101 + 1);
    assert!(times.is_sorted(), "{times:?}");
}

#[tokio::test]
async fn a_broken_stream_goes_on_where_it_broke() {
    let engine = FakeEngine::start();
    let [create, start, die] =
        ["create", "start", "die"].map(|action| event_line(action, 7 * SECOND + 42));
    let stop = event_line("stop", 8 * SECOND);
    let first = EventStream::after(&[]).chunk(&format!("{create}{start}{{\"sta")).broken();
    let replay = format!("{create}{start}{die}{stop}");
    let second = EventStream::after(&[create, start, die]).chunk(&replay);

    let powerstrip = herald(&engine, vec![first, second]).await;

    let told = told_up_to(&powerstrip, "herald", "stop").await;
    assert_eq!(told, ["began", "create", "start", "die", "stop"]);
    let asked: Vec<String> =
        engine.calls("GET /events").iter().map(|call| call.head.target().to_owned()).collect();
    let since = "since=7.000000042";
    assert!(asked.contains(&format!("/events?{since}")), "{asked:?}");
}

#[tokio::test]
async fn where_the_engine_has_forgotten_adapters_are_resynced_at_once() {
    let engine = FakeEngine::start();
    let first = EventStream::after(&[]).chunk(&event_line("start", SECOND)).broken();
    let later = Gate::new();
    let second = EventStream::after(&[event_line("other", SECOND)]);
    let second = second.wait(&later).chunk(&event_line("die", 2 * SECOND));

    let powerstrip = herald(&engine, vec![first, second]).await;

    let before = told_up_to(&powerstrip, "herald", "history-lost").await;
    later.open();
    let after = told_up_to(&powerstrip, "herald", "die").await;
    assert_eq!(before, ["began", "start", "history-lost"]);
    assert_eq!(after, ["began", "start", "history-lost", "die"]);
}

#[tokio::test]
async fn what_is_no_event_is_left_out_and_adapters_are_resynced() {
    let engine = FakeEngine::start();
    let large = format!("{{\"Action\": \"{}\"}}\n", "x".repeat(2 * 1024 * 1024));
    let stream = EventStream::after(&[])
        .chunk(&event_line("start", SECOND))
        .chunk("<html>\n{\"message\": \"no\"}\n")
        .chunk(&event_line("pause", SECOND))
        .chunk(&large)
        .chunk(&event_line("die", SECOND));

    let powerstrip = herald(&engine, vec![stream]).await;

    let mut told = told_up_to(&powerstrip, "herald", "die").await;
    // Two bad lines in a row are one resync, or two if the first had been told already.
    told.dedup();
    assert_eq!(told, ["began", "start", "history-lost", "pause", "history-lost", "die"]);
}

#[tokio::test]
async fn a_slow_adapter_holds_up_nobody_and_is_resynced() {
    let engine = FakeEngine::start();
    let (begin, go_on, answer) = (Gate::new(), Gate::new(), Gate::new());
    let batch = |last: &str| {
        let many: String = (0..600).map(|at| event_line("exec_die", at)).collect();
        many + &event_line(last, SECOND)
    };
    let stream = EventStream::after(&[]).wait(&begin).chunk(&batch("start"));
    engine.stream_events(vec![stream.wait(&go_on).chunk(&batch("die"))]);
    let held = answer.clone();
    let slow = Webhook::start(move |_| Reply::json(&json!({})).after(&held));
    let powerstrip = builder(&engine, "[{adapters: [slow, herald]}]", &json!({}))
        .adapter("slow", slow.url())
        .start()
        .await;

    calls(&slow, 1).await;
    begin.open();
    told_up_to(&powerstrip, "herald", "start").await;
    go_on.open();
    let told = told_up_to(&powerstrip, "herald", "die").await;
    let while_held = slow.calls().len();
    answer.open();
    let calls = calls(&slow, 3).await;

    assert_eq!((told.len(), while_held), (1 + 2 * 601, 1));
    assert_eq!(json!([calls[0]["Resync"], calls[1]["Resync"]]), json!(["began", "too-slow"]));
    assert_eq!(calls[2]["Event"]["Action"], "exec_die");
}

#[tokio::test]
async fn an_adapter_that_fails_is_told_again() {
    let engine = FakeEngine::start();
    let events = ["start", "die"].map(|action| event_line(action, SECOND));
    engine.stream_events(vec![EventStream::after(&[]).chunk(&events.concat())]);
    let config = json!({"fail": {"resync": 1, "start": 2}});

    let powerstrip = builder(&engine, "[{adapters: [herald]}]", &config).start().await;

    let told = told_up_to(&powerstrip, "herald", "die").await;
    assert_eq!(told, ["began", "began", "start", "start", "start", "die"]);
    let seen = powerstrip.seen_by("herald");
    let attempts: Vec<_> = seen[2..5].iter().map(|seen| seen["attempt"].as_i64()).collect();
    assert_eq!(attempts, [Some(1), Some(2), Some(3)]);
    assert_eq!(seen[2]["id"], seen[4]["id"]);
}

#[tokio::test]
async fn an_event_that_always_fails_is_given_up_with_a_resync() {
    let engine = FakeEngine::start();
    let later = Gate::new();
    let events = ["start", "pause"].map(|action| event_line(action, SECOND)).concat();
    let stream = EventStream::after(&[]).chunk(&events).wait(&later);
    engine.stream_events(vec![stream.chunk(&event_line("die", SECOND))]);
    let config = json!({"fail": {"start": 99}});
    let powerstrip = builder(&engine, "[{adapters: [herald]}]", &config).start().await;

    told_up_to(&powerstrip, "herald", "failed").await;
    later.open();
    let told = told_up_to(&powerstrip, "herald", "die").await;

    let expected = ["began", "start", "start", "start", "start", "start", "failed", "die"];
    assert_eq!(told, expected);
}

/// An adapter that fails at each start, under a setting that lets that pass.
macro_rules! is_told_once {
    ($($name:ident: $setting:literal: $value:literal;)*) => {$(
        #[tokio::test]
        async fn $name() {
            let engine = FakeEngine::start();
            let events = ["start", "die"].map(|action| event_line(action, SECOND)).concat();
            engine.stream_events(vec![EventStream::after(&[]).chunk(&events)]);
            let settings = json!({$setting: $value, "config": {"fail": {"start": 99}}});
            let builder = Powerstrip::builder().engine(engine.address()).component("herald");
            let builder = builder.adapter("herald", settings);

            let powerstrip = builder.line("events: [{adapters: [herald]}]").start().await;

            let told = told_up_to(&powerstrip, "herald", "die").await;
            assert_eq!(told, ["began", "start", "die"]);
        }
    )*};
}

is_told_once! {
    failures_that_are_ignored_are_not_told_again: "on_failure": "ignore";
    failures_of_an_adapter_that_is_watched_are_not_told_again: "mode": "monitor";
}

#[tokio::test]
async fn a_webhook_is_told_of_an_event_as_the_documentation_shows() {
    let engine = FakeEngine::start();
    let [shown_event, shown_resync] = documented();
    let line = format!("{}\n", shown_event["Event"]);
    engine.stream_events(vec![EventStream::after(&[]).chunk(&line)]);
    let webhook = Webhook::start(|_| Reply::json(&json!({})));
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .adapter("registrator", webhook.url())
        .line("events: [{adapters: [registrator]}]")
        .start()
        .await;

    let calls = calls(&webhook, 2).await;

    let expected = [shown_resync, shown_event].into_iter().zip(&calls).map(|(mut shown, call)| {
        for of_the_moment in ["Id", "Upstream", "DeadlineLeftMs"] {
            assert!(!call["Delivery"][of_the_moment].is_null(), "{call}");
            shown["Delivery"][of_the_moment] = call["Delivery"][of_the_moment].clone();
        }
        shown
    });
    assert_eq!(calls, expected.collect::<Vec<_>>());
    drop(powerstrip);
}

/// The two messages that docs/EVENTS.md shows: an event, and a resync.
fn documented() -> [Value; 2] {
    let text = std::fs::read_to_string(repository().join("docs/EVENTS.md")).expect("a document");
    let blocks = text.split("```json\n").skip(1);
    let read = |block: &str| serde_json::from_str(block.split("```").next().unwrap_or_default());
    let shown: Vec<Value> = blocks.map(|block| read(block).expect("the block is JSON")).collect();
    shown.try_into().expect("there are two blocks")
}

#[tokio::test]
async fn an_engine_that_is_away_delays_nothing_and_is_found_when_it_comes() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let socket = folder.path().join("docker.sock");
    let powerstrip = Powerstrip::builder()
        .engine(&format!("unix://{}", socket.display()))
        .component("herald")
        .line("events: [{adapters: [herald]}]")
        .start()
        .await;

    let answer = powerstrip.get("/info").await;
    let engine = FakeEngine::start_at(&socket);
    engine.stream_events(vec![EventStream::after(&[]).chunk(&event_line("start", SECOND))]);

    assert_eq!(answer.status(), 502);
    assert_eq!(told_up_to(&powerstrip, "herald", "start").await, ["began", "start"]);
}

#[tokio::test]
async fn without_an_adapter_that_asks_the_engine_is_not_asked_either() {
    let engine = FakeEngine::start();
    let powerstrip = Powerstrip::builder().engine(engine.address()).component("herald");

    let powerstrip = powerstrip.start().await;
    let answer = powerstrip.call(Request::get("/info")).await;

    assert_eq!(answer.status(), 200);
    assert_eq!(engine.calls("GET /events").len(), 0);
}

#[tokio::test]
async fn a_new_generation_goes_on_and_new_adapters_are_resynced() {
    let engine = FakeEngine::start();
    let later = Gate::new();
    let stream = EventStream::after(&[]).chunk(&event_line("start", SECOND)).wait(&later);
    let stream = stream.chunk(&event_line("die", SECOND));
    engine.stream_events(vec![stream]);
    let rules = "[{adapters: [herald]}]";
    let builder = builder(&engine, rules, &json!({})).component_as("herald", "crier");
    let powerstrip = builder.start().await;

    told_up_to(&powerstrip, "herald", "start").await;
    powerstrip.rewrite(|text| text.replace("[herald]", "[herald, crier]"));
    told_up_to(&powerstrip, "crier", "began").await;
    later.open();
    let new = told_up_to(&powerstrip, "crier", "die").await;
    let old = told_up_to(&powerstrip, "herald", "die").await;

    assert_eq!((old, new), (strings(&["began", "start", "die"]), strings(&["began", "die"])));
    assert_eq!(engine.calls("GET /events").len(), 1);
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

#[tokio::test]
async fn at_the_end_adapters_have_what_waits_for_them() {
    let engine = FakeEngine::start();
    let events = ["start", "die"].map(|action| event_line(action, SECOND)).concat();
    let (begin, answer) = (Gate::new(), Gate::new());
    engine.stream_events(vec![EventStream::after(&[]).wait(&begin).chunk(&events)]);
    let held = answer.clone();
    let slow = Webhook::start(move |_| Reply::json(&json!({})).after(&held));
    let rules = "[{adapters: [slow, herald]}]";
    let builder = builder(&engine, rules, &json!({})).adapter("slow", slow.url());
    let mut powerstrip = builder.start().await;
    calls(&slow, 1).await;
    begin.open();
    told_up_to(&powerstrip, "herald", "die").await;

    powerstrip.terminate();
    powerstrip.logged("draining").await;
    answer.open();
    let status = powerstrip.ended().await;

    assert!(status.success(), "{status}");
    let actions: Vec<_> = slow.calls().iter().map(|call| call["Event"]["Action"].clone()).collect();
    assert_eq!(actions, [json!(null), json!("start"), json!("die")]);
}

#[tokio::test]
async fn an_adapter_without_the_hook_is_an_error_of_the_file() {
    let file = Powerstrip::builder()
        .component("slowreq")
        .component("herald")
        .line("events: [{adapters: [herald, slowreq]}]")
        .written();

    let finished = command_line(&["check", &file.path()]).await;

    let expected = "events[0].adapters[1]: adapter \"slowreq\" has no event-hook; take it out of \
                    this list, or use a component that has this hook";
    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains(expected), "{}", finished.stderr);
}

#[tokio::test]
async fn check_and_explain_say_who_is_told() {
    let file = Powerstrip::builder()
        .component("herald")
        .adapter("audit", "http://audit/")
        .line("events:\n  - adapters: [audit]\n  - {adapters: [herald], filters: {event: [die]}}")
        .written();
    let explain =
        async |event| command_line(&["explain", event, "--config", &file.path()]).await.stdout;

    let check = command_line(&["check", &file.path()]).await.stdout;
    let (start, die) = (explain("event container start").await, explain("event image die").await);

    assert!(
        check.contains("  events    audit: all events\n  events    herald: event=die\n"),
        "{check}"
    );
    assert!(check.contains("herald: ready: event-hook"), "{check}");
    assert!(start.contains("audit") && !start.contains("herald"), "{start}");
    assert!(die.contains("herald  event=die"), "{die}");
}
