//! One client's connection: request after request, until either side has had enough.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::reply::Persist;
use super::rescue::rescue;
use super::{Proxy, ProxyError};
use crate::http1::{Body, Framing, HeadError, RequestHead, Source};
use crate::server::{Accepted, Service};
use crate::stream::Reader;

impl Service for Proxy {
    async fn serve(self: Arc<Self>, accepted: Accepted, drain: CancellationToken) {
        let mut client = Client::new(accepted, drain);
        while let Some(head) = self.next_request(&mut client).await {
            // In a box that lives as long as the request: an idle connection has no room for one.
            match Box::pin(self.handle(head, &mut client)).await {
                Persist::Break => return client.writer.break_off(),
                Persist::Close => return,
                Persist::Keep => {}
            }
            client.source.rest();
        }
    }
}

impl Proxy {
    /// The next request of a connection; none when it is over.
    async fn next_request(&self, client: &mut Client) -> Option<RequestHead> {
        client.patience = self.generations.current().limits().request_timeout;
        let read = tokio::select! {
            biased;
            read = head(&mut client.source, client.patience) => read.ok()?,
            () = client.drain.cancelled() => {
                // Who has begun to ask is told; an idle connection just ends.
                let begun = !client.source.buffered().is_empty();
                return if begun { self.turn_away(ProxyError::ShuttingDown, client).await } else { None };
            }
        };
        match read {
            Ok(Some(_)) if let Some(why) = client.unclear.clone() => {
                self.turn_away(ProxyError::Certificate(why), client).await
            }
            Ok(head) => head,
            Err(error) => self.turn_away(ProxyError::Head(error), client).await,
        }
    }

    /// Answers what is no whole head: nothing after it can be trusted to be a request.
    async fn turn_away(&self, error: ProxyError, client: &mut Client) -> Option<RequestHead> {
        let turning = async {
            self.record_turned_away(&error, client).await;
            let unread = Body::new(Framing::UntilClose);
            let unknown = RequestHead { http11: true, ..RequestHead::default() };
            self.deliver(rescue(error), &unknown, &unread, client).await;
        };
        // Rare, and large: not within the future of every connection.
        Box::pin(turning).await;
        None
    }
}

/// The next head, if it comes in time from its first byte to its last. Before that, an idle connection
/// may wait for as long as it likes.
async fn head(
    source: &mut Source<Reader>,
    patience: Duration,
) -> io::Result<Result<Option<RequestHead>, HeadError>> {
    if source.buffered().is_empty() {
        source.fill().await?;
    }
    let read = tokio::time::timeout(patience, source.request_head()).await;
    read.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
