//! What comes back for the bytes of a spelling.

use std::fmt;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{DENIED, EXECUTED};
use crate::connect;

/// How long an answer may take to begin. Who waits for the rest of a request does not answer.
const PATIENCE: Duration = Duration::from_secs(4);

/// How long the other side is quiet when it has said all.
const QUIET: Duration = Duration::from_millis(300);

/// What the answers say of how the request was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    answers: Vec<String>,
}

impl Reading {
    /// Whether the engine understood what the doorman denies.
    #[must_use]
    pub fn is_executed(&self) -> bool {
        let of_engine = self.answers.iter().filter(|it| !it.contains("powerstrip:"));
        of_engine.into_iter().any(|it| EXECUTED.iter().any(|phrase| it.contains(phrase)))
    }

    /// Whether the doorman understood it.
    #[must_use]
    pub fn is_denied(&self) -> bool {
        self.answers.iter().any(|it| it.contains(DENIED))
    }

    /// The status of each answer, and what the errors say.
    #[must_use]
    pub fn words(&self) -> Vec<String> {
        self.answers.iter().map(|it| words(it)).collect()
    }

    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let answers = text.split("HTTP/1.").skip(1).map(|rest| format!("HTTP/1.{rest}"));
        Self { answers: answers.collect() }
    }
}

impl fmt::Display for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.answers.is_empty() {
            return f.write_str("no answer");
        }
        f.write_str(&self.words().join(" / "))
    }
}

fn words(answer: &str) -> String {
    let status: String = answer.chars().skip(9).take(3).collect();
    let body = answer.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let message = body.split_once("\"message\":\"").map_or(body, |(_, rest)| rest);
    let is_word = |c: char| c.is_ascii_graphic() || c == ' ';
    let message: String = message.chars().take_while(|&c| is_word(c) && c != '"').collect();
    format!("{status} {}", message.trim()).trim_end().to_owned()
}

/// Sends bytes as they are, and reads until nothing more comes.
///
/// There is no other way to tell the end: some of the bytes are no requests, or two.
///
/// # Errors
/// When nobody listens there.
pub async fn read(address: &str, bytes: &[u8]) -> std::io::Result<Reading> {
    let (mut reader, mut writer) = tokio::io::split(connect(address).await?);
    let (mut answers, mut patience) = (Vec::new(), PATIENCE);
    // Who refuses a request need not read all of it.
    let sending = async {
        let _ = writer.write_all(bytes).await;
        let _ = writer.flush().await;
    };
    let receiving = async {
        let mut buffer = [0; 16 * 1024];
        while let Ok(Ok(count @ 1..)) =
            tokio::time::timeout(patience, reader.read(&mut buffer)).await
        {
            answers.extend_from_slice(&buffer[..count]);
            patience = QUIET;
        }
    };
    tokio::join!(sending, receiving);
    Ok(Reading::of(&answers))
}
