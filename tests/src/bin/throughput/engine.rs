//! The engine: takes and gives bytes, in a process of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::process::{Child, Command, Stdio};
use std::thread;

use anyhow::{Context, Result};
use tempfile::TempDir;

use crate::socket::{Socket, head, swallow, swallow_chunks};

const UPGRADED: &[u8] = b"HTTP/1.1 101 UPGRADED\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n";
const CHUNKS: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/x-tar\r\n\
                        Transfer-Encoding: chunked\r\n\r\n";

/// The engine's process; ended when it is dropped.
pub(crate) struct Engine {
    address: String,
    child: Child,
    _folder: TempDir,
}

impl Engine {
    /// Starts one that listens on a socket of this kind.
    pub(crate) fn start(kind: &str) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let wanted = match kind {
            "unix" => format!("unix://{}", folder.path().join("engine.sock").display()),
            _ => "tcp://127.0.0.1:0".to_owned(),
        };
        let mut command = Command::new(std::env::current_exe()?);
        let mut child = command.args(["engine", &wanted]).stdout(Stdio::piped()).spawn()?;
        let stdout = child.stdout.take().context("it was asked to be piped")?;
        let mut address = String::new();
        BufReader::new(stdout).read_line(&mut address)?;
        Ok(Self { address: address.trim().to_owned(), child, _folder: folder })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        // One that has ended by itself is no matter.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Serves at an address, and prints which one that is.
#[expect(clippy::print_stdout, reason = "who has started it reads the address")]
pub(crate) fn serve(address: &str) -> Result<()> {
    let listener: Box<dyn Iterator<Item = std::io::Result<Socket>>> =
        match address.strip_prefix("unix://") {
            Some(path) => {
                let listener = UnixListener::bind(path)?;
                println!("{address}");
                Box::new(std::iter::from_fn(move || {
                    Some(listener.accept().map(|(s, _)| Socket::Unix(s)))
                }))
            }
            None => {
                let listener = TcpListener::bind(address.trim_start_matches("tcp://"))?;
                println!("tcp://{}", listener.local_addr()?);
                Box::new(std::iter::from_fn(move || {
                    Some(listener.accept().map(|(s, _)| Socket::Tcp(s)))
                }))
            }
        };
    for socket in listener {
        let socket = socket?;
        // A client that leaves early ends its own connection only.
        thread::spawn(move || answer(socket));
    }
    Ok(())
}

fn answer(mut socket: Socket) -> Result<()> {
    let mut reader = socket.reader()?;
    let Some(line) = head(&mut reader)? else { return Ok(()) };
    let mib = line.split_once("mib=").and_then(|(_, rest)| rest.split(' ').next());
    let mib = mib.and_then(|number| number.parse().ok());
    match (line.contains("/attach"), mib) {
        (true, Some(mib)) => {
            socket.write_all(UPGRADED)?;
            socket.flood(mib, false)?;
        }
        (true, None) => {
            socket.write_all(UPGRADED)?;
            let taken = swallow(&mut reader, u64::MAX)?;
            socket.write_all(taken.to_string().as_bytes())?;
        }
        (false, Some(mib)) => {
            socket.write_all(CHUNKS)?;
            socket.flood(mib, true)?;
        }
        (false, None) => {
            let taken = swallow_chunks(&mut reader)?;
            let answer = format!("HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n{taken}");
            socket.write_all(answer.as_bytes())?;
        }
    }
    Ok(())
}
