//! The file of the log: opened to be added to, and followed when it is moved away.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use rustix::fs::{Access, OFlags, access};

use super::Target;

/// For nobody but its owner: who may call what, and from where, is told in it.
const MODE: u32 = 0o600;

/// The file of the log.
pub(super) struct Out {
    to: Target,
    open: Option<Open>,
}

struct Open {
    file: File,
    /// Device and inode, by which a file is known that was moved away; none where nothing can be.
    id: Option<(u64, u64)>,
    /// Whether what was written last is the beginning of a line that goes no further.
    is_torn: bool,
}

impl Out {
    /// Not open yet.
    pub(super) fn new(to: Target) -> Self {
        Self { to, open: None }
    }

    /// Opens the file, anew if it was open.
    pub(super) fn open(&mut self) -> io::Result<()> {
        self.open = None;
        let opened = match &self.to {
            Target::Stdout => Open::new(io::stdout().as_fd().try_clone_to_owned()?.into(), None),
            Target::File(path) => {
                let file = open(path)?;
                let is_torn = ends_amid_line(path);
                let id = id(&file.metadata()?);
                Open { is_torn, ..Open::new(file, Some(id)) }
            }
        };
        self.open = Some(opened);
        Ok(())
    }

    /// Makes sure that the file is open, and the one that has its name.
    pub(super) fn follow(&mut self) -> io::Result<()> {
        let is_there = match (&self.open, &self.to) {
            (Some(Open { id: Some(open), .. }), Target::File(path)) => {
                fs::metadata(path).is_ok_and(|found| id(&found) == *open)
            }
            (open, _) => open.is_some(),
        };
        if is_there { Ok(()) } else { self.open() }
    }

    /// Writes some of it.
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(open) = &mut self.open else { return Err(io::ErrorKind::NotFound.into()) };
        if open.is_torn {
            // What stands there cannot be taken back, but it can be kept from spoiling the next line.
            open.file.write_all(b"\n")?;
            open.is_torn = false;
        }
        match open.file.write(bytes) {
            Ok(0) => Err(io::ErrorKind::WriteZero.into()),
            written => written,
        }
    }

    /// Takes back the beginning of a line that could not be written to its end.
    pub(super) fn take_back(&mut self, bytes: u64, error: &io::Error) {
        let Some(open) = &mut self.open else { return };
        if error.kind() == io::ErrorKind::BrokenPipe && open.id.is_some() {
            // The next reader of a FIFO has nothing of what the last one was sent.
            self.open = None;
        } else if bytes > 0 {
            open.is_torn = open.cut(bytes).is_err();
        }
    }
}

impl Open {
    fn new(file: File, id: Option<(u64, u64)>) -> Self {
        Self { file, id, is_torn: false }
    }

    /// Cuts the end off, unless somebody else has written behind it.
    fn cut(&mut self, bytes: u64) -> io::Result<()> {
        let metadata = self.file.metadata()?;
        let end = self.file.stream_position()?;
        if !metadata.is_file() || metadata.len() != end {
            return Err(io::ErrorKind::Unsupported.into());
        }
        self.file.set_len(end.saturating_sub(bytes))
    }
}

/// A FIFO without a reader is an error, and not waited for: whoever waits cannot be told to stop.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).unwrap_or_default();
    OpenOptions::new().append(true).create(true).mode(MODE).custom_flags(flags).open(path)
}

/// Whether the last line has no end, as after a crash.
fn ends_amid_line(path: &Path) -> bool {
    let Ok(metadata) = fs::metadata(path) else { return false };
    if !metadata.is_file() || metadata.len() == 0 {
        return false;
    }
    let mut last = [0];
    let read = File::open(path).and_then(|file| file.read_at(&mut last, metadata.len() - 1));
    read.is_ok_and(|read| read == 1) && last != *b"\n"
}

fn id(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

/// Whether the file could be written, without making it.
pub(super) fn probe(to: &Target) -> io::Result<()> {
    let Target::File(path) = to else { return Ok(()) };
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io::ErrorKind::IsADirectory.into()),
        Ok(found) if found.file_type().is_fifo() => Ok(access(path, Access::WRITE_OK)?),
        Ok(_) => OpenOptions::new().append(true).open(path).map(drop),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
            let folder = folder.unwrap_or(Path::new("."));
            Ok(access(folder, Access::WRITE_OK | Access::EXEC_OK)?)
        }
        Err(error) => Err(error),
    }
}
