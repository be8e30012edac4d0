//! Changes inputs of a corpus at random, and keeps those that break a target.

use std::fs;
use std::panic::{self, AssertUnwindSafe};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};

use crate::targets::Target;

/// The longest input; nothing new happens in longer ones.
const LONGEST: usize = 4096;

/// Inputs that did well and may serve as a start, besides those of the corpus.
const POOL: usize = 512;

/// Gives a target so many inputs, the same ones for the same seed and corpus.
///
/// # Errors
/// When the target panics; the input is in its corpus then.
#[expect(clippy::print_stdout, reason = "the figures are what the program exists for")]
pub fn run(target: &Target, runs: u64, seed: u64) -> Result<()> {
    let folder = corpus().join(target.name);
    let mut pool = inputs(&folder)?;
    let own = pool.len();
    let began = Instant::now();
    let mut random = fastrand::Rng::with_seed(seed);
    let mut accepted = 0_u64;
    for number in 0..runs {
        let known = usize::try_from(number).ok().filter(|number| *number < own);
        let input = match known {
            Some(number) => pool[number].clone(),
            None => mutated(&pool, target, &mut random),
        };
        match panic::catch_unwind(AssertUnwindSafe(|| (target.check)(&input))) {
            Ok(true) => {
                accepted += 1;
                // What is read with success is nearest to what is worth a change.
                keep(&mut pool, own, input, &mut random);
            }
            Ok(false) => {}
            Err(_) => bail!("{} breaks, see {}", target.name, save(&folder, &input)?.display()),
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{}: {runs} executions in {seconds:.0} s, {accepted} read with success, {own} in the corpus, \
         seed {seed}",
        target.name
    );
    Ok(())
}

/// The folder of all corpora.
#[must_use]
pub fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The inputs of one corpus, in the order of their names.
///
/// # Errors
/// When there are none.
pub fn inputs(folder: &Path) -> Result<Vec<Vec<u8>>> {
    let entries = fs::read_dir(folder).with_context(|| format!("no {}", folder.display()))?;
    let mut paths: Vec<_> = entries.map(|it| it.map(|it| it.path())).collect::<Result<_, _>>()?;
    paths.sort();
    ensure!(!paths.is_empty(), "{} is empty", folder.display());
    Ok(paths.iter().map(fs::read).collect::<Result<_, _>>()?)
}

fn keep(pool: &mut Vec<Vec<u8>>, own: usize, input: Vec<u8>, random: &mut fastrand::Rng) {
    if pool.len() < own + POOL {
        pool.push(input);
    } else if random.u8(..) < 8 {
        let at = own + random.usize(..POOL);
        pool[at] = input;
    }
}

fn save(folder: &Path, input: &[u8]) -> Result<PathBuf> {
    // FNV: enough to tell files apart.
    let hash = input.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let path = folder.join(format!("crash-{hash:016x}"));
    fs::write(&path, input)?;
    Ok(path)
}

fn mutated(pool: &[Vec<u8>], target: &Target, random: &mut fastrand::Rng) -> Vec<u8> {
    let mut input = pool[random.usize(..pool.len())].clone();
    for _ in 0..=random.usize(..5) {
        change(&mut input, pool, target.words, random);
    }
    input.truncate(LONGEST);
    input
}

fn change(input: &mut Vec<u8>, pool: &[Vec<u8>], words: &[&str], random: &mut fastrand::Rng) {
    let at = random.usize(..=input.len());
    let end = (at + random.usize(..32)).min(input.len());
    match random.usize(..8) {
        0 if at < input.len() => input[at] = random.u8(..),
        1 if at < input.len() => input[at] ^= 0x20,
        2 => drop(input.drain(at..end)),
        3 => {
            let copy = input[at..end].to_vec();
            input.splice(end..end, copy);
        }
        4 => {
            let other = &pool[random.usize(..pool.len())];
            let from = random.usize(..=other.len());
            let to = (from + random.usize(..64)).min(other.len());
            input.splice(at..end, other[from..to].iter().copied());
        }
        5 => input.insert(at, random.u8(..)),
        _ => {
            let word = words[random.usize(..words.len())].bytes();
            let end = if random.bool() { at } else { end };
            input.splice(at..end, word);
        }
    }
}
