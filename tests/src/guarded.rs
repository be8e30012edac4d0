//! A guard between clients and a real engine, and what the clients asked of it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::{Answer, Request};
use crate::docker::Docker;
use crate::powerstrip::Powerstrip;
use crate::snapshot::normalised;

/// A guarded engine. What a test makes carries its name, and is gone after [`Guarded::clean`].
pub struct Guarded {
    /// The Powerstrip with the guard.
    pub powerstrip: Powerstrip,
    /// What the names of all things of this test begin with.
    pub name: String,
    engine: String,
}

impl Guarded {
    /// Puts a guard with this configuration before the engine at an address.
    pub async fn before(engine: &str, config: &Value, name: &str) -> Self {
        let grants = json!({"engine": ["GET *", "POST /volumes/create"], "credentials": true});
        let powerstrip = Powerstrip::builder()
            .engine(engine)
            .witness("record", &json!({}))
            .component("guard")
            .adapter("guard", json!({"config": config, "grants": grants}))
            .pre("* *", &["record", "guard"])
            .start()
            .await;
        let name = format!("guard-{name}-{}", std::process::id());
        Self { powerstrip, name, engine: engine.to_owned() }
    }

    /// Runs a line of shell through the guard, in which `$NAME` is the test's name; it must succeed.
    ///
    /// # Panics
    /// When it fails.
    pub async fn does(&self, line: &str) -> String {
        self.shell(self.powerstrip.address(), line).await
    }

    /// The same straight at the engine.
    ///
    /// # Panics
    /// When it fails.
    pub async fn straight(&self, line: &str) -> String {
        self.shell(&self.engine, line).await
    }

    async fn shell(&self, address: &str, line: &str) -> String {
        let docker = Docker::at(address).variable("NAME", &self.name);
        let finished = docker.shell(line).await;
        assert_eq!(finished.code, Some(0), "{line}:\n{}{}", finished.stdout, finished.stderr);
        finished.stdout.trim().to_owned()
    }

    /// Makes a call, `METHOD TARGET` with a JSON body or none, in which `NAME` is the test's name.
    ///
    /// # Panics
    /// When the line is none.
    pub async fn call(&self, line: &str, body: &str) -> Answer {
        let (line, body) = (line.replace("NAME", &self.name), body.replace("NAME", &self.name));
        let (method, target) = line.split_once(' ').expect("METHOD TARGET");
        let request = Request::new(method, target);
        self.powerstrip
            .call(if body.is_empty() { request } else { request.body("application/json", body) })
            .await
    }

    /// Makes calls that the guard must deny, each with its body or none.
    ///
    /// # Panics
    /// When one of them is answered otherwise.
    pub async fn denies(&self, calls: &[(&str, &str)]) {
        for (line, body) in calls {
            let answer = self.call(line, body).await;
            assert_eq!(answer.status(), 403, "{line} {body}: {}", answer.show());
            assert!(
                line.starts_with("HEAD ") || answer.message().starts_with("powerstrip: guard ")
            );
        }
    }

    /// The different calls that clients made so far: the endpoint's name, the method, the target and
    /// the body, without what differs between runs.
    #[must_use]
    pub fn calls(&self) -> BTreeSet<String> {
        let line = |seen: Value| {
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let endpoint = text(&seen["context"]["endpoint"]);
            let call = format!("{endpoint} {} {}", text(&seen["method"]), text(&seen["path"]));
            let line = format!("{call} {}", text(&seen["body"])).replace(&self.name, "NAME");
            normalised(line.trim_end())
        };
        self.powerstrip.seen_by("record").into_iter().map(line).collect()
    }

    /// Removes all that the test has made.
    pub async fn clean(&self) {
        let line = "docker ps -aq --filter name=$NAME | xargs -r docker rm -fv >/dev/null; \
                    docker network ls -q --filter name=$NAME | xargs -r docker network rm; \
                    docker volume ls -q --filter name=$NAME | xargs -r docker volume rm; \
                    docker images --format '{{.Repository}}:{{.Tag}}' | grep $NAME | xargs -r docker rmi -f";
        self.straight(&format!("{line} >/dev/null; true")).await;
    }
}
