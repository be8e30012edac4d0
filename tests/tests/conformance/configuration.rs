//! The file: what is accepted, what is refused, and when it counts.

use powerstrip_tests::{Builder, FakeEngine, Powerstrip, Reply, Webhook, command_line, eventually};
use serde_json::{Value, json};

use crate::case::Case;
use crate::rule::Rule::{Checked, LastGood, Spellings};
use crate::site::{PATTERN, create};

/// What the original said where it refused a file.
const INVALID: &str = "`InvalidConfiguration`";

pub(crate) const ACCEPTED: &[Case] = &[
    Case::same("version is 1", "accepted", || {
        Box::pin(passes("version: 1\nendpoints: {}\nadapters: {}\n"))
    }),
    Case::same("version is absent", "accepted", || {
        Box::pin(passes("endpoints: {}\nadapters: {}\n"))
    }),
    Case::differs(
        "version is anything else",
        "accepted and never read",
        (Checked, "refused: it is a file of another program"),
        || Box::pin(refused("version: 7\n", &["version", "1"])),
    ),
    Case::same("endpoints and adapters are both empty", "every call passes", || {
        Box::pin(empty_passes())
    }),
    Case::same("`pre` or `post` is absent", "there are none", || {
        Box::pin(passes("endpoints: {'* /a': {pre: []}, '* /b': {post: []}}\nadapters: {}\n"))
    }),
    Case::same("an adapter that nobody names", "accepted", || {
        Box::pin(passes("endpoints: {}\nadapters: {a: 'http://a/b'}\n"))
    }),
    Case::same(
        "the same name nine times in a list",
        "called nine times",
        || Box::pin(nine_times()),
    ),
    Case::same("several names with one URL", "each is an adapter", || {
        Box::pin(passes(
            "endpoints: {'* *': {pre: [a, b]}}\nadapters: {a: 'http://a/b', b: 'http://a/b'}\n",
        ))
    }),
    Case::same("anchors and aliases of YAML", "accepted", || {
        Box::pin(passes(
            "endpoints:\n  'POST /a': &both {pre: [a], post: [a]}\n  'POST /b': *both\n\
             adapters: {a: 'http://a/b'}\n",
        ))
    }),
    Case::same("any path and port in a URL", "called as it is written", || {
        Box::pin(url_as_written())
    }),
    Case::same("an edit while it runs", "counts for the next request, without a restart", || {
        Box::pin(edited())
    }),
    Case::differs(
        "an edit with a mistake, while it runs",
        "500 with a traceback of 7.6 kB for every call",
        (LastGood, "the last good file goes on serving"),
        || Box::pin(edited_badly()),
    ),
    Case::differs(
        "the file is removed while it runs",
        "500 with a traceback for every call",
        (LastGood, "the last good file goes on serving"),
        || Box::pin(removed()),
    ),
    Case::differs(
        "a mistake at the start",
        "the process ends with a traceback",
        (Checked, "the process ends, with the place and the key of every mistake"),
        || Box::pin(wrong_at_the_start()),
    ),
    Case::differs(
        "a file from before 2015: `plugins`, patterns without a method",
        "refused: `adapters` is missing",
        (Spellings, "accepted with a warning; such a pattern matches every method"),
        || Box::pin(before_2015()),
    ),
];

pub(crate) const REFUSED: &[Case] = &[
    Case::same("the file is missing", "`NoConfiguration`, which names the path", || {
        Box::pin(missing())
    }),
    Case::differs(
        "YAML that cannot be read",
        "`InvalidConfiguration` without a word",
        (Checked, "refused, with line and column"),
        || Box::pin(refused("{' unclosed", &[":1:"])),
    ),
    Case::same("an empty file", INVALID, || Box::pin(refused("", &["the file is empty"]))),
    Case::same("a scalar in place of a mapping", INVALID, || {
        Box::pin(refused("this is garbage\n", &["expected a mapping, found a string"]))
    }),
    Case::same("a list in place of a mapping", INVALID, || {
        Box::pin(refused("- a\n", &["expected a mapping, found a list"]))
    }),
    Case::differs(
        "`endpoints` is missing",
        "`InvalidConfiguration`: Required key 'endpoints' is missing.",
        (Checked, "accepted: there are none"),
        || Box::pin(passes("adapters: {a: 'http://a/b'}\n")),
    ),
    Case::differs(
        "`adapters` is missing",
        "`InvalidConfiguration`: Required key 'adapters' is missing.",
        (Checked, "accepted: there are none but those in the folder"),
        || Box::pin(passes("endpoints: {}\n")),
    ),
    Case::same(
        "an endpoint that is `{}`",
        "`InvalidConfiguration`: No configuration found for endpoint",
        || Box::pin(refused("endpoints: {'* /x': {}}\nadapters: {}\n", &["* /x", "is empty"])),
    ),
    Case::same(
        "an endpoint with another key",
        "`InvalidConfiguration`: Unkonwn keys found",
        || Box::pin(refused("endpoints: {'* /x': {pre: [], after: []}}\n", &["after", "unknown"])),
    ),
    Case::same(
        "a hook that names adapters which are not defined",
        "`InvalidConfiguration` with all of their names",
        || {
            let text = "endpoints: {'* /x': {pre: [a], post: [b]}}\nadapters: {}\n";
            Box::pin(refused(text, &["named \"a\"", "named \"b\""]))
        },
    ),
    Case::differs(
        "`endpoints` without a value",
        "`AttributeError`",
        (Checked, "refused, with what to do"),
        || Box::pin(refused("endpoints:\nadapters: {}\n", &["endpoints", "found nothing"])),
    ),
    Case::differs(
        "`adapters` without a value",
        "`AttributeError`",
        (Checked, "refused, with what to do"),
        || Box::pin(refused("endpoints: {}\nadapters:\n", &["adapters", "found nothing"])),
    ),
    Case::differs(
        "an endpoint without a value",
        "`AttributeError`",
        (Checked, "refused, with what to do"),
        || Box::pin(refused("endpoints: {'* /x': }\n", &["* /x", "is empty"])),
    ),
    Case::differs(
        "`pre` without a value",
        "`TypeError`",
        (Checked, "refused, with what to do"),
        || Box::pin(refused("endpoints: {'* /x': {pre: }}\n", &["pre", "found nothing"])),
    ),
    Case::differs(
        "a string in place of a list of names",
        "read letter by letter; a name of one letter is accepted",
        (Checked, "refused, with what to write"),
        || {
            let text = "endpoints: {'* /x': {pre: n}}\nadapters: {n: 'http://n/'}\n";
            Box::pin(refused(text, &["pre", "a list", "[n]"]))
        },
    ),
    Case::differs(
        "an endpoint that stands twice",
        "the last one wins silently",
        (Checked, "refused, naming both lines"),
        || {
            let text = "endpoints:\n  '* /x': {pre: []}\n  '* /x': {post: []}\nadapters: {}\n";
            Box::pin(refused(text, &[":3:", "line 2"]))
        },
    ),
    Case::differs(
        "an unknown key at the top",
        "ignored",
        (Checked, "refused: it is most often a misspelling"),
        || Box::pin(refused("adapterz: {}\n", &["adapterz", "unknown"])),
    ),
    Case::differs(
        "a URL that is a number or nothing",
        "accepted; its calls fail",
        (Checked, "refused"),
        || Box::pin(refused("adapters: {a: 7, b: }\n", &["adapters.a", "adapters.b"])),
    ),
    Case::differs(
        "several mistakes",
        "the first one is told",
        (Checked, "all of them are told"),
        || {
            let text = "endpoints: {'* *': {pre: [nobody], after: []}}\nadapterz: {}\n";
            Box::pin(refused(text, &["nobody", "after", "adapterz"]))
        },
    ),
];

/// `powerstrip check` has no objection.
pub(crate) async fn passes(text: &str) {
    let file = Powerstrip::builder().text(text).written();

    let finished = command_line(&["check", &file.path()]).await;

    assert_eq!(finished.code, Some(0), "{}{}", finished.stdout, finished.stderr);
}

/// `powerstrip check` says all of this, with the place.
pub(crate) async fn refused(text: &str, words: &[&str]) {
    let file = Powerstrip::builder().text(text).written();

    let finished = command_line(&["check", &file.path()]).await;

    assert_eq!(finished.code, Some(1), "{}", finished.stdout);
    assert!(finished.stderr.contains("adapters.yml:"), "{}", finished.stderr);
    for word in words {
        assert!(finished.stderr.contains(word), "no {word:?} in {}", finished.stderr);
    }
}

pub(crate) async fn missing() {
    let finished = command_line(&["check", "/nowhere/adapters.yml"]).await;

    assert_eq!(finished.code, Some(1));
    assert!(finished.stderr.contains("/nowhere/adapters.yml"), "{}", finished.stderr);
}

async fn empty_passes() {
    let engine = FakeEngine::start();
    let text = format!(
        "endpoints: {{}}\nadapters: {{}}\nlisten: unix://[FOLDER]/p.sock\nengine: {}\n",
        engine.address()
    );
    let powerstrip = Powerstrip::builder().text(&text).start().await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 201);
    assert_eq!(engine.calls("POST /create").len(), 1);
}

async fn nine_times() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let names = ["hook"; 9];
    let powerstrip = hooked(&engine, &webhook).endpoint(PATTERN, &names, &[]).start().await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), webhook.calls().len()), (201, 9));
}

async fn url_as_written() {
    let (engine, webhook) = (FakeEngine::start(), Webhook::echo());
    let builder = Powerstrip::builder().engine(engine.address()).pre(PATTERN, &["a", "b"]);
    let builder = builder.adapter("a", format!("http://{}", webhook.host()));
    let url = format!("http://{}/docker//swarm/%41/?x=1&y=%20", webhook.host());
    let powerstrip = builder.adapter("b", url).start().await;

    create(&powerstrip).await;

    let calls = webhook.server().requests();
    let targets: Vec<&str> = calls.iter().map(|call| call.head.target()).collect();
    assert_eq!(targets, ["/", "/docker//swarm/%41/?x=1&y=%20"]);
    assert_eq!(calls[0].head.header("host"), Some(webhook.host()));
}

pub(crate) async fn edited() {
    let (engine, first, second) = (FakeEngine::start(), Webhook::echo(), Webhook::echo());
    let powerstrip = hooked(&engine, &first).endpoint(PATTERN, &["hook"], &["hook"]).start().await;
    create(&powerstrip).await;

    powerstrip.rewrite(|text| {
        text.replace(r#""post":["hook"]"#, r#""post":[]"#).replace(first.host(), second.host())
    });
    let is_new = async || {
        create(&powerstrip).await;
        (!second.calls().is_empty()).then_some(())
    };
    eventually("the new file to count", is_new).await;
    let before = first.calls().len();
    create(&powerstrip).await;

    assert_eq!(first.calls().len(), before, "the old URL is called no more");
    assert!(second.calls().iter().all(|call| call["Type"] == "pre-hook"), "it is no post-hook now");
}

/// A webhook that refuses, so that a client sees whether it is still asked.
async fn refusing() -> (FakeEngine, Webhook, Powerstrip) {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::status(403, "text/plain", "no"));
    let powerstrip = hooked(&engine, &webhook).pre(PATTERN, &["hook"]).start().await;
    (engine, webhook, powerstrip)
}

async fn edited_badly() {
    let (_engine, _webhook, powerstrip) = refusing().await;

    powerstrip.rewrite(|text| text.replace("endpoints:", "endpontz:"));
    powerstrip.logged("endpontz").await;

    assert_eq!(create(&powerstrip).await.status(), 403);
}

async fn removed() {
    let (_engine, _webhook, powerstrip) = refusing().await;

    std::fs::remove_file(powerstrip.folder().join("adapters.yml")).expect("a file of ours");
    powerstrip.logged("there is no such file").await;

    assert_eq!(create(&powerstrip).await.status(), 403);
}

async fn wrong_at_the_start() {
    let finished = Powerstrip::builder().text("endponts: {}\nversion: 7\n").start_in_vain().await;

    assert_eq!(finished.code, Some(1));
    for word in ["adapters.yml:1:1", "endponts", "adapters.yml:2:"] {
        assert!(finished.stderr.contains(word), "{}", finished.stderr);
    }
}

async fn before_2015() {
    let text = "endpoints:\n  # plugins are applied in order\n  \"/*/containers/create\":\n    \
                pre: [flocker, weave]\n    post: [weave, flocker]\nplugins:\n  \
                flocker: http://flocker/flocker-plugin\n  weave: http://flocker/weave-plugin\n";
    let file = Powerstrip::builder().text(text).written();
    let call = "PUT /v1.16/containers/create";

    let checked = command_line(&["check", &file.path()]).await;
    let said = command_line(&["explain", "--config", &file.path(), call, "--format", "json"]).await;

    assert_eq!(checked.code, Some(0), "{}", checked.stderr);
    assert!(checked.stdout.contains("warning"), "{}", checked.stdout);
    let said: Value = serde_json::from_str(&said.stdout).expect("one JSON value");
    assert_eq!(said["pre"][1]["adapter"], "weave", "{said}");
}

fn hooked(engine: &FakeEngine, webhook: &Webhook) -> Builder {
    let settings = json!({"url": webhook.url()});
    Powerstrip::builder().engine(engine.address()).adapter("hook", settings)
}
