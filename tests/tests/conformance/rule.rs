//! Why we are not, in some places, what the original was.

/// A reason, which each case that differs has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rule {
    /// A failure is told.
    Answered,
    /// The README counts.
    Documented,
    /// What was not shown is not erased.
    Kept,
    /// The engine's reading counts.
    AsTheEngine,
    /// A call has several spellings.
    Spellings,
    /// Order is the file's.
    InOrder,
    /// Mistakes in the file are told.
    Checked,
    /// A bad edit stops nothing.
    LastGood,
    /// Streams flow.
    Streams,
    /// Connections last.
    Connections,
    /// A client that leaves is noticed.
    Gone,
}

impl Rule {
    /// In the order of the document.
    pub(crate) const ALL: [Self; 11] = [
        Self::Answered,
        Self::Documented,
        Self::Kept,
        Self::AsTheEngine,
        Self::Spellings,
        Self::InOrder,
        Self::Checked,
        Self::LastGood,
        Self::Streams,
        Self::Connections,
        Self::Gone,
    ];

    /// Its short name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Answered => "every call is answered",
            Self::Documented => "replies count as documented",
            Self::Kept => "what was not shown is kept",
            Self::AsTheEngine => "bodies are read as the engine reads them",
            Self::Spellings => "every spelling of a call matches",
            Self::InOrder => "the order is that of the file",
            Self::Checked => "mistakes in the file are told",
            Self::LastGood => "a bad edit stops nothing",
            Self::Streams => "streams flow",
            Self::Connections => "connections are kept",
            Self::Gone => "a client that leaves is noticed",
        }
    }

    /// What it says and why.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Self::Answered => {
                "A webhook that refuses ends the call with its own status and its own words. One \
                 that cannot be reached or makes no sense is a 502, one that takes longer than its \
                 deadline (5 minutes, unless configured) a 504, each naming the adapter in the \
                 Docker Engine's own error shape. The README of 2015 promised that errors reach \
                 the client; the program never answered \
                 ([decision 5](decisions/0005-fail-closed.md))."
            }
            Self::Documented => {
                "Where the README of 2015 and the program disagreed, the README counts: the \
                 `Code` and `ContentType` of a reply are applied, a changed query in `Request` is \
                 applied and seen by the next hook. The path and the method of a call never \
                 change: real adapters return their own URI there."
            }
            Self::Kept => {
                "A reply without `Body`, or with null, keeps the body. `\"\"` clears a body that \
                 was shown, and keeps one that was not: adapters in Go turn null into `\"\"`."
            }
            Self::AsTheEngine => {
                "What a hook is shown of a body is what the Docker Engine will read of it, whatever \
                 the client's headers say ([DOCKER-API.md](DOCKER-API.md)). A body that could be \
                 read in two ways is refused, and what a webhook cannot be shown skips the webhook \
                 with a line in the log."
            }
            Self::Spellings => {
                "A pattern matches a call in whatever spelling it comes: percent-encoded, without \
                 a version, or with its major version only. No spelling slips past a hook, and \
                 files that list both spellings call an adapter once \
                 ([decision 6](decisions/0006-patterns-and-spellings.md))."
            }
            Self::InOrder => {
                "Endpoints that match the same call add up in the order of the file; in 2015 that \
                 order was undefined."
            }
            Self::Checked => {
                "Mistakes in the file are told at the start and by `powerstrip check`: all at \
                 once, each with its place and what to do ([CONFIG.md](CONFIG.md#errors))."
            }
            Self::LastGood => {
                "The file is read when it changes, not with every request. With a mistake in it, \
                 the last good one goes on serving, and the log says why."
            }
            Self::Streams => {
                "Events, logs and archives flow to the client as they come, and no webhook is \
                 called for an answer that it could not be shown. The raw connections of attach \
                 and exec are recognised by the engine's answer, and keep its head."
            }
            Self::Connections => {
                "Connections to webhooks are kept open and used again, for at most 4 seconds; a \
                 webhook that closes them is called over a new one. A message is \
                 sent a second time only where the webhook reset a connection that was used before, \
                 within a second, as one does that closes it with the message unread."
            }
            Self::Gone => {
                "When the client goes away, its call ends: the webhook's connection is closed, and \
                 the Docker Engine is not called any more."
            }
        }
    }
}
