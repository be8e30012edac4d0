//! Real builds with BuildKit through a guard that judges each of their calls, on a real engine.

use std::fs;
use std::path::{Path, PathBuf};

use powerstrip_tests::private::{ENGINE_PROGRAMS, PrivateEngine, skip};
use powerstrip_tests::{Docker, Powerstrip, Process, RealEngine, eventually, plugins, within};
use rustix::process::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;

/// A folder with Dockerfiles, and a client with buildx behind a guard.
struct Builds {
    docker: Docker,
    folder: TempDir,
    _powerstrip: Powerstrip,
}

impl Builds {
    async fn at(address: &str, config: Value) -> Option<Self> {
        let plugins = plugins()?;
        let grants = json!({"engine": ["GET *", "POST /volumes/create"]});
        let powerstrip = Powerstrip::builder()
            .engine(address)
            .component("guard")
            .adapter("guard", json!({"config": config, "grants": grants}))
            .pre("* *", &["guard"])
            .start()
            .await;
        let folder = tempfile::tempdir().expect("a temporary folder");
        let name = format!("builds-{}", std::process::id());
        let docker = Docker::at(powerstrip.address())
            .variable("NAME", &name)
            .variable("HERE", &folder.path().display().to_string())
            .variable("PLUGINS", &plugins.display().to_string());
        docker.shell("ln -s $PLUGINS $DOCKER_CONFIG/cli-plugins").await;
        Some(Self { docker, folder, _powerstrip: powerstrip })
    }

    async fn of_jobs(engine: &RealEngine) -> Option<Self> {
        Self::at(engine.address(), json!({"preset": "ci-runner"})).await
    }

    fn dockerfile(&self, text: &str) -> &Path {
        fs::write(self.folder.path().join("Dockerfile"), text).expect("a folder of ours");
        self.folder.path()
    }

    /// Runs a line of shell, which must succeed; what it wrote, progress included.
    async fn does(&self, line: &str) -> String {
        let finished = self.docker.shell(&format!("cd $HERE; {line}")).await;
        assert_eq!(finished.code, Some(0), "{line}:\n{}{}", finished.stdout, finished.stderr);
        finished.stdout + &finished.stderr
    }

    /// Runs a line of shell, which must fail with these words.
    async fn refuses(&self, line: &str, words: &str) {
        let finished = self.docker.shell(&format!("cd $HERE; {line}")).await;
        assert_ne!(finished.code, Some(0), "{line} went through: {}", finished.stdout);
        assert!(finished.stderr.contains(words), "{line}:\n{}", finished.stderr);
    }

    /// Begins a build that goes on and on, and waits until it does.
    async fn begin(&self, seconds: u32) -> Process {
        let run = format!("FROM busybox\nRUN echo it-$((40+2)); sleep {seconds}\n");
        let folder = self.dockerfile(&run).display().to_string();
        let words = ["buildx", "build", "--no-cache", "--progress", "plain", &folder];
        let build = self.docker.start(&words);
        build.line("output", |line| line.contains("it-42").then_some(())).await;
        build
    }
}

/// Whether a process of a build runs on this machine: a shell or what it started.
fn sleeps(seconds: u32) -> bool {
    let processes = fs::read_dir("/proc").expect("there is a /proc").flatten();
    processes
        .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
        .any(|line| String::from_utf8_lossy(&line).contains(&seconds.to_string()))
}

#[tokio::test]
async fn builds_of_all_kinds_work() {
    let Some(engine) = RealEngine::find().await else { return };
    let Some(builds) = Builds::of_jobs(&engine).await else { return };
    builds.dockerfile(
        "FROM busybox AS a\nRUN echo built > /file; echo line-$((40+2))\n\
         FROM busybox\nCOPY --from=a /file /copied\nRUN --mount=type=cache,target=/c date > /c/d\n",
    );
    let secret = "FROM busybox\nRUN --mount=type=secret,id=s wc -c < /run/secrets/s\n";
    fs::write(builds.folder.path().join("Secret"), secret).expect("a folder of ours");

    let plain = builds.does("docker buildx build --no-cache --progress plain -t $NAME .").await;
    let cached = builds.does("docker buildx build --progress plain -t $NAME .").await;
    builds.does("docker buildx build --load --build-arg A=1 --label a=b -t $NAME .").await;
    builds.does("docker buildx build -o type=local,dest=out . && cat out/copied").await;
    builds.does("docker buildx build -o type=tar,dest=out.tar . && tar -tf out.tar").await;
    let secret =
        "echo hush > s; docker buildx build --progress plain -f Secret --secret id=s,src=s .";
    let secret = builds.does(secret).await;
    let key = rcgen::KeyPair::generate().expect("a key").serialize_pem();
    let forwarding = "FROM busybox\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK\n";
    fs::write(builds.folder.path().join("key"), key).expect("a folder of ours");
    fs::write(builds.folder.path().join("Forwarding"), forwarding).expect("a folder of ours");
    let forwarding = "chmod 600 key; docker buildx build -f Forwarding --ssh default=key .";
    builds.does(forwarding).await;
    let ran = builds.does("docker run --rm $NAME cat /copied; docker rmi -f $NAME").await;
    builds.does("docker buildx inspect && docker buildx ls").await;

    assert!(plain.contains("line-42"), "{plain}");
    assert!(cached.contains("CACHED"), "{cached}");
    assert!(secret.contains(" 5\n"), "{secret}");
    assert!(ran.contains("built"), "{ran}");
}

#[tokio::test]
async fn what_a_build_asks_for_beyond_a_container_is_refused_before_anything_runs() {
    let Some(engine) = RealEngine::find().await else { return };
    let Some(builds) = Builds::of_jobs(&engine).await else { return };
    builds.dockerfile("FROM busybox\nRUN echo built > /file\n");
    let network = "containers.host: [network]";
    let build = "docker buildx build --no-cache -t $NAME-refused ";

    builds.refuses(&format!("{build} --network host ."), network).await;
    builds.refuses(&format!("{build} --network host --allow network.host ."), network).await;
    builds.refuses(&format!("{build} --allow network.host ."), network).await;
    builds.refuses(&format!("{build} --allow security.insecure ."), "containers.privileged").await;
    builds.refuses(&format!("{build} --cgroup-parent /x ."), "the cgroup parent /x").await;
    builds.refuses(&format!("{build} http://127.0.0.1:1/x.tar"), "the remote context").await;
    builds.refuses(&format!("{build} --build-context a=http://127.0.0.1:1/x ."), "remote").await;
    builds.refuses("docker buildx du", "add a rule {allow: [buildkit-disk-usage]}").await;
    builds.refuses("docker buildx prune -f", "add a rule {allow: [buildkit-prune]}").await;

    let left = engine.docker().shell("docker images -q --filter reference=*-refused").await;
    assert_eq!(left.stdout, "");
}

#[tokio::test]
async fn what_is_written_down_a_build_gets() {
    let Some(engine) = RealEngine::find().await else { return };
    let rules = json!([{"allow": ["buildkit-disk-usage", "buildkit-prune"]}]);
    let config = json!({
        "preset": "ci-runner", "rules": rules, "containers": {"host": ["network"]},
    });
    let Some(builds) = Builds::at(engine.address(), config).await else { return };
    builds.dockerfile("FROM busybox\nRUN readlink /proc/self/ns/net\n");

    let build = "docker buildx build --no-cache --progress plain --network host .";
    let build = builds.does(build).await;
    let own =
        builds.does("docker run --rm --network host busybox readlink /proc/self/ns/net").await;
    builds.does("docker buildx du && docker buildx prune -f").await;

    assert!(build.contains(own.trim()), "{own} {build}");
}

#[tokio::test]
async fn a_build_ends_at_the_engine_when_its_client_is_interrupted() {
    let Some(engine) = RealEngine::find().await else { return };
    let Some(builds) = Builds::of_jobs(&engine).await else { return };
    let seconds = 100_000 + std::process::id() % 100_000;
    let mut build = builds.begin(seconds).await;
    assert!(sleeps(seconds));

    build.signal(Signal::INT);
    let status = within("the end of the build", build.ended()).await;

    assert!(!status.success());
    eventually("the end of its process", async || (!sleeps(seconds)).then_some(())).await;
}

#[tokio::test]
async fn a_build_ends_at_the_client_when_its_engine_stops() {
    let programs = std::env::var_os(ENGINE_PROGRAMS).map(PathBuf::from);
    let engine = match PrivateEngine::start(programs.as_deref()).await {
        Ok(engine) => engine,
        Err(why) => return skip(&format!("{why:#}")),
    };
    let config = json!({"preset": "ci-runner"});
    let Some(builds) = Builds::at(engine.address(), config).await else { return };
    let mut build = builds.begin(1000).await;

    engine.stop().await;

    assert!(!within("the end of the build", build.ended()).await.success());
}
