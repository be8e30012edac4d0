//! Components are compiled by processes of their own, which put the code into wasmtime's cache. What
//! compiling leaves behind in memory then goes with them, and is not ours for as long as we serve.
//!
//! Where that cannot be done nothing is lost: the component is compiled here.

mod worker;

use std::io;
use std::path::PathBuf;
use std::process::{Output, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::io::AsyncWriteExt;
use tokio::process::Command;
use tokio::task::spawn_blocking;
use wasmtime::{Cache, Engine};

use super::{cache, component, words};

pub use worker::{WorkError, compile_into_cache};

/// Variables that a worker needs, if they are set, to be what we are: what wasmtime compiles into the
/// code, on how many threads, and where the program finds its libraries. All others are withheld.
const VARIABLES: [&str; 3] = ["WASMTIME_BACKTRACE_DETAILS", "RAYON_NUM_THREADS", "LD_LIBRARY_PATH"];

/// Has components compiled.
pub(super) struct Workshop {
    /// What is started.
    program: PathBuf,
    /// The cache's folder.
    folder: PathBuf,
    /// What workers compile is not kept, perhaps because the disk is full; so they are asked no more.
    in_vain: AtomicBool,
}

impl Workshop {
    /// Nothing is started yet.
    pub(super) fn new(program: PathBuf, cache: &Cache) -> Self {
        Self { program, folder: cache.directory().clone(), in_vain: AtomicBool::new(false) }
    }

    /// Has the component compiled into the cache, unless it is there. Where that fails the caller
    /// finds nothing there, compiles, and sees for itself what is wrong with the component.
    pub(super) async fn prepare(&self, engine: &Engine, bytes: &Arc<[u8]>, origin: &str) {
        if self.in_vain.load(Ordering::Relaxed) {
            return;
        }
        let Some(key) = self.missing(engine, bytes, origin).await else { return };
        let worked = self.work(&key, bytes).await;
        if cache::has(&self.folder, &key) {
            tracing::debug!(component = origin, "compiled by a process of its own");
            return;
        }
        let cause = match worked {
            Ok(output) if output.status.success() => {
                self.in_vain.store(true, Ordering::Relaxed);
                "the cache does not keep it".to_owned()
            }
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                words::tidy(&format!("{}: {said}", output.status))
            }
            Err(error) => error.to_string(),
        };
        tracing::debug!(component = origin, cause, "not compiled by a process of its own");
    }

    /// What the cache would call the component's code; none if it is there, or if it is no component.
    async fn missing(&self, engine: &Engine, bytes: &Arc<[u8]>, origin: &str) -> Option<String> {
        component::recognise(bytes, origin).ok()?;
        let (engine, bytes, folder) = (engine.clone(), Arc::clone(bytes), self.folder.clone());
        let look = move || {
            let key = cache::key(&engine, &bytes);
            (!cache::has(&folder, &key)).then_some(key)
        };
        spawn_blocking(look).await.ok().flatten()
    }

    /// Starts a worker and waits for its end. It ends when this is dropped, and also when we do.
    async fn work(&self, key: &str, bytes: &[u8]) -> io::Result<Output> {
        let set = |name| Some((name, std::env::var_os(name)?));
        let mut worker = Command::new(&self.program)
            .arg0("powerstrip")
            .args(["compile".as_ref(), self.folder.as_os_str(), key.as_ref()])
            .env_clear()
            .envs(VARIABLES.into_iter().filter_map(set))
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            // What a terminal's Ctrl-C means for it is for us to say.
            .process_group(0)
            .kill_on_drop(true)
            .spawn()?;
        let mut pipe = worker.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let size = (bytes.len() as u64).to_le_bytes();
        let sent = async {
            pipe.write_all(&size).await?;
            pipe.write_all(bytes).await
        };
        // A worker that did not read it all has ended, and its status says more.
        let (_, output) = tokio::join!(sent, worker.wait_with_output());
        // Open until now: its end is what a worker without us would see.
        drop(pipe);
        output
    }
}
