//! Keeps in its memory how often it was called and built, and shows that in the headers `x-uses` and
//! `x-builds`. The query of a request says what else to do: `do=trap`, `do=fail`, `do=spin`,
//! `do=hoard`, `do=print`, `do=carry`.

use std::io::Write;
use std::mem;
use std::sync::atomic::{AtomicU64, Ordering};

use powerstrip_sdk::{Adapter, Error, Post, Pre, Request, Response, Result, carry, keyvalue, log};

static USES: AtomicU64 = AtomicU64::new(0);
static BUILDS: AtomicU64 = AtomicU64::new(0);

struct Hoarder;

impl Adapter for Hoarder {
    type Config = ();

    const GRANTS: &'static [&'static str] = &["keyvalue?"];

    fn new((): ()) -> Result<Self> {
        BUILDS.fetch_add(1, Ordering::Relaxed);
        Ok(Self)
    }

    fn pre(&self, request: &mut Request) -> Result<Pre> {
        if request.query_string() == "do=carry" {
            carry::set(b"mine");
        }
        Ok(Pre::Pass)
    }

    fn post(&self, request: &Request, response: &mut Response) -> Result<Post> {
        let uses = USES.fetch_add(1, Ordering::Relaxed) + 1;
        match request.query_string() {
            "do=trap" => panic!("as the test wants it"),
            "do=fail" => return Err(Error::other("as the test wants it")),
            "do=spin" => loop {
                std::hint::spin_loop();
            },
            "do=hoard" => mem::forget(keyvalue::open()?),
            "do=print" => {
                let _ = std::io::stdout().write_all(b"half a line");
                let _ = std::io::stdout().flush();
            }
            _ => {}
        }
        log::info!("use {uses}");
        response.set_header("x-uses", uses.to_string());
        response.set_header("x-builds", BUILDS.load(Ordering::Relaxed).to_string());
        response.set_header("x-carried", carry::get().unwrap_or_default());
        Ok(Post::Pass)
    }
}

powerstrip_sdk::export!(Hoarder: pre, post);
