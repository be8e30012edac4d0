//! Two connections joined into one: attach, exec, BuildKit's sessions.
//!
//! Bytes pass both ways as they come. The end of one direction is passed on and leaves the other open
//! (a container prints after its stdin has ended); a failure of either side ends both.

use tokio::io::AsyncWriteExt;
use tracing::{Instrument, Span};

use super::client::{Client, hung_up, send};
use crate::http1::Source;
use crate::stream::{Pipe, Reader, Writer};
use crate::telemetry;
use crate::upstream::Connection;

/// The most that is moved at a time.
const PIECE: usize = 128 * 1024;

/// Passes bytes until both directions have ended or one side has gone.
pub(super) async fn join(client: &mut Client, mut upstream: Connection) {
    let span = telemetry::tunnel_span();
    carry(client, &mut upstream, &span).instrument(span.clone()).await;
}

async fn carry(client: &mut Client, upstream: &mut Connection, span: &Span) {
    let (mut bytes_up, mut bytes_down) = (0, 0);
    {
        let up = one_way(&mut client.source, &mut upstream.writer, &mut bytes_up);
        let down = one_way(&mut upstream.source, &mut client.writer, &mut bytes_down);
        tokio::pin!(up, down);
        tokio::select! {
            end = &mut up => go_on(end, down).await,
            end = &mut down => go_on(end, up).await,
        }
    }
    span.record("bytes_up", bytes_up).record("bytes_down", bytes_down);
    tracing::debug!(bytes_up, bytes_down, "tunnel ended");
}

/// How one direction came to its end.
enum End<'a> {
    /// The sender has ended, and that was passed on.
    Passed(&'a Source<Reader>),
    /// The reader takes no more of what comes from here.
    Refused(&'a mut Source<Reader>),
    /// The sender has gone.
    Broken,
}

/// When one direction has ended, the other goes on until it ends too, or until whom the first came from
/// has gone altogether. Who takes no more may still have something to say, which stands in its socket.
async fn go_on(end: End<'_>, other: impl Future<Output = End<'_>>) {
    match end {
        End::Passed(source) => tokio::select! { _ = other => {}, () = hung_up(source) => {} },
        End::Refused(source) => tokio::select! { _ = other => {}, () = discard(source) => {} },
        End::Broken => {}
    }
}

/// Reads what nobody takes any more until its sender has gone: one that writes before it reads would
/// else never come to read the last words of the other side.
async fn discard(source: &mut Source<Reader>) {
    while !source.ended() {
        source.take(usize::MAX);
        if source.fill().await.is_err() {
            return;
        }
    }
    hung_up(source).await;
}

/// Moves bytes until the sender ends, and passes that on.
async fn one_way<'a>(from: &'a mut Source<Reader>, to: &mut Writer, moved: &mut u64) -> End<'a> {
    loop {
        while !from.buffered().is_empty() {
            let bytes = from.take(PIECE);
            *moved += bytes.len() as u64;
            if send(to, bytes).await.is_err() {
                return End::Refused(from);
            }
        }
        if from.is_flooded()
            && let Some(pipe) = Pipe::between(from.get_ref(), to)
        {
            // A tunnel that is quiet after a flood must not hold the room for it.
            from.rest();
            match through(pipe, from.get_ref(), to, moved).await {
                Ok(()) => {}
                Err(Side::From) => return End::Broken,
                Err(Side::To) => return End::Refused(from),
            }
        }
        match from.fill().await {
            Ok(0) if to.shutdown().await.is_err() => return End::Refused(from),
            Ok(0) => return End::Passed(from),
            Ok(_) => {}
            Err(_) => return End::Broken,
        }
    }
}

/// The side that has failed.
enum Side {
    From,
    To,
}

/// Moves bytes by the kernel until the sender ends, which its next read will show.
async fn through(mut pipe: Pipe, from: &Reader, to: &Writer, moved: &mut u64) -> Result<(), Side> {
    loop {
        match pipe.fill(from, u64::MAX).await {
            Ok(0) => return Ok(()),
            Ok(taken) => *moved += taken as u64,
            Err(_) => return Err(Side::From),
        }
        pipe.drain(to).await.map_err(|_| Side::To)?;
    }
}
