//! A child process whose output is read line by line, and which ends with the test.

use std::process::{ExitStatus, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use crate::within;

/// A running process; killed when it is dropped.
pub struct Process {
    name: String,
    child: Child,
    lines: watch::Receiver<Vec<String>>,
}

impl Process {
    /// Starts it, with both of its outputs joined into one list of lines.
    ///
    /// # Panics
    /// When there is no such program.
    #[must_use]
    pub fn start(command: &mut Command) -> Self {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        Self::watch(command)
    }

    /// Starts it with the input and the output that the command has, and with its errors as its lines.
    ///
    /// # Panics
    /// When there is no such program.
    #[must_use]
    pub fn watch(command: &mut Command) -> Self {
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        command.stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = match command.spawn() {
            Ok(child) => child,
            Err(error) => panic!("cannot start {name}: {error}"),
        };
        let sender = watch::Sender::new(Vec::new());
        let lines = sender.subscribe();
        let stderr = child.stderr.take().expect("it was asked to be piped");
        if let Some(stdout) = child.stdout.take() {
            tokio::spawn(collect(stdout, sender.clone()));
        }
        tokio::spawn(collect(stderr, sender));
        Self { name, child, lines }
    }

    /// The first line, past or future, of which `wanted` makes something.
    ///
    /// # Panics
    /// When the process ends or patience does; the message holds all that it said.
    pub async fn line<T>(&self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        self.all_lines(what, |all| all.iter().find_map(|line| wanted(line))).await
    }

    /// What `wanted` makes of all lines so far, as soon as it makes something of them.
    ///
    /// # Panics
    /// When the process ends or patience does; the message holds all that it said.
    pub async fn all_lines<T>(&self, what: &str, wanted: impl Fn(&[String]) -> Option<T>) -> T {
        let mut lines = self.lines.clone();
        let has = |all: &Vec<String>| wanted(all).is_some();
        let awaited = tokio::time::timeout(crate::PATIENCE, lines.wait_for(has)).await;
        match awaited {
            Ok(Ok(all)) => wanted(&all).expect("it was just seen"),
            Ok(Err(_)) | Err(_) => {
                panic!("{} never logged {what}; it said:\n{}", self.name, self.output())
            }
        }
    }

    /// All that it said so far.
    #[must_use]
    pub fn output(&self) -> String {
        self.lines.borrow().join("\n")
    }

    /// All lines that it said so far.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.borrow().clone()
    }

    /// Its process id.
    ///
    /// # Panics
    /// When it was awaited already.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id().expect("it has not been awaited")
    }

    /// Sends it a signal.
    ///
    /// # Panics
    /// When it was awaited already.
    pub fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.pid()).ok().and_then(Pid::from_raw).expect("a process id");
        // It may have ended by itself just now; whoever waits for it will see that.
        let _ = kill_process(pid, signal);
    }

    /// Waits for its end.
    pub async fn ended(&mut self) -> ExitStatus {
        within(&format!("the end of {}", self.name), self.child.wait())
            .await
            .expect("a child can be awaited")
    }
}

async fn collect(output: impl AsyncRead + Unpin, lines: watch::Sender<Vec<String>>) {
    let mut output = BufReader::new(output);
    let mut line = Vec::new();
    while let Ok(1..) = output.read_until(b'\n', &mut line).await {
        let text = String::from_utf8_lossy(&line).trim_end().to_owned();
        lines.send_modify(|all| all.push(text));
        line.clear();
    }
}
