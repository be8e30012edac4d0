//! What the audit log is told of a request.

use super::client::Client;
use super::error::{Blame, ProxyError};
use super::reply::Reply;
use super::request::Request;
use super::{Proxy, rescue};
use crate::audit::{self, Ended, Origin, Record, SentBody, Verdict};
use crate::hook::{self, Body, Chain, Draft};
use crate::http1::RequestHead;
use crate::telemetry;

/// The longest name of a client that is told, in bytes.
const MAX_SUBJECT: usize = 2 * 1024;
/// How many alternative names of a certificate are told, of which each may be as long.
const MAX_NAMES: usize = 8;

impl Proxy {
    /// What is to become a request's line.
    pub(super) fn record(&self, head: &RequestHead, id: &str, client: &Client) -> Record {
        self.audit.record(|| Origin {
            request_id: id.to_owned(),
            client: client.shown(),
            method: head.method.clone(),
            target: head.target.clone(),
        })
    }

    /// Records what was no whole request.
    pub(super) async fn record_turned_away(&self, error: &ProxyError, client: &mut Client) {
        let id = telemetry::request_id();
        let mut record = self.record(&RequestHead::default(), &id, client);
        record.ended(of_error(error), None);
        let _ = client.unless_gone(record.room()).await;
        record.write(rescue::http_status(error));
    }
}

impl Request {
    /// Lets it through if its decision can be recorded.
    pub(super) async fn admit(
        &mut self,
        chain: &Chain,
        client: &mut Client,
    ) -> Result<(), ProxyError> {
        let is_hooked = !chain.pre.is_empty() || !chain.post.is_empty();
        let mut record = std::mem::take(&mut self.record);
        let admitting = record.admit(self.call()?, is_hooked);
        let admitted = client.unless_gone(admitting).await;
        self.record = record;
        admitted?.map_err(ProxyError::Unrecorded)
    }

    /// Has its body known, as the client sent it.
    pub(super) fn record_body(&mut self, draft: &Draft) {
        match (draft.body, &draft.request.body) {
            (Body::Absent, _) => {}
            _ if draft.secret => self.record.body(SentBody::Secret),
            (Body::Shown, Some(json)) => self.record.body(SentBody::Json(json.clone())),
            _ => self.record.body(SentBody::Other),
        }
    }

    /// How it ended, before its error becomes an answer.
    pub(super) fn record_end(&mut self, result: &Result<Reply, ProxyError>) {
        if self.record.is_off() {
            return;
        }
        let mut record = std::mem::take(&mut self.record);
        let ended = match result {
            Ok(_) if record.has_engine_answer() => of_verdict(Verdict::Forwarded),
            Ok(_) => of_verdict(Verdict::Answered),
            Err(error) => of_error(error),
        };
        record.ended(ended, self.call().ok());
        self.record = record;
    }

    /// Records it, before the client has anything of its answer.
    pub(super) async fn record_answer(&mut self, status: u16, client: &mut Client) {
        // Who goes away meanwhile has got no answer, but this is what was decided.
        let _ = client.unless_gone(self.record.room()).await;
        self.record.write(status);
    }
}

/// Records how a call inside a tunnel was judged: with the status that it would have had outside.
pub(super) async fn record_judged(mut record: Record, judged: &Result<(), ProxyError>) {
    let (ended, status) = match judged {
        Ok(()) => (of_verdict(Verdict::Forwarded), 200),
        Err(error) => (of_error(error), rescue::http_status(error)),
    };
    record.ended(ended, None);
    record.room().await;
    record.write(status);
}

impl Client {
    pub(super) fn shown(&self) -> audit::Client {
        let mut shown = audit::Client { listener: self.listener.to_string(), ..Default::default() };
        shown.address = self.address.map(|address| address.to_string());
        match &self.identity {
            hook::Client::Unix { pid, uid, gid } => {
                shown.unix = Some(audit::Process { pid: *pid, uid: *uid, gid: *gid });
            }
            hook::Client::Tls(certificate) => {
                let subject = hook::quote(&certificate.subject, MAX_SUBJECT);
                let names = certificate.names.iter().take(MAX_NAMES);
                let names = names.map(|name| hook::quote(name, MAX_SUBJECT)).collect();
                shown.tls = Some(audit::Certificate { subject, names });
            }
            hook::Client::Unknown => {}
        }
        shown
    }
}

fn of_verdict(verdict: Verdict) -> Ended {
    Ended { verdict, error: None }
}

fn of_error(error: &ProxyError) -> Ended {
    let verdict = match (error, error.blame()) {
        (ProxyError::Refused(_), _) => Verdict::Refused,
        (ProxyError::ClientGone, _) => Verdict::Abandoned,
        (_, Blame::Client) => Verdict::Invalid,
        (_, Blame::Adapter | Blame::Upstream | Blame::Powerstrip) => Verdict::Failed,
    };
    let message = match error {
        ProxyError::Refused(rejection) => rejection.message.clone(),
        error => format!("powerstrip: {error}"),
    };
    Ended { verdict, error: Some((error.kind(), message)) }
}
