//! Throughput against concurrency, drawn.

use std::error::Error;
use std::path::Path;

use plotters::prelude::*;

use crate::table::Table;

/// One panel for each workload that was run at more than one concurrency.
pub(crate) fn draw(tables: &[Table], file: &Path) -> Result<(), Box<dyn Error + Send + Sync>> {
    const PANEL: (u32, u32) = (760, 420);

    let mut workloads: Vec<Vec<&Table>> = Vec::new();
    for table in tables.iter().filter(|table| table.clients.is_some() && !table.title.contains("00 MB")) {
        match workloads.iter_mut().find(|tables| tables[0].workload == table.workload) {
            Some(tables) => tables.push(table),
            None => workloads.push(vec![table]),
        }
    }
    workloads.retain(|tables| tables.len() > 1);
    let count = workloads.len();
    let height = PANEL.1 * u32::try_from(count.max(1))?;
    let root = SVGBackend::new(file, (PANEL.0, height)).into_drawing_area();
    root.fill(&WHITE)?;
    for (area, tables) in root.split_evenly((count.max(1), 1)).iter().zip(&workloads) {
        panel(area, tables)?;
    }
    root.present()?;
    Ok(())
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn panel(area: &Area<'_>, tables: &[&Table]) -> Result<(), Box<dyn Error + Send + Sync>> {
    let concurrency = |table: &Table| f64::from(u32::try_from(table.clients.unwrap_or(1)).unwrap_or(u32::MAX));
    let rates = || tables.iter().flat_map(|table| table.rows.iter().filter_map(|row| row.median(0)));
    let (low, high) = tables
        .iter()
        .map(|table| concurrency(table))
        .fold((f64::MAX, 1.0_f64), |(low, high), clients| (low.min(clients), high.max(clients)));
    let mut chart = ChartBuilder::on(area)
        .caption(format!("{}: replies per second by clients", tables[0].workload), ("sans-serif", 18))
        .margin(10)
        .margin_right(190)
        .x_label_area_size(35)
        .y_label_area_size(60)
        .build_cartesian_2d((low..high * 1.05).log_scale(), 0.0..rates().fold(1.0, f64::max) * 1.1)?;
    let clients = |clients: &f64| format!("{clients:.0}");
    let rate = |rate: &f64| format!("{:.0} k", rate / 1e3);
    chart.configure_mesh().x_label_formatter(&clients).y_label_formatter(&rate).draw()?;
    let servers = tables[0].rows.iter().map(|row| row.server);
    for (index, server) in servers.enumerate() {
        let color = Palette99::pick(index).to_rgba();
        let points = tables.iter().filter_map(|table| {
            let row = table.rows.iter().find(|row| row.server == server)?;
            Some((concurrency(table), row.median(0)?))
        });
        let points: Vec<_> = points.collect();
        chart.draw_series(LineSeries::new(points.clone(), color.stroke_width(2)).point_size(3))?;
        // The legend: beside the chart, where no line is.
        let line = 40 + 20 * i32::try_from(index)?;
        area.draw(&Rectangle::new([(575, line), (587, line + 12)], color.filled()))?;
        area.draw(&Text::new(server, (593, line), ("sans-serif", 13)))?;
    }
    Ok(())
}
