//! Running one command, and what it prints.

use std::fmt;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};
use tokio::sync::watch;
use tokio::time::timeout;

use super::scenario::Line;

/// A command that takes longer hangs; that is printed, and compared, like all else.
const PATIENCE: Duration = Duration::from_secs(100);

/// Runs its first argument under a pseudo-terminal.
const TERMINAL: &str = r#"exec script --quiet --return --command "$0" /dev/null"#;

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Printed {
    /// Its exit code, or why there is none.
    pub end: String,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl fmt::Display for Printed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { end, stdout, stderr } = self;
        write!(formatter, "{end} stdout {stdout:?} stderr {stderr:?}")
    }
}

/// Runs a command to its end, in the environment that `shell` has been given.
pub(super) async fn run(line: &Line, shell: Command) -> Printed {
    match line {
        Line::Shell(text) => converse(shell, &["-o", "pipefail", "-c", text], None).await,
        Line::Terminal { command, exchanges } => {
            converse(shell, &["-c", TERMINAL, command], Some(exchanges)).await
        }
    }
}

/// Starts it in a group of its own, so that what it leaves behind can be ended with it.
async fn converse(
    mut shell: Command,
    arguments: &[&str],
    exchanges: Option<&[(String, String)]>,
) -> Printed {
    shell.args(arguments).process_group(0).kill_on_drop(true);
    // The end of its input would be typed into the terminal too, so somebody sits there silently.
    shell.stdin(if exchanges.is_some() { Stdio::piped() } else { Stdio::null() });
    shell.stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = shell.spawn().expect("there is a bash");
    let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);

    let stdin = child.stdin.take();
    let exchanges = exchanges.unwrap_or_default();
    let stdout = watch::Sender::new(Vec::new());
    let stderr = watch::Sender::new(Vec::new());
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let reading = async { tokio::join!(collect(out, &stdout), collect(err, &stderr)) };
    let all =
        async { tokio::join!(reading, type_in(stdin, exchanges, stdout.subscribe(), &mut child)) };
    let end = match timeout(PATIENCE, all).await {
        Ok((_, status)) => shown(status),
        Err(_) => format!("no end within {PATIENCE:?}"),
    };
    if let Some(group) = group {
        // Mostly nobody is left in it.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let text =
        |bytes: &watch::Sender<Vec<u8>>| String::from_utf8_lossy(&bytes.borrow()).into_owned();
    Printed { end, stdout: text(&stdout), stderr: text(&stderr) }
}

fn shown(status: Option<ExitStatus>) -> String {
    match status.and_then(|status| status.code()) {
        Some(code) => format!("exit code {code}"),
        None => "ended by a signal".to_owned(),
    }
}

/// Types what is to be typed as soon as the text before it has come, and waits for the end.
async fn type_in(
    mut stdin: Option<ChildStdin>,
    exchanges: &[(String, String)],
    printed: watch::Receiver<Vec<u8>>,
    child: &mut Child,
) -> Option<ExitStatus> {
    let typing = async {
        for (awaited, typed) in exchanges {
            let has_come = |all: &Vec<u8>| String::from_utf8_lossy(all).contains(awaited.as_str());
            let come = printed.clone().wait_for(has_come).await.is_ok();
            let Some(stdin) = stdin.as_mut().filter(|_| come) else { return };
            // It may have ended already; what it printed will tell.
            let _ = stdin.write_all(typed.as_bytes()).await;
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        status = child.wait() => status.ok(),
        () = typing => child.wait().await.ok(),
    }
}

async fn collect(output: Option<impl AsyncRead + Unpin>, to: &watch::Sender<Vec<u8>>) {
    let Some(mut output) = output else { return };
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = output.read(&mut buffer).await {
        to.send_modify(|all| all.extend_from_slice(&buffer[..count]));
    }
}
