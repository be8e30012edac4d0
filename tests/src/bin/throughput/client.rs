//! The client: four ways to move many bytes.

use std::io::{BufReader, Write};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::socket::{Socket, head, swallow, swallow_chunks};

/// One way to move many bytes.
pub(crate) struct Flow {
    /// As it stands in the table.
    pub(crate) name: &'static str,
    head: &'static str,
    body: Body,
}

enum Body {
    ChunksUp,
    ChunksDown,
    RawUp,
    RawDown,
}

/// All that is measured.
pub(crate) const FLOWS: [Flow; 4] = [
    Flow {
        name: "up, /images/load",
        head: "POST /v1.41/images/load HTTP/1.1\r\nTransfer-Encoding: chunked\r\n",
        body: Body::ChunksUp,
    },
    Flow {
        name: "down, /images/get",
        head: "GET /v1.41/images/get?names=x&mib=MIB HTTP/1.1\r\n",
        body: Body::ChunksDown,
    },
    Flow {
        name: "up, attach",
        head: "POST /v1.41/containers/x/attach?up HTTP/1.1\r\n\
               Connection: Upgrade\r\nUpgrade: tcp\r\n",
        body: Body::RawUp,
    },
    Flow {
        name: "down, attach",
        head: "POST /v1.41/containers/x/attach?mib=MIB HTTP/1.1\r\n\
               Connection: Upgrade\r\nUpgrade: tcp\r\n",
        body: Body::RawDown,
    },
];

impl Flow {
    /// Moves so many mebibytes; how long that took, from the first byte to the last.
    pub(crate) fn run(&self, address: &str, mib: u64) -> Result<Duration> {
        let mut socket = Socket::connect(address)?;
        let mut reader = socket.reader()?;
        let start = Instant::now();
        let line = self.head.replace("MIB", &mib.to_string());
        socket.write_all(format!("{line}Host: docker\r\n\r\n").as_bytes())?;
        let moved = self.transfer(&mut socket, &mut reader, mib)?;
        let took = start.elapsed();
        ensure!(moved == mib * 1024 * 1024, "{}: {moved} bytes of {mib} MiB", self.name);
        Ok(took)
    }

    fn transfer(&self, to: &mut Socket, from: &mut BufReader<Socket>, mib: u64) -> Result<u64> {
        match self.body {
            Body::ChunksUp => {
                to.flood(mib, true)?;
                head(from)?;
            }
            Body::ChunksDown => {
                head(from)?;
                return Ok(swallow_chunks(from)?);
            }
            Body::RawUp => {
                head(from)?;
                to.flood(mib, false)?;
                to.end()?;
            }
            Body::RawDown => {
                head(from)?;
                to.end()?;
                return Ok(swallow(from, u64::MAX)?);
            }
        }
        // The engine says how much has come.
        let mut said = String::new();
        std::io::Read::read_to_string(from, &mut said)?;
        Ok(said.trim().parse()?)
    }
}
