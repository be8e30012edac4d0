//! What the documents show is true: each block of YAML is accepted by `powerstrip check`, and each
//! line of shell is run, here or by a recipe that is named in `shell-lines.txt`.

use std::fs;
use std::path::{Path, PathBuf};

use powerstrip_tests::{Builder, Powerstrip, command_line};

/// Lines of shell and the recipe, or the test, that runs each.
const SHELL_LINES: &str = include_str!("shell-lines.txt");

/// A fenced block of a document.
struct Block {
    /// Where it stands, for the message of a failure.
    place: String,
    language: String,
    text: String,
}

#[tokio::test]
async fn every_block_of_yaml_is_a_good_configuration() {
    let mut count = 0;
    for block in blocks().into_iter().filter(|block| block.language == "yaml") {
        let file = with_every_adapter(&block.text).written();

        let finished = command_line(&["check", &file.path()]).await;

        let said = format!("{}{}", finished.stdout, finished.stderr);
        assert_eq!(finished.code, Some(0), "{}:\n{}\n{said}", block.place, block.text);
        count += 1;
    }
    assert!(count > 0, "the documents show no configuration at all");
}

/// The documents' examples name the adapters of this repository, in a folder that has them, and
/// those that readers build themselves, for which `witness` stands in.
fn with_every_adapter(text: &str) -> Builder {
    let ours = [
        "debug",
        "envinject",
        "guard",
        "logfiles",
        "registrator",
        "restrict-image",
        "slowreq",
        "waitready",
    ];
    // One that nobody configures is not ready, so there are only those that the example is about.
    let named = ours.into_iter().filter(|name| text.contains(name));
    let builder = named.fold(Powerstrip::builder(), Builder::component);
    let builder = ["team-label", "python-labels", "javascript-labels"]
        .into_iter()
        .fold(builder, |builder, name| builder.component_as("witness", name));
    // Folders of the reader's machine are not on this one.
    let text = &text.replace("/var/log/powerstrip/", "");
    // The reader's own adapter has the settings that the reader gives it.
    let own = ["config: {team: blue}", "config: {labels: {team: blue}}"];
    builder.text(&own.iter().fold(text.to_owned(), |text, own| text.replace(own, "config: {}")))
}

#[test]
fn every_line_of_shell_is_run_by_somebody() {
    let known = shell_lines();
    for block in blocks().into_iter().filter(|block| is_shell(&block.language)) {
        for line in commands(&block.text) {
            let is_known = known.iter().any(|(shell, _)| *shell == line);
            assert!(is_known, "{}: nobody runs `{line}`: add it to shell-lines.txt", block.place);
        }
    }
}

#[test]
fn every_listed_line_of_shell_is_in_a_document() {
    let shown: Vec<String> = blocks()
        .iter()
        .filter(|block| is_shell(&block.language))
        .flat_map(|block| commands(&block.text))
        .collect();

    for (line, _) in shell_lines() {
        assert!(shown.iter().any(|shown| shown == line), "no document shows `{line}` any more");
    }
}

#[test]
fn every_recipe_that_is_said_to_run_a_line_exists() {
    let recipes = read(&root().join("justfile"));
    for (line, runner) in shell_lines() {
        let exists = match runner.split_once(' ') {
            Some(("just", recipe)) => {
                recipes.lines().any(|text| text.starts_with(recipe) && text.contains(':'))
            }
            Some(("test", file)) => root().join("tests/tests").join(file).is_file(),
            Some(("nobody", reason)) => !reason.is_empty(),
            _ => false,
        };
        assert!(exists, "`{line}` is said to be run by `{runner}`, which there is not");
    }
}

/// `LINE => just RECIPE`, `LINE => test FILE` or `LINE => nobody REASON`.
fn shell_lines() -> Vec<(&'static str, &'static str)> {
    let lines = SHELL_LINES.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(" => ").expect("LINE => RUNNER")).collect()
}

fn is_shell(language: &str) -> bool {
    matches!(language, "sh" | "shell" | "bash" | "console")
}

/// The commands of a block, without prompts, comments and what they print.
fn commands(text: &str) -> Vec<String> {
    let is_session = text.lines().any(|line| line.starts_with("$ "));
    text.replace("\\\n", " ")
        .lines()
        .filter_map(|line| match is_session {
            true => line.strip_prefix("$ "),
            false => Some(line),
        })
        .map(|line| line.split(" # ").next().unwrap_or_default().trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect()
}

fn root() -> PathBuf {
    powerstrip_tests::repository()
}

fn documents() -> Vec<PathBuf> {
    let mut documents = vec![root().join("README.md"), root().join("guest-sdk/README.md")];
    for folder in ["docs", "docs/adapters", "docs/performance", "adapters", "examples"] {
        let entries = fs::read_dir(root().join(folder)).expect("a folder of the repository");
        for path in entries.flatten().map(|entry| entry.path()) {
            let is_document = path.extension().is_some_and(|extension| extension == "md");
            documents.push(if is_document { path } else { path.join("README.md") });
        }
    }
    documents.retain(|path| path.is_file());
    documents.sort();
    documents
}

fn blocks() -> Vec<Block> {
    documents().iter().flat_map(|path| blocks_of(path)).collect()
}

fn blocks_of(path: &Path) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for (number, line) in read(path).lines().enumerate() {
        match (line.trim_start().strip_prefix("```"), open.take()) {
            (Some(language), None) => {
                let place = format!("{}:{}", path.display(), number + 1);
                open = Some(Block { place, language: language.into(), text: String::new() });
            }
            (Some(_), Some(block)) => blocks.push(block),
            (None, Some(mut block)) => {
                block.text.push_str(line);
                block.text.push('\n');
                open = Some(block);
            }
            (None, None) => {}
        }
    }
    blocks
}

fn read(path: &Path) -> String {
    match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => panic!("{}: {error}", path.display()),
    }
}
