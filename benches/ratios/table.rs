//! The rows, as a table for people and as JSON for programs.

use crate::clock;
use serde_json::json;

/// DESIGN: the memory of the runtime during any of the works, in MiB.
const MEMORY: Bar = Bar::AtMost(256.0);

/// What a ratio is held to.
#[derive(Clone, Copy, Debug)]
pub enum Bar {
    AtLeast(f64),
    AtMost(f64),
}

impl Bar {
    fn met(self, ratio: f64) -> bool {
        match self {
            Bar::AtLeast(bar) => ratio >= bar,
            Bar::AtMost(bar) => ratio <= bar,
        }
    }

    fn text(self) -> String {
        match self {
            Bar::AtLeast(bar) => format!(">= {bar}"),
            Bar::AtMost(bar) => format!("<= {bar}"),
        }
    }
}

#[derive(Debug)]
pub struct Row {
    work: String,
    measured: String,
    floor: String,
    ratio: f64,
    cpu: Option<f64>,
    bar: Option<Bar>,
}

impl Row {
    /// The same ratio by processor time, which is the steadier one where the machine has other work.
    pub fn cpu(&mut self, ratio: f64) {
        self.cpu = Some(ratio).filter(|ratio| ratio.is_finite());
    }
}

#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// Where there is no floor, the ratio is the figure itself in the unit of its bar.
    pub fn add(
        &mut self,
        work: &str,
        measured: String,
        floor: String,
        ratio: f64,
        bar: Option<Bar>,
    ) -> &mut Row {
        let at = self.0.len();
        self.0.push(Row { work: work.to_owned(), measured, floor, ratio, cpu: None, bar });
        &mut self.0[at]
    }

    /// The most memory that the runtime had.
    pub fn memory(&mut self, work: &str, mib: f64) {
        self.add(
            &format!("{work}: memory"),
            format!("{mib:.0} MiB"),
            String::new(),
            mib,
            Some(MEMORY),
        );
    }

    pub fn as_json(&self) -> String {
        let row = |row: &Row| {
            json!({
                "work": row.work, "measured": row.measured, "floor": row.floor, "ratio": row.ratio,
                "cpu_ratio": row.cpu, "bar": row.bar.map(Bar::text), "met": row.bar.map(|bar| bar.met(row.ratio)),
            })
        };
        json!({ "load": clock::load(), "rows": self.0.iter().map(row).collect::<Vec<_>>() })
            .to_string()
    }

    pub fn as_text(&self) -> String {
        let head =
            ["work", "measured", "floor", "ratio", "by cpu", "bar", "met"].map(str::to_owned);
        let row = |row: &Row| {
            let met = row.bar.map_or("", |bar| if bar.met(row.ratio) { "yes" } else { "NO" });
            [
                row.work.clone(),
                row.measured.clone(),
                row.floor.clone(),
                format!("{:.2}", row.ratio),
                row.cpu.map_or(String::new(), |cpu| format!("{cpu:.2}")),
                row.bar.map_or(String::new(), Bar::text),
                met.to_owned(),
            ]
        };
        let rows: Vec<[String; 7]> = std::iter::once(head).chain(self.0.iter().map(row)).collect();
        let mut widths = [0; 7];
        for row in &rows {
            for (width, cell) in widths.iter_mut().zip(row) {
                *width = cell.chars().count().max(*width);
            }
        }
        let line = |row: &[String; 7]| {
            let cells = row.iter().zip(widths).enumerate().map(|(at, (cell, width))| match at {
                0 | 6 => format!("{cell:width$}"),
                _ => format!("{cell:>width$}"),
            });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        };
        let lines: Vec<String> = rows.iter().map(line).collect();
        format!("{}\nload of the machine at the end: {}", lines.join("\n"), clock::load())
    }
}
