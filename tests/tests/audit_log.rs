//! The audit log as a file: rotated, full, gone, without a reader, and changed while Powerstrip runs.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use powerstrip_tests::{
    AuditLog, Builder, Client, FakeEngine, Powerstrip, Request, command_line, eventually, private,
    within,
};
use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

const ALL: &str = "* *";

/// A proxy whose only adapter answers everything itself, at once.
fn answering(audit: &str) -> Builder {
    let config = json!({"pre": {"respond": {"status": 200, "body": {}}}});
    Powerstrip::builder().witness("w", &config).pre(ALL, &["w"]).line(&format!("audit: {audit}"))
}

async fn call(powerstrip: &Powerstrip, name: &str) -> u16 {
    powerstrip.get(&format!("/v1.41/containers/{name}/json")).await.status()
}

fn names(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["variables"]["name"].as_str()).collect()
}

/// A FIFO in a folder of its own.
fn fifo() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("audit");
    mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).expect("a folder of ours");
    (folder, path)
}

/// So many lines that come out of a FIFO.
fn reading(path: &Path, count: usize) -> JoinHandle<Vec<Value>> {
    reading_until(path, move |lines| lines.len() == count)
}

/// The lines that come out of a FIFO until there are enough.
fn reading_until(
    path: &Path,
    enough: impl Fn(&[Value]) -> bool + Send + 'static,
) -> JoinHandle<Vec<Value>> {
    let path = path.to_owned();
    tokio::task::spawn_blocking(move || {
        let mut lines = Vec::new();
        for line in BufReader::new(File::open(path).expect("a FIFO")).lines() {
            lines.push(serde_json::from_str(&line.expect("a line")).expect("JSON"));
            if enough(&lines) {
                break;
            }
        }
        lines
    })
}

/// Makes so many requests on one connection, which all have to be answered.
async fn calls(address: String, count: usize) {
    let mut client = Client::connect(&address).await;
    for number in 0..count {
        let request = Request::get(&format!("/v1.41/containers/n{number}/json"));
        assert_eq!(client.call(&request).await.status(), 200, "request {number}");
    }
}

#[tokio::test]
async fn the_log_is_for_its_owner_alone_and_lines_are_added_to_it() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("audit.jsonl");
    let first = answering(&path.display().to_string()).start().await;
    call(&first, "a").await;
    AuditLog::at(path.clone()).has(1).await;
    let mode = fs::metadata(&path).expect("the log").permissions().mode() & 0o777;
    drop(first);
    fs::write(&path, "{\"half\":").expect("a folder of ours");

    let second = answering(&path.display().to_string()).start().await;
    call(&second, "b").await;

    let text = eventually("the second line", || async {
        fs::read_to_string(&path).ok().filter(|text| text.ends_with("}\n"))
    });
    let text = text.await;
    let (half, whole) = text.split_once('\n').expect("two lines");
    assert_eq!((mode, half), (0o600, "{\"half\":"));
    let line: Value = serde_json::from_str(whole).expect("one whole line");
    assert_eq!(line["variables"]["name"], "b");
}

#[tokio::test]
async fn a_log_that_is_moved_away_is_let_go_and_one_that_is_removed_is_made_again() {
    let powerstrip = answering("audit.jsonl").start().await;
    let (path, old) = (powerstrip.folder().join("audit.jsonl"), powerstrip.folder().join("old"));
    let log = AuditLog::of(&powerstrip);
    call(&powerstrip, "a").await;
    log.has(1).await;

    fs::rename(&path, &old).expect("a folder of ours");
    call(&powerstrip, "b").await;
    let second = log.has(1).await;
    fs::remove_file(&path).expect("a folder of ours");
    call(&powerstrip, "c").await;
    let third = log.has(1).await;

    assert_eq!(names(&AuditLog::at(old).lines()), ["a"]);
    assert_eq!((names(&second), names(&third)), (vec!["b"], vec!["c"]));
    // Its lines stand beside the configuration, and are no change of it.
    assert!(!powerstrip.process().output().contains("\"reloaded\""));
}

#[tokio::test]
async fn a_log_that_is_truncated_is_begun_anew() {
    let powerstrip = answering("audit.jsonl").start().await;
    let path = powerstrip.folder().join("audit.jsonl");
    call(&powerstrip, "a").await;
    AuditLog::of(&powerstrip).has(1).await;

    File::options().write(true).open(&path).and_then(|it| it.set_len(0)).expect("a file of ours");
    call(&powerstrip, "b").await;

    let lines = AuditLog::of(&powerstrip).has(1).await;
    assert_eq!(names(&lines), ["b"]);
}

#[tokio::test]
async fn while_its_folder_is_gone_lines_wait() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (logs, aside) = (folder.path().join("logs"), folder.path().join("aside"));
    fs::create_dir(&logs).expect("a folder of ours");
    let path = logs.join("audit.jsonl");
    let powerstrip = answering(&path.display().to_string()).start().await;
    call(&powerstrip, "a").await;
    AuditLog::at(path.clone()).has(1).await;

    fs::rename(&logs, &aside).expect("a folder of ours");
    call(&powerstrip, "b").await;
    powerstrip.logged("the audit log cannot be written").await;
    fs::create_dir(&logs).expect("a folder of ours");

    let lines = AuditLog::at(path).has(1).await;
    assert_eq!(names(&lines), ["b"]);
    powerstrip.logged("the audit log is written again").await;
}

#[tokio::test]
async fn a_full_log_lets_requests_wait_and_loses_none() {
    let (_folder, path) = fifo();
    let powerstrip = answering(&path.display().to_string()).start().await;

    let calling = tokio::spawn(calls(powerstrip.address().to_owned(), 1200));
    powerstrip.logged("the audit log is full: requests wait").await;
    let waits = !calling.is_finished();
    let lines = within("all lines", reading(&path, 1200)).await.expect("no panic");

    assert!(waits);
    within("the requests", calling).await.expect("all are answered");
    let expected: Vec<String> = (0..1200).map(|number| format!("n{number}")).collect();
    assert_eq!(names(&lines), expected);
    let output = powerstrip.process().output();
    assert_eq!(output.matches("the audit log is full: requests wait").count(), 1);
}

#[tokio::test]
async fn who_waits_for_a_full_log_goes_on_when_it_is_taken_away() {
    let (_folder, path) = fifo();
    let powerstrip = answering(&path.display().to_string()).start().await;
    let calling = tokio::spawn(calls(powerstrip.address().to_owned(), 1200));
    powerstrip.logged("the audit log is full: requests wait").await;

    powerstrip.rewrite(|text| text.replace(&format!("audit: {}", path.display()), ""));

    within("the requests", calling).await.expect("all are answered");
    let lost = powerstrip.logged("its last lines are lost").await;
    let lost: Value = serde_json::from_str(&lost).expect("a line of the log");
    assert!(lost["lost"].as_u64().is_some_and(|lost| lost > 1024), "{lost}");
}

#[tokio::test]
async fn a_full_log_drops_lines_and_says_how_many() {
    let (_folder, path) = fifo();
    let audit = format!("{{to: {}, on_full: drop}}", path.display());
    let powerstrip = answering(&audit).start().await;

    calls(powerstrip.address().to_owned(), 1200).await;
    powerstrip.logged("the audit log is full: lines are dropped").await;
    let tells = |line: &Value| line["dropped"].is_u64();
    let reading = reading_until(&path, move |lines| lines.iter().any(tells));
    powerstrip.logged("the audit log has room again; lines were lost").await;
    calls(powerstrip.address().to_owned(), 2).await;

    let lines = within("what is left", reading).await.expect("no panic");
    let lost: u64 = lines.iter().filter_map(|line| line["dropped"].as_u64()).sum();
    let told = lines.len() - 1;
    assert_eq!(names(&lines)[..3], ["n0", "n1", "n2"]);
    assert_eq!((told as u64 + lost, lines[told]["variables"]["name"].as_str()), (1200, Some("n0")));
}

#[tokio::test]
async fn a_log_that_cannot_be_written_refuses_requests_until_it_can() {
    let (_folder, path) = fifo();
    let engine = FakeEngine::start();
    let audit = format!("audit: {{to: {}, on_full: fail}}", path.display());
    let builder = Powerstrip::builder().engine(engine.address()).with_identity().line(&audit);
    let powerstrip = builder.start().await;

    let refused = powerstrip.get("/v1.41/info").await;
    let asked = engine.calls("GET /info").len();
    let reading = reading(&path, 1);
    powerstrip.logged("the audit log is written again").await;
    let taken = powerstrip.get("/v1.41/info").await;

    let body = json!({"message": "powerstrip: the audit log cannot be written"});
    assert_eq!(refused.show(), format!("503 application/json\n{body}"));
    assert_eq!((asked, taken.status()), (0, 200));
    let lines = within("the line", reading).await.expect("no panic");
    assert_eq!((&lines[0]["dropped"], &lines[0]["status"]), (&json!(1), &json!(200)));
}

#[tokio::test]
async fn a_full_disk_refuses_requests_until_the_log_is_elsewhere() {
    let powerstrip = answering("{to: /dev/full, on_full: fail}").start().await;

    let first = call(&powerstrip, "a").await;
    let said = powerstrip.logged("the audit log cannot be written").await;
    let second = call(&powerstrip, "b").await;
    powerstrip.rewrite(|text| text.replace("/dev/full", "audit.jsonl"));
    powerstrip.logged("\"reloaded\"").await;
    let third = call(&powerstrip, "c").await;

    assert_eq!([first, second, third], [200, 503, 200]);
    assert!(said.contains("No space left on device"), "{said}");
    assert_eq!(names(&AuditLog::of(&powerstrip).has(1).await), ["c"]);
}

/// A file system of its own, with room for little; gone when this is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", "size=64k", "tmpfs"]).arg(folder.path());
        match command.status() {
            Ok(status) if status.success() => Some(Self(folder)),
            _ => {
                private::skip("a file system cannot be mounted here");
                None
            }
        }
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.0.path()).status();
    }
}

#[tokio::test]
async fn a_disk_that_fills_up_leaves_whole_lines_and_loses_none() {
    let Some(disk) = SmallDisk::mount() else { return };
    let (path, other) = (disk.0.path().join("audit.jsonl"), disk.0.path().join("other"));
    fs::write(&other, vec![0; 52 * 1024]).expect("room for it");
    let powerstrip = answering(&path.display().to_string()).start().await;

    calls(powerstrip.address().to_owned(), 60).await;
    powerstrip.logged("the audit log cannot be written").await;
    let text = fs::read_to_string(&path).expect("the log");
    let before = text.lines().count();
    fs::remove_file(other).expect("a file of ours");

    assert!(
        text.ends_with("}\n") && before < 60,
        "{before} lines, {:?}",
        text.get(text.len() - 9..)
    );
    let lines = AuditLog::at(path).has(60).await;
    let expected: Vec<String> = (0..60).map(|number| format!("n{number}")).collect();
    assert_eq!(names(&lines), expected);
}

#[tokio::test]
async fn a_reload_begins_moves_and_ends_the_log() {
    let powerstrip = answering("audit.jsonl").start().await;
    let line = "audit: audit.jsonl";
    let reloads = |count: usize| {
        let reloaded = move |all: &[String]| {
            (all.iter().filter(|line| line.contains("\"reloaded\"")).count() >= count).then_some(())
        };
        powerstrip.process().all_lines("the reload", reloaded)
    };

    call(&powerstrip, "a").await;
    powerstrip.rewrite(|text| text.replace(line, "audit: {to: other.jsonl, on_full: drop}"));
    reloads(1).await;
    call(&powerstrip, "b").await;
    powerstrip.rewrite(|text| text.replace("audit: {to: other.jsonl, on_full: drop}", ""));
    reloads(2).await;
    call(&powerstrip, "c").await;
    powerstrip.rewrite(|text| format!("{text}audit: {{to: other.jsonl, of: all}}\n"));
    reloads(3).await;
    call(&powerstrip, "d").await;

    let other = AuditLog::at(powerstrip.folder().join("other.jsonl"));
    assert_eq!(names(&other.has(2).await), ["b", "d"]);
    assert_eq!(names(&AuditLog::of(&powerstrip).lines()), ["a"]);
}

#[tokio::test]
async fn a_reload_to_a_file_that_cannot_be_opened_changes_nothing() {
    let powerstrip = answering("audit.jsonl").start().await;

    powerstrip.rewrite(|text| text.replace("audit: audit.jsonl", "audit: adapters"));
    powerstrip.logged("the last good configuration serves on").await;
    call(&powerstrip, "a").await;

    assert_eq!(names(&AuditLog::of(&powerstrip).has(1).await), ["a"]);
}

#[tokio::test]
async fn a_hang_up_opens_the_log_anew() {
    let powerstrip = answering("audit.jsonl").start().await;
    let path = powerstrip.folder().join("audit.jsonl");

    fs::rename(&path, powerstrip.folder().join("old")).expect("a folder of ours");
    powerstrip.reload();

    eventually("the new file", || async { path.exists().then_some(()) }).await;
}

#[tokio::test]
async fn lines_may_go_to_standard_output() {
    let powerstrip = answering("stdout").start().await;

    call(&powerstrip, "a").await;

    let is_line = |line: &str| {
        let line: Value = serde_json::from_str(line).ok()?;
        line["verdict"].is_string().then_some(line)
    };
    let line = powerstrip.process().line("a line of the audit", is_line).await;
    assert_eq!(names(&[line]), ["a"]);
}

#[tokio::test]
async fn a_folder_that_is_not_there_is_an_error_at_the_start_and_of_the_check() {
    let written = answering("no/audit.jsonl").written();

    let started = answering("no/audit.jsonl").start_in_vain().await;
    let checked = command_line(&["check", &written.path()]).await;

    for finished in [started, checked] {
        let said = finished.stdout + &finished.stderr;
        assert_eq!(finished.code, Some(1), "{said}");
        assert!(said.contains("audit: there is no folder"), "{said}");
        assert!(said.contains("/no; create it"), "{said}");
    }
}

#[tokio::test]
async fn what_is_no_file_is_an_error_at_the_start_and_a_warning_of_the_check() {
    let written = answering("adapters").written();

    let started = answering("adapters").start_in_vain().await;
    let checked = command_line(&["check", &written.path()]).await;

    let said = started.stdout + &started.stderr;
    assert_eq!(started.code, Some(1), "{said}");
    assert!(said.contains("cannot write the audit log to"), "{said}");
    assert!(checked.stdout.contains("warning: audit: cannot write"), "{}", checked.stdout);
}

#[tokio::test]
async fn a_check_shows_the_log_and_makes_none() {
    let written = answering("{to: audit.jsonl, of: all, bodies: true}").written();

    let checked = command_line(&["check", &written.path()]).await;

    let shown = "audit.jsonl (of: all, with bodies, on_full: wait)";
    assert!(checked.stdout.contains(shown), "{}", checked.stdout);
    let folder = Path::new(&written.path()).with_file_name("audit.jsonl");
    assert!(!folder.exists());
}
