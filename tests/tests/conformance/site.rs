//! A fake engine, a webhook called `hook`, and a Powerstrip between a client and them.

use powerstrip_tests::{
    Answer, Builder, FakeEngine, Powerstrip, Recorded, Reply, Request, Webhook,
};
use serde_json::{Value, json};

/// The call that most cases make.
pub(crate) const CREATE: &str = "/v1.41/containers/create?name=a";

/// The pattern that it matches.
pub(crate) const PATTERN: &str = "POST /*/containers/create";

/// What the fake engine is sent unless a webhook changes it.
pub(crate) const BODY: &str = r#"{"Image":"b"}"#;

/// Where a webhook stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hook {
    /// Before the Docker Engine is called.
    Before,
    /// After it has answered.
    After,
}
pub(crate) use Hook::{After, Before};

impl Hook {
    /// As errors call it.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Before => "pre-hook",
            After => "post-hook",
        }
    }

    /// Hooks `hook` to the creation of containers.
    pub(crate) fn to(self, builder: Builder) -> Builder {
        match self {
            Before => builder.pre(PATTERN, &["hook"]),
            After => builder.post(PATTERN, &["hook"]),
        }
    }
}

/// The three of them.
pub(crate) struct Site {
    pub(crate) engine: FakeEngine,
    pub(crate) webhook: Webhook,
    pub(crate) powerstrip: Powerstrip,
}

impl Site {
    /// A webhook that always replies the same.
    pub(crate) async fn replying(hook: Hook, reply: Reply) -> Self {
        Self::with(hook, Webhook::start(move |_| reply.clone())).await
    }

    /// A webhook before or after the creation of containers.
    pub(crate) async fn with(hook: Hook, webhook: Webhook) -> Self {
        let engine = FakeEngine::start();
        Self::before(engine, webhook, |builder| hook.to(builder)).await
    }

    /// A webhook before an engine, hooked as the builder is told.
    pub(crate) async fn before(
        engine: FakeEngine,
        webhook: Webhook,
        hooked: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let settings = json!({"url": webhook.url(), "limits": {"deadline": "20s"}});
        let builder = Powerstrip::builder().engine(engine.address()).adapter("hook", settings);
        let powerstrip = hooked(builder).start().await;
        Self { engine, webhook, powerstrip }
    }

    /// Makes the call.
    pub(crate) async fn create(&self) -> Answer {
        create(&self.powerstrip).await
    }

    /// What the engine was sent by it, which must have come.
    pub(crate) async fn created(&self) -> Recorded {
        self.engine.called("POST /create").await
    }

    /// How often the engine was called.
    pub(crate) fn creations(&self) -> usize {
        self.engine.calls("POST /create").len()
    }
}

/// Makes the call that most cases make.
pub(crate) async fn create(powerstrip: &Powerstrip) -> Answer {
    powerstrip.call(creation()).await
}

/// The call that most cases make.
pub(crate) fn creation() -> Request {
    Request::new("POST", CREATE).body("application/json", BODY)
}

/// The client reads Docker's own shape of error, which names the adapter and says what is wrong.
pub(crate) fn is_error(answer: &Answer, status: u16, hook: Hook, words: &str) {
    let start = format!("powerstrip: adapter hook failed in its {}: ", hook.name());
    assert_eq!(answer.status(), status, "{}", answer.show());
    assert_eq!(answer.header("content-type"), Some("application/json"));
    assert!(answer.message().starts_with(&start), "{}", answer.show());
    assert!(answer.message().contains(words), "no {words:?} in {}", answer.show());
}

/// A pre-hook's reply with this in its half.
pub(crate) fn request(half: &Value) -> Reply {
    Reply::json(&json!({"PowerstripProtocolVersion": 1, "ModifiedClientRequest": half}))
}

/// A post-hook's reply with this in its half.
pub(crate) fn response(half: &Value) -> Reply {
    Reply::json(&json!({"PowerstripProtocolVersion": 1, "ModifiedServerResponse": half}))
}
