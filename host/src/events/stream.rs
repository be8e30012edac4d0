//! Follows the engine's events, through every break.

use std::time::{Duration, Instant};

use super::audience::Audience;
use super::lines::Line;
use super::position::{Position, Sight};
use super::wire::{self, Stream, StreamError};
use crate::docker::EngineEvent;
use crate::telemetry::with_causes;
use crate::upstream::Upstream;

/// Before the first try to connect again; each further pause is twice as long.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// An engine that is away may come back at any time, and asking costs little.
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// Tells the audience of events for as long as it is polled, while there is an audience.
pub(super) async fn follow(upstream: &Upstream, audience: &Audience) {
    loop {
        audience.is(true).await;
        tokio::select! {
            () = follow_on(upstream, audience) => {}
            () = audience.is(false) => {}
        }
        audience.disconnected();
    }
}

/// One stream after the other; the position survives them.
async fn follow_on(upstream: &Upstream, audience: &Audience) {
    let (mut position, mut pause) = (None, FIRST_PAUSE);
    loop {
        let began = Instant::now();
        let Err(error) = follow_once(upstream, audience, &mut position).await;
        audience.disconnected();
        if began.elapsed() > LONGEST_PAUSE {
            pause = FIRST_PAUSE;
        }
        let (why, again_ms) = (with_causes(&error), pause.as_millis());
        // One line for each time that the engine goes, and not for each look whether it is back.
        match pause == FIRST_PAUSE {
            true => tracing::warn!(why, again_ms, "no events of the Docker Engine"),
            false => tracing::debug!(why, again_ms, "no events of the Docker Engine yet"),
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Follows one stream to its end, which is always an error.
async fn follow_once(
    upstream: &Upstream,
    audience: &Audience,
    position: &mut Option<Position>,
) -> Result<std::convert::Infallible, StreamError> {
    let position = match position {
        Some(position) => position,
        // Some engines send the head before they listen to themselves. What happens in between is
        // in the answer if we ask for what was before; the price is a second of old events.
        None => position.insert(Position::starting(wire::clock(upstream).await?)),
    };
    let query = position.since().map(|since| format!("?since={since}")).unwrap_or_default();
    let mut stream = Stream::open(upstream, &query).await?;
    let known = wire::remembers(upstream, position).await;
    position.begin(known);
    tracing::info!(gap = !known, "following the Docker Engine's events");
    audience.connected(!known);
    loop {
        match stream.next().await? {
            Line::Whole(line) => take(&line, position, audience),
            Line::TooLong => {
                tracing::warn!(
                    "an event is left out because it is too large; adapters are resynced"
                );
                audience.lost();
            }
        }
    }
}

fn take(line: &bytes::Bytes, position: &mut Position, audience: &Audience) {
    let event = std::str::from_utf8(line).ok().and_then(EngineEvent::parse);
    let Some(event) = event else {
        let bytes = line.len();
        tracing::warn!(bytes, "a line is left out because it is no event; adapters are resynced");
        return audience.lost();
    };
    match position.see(line, event.time_nano) {
        Sight::Known => return,
        Sight::New => {}
        Sight::AfterGap => audience.lost(),
    }
    audience.tell(event);
}
