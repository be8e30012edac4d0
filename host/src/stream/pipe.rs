//! Bytes that go from one socket to another without coming into this process.

use std::io;
use std::os::fd::OwnedFd;

use nix::fcntl::{FcntlArg, OFlag, SpliceFFlags, fcntl, splice};

use super::{Reader, Writer};

/// What a pipe holds: the most that the system gives anybody.
const ROOM: i32 = 1024 * 1024;
/// A pipe that holds less takes more system calls than reading and writing.
const LEAST: i32 = 64 * 1024;
/// The most, as splice(2) wants it.
const MOST: usize = ROOM.unsigned_abs() as usize;

/// A pipe of the kernel's between two sockets.
#[derive(Debug)]
pub struct Pipe {
    input: OwnedFd,
    output: OwnedFd,
    held: usize,
}

impl Pipe {
    /// How many bytes are worth a pipe of their own.
    pub const WORTH: u64 = 256 * 1024;

    /// One between these two; none where a side speaks TLS, or where the system has no pipe to give.
    #[must_use]
    pub fn between(from: &Reader, to: &Writer) -> Option<Self> {
        if matches!(from, Reader::Tls(_)) || matches!(to, Writer::Tls(_)) {
            return None;
        }
        let (output, input) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).ok()?;
        // There is a limit to what one user's pipes may hold together. The usual size will do; beyond
        // the limit there are two pages for each, which will not.
        let room = fcntl(&input, FcntlArg::F_SETPIPE_SZ(ROOM));
        let room = room.or_else(|_| fcntl(&input, FcntlArg::F_GETPIPE_SZ)).ok()?;
        (room >= LEAST).then_some(Self { input, output, held: 0 })
    }

    /// Whether it holds nothing.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.held == 0
    }

    /// Takes what has come from one socket, no more than `most`; 0 means that its peer has ended.
    ///
    /// Safe to drop half-way.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn fill(&mut self, from: &Reader, most: u64) -> io::Result<usize> {
        let most = usize::try_from(most).map_or(MOST, |most| most.min(MOST));
        let taken = from.when_readable(|socket| {
            Ok(splice(socket, None, &self.input, None, most, SpliceFFlags::SPLICE_F_NONBLOCK)?)
        });
        let taken = taken.await?;
        self.held += taken;
        Ok(taken)
    }

    /// Gives all that it holds to the other socket.
    ///
    /// Safe to drop half-way.
    ///
    /// # Errors
    /// When the connection broke.
    pub async fn drain(&mut self, to: &Writer) -> io::Result<()> {
        while self.held > 0 {
            let (output, held) = (&self.output, self.held);
            let given = to.when_writable(|socket| {
                Ok(splice(output, None, socket, None, held, SpliceFFlags::SPLICE_F_NONBLOCK)?)
            });
            self.held -= given.await?;
        }
        Ok(())
    }
}
