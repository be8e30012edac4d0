//! Webhooks that refuse, that are down, and whose replies make no sense.

use powerstrip_tests::{Answer, FakeEngine, Powerstrip, Reply, Webhook};
use serde_json::{Value, json};

const CREATE: &str = "/v1.41/containers/create?name=a";

/// A proxy with one webhook, called `hook`, before and after the creation of containers.
async fn hooked(engine: &FakeEngine, webhook: &Webhook, pre: bool, post: bool) -> Powerstrip {
    let named = |is_hooked: bool| if is_hooked { vec!["hook"] } else { vec![] };
    Powerstrip::builder()
        .engine(engine.address())
        .endpoint("POST /*/containers/create", &named(pre), &named(post))
        .adapter("hook", webhook.url())
        .start()
        .await
}

async fn create(powerstrip: &Powerstrip) -> Answer {
    powerstrip.post(CREATE, &json!({"Image": "b"})).await
}

/// A webhook's refusal reaches the client, and the engine is never called.
macro_rules! refuses {
    ($($name:ident: $reply:expr => $status:literal, $body:expr;)*) => {
        mod refuses {
            use super::*;

            $(#[tokio::test]
            async fn $name() {
                is_refused($reply, $status, &$body).await;
            })*
        }
    };
}

async fn is_refused(reply: Reply, status: u16, body: &Value) {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(move |_| reply.clone());
    let powerstrip = hooked(&engine, &webhook, true, false).await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), &answer.json()), (status, body));
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(engine.calls("POST /create").is_empty());
}

refuses! {
    with_a_message: Reply::status(403, "application/json", "{\"message\":\"not today\"}")
        => 403, json!({"message": "not today"});
    with_text: Reply::status(500, "text/html", "sadness for you, today.")
        => 500, json!({"message": "sadness for you, today."});
    with_a_valid_reply_of_500: Reply::status(500, "application/json",
        "{\"ModifiedClientRequest\":{\"Body\":\"{}\"}}")
        => 500, json!({"message": "{\"ModifiedClientRequest\":{\"Body\":\"{}\"}}"});
}

/// Docker's clients would take it for a success.
#[tokio::test]
async fn a_redirect_is_an_unusable_reply() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::status(302, "text/plain", ""));
    let powerstrip = hooked(&engine, &webhook, true, false).await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 502);
    assert!(answer.message().ends_with("answered 302"), "{}", answer.show());
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn a_refusal_without_words_has_a_message_all_the_same() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::status(403, "text/plain", ""));
    let powerstrip = hooked(&engine, &webhook, true, false).await;

    let answer = create(&powerstrip).await;

    assert_eq!(answer.status(), 403);
    assert!(answer.message().contains("hook"), "{}", answer.show());
}

#[tokio::test]
async fn a_post_hooks_refusal_replaces_the_answer() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::status(418, "application/json", "{\"message\":\"t\"}"));
    let powerstrip = hooked(&engine, &webhook, false, true).await;

    let answer = create(&powerstrip).await;

    assert_eq!((answer.status(), answer.json()), (418, json!({"message": "t"})));
    assert_eq!(engine.calls("POST /create").len(), 1);
}

/// Replies that make no sense: 502 that names the adapter, for a pre-hook and for a post-hook.
macro_rules! senseless {
    ($($name:ident: $reply:expr;)*) => {
        mod senseless {
            use super::*;

            $(mod $name {
                use super::*;

                #[tokio::test]
                async fn before() {
                    is_502($reply, "pre-hook").await;
                }

                #[tokio::test]
                async fn after() {
                    is_502($reply, "post-hook").await;
                }
            })*
        }
    };
}

async fn is_502(reply: Reply, kind: &str) {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(move |_| reply.clone());
    let powerstrip = hooked(&engine, &webhook, kind == "pre-hook", kind == "post-hook").await;

    let answer = create(&powerstrip).await;

    let start = format!("powerstrip: adapter hook failed in its {kind}: ");
    assert_eq!(answer.status(), 502, "{}", answer.show());
    assert!(answer.message().starts_with(&start), "{}", answer.show());
}

senseless! {
    not_json: Reply::status(200, "application/json", "<html>");
    nothing: Reply::status(200, "text/plain", "");
    a_list: Reply::json(&json!([1]));
    a_body_that_is_no_string: Reply::json(&json!({
        "ModifiedClientRequest": {"Body": {}}, "ModifiedServerResponse": {"Body": {}},
    }));
    text_in_place_of_a_half: Reply::json(&json!({
        "ModifiedClientRequest": "x", "ModifiedServerResponse": "x",
    }));
    no_http: Reply::garbage(b"hello\r\n\r\n");
    no_word: Reply::hang_up();
}

#[tokio::test]
async fn an_unreachable_webhook_is_a_502_that_names_it() {
    let engine = FakeEngine::start();
    let webhook = Webhook::echo();
    let powerstrip = hooked(&engine, &webhook, true, false).await;
    let url = webhook.url();
    webhook.stop().await;

    let answer = create(&powerstrip).await;

    let start = format!("powerstrip: adapter hook failed in its pre-hook: cannot reach {url}");
    assert_eq!(answer.status(), 502);
    assert!(answer.message().starts_with(&start), "{}", answer.show());
    assert!(engine.calls("POST /create").is_empty());
}

#[tokio::test]
async fn a_silent_webhook_is_a_504_at_its_deadline() {
    let engine = FakeEngine::start();
    let webhook = Webhook::start(|_| Reply::silence());
    let powerstrip = Powerstrip::builder()
        .engine(engine.address())
        .pre("POST /*/containers/create", &["hook"])
        .adapter("hook", json!({"url": webhook.url(), "limits": {"deadline": "200ms"}}))
        .start()
        .await;

    let answer = create(&powerstrip).await;

    let message = "powerstrip: adapter hook failed in its pre-hook: it ran longer than 200ms";
    assert_eq!((answer.status(), answer.message().as_str()), (504, message));
    webhook.server().seen("POST ", |request| request.is_over).await;
}
