//! What is to be measured, and how long.

use clap::{Args, ValueEnum};

/// What is to be measured.
#[derive(Args)]
pub(crate) struct Plan {
    /// Measure these parts only
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1..)]
    only: Vec<Part>,
    /// Measure for a first impression: two rounds of a second
    #[arg(long)]
    quick: bool,
    /// Turns that each way gets
    #[arg(long, default_value_t = 7)]
    rounds: usize,
    /// Seconds of a turn
    #[arg(long, default_value_t = 4)]
    seconds: u64,
    /// Write docs/PERFORMANCE.md and its pictures
    #[arg(long, conflicts_with = "only")]
    pub(crate) write: bool,
}

/// A part that can be measured alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    /// `GET /_ping`, which no endpoint matches
    Ping,
    /// `POST /containers/create`, with and without one hook
    Create,
    /// The same with up to sixteen hooks
    Chain,
    /// The same with a webhook
    Webhook,
    /// Resident memory
    Memory,
    /// Big bodies and tunnels
    Transfer,
    /// One adapter that computes without end, beside others
    Runaway,
    /// The time from the start to the first answer
    Start,
}

impl Part {
    /// Those that load a proxy with requests.
    pub(crate) const OF_REQUESTS: [Self; 4] =
        [Self::Ping, Self::Create, Self::Chain, Self::Webhook];
}

impl Plan {
    /// Whether this part is to be measured.
    pub(crate) fn has(&self, part: Part) -> bool {
        self.only.is_empty() || self.only.contains(&part)
    }

    /// Whether one of these is.
    pub(crate) fn has_any(&self, parts: &[Part]) -> bool {
        parts.iter().any(|part| self.has(*part))
    }

    /// How many turns each way gets.
    pub(crate) fn rounds(&self) -> usize {
        if self.quick { 2 } else { self.rounds.max(1) }
    }

    /// How long a turn is.
    pub(crate) fn seconds(&self) -> u64 {
        if self.quick { 1 } else { self.seconds.max(1) }
    }

    /// Mebibytes of a transfer, and how often it is made.
    pub(crate) fn transfer(&self) -> (u64, usize) {
        if self.quick { (128, 2) } else { (1024, 5) }
    }
}
