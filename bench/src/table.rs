//! Tables, as a terminal and a page of Markdown show them alike.

use comfy_table::presets::ASCII_MARKDOWN;
use comfy_table::{CellAlignment, Table};

use crate::load::Load;
use crate::results::Results;
use crate::target::{Bound, Target, share};
use crate::way::Way;

/// What stands where there is nothing to say.
const NONE: &str = "–";

/// What requests cost on each way, and against HAProxy and Powerstrip without a hook.
pub(crate) fn requests(results: &Results) -> String {
    let mut table = table(&[
        "load",
        "way",
        "CPU µs",
        "from–to",
        "× HAProxy",
        "hooks' share",
        "req/s",
        "p50 ms",
        "p99 ms",
    ]);
    for (load, way, figures) in &results.requests {
        let peer = results.cpu(*load, Way::HaProxy);
        let ratio = figures.cpu.zip(peer).filter(|_| way.is_proxy());
        let hooks = (*load == Load::Create && has_hooks(*way)).then(|| share(results, *way));
        table.add_row([
            load.name().to_owned(),
            way.name(),
            shown(figures.cpu, 1),
            figures
                .cpu_range
                .map_or(NONE.to_owned(), |(least, most)| format!("{least:.1}–{most:.1}")),
            shown(ratio.map(|(own, peer)| own / peer), 2),
            shown(hooks.flatten(), 1),
            format!("{:.0}", figures.rate),
            format!("{:.2}", figures.p50.as_secs_f64() * 1e3),
            format!("{:.2}", figures.p99.as_secs_f64() * 1e3),
        ]);
    }
    numbers_to_the_right(&mut table, 2);
    table.to_string()
}

/// What is resident in each state.
pub(crate) fn memory(results: &Results) -> String {
    let mut table = table(&["resident memory", "MB", "may be"]);
    for row in &results.memory {
        let figures = [row.megabytes, row.limit].map(|number| format!("{number:.0}"));
        table.add_row([&[row.what.to_owned()], &figures[..]].concat());
    }
    numbers_to_the_right(&mut table, 1);
    table.to_string()
}

/// Each target, what came out, and whether that will do.
pub(crate) fn targets(targets: &[Target]) -> String {
    let mut table = table(&["target", "figures", "measured", "bound", "met"]);
    for target in targets {
        let bound = match target.bound {
            Bound::AtMost(limit) => format!("≤ {limit}"),
            Bound::AtLeast(limit) => format!("≥ {limit}"),
        };
        table.add_row([
            target.what.clone(),
            target.figures.clone(),
            shown(Some(target.measured), 2),
            bound,
            if target.is_met() { "yes" } else { "**no**" }.to_owned(),
        ]);
    }
    numbers_to_the_right(&mut table, 1);
    table.to_string()
}

fn has_hooks(way: Way) -> bool {
    matches!(way, Way::Rewrite(_) | Way::Pass(_) | Way::Warm | Way::Webhook)
}

fn table(heading: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(ASCII_MARKDOWN).set_header(heading);
    table
}

fn numbers_to_the_right(table: &mut Table, from: usize) {
    for column in table.column_iter_mut().skip(from) {
        column.set_cell_alignment(CellAlignment::Right);
    }
}

fn shown(number: Option<f64>, digits: usize) -> String {
    number.map_or(NONE.to_owned(), |number| format!("{number:.digits$}"))
}
