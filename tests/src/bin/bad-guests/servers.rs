//! Servers that guests call in vain.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// The ports of the servers; they run until the program ends.
pub(crate) struct Servers {
    /// Takes requests and never answers.
    pub(crate) silent: u16,
    /// Answers with a body that comes one byte a second.
    pub(crate) slow: u16,
    /// Answers and hangs up.
    pub(crate) brief: u16,
}

impl Servers {
    /// Starts them.
    pub(crate) fn start() -> Self {
        Self { silent: start(wait), slow: start(drip), brief: start(answer) }
    }
}

fn start(serve: fn(TcpStream)) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("it is bound").port();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            thread::spawn(move || serve(stream));
        }
    });
    port
}

/// Reads until the caller goes away.
fn wait(mut stream: TcpStream) {
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

fn drip(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
    let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n");
    while sent.is_ok() {
        thread::sleep(Duration::from_secs(1));
        sent = stream.write_all(b"x");
    }
}

fn answer(mut stream: TcpStream) {
    let _ = stream.read(&mut [0; 4096]);
    let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
}
