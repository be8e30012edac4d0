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

/// For a head from its first byte to its last, as the Docker Engine has it. An idle connection may wait
/// for as long as it likes.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5 * 60);

impl Service for Proxy {
    async fn serve(self: Arc<Self>, accepted: Accepted, drain: CancellationToken) {
        let mut client = Client::new(accepted);
        while let Some(head) = self.next_request(&mut client, &drain).await {
            match self.handle(head, &mut client).await {
                Persist::Break => return client.writer.break_off(),
                Persist::Close => return,
                Persist::Keep if drain.is_cancelled() => return,
                Persist::Keep => {}
            }
            client.source.rest();
        }
    }
}

impl Proxy {
    /// The next request of a connection; none when it is over.
    async fn next_request(
        &self,
        client: &mut Client,
        drain: &CancellationToken,
    ) -> Option<RequestHead> {
        let read = tokio::select! {
            biased;
            read = head(&mut client.source) => read,
            () = drain.cancelled() => return None,
        };
        match read.ok()? {
            Ok(head) => head,
            Err(error) => {
                // Nothing after an unreadable head can be trusted to be a request.
                let unread = Body::new(Framing::UntilClose);
                let unknown = RequestHead { http11: true, ..RequestHead::default() };
                let reply = rescue(ProxyError::Head(error));
                self.deliver(reply, &unknown, &unread, client).await;
                None
            }
        }
    }
}

/// The next head, if its bytes come in time.
async fn head(source: &mut Source<Reader>) -> io::Result<Result<Option<RequestHead>, HeadError>> {
    if source.buffered().is_empty() {
        source.fill().await?;
    }
    let read = tokio::time::timeout(HEAD_TIMEOUT, source.request_head()).await;
    read.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}
