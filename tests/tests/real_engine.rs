//! The commands that people run, straight at a real Docker Engine and through Powerstrip: the same
//! output, the same exit codes.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};

use powerstrip_tests::{Docker, Finished, Powerstrip, RealEngine, normalised};
use tokio::sync::RwLock;

/// Held to read by whoever makes containers, to write by whoever counts them.
static ENGINE_STATE: RwLock<()> = RwLock::const_new(());

/// One run of a scenario: a client, a name that nobody else uses, and what was printed.
struct Run {
    docker: Docker,
    name: String,
    registry: Option<String>,
    printed: Vec<String>,
}

impl Run {
    fn at(address: &str, registry: Option<&str>) -> Self {
        static NUMBER: AtomicUsize = AtomicUsize::new(0);

        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("powerstrip-{}-{number}", std::process::id());
        let registry = registry.map(str::to_owned);
        Self { docker: Docker::at(address), name, registry, printed: Vec::new() }
    }

    /// Runs `docker WORDS`, in which `NAME` is the run's own name.
    async fn docker(&mut self, words: &str) {
        let line = format!("docker {words}");
        self.shell(&line).await;
    }

    /// Runs a line of shell, in which `NAME` is the run's own name.
    async fn shell(&mut self, line: &str) {
        let finished = self.docker.shell(&line.replace("NAME", &self.name)).await;
        self.note(line, &finished);
    }

    /// Runs a line of shell under a pseudo-terminal.
    async fn terminal(&mut self, line: &str) {
        let named = line.replace("NAME", &self.name);
        let finished = self.docker.terminal(&named, b"").await;
        self.note(line, &finished);
    }

    /// Runs a shell in a container under a pseudo-terminal and types into it. Which of the two
    /// terminals echoes what was typed is a matter of time; what the shell computed is not.
    async fn typing(&mut self, line: &str) {
        let named = line.replace("NAME", &self.name);
        let finished = self.docker.terminal(&named, b"echo it is $((6 * 7))\nexit 4\n").await;
        let has_computed = finished.stdout.contains("it is 42");
        self.say(&format!("$ {line}\n{has_computed} exit code {:?}", finished.code));
    }

    fn note(&mut self, line: &str, finished: &Finished) {
        let Finished { code, stdout, stderr } = finished;
        // The client's own log of a pipe that it closed itself: it comes or not, as time has it.
        let stderr: Vec<&str> = stderr.lines().filter(|line| !line.starts_with("time=")).collect();
        let stderr = stderr.join("\n");
        self.say(&format!("$ {line}\n{stdout}{stderr}\nexit code {code:?}"));
    }

    fn say(&mut self, text: &str) {
        self.printed.push(normalised(&text.replace(&self.name, "NAME")));
    }
}

/// Each scenario runs three times; a scenario that is `alone` counts what others would change.
macro_rules! commands {
    ($($name:ident $lock:ident)*) => {
        $(mod $name {
            #[tokio::test]
            async fn is_the_same_through_powerstrip() {
                let _held = super::ENGINE_STATE.$lock().await;
                let Some(engine) = super::RealEngine::find().await else { return };
                let powerstrip = super::Powerstrip::before(engine.address()).await;

                let straight = super::printed(&engine, engine.address(), super::$name).await;
                let through = super::printed(&engine, powerstrip.address(), super::$name).await;

                super::are_the_same(&straight, &through);
            }

            #[tokio::test]
            async fn is_the_same_through_a_pass_through_adapter() {
                let _held = super::ENGINE_STATE.$lock().await;
                let Some(engine) = super::RealEngine::find().await else { return };
                let builder = super::Powerstrip::builder().engine(engine.address());
                let powerstrip = builder.with_identity().start().await;

                let straight = super::printed(&engine, engine.address(), super::$name).await;
                let through = super::printed(&engine, powerstrip.address(), super::$name).await;

                super::are_the_same(&straight, &through);
            }
        })*
    };
}

async fn printed(
    engine: &RealEngine,
    address: &str,
    scenario: impl AsyncFn(&mut Run),
) -> Vec<String> {
    let mut run = Run::at(address, engine.registry());
    scenario(&mut run).await;
    // What a scenario leaves behind must not outlive it, whether or not it went well.
    let clean = format!(
        "docker rm -fv {0}; docker network rm {0}; docker volume rm {0}; docker rmi -f {0}",
        run.name
    );
    engine.docker().shell(&clean).await;
    run.printed
}

#[track_caller]
fn are_the_same(straight: &[String], through: &[String]) {
    for (straight, through) in straight.iter().zip(through) {
        assert_eq!(straight, through, "straight (left), through Powerstrip (right)");
    }
    assert_eq!(straight.len(), through.len());
}

commands! {
    version read
    info write
    pull write
    build read
    run_in_the_foreground read
    run_with_piped_input read
    run_under_a_terminal read
    run_in_the_background read
    a_lot_of_output read
    exec read
    exec_under_a_terminal read
    attach read
    follow_logs read
    events read
    copy_both_ways read
    save_and_load write
    wait read
    stats read
    top read
    rename_and_inspect read
    stop_and_go read
    images read
    networks read
    volumes read
    system_df write
    errors read
}

async fn version(run: &mut Run) {
    run.docker("version").await;
}

async fn info(run: &mut Run) {
    // The engine lists its runtimes in an order of its own, another one each time.
    run.shell("docker info | grep -v Runtimes:").await;
    run.docker("ps -a --format '{{.Names}} {{.Image}}'").await;
}

async fn pull(run: &mut Run) {
    let Some(registry) = run.registry.clone() else { return };
    run.docker(&format!("pull {registry}/busybox:latest")).await;
    run.docker(&format!("pull {registry}/busybox:latest")).await;
    run.docker(&format!("pull {registry}/nothing:latest")).await;
    run.docker(&format!("tag {registry}/busybox:latest {registry}/NAME:latest")).await;
    run.docker(&format!("push --quiet {registry}/NAME:latest")).await;
    run.docker(&format!("rmi {registry}/busybox:latest {registry}/NAME:latest")).await;
}

async fn build(run: &mut Run) {
    let context = tempfile::tempdir().expect("a temporary folder");
    let path = context.path().display().to_string();
    let write = |text: &str| {
        fs::write(context.path().join("Dockerfile"), text).expect("a folder of ours");
    };
    fs::write(context.path().join("file"), vec![7; 3_000_000]).expect("a folder of ours");
    write("FROM busybox\nCOPY file /file\nRUN wc -c /file && echo built\nCMD [\"cat\"]\n");
    let good = run.docker.shell(&format!("docker build --no-cache -t {} {path}", run.name)).await;
    run.note("docker build", &good);
    run.docker("run --rm NAME wc -c /file").await;
    write("FROM busybox\nRUN exit 5\n");
    let bad = run.docker.shell(&format!("docker build --no-cache {path}")).await;
    run.note("docker build", &bad);
}

async fn run_in_the_foreground(run: &mut Run) {
    run.docker("run --rm busybox echo hello").await;
    run.docker("run --rm busybox sh -c 'echo out; echo err >&2; exit 7'").await;
    run.docker("run --name NAME busybox sh -c 'echo one; sleep 0.2; echo two'").await;
    run.docker("start -a NAME").await;
    run.docker("run --rm --pull never busybox /nonexistent").await;
}

async fn run_with_piped_input(run: &mut Run) {
    run.shell("echo hello | docker run --rm -i busybox cat").await;
    run.shell("seq 1 200000 | docker run --rm -i busybox wc -l").await;
    run.shell("seq 1 200000 | docker run --rm -i busybox md5sum").await;
    run.shell("docker run --rm -i busybox echo ignores its input < /dev/null").await;
}

async fn run_under_a_terminal(run: &mut Run) {
    run.terminal("docker run --rm -it busybox sh -c 'stty size; exit 3'").await;
    run.typing("docker run --rm -it --name NAME busybox sh").await;
}

async fn run_in_the_background(run: &mut Run) {
    run.docker("run -d --name NAME busybox sh -c 'echo hello; exit 2'").await;
    run.docker("wait NAME").await;
    run.docker("logs NAME").await;
    run.docker("ps -a --filter name=NAME --format '{{.Names}} {{.Image}} {{.Command}}'").await;
    run.docker("rm NAME").await;
}

async fn a_lot_of_output(run: &mut Run) {
    run.shell("docker run --rm busybox sh -c 'yes 0123456789 | head -c 50000000' | md5sum").await;
}

async fn exec(run: &mut Run) {
    run.docker("run -d --name NAME busybox sleep 1000").await;
    run.docker("exec NAME echo hello").await;
    run.docker("exec NAME sh -c 'echo out; echo err >&2; exit 9'").await;
    run.shell("seq 1 100000 | docker exec -i NAME wc -l").await;
    run.docker("exec -d NAME touch /tmp/made").await;
    run.docker("exec -e A=1 -w /tmp NAME sh -c 'echo $A; pwd'").await;
    run.docker("exec NAME /nonexistent").await;
}

async fn exec_under_a_terminal(run: &mut Run) {
    run.docker("run -d --name NAME busybox sleep 1000").await;
    run.terminal("docker exec -it NAME sh -c 'tty; exit 5'").await;
    run.typing("docker exec -it NAME sh").await;
}

async fn attach(run: &mut Run) {
    run.docker("run -di --name NAME busybox sh -c 'read line; echo got $line; exit 4'").await;
    // The engine drops output that comes after stdin has ended (moby's daemon/stream/attach.go).
    run.shell("{ echo hello; docker wait NAME >/dev/null; } | docker attach NAME").await;
    run.docker("wait NAME").await;
    run.docker("attach NAME").await;
}

async fn follow_logs(run: &mut Run) {
    run.docker("run -d --name NAME busybox sh -c 'echo one; until [ -e /go ]; do sleep 0.05; done; echo two'").await;
    let following = run.docker.start(&["logs", "--follow", &run.name]);
    let is = |wanted: &'static str| move |line: &str| (line == wanted).then_some(());
    following.line("its first line", is("one")).await;
    run.docker("exec NAME touch /go").await;
    following.line("its last line", is("two")).await;
    run.docker("logs --tail 1 NAME").await;
}

async fn events(run: &mut Run) {
    let filter = format!("container={}", run.name);
    let arguments = ["events", "--since", "1", "--filter", &filter, "--format", "{{.Action}}"];
    let events = run.docker.start(&arguments);
    run.docker("run --name NAME busybox true").await;
    let is = |wanted: &'static str| move |line: &str| (line == wanted).then_some(());
    events.line("the start", is("start")).await;
    events.line("the end", is("die")).await;
    run.docker("rm NAME").await;
    events.line("the removal", is("destroy")).await;
    run.say(&events.output());
}

async fn copy_both_ways(run: &mut Run) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().display().to_string();
    fs::write(folder.path().join("in"), vec![9; 5_000_000]).expect("a folder of ours");
    run.docker("create --name NAME busybox true").await;
    for line in [
        format!("docker cp {path}/in NAME:/in 2>/dev/null"),
        format!("docker cp NAME:/in {path}/out 2>/dev/null"),
        format!("cmp {path}/in {path}/out && rm {path}/out"),
        "docker cp NAME:/in - | tar -t".to_owned(),
        format!("tar -C {path} -c in | docker cp - NAME:/tmp"),
        format!("docker cp NAME:/nothing {path}/out"),
        format!("docker cp {path}/in NAME:/no/such/folder/"),
    ] {
        let finished = run.docker.shell(&line.replace("NAME", &run.name)).await;
        run.note(&line.replace(&path, "FOLDER"), &finished);
    }
    run.shell("docker diff NAME | sort").await;
    run.shell("docker export NAME | tar -t | grep -c .").await;
}

async fn save_and_load(run: &mut Run) {
    run.docker("tag busybox NAME").await;
    run.shell("docker save NAME -o /tmp/NAME.tar && docker rmi NAME").await;
    run.shell("docker load < /tmp/NAME.tar; rm /tmp/NAME.tar").await;
    run.shell("docker save NAME | docker load").await;
    run.shell("echo garbage | docker load").await;
    run.shell("tar -c /etc/hostname 2>/dev/null | docker import - NAME && docker rmi NAME").await;
}

async fn wait(run: &mut Run) {
    run.docker("run -d --name NAME busybox sh -c 'until [ -e /go ]; do sleep 0.05; done; exit 8'")
        .await;
    let waiting = run.docker.start(&["wait", &run.name]);
    run.docker("exec NAME touch /go").await;
    waiting.line("the exit code", |line| (line == "8").then_some(())).await;
}

async fn stats(run: &mut Run) {
    run.docker("run -d --name NAME busybox sleep 1000").await;
    run.docker("stats --no-stream --format '{{.Name}} {{.PIDs}}' NAME").await;
    run.docker("stats --no-stream nothing-is-called-this").await;
}

async fn top(run: &mut Run) {
    run.docker("run -d --name NAME busybox sleep 1000").await;
    run.shell("docker top NAME -eo pid,comm | tr -d '0-9' | tr -s ' '").await;
}

async fn rename_and_inspect(run: &mut Run) {
    run.docker("create --name NAME --label a=b busybox true").await;
    run.docker("rename NAME NAME-new").await;
    run.docker("inspect --format '{{.Name}} {{.Config.Labels.a}}' NAME-new").await;
    run.docker("rename NAME-new NAME").await;
    run.docker("update --cpu-shares 512 NAME").await;
    run.docker("inspect --format '{{.HostConfig.CpuShares}}' NAME").await;
}

async fn stop_and_go(run: &mut Run) {
    run.docker("run -d --name NAME busybox sleep 1000").await;
    run.docker("pause NAME").await;
    run.docker("exec NAME true").await;
    run.docker("unpause NAME").await;
    run.docker("restart -t 0 NAME").await;
    run.docker("port NAME").await;
    run.docker("kill NAME").await;
    run.docker("start NAME").await;
    run.docker("start NAME").await;
    run.docker("stop -t 0 NAME").await;
    run.docker("stop NAME").await;
}

async fn images(run: &mut Run) {
    run.docker("tag busybox NAME").await;
    run.docker("images --format '{{.Repository}}:{{.Tag}}' NAME").await;
    run.docker("history --format '{{.ID}} {{.Size}}' NAME").await;
    run.docker("image inspect --format '{{.Os}}/{{.Architecture}}' NAME").await;
    run.docker("rmi NAME").await;
    run.docker("create --name NAME busybox true").await;
    run.docker("commit --change 'ENV A=1' NAME NAME").await;
    run.docker("run --rm NAME sh -c 'echo $A'").await;
}

async fn networks(run: &mut Run) {
    run.docker("network create --label a=b NAME").await;
    run.docker("network ls --filter name=NAME --format '{{.Name}} {{.Driver}}'").await;
    run.docker("network inspect --format '{{.Labels.a}}' NAME").await;
    run.docker("create --name NAME --network none busybox true").await;
    run.docker("network disconnect none NAME").await;
    run.docker("network connect --alias x NAME NAME").await;
    run.docker("network disconnect NAME NAME").await;
    run.docker("network rm NAME").await;
    run.docker("network rm NAME").await;
}

async fn volumes(run: &mut Run) {
    run.docker("volume create --label a=b NAME").await;
    run.docker("volume ls --filter name=NAME --format '{{.Name}} {{.Driver}}'").await;
    run.docker("volume inspect --format '{{.Labels.a}} {{.Scope}}' NAME").await;
    run.docker("run --rm -v NAME:/data busybox sh -c 'echo kept > /data/file'").await;
    run.docker("run --rm -v NAME:/data busybox cat /data/file").await;
    run.docker("volume rm NAME").await;
    run.docker("volume rm NAME").await;
}

async fn system_df(run: &mut Run) {
    run.docker("system df --format '{{.Type}} {{.TotalCount}} {{.Active}}'").await;
}

async fn errors(run: &mut Run) {
    run.docker("run --rm 127.0.0.1:1/nothing true").await;
    run.docker("inspect nothing-is-called-this").await;
    run.docker("rm nothing-is-called-this").await;
    run.docker("logs nothing-is-called-this").await;
    run.docker("attach nothing-is-called-this").await;
    run.docker("exec nothing-is-called-this true").await;
    run.docker("network inspect nothing-is-called-this").await;
}
