//! Pictures: what a request costs through each proxy, and what a chain costs by its length.

use std::path::Path;

use anyhow::Result;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

use crate::load::Load;
use crate::results::Results;
use crate::target::share;
use crate::way::{WAYS, Way};

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

const WIDTH: u32 = 820;
const BAR: i32 = 16;
/// Where bars begin, and where the longest ends.
const LEFT: i32 = 290;
const RIGHT: i32 = 740;
const OURS: RGBColor = RGBColor(46, 125, 120);
const THEIRS: RGBColor = RGBColor(158, 158, 158);
const INK: RGBColor = RGBColor(40, 40, 40);

/// Writes those pictures for which there are figures.
pub(crate) fn write(results: &Results, folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)?;
    for (load, file) in [(Load::Ping, "ping.svg"), (Load::Create, "create.svg")] {
        let bars = bars(results, load);
        if bars.len() > 1 {
            draw_bars(&folder.join(file), load.name(), &bars)?;
        }
    }
    let chain = chain(results);
    if chain.len() > 1 {
        draw_chain(&folder.join("chain.svg"), &chain)?;
    }
    Ok(())
}

/// Every way that has a process, with its processor time.
fn bars(results: &Results, load: Load) -> Vec<(Way, f64)> {
    let ways = WAYS.into_iter().filter(|way| !matches!(way, Way::Rewrite(2..) | Way::Pass(2..)));
    ways.filter_map(|way| Some((way, results.cpu(load, way)?))).collect()
}

/// The cost of the hooks of a chain, by their number.
fn chain(results: &Results) -> Vec<(f64, f64)> {
    let lengths = [1, 2, 4, 8, 16];
    lengths
        .into_iter()
        .filter_map(|hooks| Some((hooks as f64, share(results, Way::Rewrite(hooks))?)))
        .collect()
}

fn draw_bars(file: &Path, load: &str, bars: &[(Way, f64)]) -> Result<()> {
    let height = u32::try_from(bars.len())? * 26 + 60;
    let root = SVGBackend::new(file, (WIDTH, height)).into_drawing_area();
    root.fill(&WHITE)?;
    let title = format!("{load}: processor time of the proxy for each request, µs");
    write_at(&root, &title, (20, 24), 17, HPos::Left)?;
    let longest = bars.iter().map(|bar| bar.1).fold(1.0, f64::max);
    let mut top = 50;
    for (way, micros) in bars {
        let length = (f64::from(RIGHT - LEFT) * micros / longest).round() as i32;
        let is_ours = way.name().starts_with("Powerstrip");
        let color = if is_ours { OURS } else { THEIRS };
        let middle = top + BAR / 2;
        root.draw(&Rectangle::new([(LEFT, top), (LEFT + length, top + BAR)], color.filled()))?;
        write_at(&root, &way.name(), (LEFT - 8, middle), 13, HPos::Right)?;
        write_at(&root, &format!("{micros:.1}"), (LEFT + length + 6, middle), 13, HPos::Left)?;
        top += 26;
    }
    Ok(root.present()?)
}

fn write_at(root: &Area<'_>, text: &str, at: (i32, i32), size: i32, side: HPos) -> Result<()> {
    let style = ("sans-serif", size).into_font().color(&INK);
    let style = style.pos(Pos::new(side, VPos::Center));
    root.draw(&Text::new(text.to_owned(), at, style))?;
    Ok(())
}

fn draw_chain(file: &Path, chain: &[(f64, f64)]) -> Result<()> {
    let root = SVGBackend::new(file, (WIDTH, 420)).into_drawing_area();
    root.fill(&WHITE)?;
    let first = chain[0].1 / chain[0].0;
    let highest = chain.iter().map(|point| point.1.max(point.0 * first)).fold(1.0, f64::max);
    let title = "A chain of hooks that rewrite: what they cost by their number";
    let mut chart = ChartBuilder::on(&root)
        .caption(title, ("sans-serif", 17).into_font().color(&INK))
        .margin(16)
        .x_label_area_size(40)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..17.0, 0.0..highest * 1.1)?;
    chart
        .configure_mesh()
        .x_desc("hooks")
        .y_desc("µs of processor time for each request")
        .x_labels(18)
        .x_label_formatter(&|hooks| format!("{hooks:.0}"))
        .y_label_formatter(&|micros| format!("{micros:.0}"))
        .light_line_style(WHITE)
        .draw()?;
    let ideal = [(0.0, 0.0), (16.0, 16.0 * first)];
    chart
        .draw_series(LineSeries::new(ideal, THEIRS.stroke_width(1)))?
        .label("as many times the first")
        .legend(|at| PathElement::new([at, (at.0 + 20, at.1)], THEIRS));
    chart
        .draw_series(LineSeries::new(chain.iter().copied(), OURS.stroke_width(2)))?
        .label("measured")
        .legend(|at| PathElement::new([at, (at.0 + 20, at.1)], OURS));
    chart.draw_series(chain.iter().map(|point| Circle::new(*point, 4, OURS.filled())))?;
    let labels = chart.configure_series_labels().position(SeriesLabelPosition::LowerRight).draw();
    labels?;
    Ok(root.present()?)
}
