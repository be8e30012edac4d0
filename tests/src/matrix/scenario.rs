//! The rows as they are written down.

use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result, bail, ensure};

use super::way::Way;
use crate::repository;

/// What a scenario needs of the client or of the engine's surroundings; it is left out without.
const NEEDS: [&str; 4] = ["buildx", "compose", "registry", "login"];

/// Some commands that belong together, in the order in which they run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scenario {
    /// The name of its file.
    pub theme: String,
    /// What it is about.
    pub title: String,
    /// The words in brackets behind the title.
    words: Vec<String>,
    /// What it runs.
    pub commands: Vec<Line>,
}

/// One command of a scenario.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A piece of shell.
    Shell(String),
    /// A command under a terminal, and what is typed once something has been printed.
    Terminal {
        /// The command.
        command: String,
        /// What to wait for, and what to type then.
        exchanges: Vec<(String, String)>,
    },
}

impl Line {
    /// The command alone.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Shell(text) | Self::Terminal { command: text, .. } => text,
        }
    }
}

impl Scenario {
    /// Whether it looks at what other scenarios would change.
    #[must_use]
    pub fn is_alone(&self) -> bool {
        self.has("alone")
    }

    /// Whether it takes too long to be run with every change.
    #[must_use]
    pub fn is_long(&self) -> bool {
        self.has("long")
    }

    /// Whether it can take this way: over plain TCP, the client itself does some things otherwise.
    #[must_use]
    pub fn may_take(&self, way: &Way) -> bool {
        !(way.is_plain_tcp && self.has("not-tcp"))
    }

    /// What must be there for it to run.
    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.words.iter().map(String::as_str).filter(|word| NEEDS.contains(word))
    }

    fn has(&self, word: &str) -> bool {
        self.words.iter().any(|own| own == word)
    }
}

/// All scenarios, in the order of their files' names.
///
/// # Errors
/// When a file cannot be read or understood.
pub fn scenarios() -> Result<Vec<Scenario>> {
    let folder = folder();
    let entries: io::Result<Vec<_>> = fs::read_dir(&folder)?.collect();
    let mut files: Vec<_> = entries?.into_iter().map(|entry| entry.path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "txt"));
    files.sort();
    let mut all = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path)?;
        let theme = path.file_stem().unwrap_or_default().to_string_lossy();
        let read = parse(&theme, &text);
        all.extend(read.with_context(|| format!("cannot read {}", path.display()))?);
    }
    Ok(all)
}

/// Where the rows are.
pub(super) fn folder() -> std::path::PathBuf {
    repository().join(Path::new("tests/matrix"))
}

fn parse(theme: &str, text: &str) -> Result<Vec<Scenario>> {
    let mut all: Vec<Scenario> = Vec::new();
    for line in text.lines().filter(|line| !line.is_empty()) {
        if let Some(title) = line.strip_prefix("## ") {
            all.push(begin(theme, title)?);
        } else if !line.starts_with('#') {
            let scenario = all.last_mut().context("a command stands before the first title")?;
            add(&mut scenario.commands, line)?;
        }
    }
    let empty = all.iter().find(|scenario| scenario.commands.is_empty());
    ensure!(empty.is_none(), "a scenario has no command: {empty:?}");
    Ok(all)
}

/// A scenario from `title [word] [word]`.
fn begin(theme: &str, text: &str) -> Result<Scenario> {
    let mut parts = text.split(" [");
    let title = parts.next().unwrap_or_default().to_owned();
    let words: Vec<String> = parts.map(|word| word.trim_end_matches(']').to_owned()).collect();
    let known =
        |word: &String| ["alone", "long", "not-tcp"].contains(&&**word) || NEEDS.contains(&&**word);
    if let Some(word) = words.iter().find(|word| !known(word)) {
        bail!("nobody knows what [{word}] means behind \"{title}\"");
    }
    Ok(Scenario { theme: theme.to_owned(), title, words, commands: Vec::new() })
}

/// Adds a command, or, where the line is indented, a part of the last one.
fn add(commands: &mut Vec<Line>, line: &str) -> Result<()> {
    let Some(part) = line.strip_prefix("    ") else {
        commands.push(match line.strip_prefix("@tty ") {
            Some(command) => Line::Terminal { command: command.to_owned(), exchanges: Vec::new() },
            None => Line::Shell(line.to_owned()),
        });
        return Ok(());
    };
    match commands.last_mut().context("an indented line stands before the first command")? {
        Line::Shell(text) => {
            text.push('\n');
            text.push_str(part);
        }
        Line::Terminal { exchanges, .. } => {
            let (awaited, typed) = part.split_once(" => ").context("`WAIT => TYPE` is missing")?;
            exchanges.push((awaited.to_owned(), typed_bytes(typed)));
        }
    }
    Ok(())
}

/// What `\n` and `^P` stand for.
fn typed_bytes(text: &str) -> String {
    let mut typed = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match (character, characters.clone().next()) {
            ('\\', Some('n')) => typed.push('\n'),
            ('^', Some(letter @ 'A'..='Z')) => typed.push(char::from(letter as u8 - b'@')),
            _ => {
                typed.push(character);
                continue;
            }
        }
        characters.next();
    }
    typed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scenario_has_a_title_words_and_commands() {
        let text = "# Why.\n## run it [long] [buildx]\ndocker run\ncat <<END\n    text\n    END\n";

        let all = parse("basics", text).expect("it is well formed");

        assert!(all[0].is_long() && !all[0].is_alone());
        assert_eq!(all[0].needs().collect::<Vec<_>>(), ["buildx"]);
        let texts: Vec<&str> = all[0].commands.iter().map(Line::text).collect();
        assert_eq!(texts, ["docker run", "cat <<END\ntext\nEND"]);
    }

    #[test]
    fn what_is_typed_stands_below_a_terminals_command() {
        let all = parse("basics", "## type\n@tty docker attach x\n    $ => exit\\n^P^Q\n");

        let line = all.expect("it is well formed").remove(0).commands.remove(0);
        let exchanges = vec![("$".to_owned(), "exit\n\u{10}\u{11}".to_owned())];
        assert_eq!(line, Line::Terminal { command: "docker attach x".to_owned(), exchanges });
    }

    #[test]
    fn an_unknown_word_is_refused() {
        assert!(parse("basics", "## run it [sometimes]\ndocker run\n").is_err());
    }
}
