//! The ageing as a picture: for each currency a row of bars, one a bucket, on a scale of its own.

use crate::{ageing::bucket_name, decimal};
use dunlin_domain::{
    ageing::Edges,
    contract::{
        report::{Ageing, AgeingLine},
        types::Language,
    },
};
use std::fmt::Write as _;

const WIDTH: i64 = 760;
const ROW: i64 = 230;
const LEFT: i64 = 24;
const BAR_TOP: i64 = 64;
const BAR_HEIGHT: i64 = 110;

/// From not due to longest overdue: told apart by lightness as well as by colour.
const FIRST_FILL: &str = "#7fb8a4";
const FILLS: [&str; 4] = ["#f2c14e", "#f08a4b", "#d1495b", "#7d1d3f"];

/// Draws the ageing. All words in it are ours, so that nothing has to be escaped.
pub(crate) fn ageing(ageing: &Ageing, edges: &Edges, language: Language) -> String {
    let rows = i64::try_from(ageing.totals.len()).unwrap_or(0).max(1);
    let height = rows.saturating_mul(ROW).saturating_add(16);
    let title = match language {
        Language::En => format!("Receivables by age on {}", ageing.as_of),
        Language::ZhCn => format!("{} 应收账款账龄", ageing.as_of),
    };
    let mut svg = String::new();
    // Writing to a string cannot fail, here and below.
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         font-family=\"system-ui, 'Noto Sans CJK SC', 'PingFang SC', 'Microsoft YaHei', sans-serif\">\
         <title>{title}</title><rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>"
    );
    if ageing.totals.is_empty() {
        let nothing = match language {
            Language::En => "Nothing is open.",
            Language::ZhCn => "没有未结清的款项。",
        };
        let _ = write!(svg, "<text x=\"{LEFT}\" y=\"40\" font-size=\"16\">{title}</text>");
        let _ = write!(svg, "<text x=\"{LEFT}\" y=\"70\" font-size=\"13\">{nothing}</text>");
    }
    for (line, at) in ageing.totals.iter().zip(0i64..) {
        let _ = write!(svg, "<g transform=\"translate(0 {})\">", at.saturating_mul(ROW));
        row(&mut svg, line, edges, language, &title);
        svg.push_str("</g>");
    }
    svg.push_str("</svg>\n");
    svg
}

fn row(svg: &mut String, line: &AgeingLine, edges: &Edges, language: Language, title: &str) {
    let (not_due, days) = match language {
        Language::En => ("not due", "days"),
        Language::ZhCn => ("未到期", "天"),
    };
    let currency = line.currency;
    let total = decimal(line.total_minor, currency);
    let _ =
        write!(svg, "<text x=\"{LEFT}\" y=\"32\" font-size=\"16\" fill=\"#222222\">{title}</text>");
    let _ = write!(
        svg,
        "<text x=\"{}\" y=\"32\" font-size=\"16\" text-anchor=\"end\" fill=\"#222222\">{currency} {total}</text>",
        WIDTH.saturating_sub(LEFT)
    );
    let names = (0..edges.buckets()).map(|at| format!("{} {days}", bucket_name(edges, at)));
    let bars: Vec<(String, i64)> = std::iter::once((not_due.to_string(), line.not_due_minor))
        .chain(names.zip(line.buckets_minor.iter().copied()))
        .collect();
    let most = bars.iter().map(|(_, minor)| *minor).max().unwrap_or(0).max(1);
    let count = i64::try_from(bars.len()).unwrap_or(1).max(1);
    let step = WIDTH.saturating_sub(LEFT.saturating_mul(2)).checked_div(count).unwrap_or(0);
    for ((name, minor), at) in bars.iter().zip(0i64..) {
        let scaled =
            i128::from(*minor).saturating_mul(i128::from(BAR_HEIGHT)).checked_div(i128::from(most));
        let height = i64::try_from(scaled.unwrap_or(0)).unwrap_or(0).max(0);
        let x = LEFT.saturating_add(at.saturating_mul(step));
        let middle = x.saturating_add(step / 2);
        let top = BAR_TOP.saturating_add(BAR_HEIGHT).saturating_sub(height);
        let fill = fill(at);
        let amount = decimal(*minor, currency);
        let _ = write!(
            svg,
            "<rect x=\"{}\" y=\"{top}\" width=\"{}\" height=\"{height}\" fill=\"{fill}\" rx=\"2\"/>\
             <text x=\"{middle}\" y=\"{}\" font-size=\"12\" text-anchor=\"middle\" fill=\"#222222\">{amount}</text>\
             <text x=\"{middle}\" y=\"{}\" font-size=\"12\" text-anchor=\"middle\" fill=\"#555555\">{name}</text>",
            x.saturating_add(8),
            step.saturating_sub(16).max(1),
            top.saturating_sub(6),
            BAR_TOP.saturating_add(BAR_HEIGHT).saturating_add(18),
        );
    }
}

/// The colour of a bar; beyond the last the darkest stays.
fn fill(at: i64) -> &'static str {
    let Some(bucket) = at.checked_sub(1).and_then(|at| usize::try_from(at).ok()) else {
        return FIRST_FILL;
    };
    FILLS.get(bucket).or(FILLS.last()).copied().unwrap_or(FIRST_FILL)
}
