//! One client's connection: request after request, until either side has had enough.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::client::Client;
use super::reply::Persist;
use super::rescue::rescue;
use super::{Proxy, ProxyError};
use crate::http1::{Body, Framing, RequestHead};
use crate::server::{Accepted, Service};

impl Service for Proxy {
    async fn serve(self: Arc<Self>, accepted: Accepted, drain: CancellationToken) {
        let mut client = Client::new(accepted);
        while let Some(head) = self.next_request(&mut client, &drain).await {
            if self.handle(head, &mut client).await == Persist::Close || drain.is_cancelled() {
                return;
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
            read = client.source.request_head() => read,
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
