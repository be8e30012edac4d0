//! The original's `test_passthru.py`: the real client, straight and through Powerstrip.

use powerstrip_tests::private::skip;
use powerstrip_tests::{Builder, Docker, Finished, Powerstrip, RealEngine, Webhook, normalised};

use crate::case::Case;

pub(crate) const CASES: &[Case] =
    &[
        Case::same("test_run", "`docker run busybox echo hello` prints the same", || {
            Box::pin(prints("docker run --rm busybox echo hello", &["hello"]))
        }),
        Case::same("test_run_tty", "`docker run -ti` prints the same on a terminal", || {
            Box::pin(on_a_terminal(Hooked::No))
        }),
        Case::same(
            "test_run_post_hook",
            "a post-hook of attach that cannot be reached is passed over",
            || Box::pin(with_unreachable_post_hook()),
        ),
        Case::same(
            "test_run_post_hook_tty",
            "a post-hook of attach that cannot be reached is passed over, on a terminal",
            || Box::pin(on_a_terminal(Hooked::Unreachable)),
        ),
        Case::same("test_logs", "ten thousand lines of `docker logs` are the same", || {
            Box::pin(logs())
        }),
        Case::same("test_run_null_adapter", "the same under an adapter of everything", || {
            Box::pin(on_a_terminal(Hooked::Null(1)))
        }),
        Case::same("test_run_null_twice_adapter", "the same under two of them", || {
            Box::pin(on_a_terminal(Hooked::Null(2)))
        }),
        Case::same("test_run_docker_pull", "`docker rmi` and `docker pull` print the same", || {
            Box::pin(pull())
        }),
        Case::same("test_run_docker_build", "`docker build` prints the same", || Box::pin(build())),
        Case::same("test_run_stdin", "`echo hello | docker run -i cat` prints the same", || {
            Box::pin(prints("echo hello | docker run --rm -i busybox cat", &["hello"]))
        }),
    ];

/// What stands between client and engine.
#[derive(Clone, Copy)]
enum Hooked {
    No,
    Unreachable,
    /// So many null adapters before and after every call.
    Null(usize),
}

/// A client straight at the engine, and one that goes through Powerstrip.
struct Both {
    straight: Docker,
    through: Docker,
    registry: Option<String>,
    _powerstrip: Powerstrip,
    _null: Webhook,
}

impl Both {
    async fn start(hooked: Hooked) -> Option<Self> {
        let engine = RealEngine::find().await?;
        let null = Webhook::echo();
        let builder = Powerstrip::builder().engine(engine.address());
        let powerstrip = with(hooked, builder, &null).start().await;
        Some(Self {
            straight: engine.docker(),
            through: Docker::at(powerstrip.address()),
            registry: engine.registry().map(str::to_owned),
            _powerstrip: powerstrip,
            _null: null,
        })
    }
}

fn with(hooked: Hooked, builder: Builder, null: &Webhook) -> Builder {
    match hooked {
        Hooked::No => builder,
        Hooked::Unreachable => builder
            .post("POST /*/containers/*/attach", &["hook"])
            .adapter("hook", "http://no-such-host.invalid/adapter"),
        Hooked::Null(count) => {
            let names = ["one", "two"];
            let builder =
                names.iter().fold(builder, |builder, name| builder.adapter(name, null.url()));
            builder.endpoint("* *", &names[..count], &names[..count])
        }
    }
}

/// Both printed the same, all of these words among it, and nothing went wrong.
fn are_same(straight: &Finished, through: &Finished, words: &[&str]) {
    assert_eq!(normalised(&straight.stdout), normalised(&through.stdout), "{}", through.stderr);
    assert_eq!(straight.code, through.code, "{}", through.stderr);
    for finished in [straight, through] {
        let said = format!("{}{}", finished.stdout, finished.stderr);
        assert!(!said.contains("fatal"), "{said}");
        for word in words {
            assert!(said.contains(word), "no {word:?} in {said}");
        }
    }
}

async fn prints(line: &str, words: &[&str]) {
    let Some(both) = Both::start(Hooked::No).await else { return };

    let straight = both.straight.shell(line).await;
    let through = both.through.shell(line).await;

    are_same(&straight, &through, words);
}

async fn with_unreachable_post_hook() {
    let Some(both) = Both::start(Hooked::Unreachable).await else { return };
    let line = "docker run --rm busybox echo hello";

    let straight = both.straight.shell(line).await;
    let through = both.through.shell(line).await;

    are_same(&straight, &through, &["hello"]);
}

async fn on_a_terminal(hooked: Hooked) {
    let Some(both) = Both::start(hooked).await else { return };
    let line = "docker run --rm -ti busybox echo hello";

    let straight = both.straight.terminal(line, b"").await;
    let through = both.through.terminal(line, b"").await;

    are_same(&straight, &through, &["hello"]);
}

async fn logs() {
    let Some(both) = Both::start(Hooked::No).await else { return };
    let lines = "for i in $(seq 10000); do echo line $i; done";
    let id = both.through.output(&["run", "-d", "busybox", "sh", "-c", lines]).await;
    both.straight.output(&["wait", &id]).await;

    let straight = both.straight.run(&["logs", &id]).await;
    let through = both.through.run(&["logs", &id]).await;

    assert_eq!(through.stdout.lines().count(), 10_000);
    are_same(&straight, &through, &["line 1\n", "line 10000\n"]);
    both.straight.output(&["rm", &id]).await;
}

async fn pull() {
    let Some(both) = Both::start(Hooked::Null(1)).await else { return };
    let Some(registry) = &both.registry else { return skip("there is no registry to pull from") };
    let image = format!("{registry}/busybox:latest");
    // Nothing else may hold its layers, so that they are really fetched and removed.
    let line = format!("docker pull {image} && docker rmi {image}");

    let straight = both.straight.shell(&line).await;
    let through = both.through.shell(&line).await;

    let words = ["Pulling from busybox", "Status: Downloaded newer image", "Untagged"];
    are_same(&straight, &through, &words);
}

async fn build() {
    let Some(both) = Both::start(Hooked::Null(1)).await else { return };
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text = "FROM busybox\nRUN touch a\nRUN sleep 0.1\nRUN touch b && ls b\n";
    std::fs::write(folder.path().join("Dockerfile"), text).expect("a folder of ours");
    let path = folder.path().display().to_string();
    let line = format!("docker build --no-cache --force-rm {path}");

    let straight = both.straight.shell(&line).await;
    let through = both.through.shell(&line).await;

    are_same(&straight, &through, &["Successfully built", "Step 4/4"]);
}
