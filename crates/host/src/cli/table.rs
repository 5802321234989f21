//! Tables in the terminal.

/// Which side of its column a text stands on.
#[derive(Clone, Copy, PartialEq)]
pub enum Side {
    Left,
    Right,
}

/// A header and rows under it, in columns two spaces apart.
pub struct Table {
    sides: Vec<Side>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these columns.
    pub fn new(columns: &[(&str, Side)]) -> Table {
        Table {
            sides: columns.iter().map(|(_, side)| *side).collect(),
            rows: vec![columns.iter().map(|(name, _)| (*name).to_owned()).collect()],
        }
    }

    /// Adds a row. Control characters are taken out: a name in a file must not steer the terminal.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let clean = |cell: String| cell.chars().filter(|c| !c.is_control()).collect();
        self.rows.push(cells.into_iter().map(clean).collect());
    }

    /// Whether there is no row under the header.
    pub fn is_empty(&self) -> bool {
        self.rows.len() == 1
    }

    /// The table as text, each line set in by two spaces.
    pub fn render(&self) -> String {
        let width_of = |column: usize| {
            self.rows.iter().filter_map(|row| row.get(column)).map(|cell| width(cell)).max()
        };
        let widths: Vec<usize> =
            (0..self.sides.len()).map(|column| width_of(column).unwrap_or(0)).collect();
        let mut text = String::new();
        for row in &self.rows {
            let mut line = String::from(" ");
            for ((cell, side), column) in row.iter().zip(&self.sides).zip(&widths) {
                let gap = " ".repeat(column.saturating_sub(width(cell)));
                match side {
                    Side::Left => line.extend([" ", cell, &gap, " "]),
                    Side::Right => line.extend([" ", &gap, cell, " "]),
                }
            }
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text
    }
}

/// Columns on a terminal: Chinese, Japanese and Korean characters take two.
fn width(text: &str) -> usize {
    const WIDE: [(char, char); 9] = [
        ('\u{1100}', '\u{115f}'),
        ('\u{2e80}', '\u{a4cf}'),
        ('\u{ac00}', '\u{d7a3}'),
        ('\u{f900}', '\u{faff}'),
        ('\u{fe30}', '\u{fe6f}'),
        ('\u{ff00}', '\u{ff60}'),
        ('\u{ffe0}', '\u{ffe6}'),
        ('\u{1f300}', '\u{1faff}'),
        ('\u{20000}', '\u{3fffd}'),
    ];
    let wide = |c: char| WIDE.iter().any(|(from, to)| (*from..=*to).contains(&c));
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_line_up_also_in_chinese() {
        let mut table = Table::new(&[("name", Side::Left), ("open", Side::Right)]);
        table.row(["上海".to_owned(), "5.00".to_owned()]);
        table.row(["Ab\u{1b}[31m".to_owned(), "1,000.00".to_owned()]);
        assert_eq!(table.render(), "  name        open\n  上海        5.00\n  Ab[31m  1,000.00\n");
    }
}
