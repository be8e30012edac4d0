//! The components that are compiled, each once: many adapters are one component, as all webhooks
//! are, and its code is the same for all of them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use rayon::ThreadPool;
use tokio::sync::{OnceCell, Semaphore};
use tokio::task::spawn_blocking;
use wasmtime::Engine;
use wasmtime::component::Component;

use super::component::{ComponentFile, compile};
use super::error::LoadError;
use super::flatten::flatten;
use super::workshop::Workshop;

/// A component's code, from when somebody asks for it until nobody uses it any more.
pub(super) type Code = Arc<OnceCell<Component>>;

/// What is compiled.
pub(super) struct Library {
    engine: Engine,
    /// By the hash of the component's file.
    shelves: Mutex<HashMap<[u8; 32], Weak<OnceCell<Component>>>>,
    /// The threads that compile.
    compilers: Arc<ThreadPool>,
    /// Compiling takes CPU for up to seconds; more at a time would only slow each other down.
    cores: Semaphore,
    /// Where components are compiled, if not here.
    workshop: Option<Workshop>,
}

impl Library {
    /// Nothing is compiled yet.
    pub(super) fn new(engine: Engine, compilers: ThreadPool, workshop: Option<Workshop>) -> Self {
        let cores = Semaphore::new(compilers.current_num_threads());
        let compilers = Arc::new(compilers);
        Self { engine, shelves: Mutex::default(), compilers, cores, workshop }
    }

    /// The compiled component, and what keeps it here for others.
    ///
    /// # Errors
    /// When it cannot be compiled.
    pub(super) async fn compiled(
        &self,
        file: ComponentFile,
        origin: &str,
    ) -> Result<(Component, Code), LoadError> {
        let code = self.shelf(file.sha256);
        let component = code.get_or_try_init(|| self.compile(file, origin)).await?.clone();
        Ok((component, code))
    }

    /// Compiles a component without its shim, or as it is where it cannot be had like that.
    async fn compile(&self, file: ComponentFile, origin: &str) -> Result<Component, LoadError> {
        let _core = self.cores.acquire().await.expect("the semaphore is never closed");
        let whole = Arc::clone(&file.bytes);
        let flat = spawn_blocking(move || flatten(&whole)).await;
        if let Some(flat) = flat.map_err(|panic| LoadError::Engine { cause: panic.into() })? {
            match self.compile_bytes(flat.into(), origin).await {
                Ok(component) => return Ok(component),
                Err(cause) => tracing::debug!(origin, %cause, "a component keeps its shim"),
            }
        }
        self.compile_bytes(file.bytes, origin).await
    }

    async fn compile_bytes(&self, bytes: Arc<[u8]>, origin: &str) -> Result<Component, LoadError> {
        if let Some(workshop) = &self.workshop {
            workshop.prepare(&self.engine, &bytes, origin).await;
        }
        let (engine, origin) = (self.engine.clone(), origin.to_owned());
        let compilers = Arc::clone(&self.compilers);
        let compile = move || compile(&engine, &bytes, &origin);
        let compiling = spawn_blocking(move || compilers.install(compile)).await;
        compiling.map_err(|panic| LoadError::Engine { cause: panic.into() })?
    }

    fn shelf(&self, sha256: [u8; 32]) -> Code {
        let mut shelves = self.shelves.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(code) = shelves.get(&sha256).and_then(Weak::upgrade) {
            return code;
        }
        shelves.retain(|_, code| code.strong_count() > 0);
        let code = Code::default();
        shelves.insert(sha256, Arc::downgrade(&code));
        code
    }
}

#[cfg(test)]
mod tests {
    use super::super::engine;
    use super::*;

    /// An empty component: the name, the version and the layer.
    const COMPONENT: [u8; 8] = *b"\0asm\x0d\0\x01\0";

    fn library() -> Library {
        Library::new(Engine::default(), engine::compilers().expect("threads can be had"), None)
    }

    #[tokio::test]
    async fn a_component_stays_for_as_long_as_somebody_uses_it() {
        let library = library();
        let file = || ComponentFile::new(COMPONENT);

        let (_, first) = library.compiled(file(), "one.wasm").await.expect("a component");
        let (_, second) = library.compiled(file(), "two.wasm").await.expect("a component");
        let shared = Arc::ptr_eq(&first, &second);
        drop((first, second));
        library.shelf([0; 32]);

        assert!(shared);
        assert_eq!(library.shelves.lock().expect("no panic").len(), 1);
    }

    #[tokio::test]
    async fn what_does_not_compile_is_tried_again() {
        let library = library();
        let file = || ComponentFile::new([&COMPONENT[..], &[9, 9]].concat());

        let (one, two) = tokio::join!(
            library.compiled(file(), "one.wasm"),
            library.compiled(file(), "two.wasm"),
        );

        let text = |it: Result<(), LoadError>| it.expect_err("it is damaged").to_string();
        assert!(text(one.map(drop)).starts_with("one.wasm"));
        assert!(text(two.map(drop)).starts_with("two.wasm"));
    }
}
