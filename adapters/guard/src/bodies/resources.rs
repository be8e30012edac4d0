//! How much a container may take: memory, processors, processes, ports.

use serde_json::{Value, json};

use crate::config::{Containers, Ports};
use crate::draft::Draft;
use crate::json::{entries, field, flag, list, number, text};
use crate::refusal::{Judged, Reasons};
use crate::take::Take;

/// The engine's own period for quotas of processors, in microseconds.
const PERIOD: i64 = 100_000;

const MEMORY: &str = "containers.memory";
const CPUS: &str = "containers.cpus";
const PIDS: &str = "containers.pids";

/// A container that is to be made: what it does not ask for is filled in.
pub(super) fn of_create(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    memory(host, limits, reasons)?;
    cpus(host, limits, reasons)?;
    if limits.cpus.is_some() && number(host, "CpuQuota")? == 0 && number(host, "CpuPeriod")? != 0 {
        reasons.put("CpuPeriod", "CpuQuota beside it", Some(Take::Unset(CPUS)));
    }
    let asked = number(host, "PidsLimit")?;
    if let Some(most) = limits.pids.filter(|most| asked > i64::from(*most)) {
        let help = format!("{most} or less (containers.pids)");
        reasons.put(format!("PidsLimit {asked}"), help, Some(pids_of(asked)));
    }
    priority(host, limits, reasons)
}

/// A container whose limits are to change: what it does not ask for stays.
pub(super) fn of_update(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    memory(host, limits, reasons)?;
    cpus(host, limits, reasons)?;
    let (quota, period) = (number(host, "CpuQuota")?, number(host, "CpuPeriod")?);
    // One alone is worth what the other was before, which is not known here.
    if limits.cpus.is_some() && (quota == 0) != (period == 0) {
        let help = "both of them, or NanoCpus";
        reasons.put("one of CpuQuota and CpuPeriod", help, Some(Take::Unset(CPUS)));
    }
    if let (Some(most), false) = (limits.pids, field(host, "PidsLimit").is_null()) {
        let asked = number(host, "PidsLimit")?;
        if asked <= 0 || asked > i64::from(most) {
            let help = format!("1 to {most} (containers.pids)");
            reasons.put(format!("PidsLimit {asked}"), help, Some(pids_of(asked)));
        }
    }
    priority(host, limits, reasons)
}

fn memory(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    let Some(most) = limits.memory else { return Ok(()) };
    let (asked, swap) = (number(host, "Memory")?, number(host, "MemorySwap")?);
    if asked < 0 || asked > most.0 {
        let help = format!("{} or less (containers.memory)", most.0);
        reasons.put(format!("Memory {asked}"), help, Some(at_least(MEMORY, asked)));
    }
    // Memory and swap together; the engine's own choice is twice the memory.
    if swap < 0 || swap > most.0.saturating_mul(2) {
        let most = most.0.saturating_mul(2);
        let help = format!("{most} or less (containers.memory)");
        let half = if swap < 0 { swap } else { swap / 2 + swap % 2 };
        reasons.put(format!("MemorySwap {swap}"), help, Some(at_least(MEMORY, half)));
    }
    Ok(())
}

fn cpus(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    let Some(most) = limits.cpus else { return Ok(()) };
    let (nano, quota) = (number(host, "NanoCpus")?, number(host, "CpuQuota")?);
    let period = match number(host, "CpuPeriod")? {
        0 => PERIOD,
        period => period,
    };
    let by_quota = i128::from(quota) * 1_000_000_000 / i128::from(period);
    let asked = i128::from(nano).max(by_quota);
    if nano < 0 || quota < 0 || period < 0 || asked > i128::from(most.0) {
        let cpus = json!(most.0 as f64 / 1e9);
        let is_sound = nano >= 0 && quota >= 0 && period >= 0;
        let asked = i64::try_from(asked).ok().filter(|_| is_sound).unwrap_or(-1);
        let help = format!("{cpus} or less (containers.cpus)");
        reasons.put("more processors", help, Some(at_least(CPUS, asked)));
    }
    Ok(())
}

fn priority(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    let before_others = flag(host, "OomKillDisable")
        || number(host, "OomScoreAdj")? < 0
        || number(host, "CpuRealtimeRuntime")? != 0
        || number(host, "CpuRealtimePeriod")? != 0;
    if before_others && limits.priority != Some(true) {
        let what = "OomKillDisable, OomScoreAdj below 0 or real-time processors";
        reasons.add(what, Take::Flag("containers.priority"));
    }
    Ok(())
}

/// Gives a container that asks for none the ceilings as its limits.
pub(super) fn fill(draft: &mut Draft, limits: &Containers) -> Judged {
    let host = field(draft.body(), "HostConfig");
    let mut filled = Vec::new();
    if let Some(most) = limits.memory.filter(|_| is_none(host, "Memory")) {
        filled.push((MEMORY, "Memory", json!(most.0)));
    }
    let has_cpus = !is_none(host, "NanoCpus") || !is_none(host, "CpuQuota");
    if let Some(most) = limits.cpus.filter(|_| !has_cpus) {
        filled.push((CPUS, "NanoCpus", json!(most.0)));
    }
    let has_pids = field(host, "PidsLimit").as_i64().is_some_and(|pids| pids > 0);
    if let Some(most) = limits.pids.filter(|_| !has_pids) {
        filled.push((PIDS, "PidsLimit", json!(most)));
    }
    for (setting, name, value) in filled {
        draft.note_filled(setting);
        draft.object_in("HostConfig")?.insert(name.to_owned(), value);
    }
    Ok(())
}

/// The ceiling that has room for what is asked; what is below nothing is without end.
fn at_least(setting: &'static str, asked: i64) -> Take {
    if asked <= 0 { Take::Unset(setting) } else { Take::AtLeast(setting, asked) }
}

fn pids_of(asked: i64) -> Take {
    at_least(PIDS, u32::try_from(asked).map_or(-1, i64::from))
}

fn is_none(host: &Value, name: &str) -> bool {
    field(host, name).as_i64().unwrap_or_default() == 0
}

/// Ports of the host.
pub(super) fn ports(host: &Value, limits: &Containers, reasons: &mut Reasons) -> Judged {
    let Some(allowed) = &limits.ports else { return Ok(()) };
    let mut check = |address: &str, port: &str| {
        if !allowed.iter().any(|ports| ports.allow(address, port)) {
            let what = format!("the host's port \"{address}:{port}\"");
            let take = Ports::entry(address, port);
            let take = take.map(|entry| Take::Entry("containers.ports", entry));
            reasons.put(what, "one of those in containers.ports", take);
        }
    };
    if flag(host, "PublishAllPorts") {
        check("", "");
    }
    for (port, _) in entries(host, "PortBindings")? {
        for binding in list(field(host, "PortBindings"), port)? {
            check(text(binding, "HostIp")?, text(binding, "HostPort")?);
        }
    }
    Ok(())
}
