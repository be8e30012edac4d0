//! The strict reader of JSON bodies beside Go's own decoder, over random documents.

use std::io::{BufRead, BufReader, BufWriter, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use fastrand::Rng;
use powerstrip::docker::catalogue::{self, Endpoint};
use powerstrip::docker::json::{self, Canonical, Legacy};
use tempfile::TempDir;

use crate::document::{Body, document};

/// Documents between two looks at what Go has to say.
const BATCH: u64 = 20_000;

/// The canonical form of a document that has none.
const REFUSED: &[u8] = b"";

/// What became of the documents.
#[derive(Debug, Default)]
struct Tally {
    refused: u64,
    as_sent: u64,
    rewritten: u64,
    /// Of those that we refused, those that Go would have read.
    strict: u64,
    differences: u64,
}

/// Makes so many documents. Each is refused, or Go reads the same from it as from its canonical form,
/// and finds all of that there under the very names.
///
/// # Errors
/// When Go reads anything else, or is not there.
#[expect(clippy::print_stdout, reason = "the figures are what the program exists for")]
pub fn compare(documents: u64, seed: u64) -> Result<()> {
    let mut go = Go::start()?;
    let kinds = kinds();
    let mut random = Rng::with_seed(seed);
    let mut tally = Tally::default();
    let began = Instant::now();
    let mut done = 0;
    while done < documents {
        let batch = BATCH.min(documents - done);
        for _ in 0..batch {
            one(&mut go, &kinds[random.usize(..kinds.len())], &mut random, &mut tally)?;
        }
        go.finish_batch(&mut tally)?;
        done += batch;
    }
    let seconds = began.elapsed().as_secs_f64();
    let Tally { refused, as_sent, rewritten, strict, differences } = tally;
    println!(
        "{documents} documents in {seconds:.0} s, seed {seed}: {as_sent} taken as sent, {rewritten} \
         rewritten, {refused} refused ({strict} of which Go reads); {differences} differences"
    );
    ensure!(differences == 0, "Go reads another body than hooks");
    Ok(())
}

/// One kind of body: how Go is told of it, and what it is read as.
struct Kind {
    letter: u8,
    body: Body,
    endpoint: Option<&'static Endpoint>,
    legacy: Legacy,
}

fn kinds() -> [Kind; 4] {
    let kind = |letter, body, path, legacy| {
        let endpoint = catalogue::find("POST", path).map(|(endpoint, _)| endpoint);
        Kind { letter, body, endpoint, legacy }
    };
    [
        kind(b'M', Body::Create, "/containers/create", Legacy::Ignore),
        kind(b'L', Body::LegacyCreate, "/containers/create", Legacy::Lift),
        kind(b'X', Body::Exec, "/containers/x/exec", Legacy::Ignore),
        kind(b'S', Body::Service, "/services/create", Legacy::Ignore),
    ]
}

fn one(go: &mut Go, kind: &Kind, random: &mut Rng, tally: &mut Tally) -> Result<()> {
    let text = document(random, kind.body);
    match json::read(kind.endpoint, &text, kind.legacy) {
        Ok(Canonical::AsSent) => {
            tally.as_sent += 1;
            go.compare(kind.letter, &text, &text)
        }
        Ok(Canonical::Rewritten(canonical)) => {
            tally.rewritten += 1;
            go.compare(kind.letter, &text, &canonical)
        }
        Err(_) => {
            tally.refused += 1;
            go.compare(kind.letter, &text, REFUSED)
        }
    }
}

/// The program that reads with Go.
struct Go {
    child: Child,
    input: BufWriter<ChildStdin>,
    output: BufReader<ChildStdout>,
    _folder: TempDir,
}

impl Go {
    fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let program = folder.path().join("decoder");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("go/main.go");
        let mut build = Command::new("go");
        build.arg("build").arg("-o").arg(&program).arg(source).env("GO111MODULE", "off");
        build.env("GOCACHE", folder.path().join("cache"));
        let built = build.status().context("Go is not installed (Debian's golang-go)")?;
        ensure!(built.success(), "the Go program does not compile");
        let mut run = Command::new(&program);
        let mut child = run.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
        let input = BufWriter::new(child.stdin.take().context("it was asked to be piped")?);
        let output = BufReader::new(child.stdout.take().context("it was asked to be piped")?);
        Ok(Self { child, input, output, _folder: folder })
    }

    fn compare(&mut self, kind: u8, text: &[u8], canonical: &[u8]) -> Result<()> {
        self.input.write_all(&[kind])?;
        for part in [text, canonical] {
            let length = u32::try_from(part.len())?;
            self.input.write_all(&length.to_be_bytes())?;
            self.input.write_all(part)?;
        }
        Ok(())
    }

    /// Waits until Go has read all that it was given; it says where it read anything else.
    #[expect(clippy::print_stdout, reason = "the figures are what the program exists for")]
    fn finish_batch(&mut self, tally: &mut Tally) -> Result<()> {
        self.input.write_all(b"E")?;
        self.input.flush()?;
        let mut line = String::new();
        loop {
            line.clear();
            if self.output.read_line(&mut line)? == 0 {
                bail!("the Go program ended");
            }
            match line.trim_end().split_once(' ') {
                Some(("done", strict)) => {
                    tally.strict += strict.parse::<u64>()?;
                    return Ok(());
                }
                _ => {
                    tally.differences += 1;
                    println!("{}", line.trim_end());
                }
            }
        }
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
