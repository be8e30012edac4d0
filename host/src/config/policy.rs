//! What the operator says of an adapter besides what it may use: whether its outcomes count, which
//! are accepted, what its failures do, and how long its instances live.

use super::error::{Problem, Report};
use super::node::Kind;
use super::quantity;
use super::value::{Value, did_you_mean};
use crate::hook::{BreakerSettings, May, Mode, OnFailure};
use crate::limits::{Instances, MAX_DEADLINE, MAX_USES, MAX_WARM, Warm};

/// The keys of it.
pub(super) struct PolicyKeys<'n> {
    pub(super) on_failure: Option<Value<'n>>,
    pub(super) mode: Option<Value<'n>>,
    pub(super) may: Option<Value<'n>>,
    pub(super) breaker: Option<Value<'n>>,
    pub(super) required: Option<Value<'n>>,
}

/// What they say.
#[derive(Default)]
pub(super) struct Policy {
    pub(super) on_failure: OnFailure,
    pub(super) mode: Mode,
    pub(super) may: May,
    pub(super) breaker: Option<BreakerSettings>,
    pub(super) required: bool,
}

impl PolicyKeys<'_> {
    pub(super) fn read(self, report: &mut Report) -> Policy {
        let choices = [("fail", OnFailure::Fail), ("ignore", OnFailure::Ignore)];
        let on_failure = self.on_failure.and_then(|value| value.word(&choices, report));
        let modes = [("enforce", Mode::Enforce), ("monitor", Mode::Monitor)];
        let mode = self.mode.and_then(|value| value.word(&modes, report));
        Policy {
            on_failure: on_failure.unwrap_or_default(),
            mode: mode.unwrap_or_default(),
            may: self.may.map(|value| read_may(&value, report)).unwrap_or_default(),
            breaker: self.breaker.and_then(|value| read_breaker(&value, report)),
            required: self.required.and_then(|value| value.boolean(report)).unwrap_or(false),
        }
    }
}

fn read_may(value: &Value<'_>, report: &mut Report) -> May {
    const WORDS: [&str; 3] = ["modify", "respond", "reject"];
    let mut may = May::PASS;
    if let Kind::Scalar { text, .. } = &value.node.kind {
        let problem = value.problem("expected a list of outcomes, found one word");
        report.problem(Problem { hint: Some(format!("write [{text}]")), ..problem });
        return may;
    }
    for item in value.list("a list of modify, respond and reject", report).unwrap_or_default() {
        match item.text("modify, respond or reject", report) {
            Some("modify") => may.modify = true,
            Some("respond") => may.respond = true,
            Some("reject") => may.reject = true,
            // Passing needs no leave, but saying so is no mistake.
            Some("pass") | None => {}
            Some(other) => {
                let what = format!("expected modify, respond or reject, found \"{other}\"");
                let hint = did_you_mean(other, WORDS);
                report.problem(Problem { hint, ..item.problem(what) });
            }
        }
    }
    may
}

fn read_breaker(section: &Value<'_>, report: &mut Report) -> Option<BreakerSettings> {
    let [failures, pause] = section.fields(["failures", "pause"], report)?;
    let mut settings = BreakerSettings::default();
    let count =
        |text: &str| quantity::within(quantity::whole(text)?, &u64::from(u32::MAX), u64::to_string);
    if let Some(failures) = failures.and_then(|value| value.parse("a number", report, count)) {
        settings.failures = u32::try_from(failures).unwrap_or(u32::MAX);
    }
    let pause = pause.and_then(|value| value.parse("a time", report, time));
    settings.pause = pause.unwrap_or(settings.pause);
    Some(settings)
}

/// `fresh`, `warm`, or `{warm: {uses: …, idle: …, concurrency: …}}`.
pub(super) fn read_instances(value: &Value<'_>, report: &mut Report) -> Option<Instances> {
    if !matches!(value.node.kind, Kind::Mapping(_)) {
        let words = [("fresh", Instances::Fresh), ("warm", Instances::Warm(Warm::default()))];
        return value.word(&words, report);
    }
    let [warm] = value.fields(["warm"], report)?;
    let Some(section) = warm else {
        report.problem(value.problem("`warm` is missing"));
        return None;
    };
    let [uses, idle, concurrency] = section.fields(["uses", "idle", "concurrency"], report)?;
    let mut warm = Warm::default();
    let count = |most: u64| {
        move |text: &str| quantity::within(quantity::whole(text)?, &most, u64::to_string)
    };
    let uses = uses.and_then(|value| value.parse("a number", report, count(MAX_USES)));
    let idle = idle.and_then(|value| value.parse("a time", report, time));
    let number = concurrency.and_then(|value| value.parse("a number", report, count(MAX_WARM)));
    warm.uses = uses.unwrap_or(warm.uses);
    warm.idle = idle.unwrap_or(warm.idle);
    warm.concurrency =
        number.and_then(|number| usize::try_from(number).ok()).unwrap_or(warm.concurrency);
    Some(Instances::Warm(warm))
}

fn time(text: &str) -> Result<std::time::Duration, quantity::QuantityError> {
    quantity::within(quantity::time(text)?, &MAX_DEADLINE, |_| "24h".to_owned())
}
