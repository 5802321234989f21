//! What the demo shows of its company.

use super::import::ImportResult;
use super::table::{Side, Table};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Notices whose subject is shown.
const NOTICES_SHOWN: usize = 3;

/// Alerts whose text is shown.
const ALERTS_SHOWN: usize = 5;

/// Reasons shown for a score.
const REASONS_SHOWN: usize = 2;

/// Everything asked for, as the application answered it.
pub struct Summary {
    pub as_of: String,
    /// Headings are in Simplified Chinese, not in English.
    pub chinese: bool,
    pub imports: Vec<(String, ImportResult)>,
    pub ageing: Value,
    pub dso: Value,
    pub worst: Vec<Worst>,
    pub alerts: Vec<Value>,
    pub notices: Vec<Value>,
    /// How often the score puts a customer that fails below one that does not; absent without both.
    pub auc: Option<f64>,
}

/// A customer with a low score.
pub struct Worst {
    pub customer: Value,
    pub card: Value,
}

impl Summary {
    /// One of two texts, by the language of the summary.
    fn said<'a>(&self, en: &'a str, zh: &'a str) -> &'a str {
        if self.chinese { zh } else { en }
    }

    /// The summary for a terminal.
    pub fn render(&self) -> String {
        let mut text = match self.chinese {
            true => format!("虚构公司，{}\n\n", self.as_of),
            false => format!("A made-up company on {}\n\n", self.as_of),
        };
        text.push_str(&self.import_lines());
        text.push_str(self.said("\nWho owes how much for how long\n", "\n欠款金额与账龄\n"));
        text.push_str(&self.ageing_table());
        text.push_str(self.said("\nDays sales outstanding: ", "\n应收账款周转天数（DSO）："));
        text.push_str(&self.dso_line());
        text.push_str(self.said("\n\nLowest scores, and why\n", "\n\n评分最低的客户及原因\n"));
        text.push_str(&self.worst_table());
        if let Some(auc) = self.auc {
            text.push_str(&match self.chinese {
                true => format!(
                    "\n事后来看，评分能把设定为违约的客户与其他客户区分开：AUC {auc:.2}（1 为总能区分，0.5 为随机）\n"
                ),
                false => format!(
                    "\nAfter the fact, the score tells the customers that were made to fail from the others: AUC {auc:.2} (1 is always, 0.5 is chance)\n"
                ),
            });
        }
        text.push_str(&self.alert_lines());
        text.push_str(&self.notice_lines());
        text
    }

    fn import_lines(&self) -> String {
        let lines = self.imports.iter().map(|(kind, result)| {
            let ImportResult { received, accepted, unchanged, .. } = result;
            if !self.chinese {
                return format!(
                    "  {kind:9}  {received:>6} received, {accepted} accepted, {unchanged} unchanged\n"
                );
            }
            let kind = match kind.as_str() {
                "customers" => "客户",
                "invoices" => "发票",
                "payments" => "付款",
                other => other,
            };
            format!("  {kind}  收到 {received:>6}，接受 {accepted}，未变 {unchanged}\n")
        });
        lines.collect()
    }

    /// The summary for a program.
    pub fn to_json(&self) -> Value {
        let imports: serde_json::Map<String, Value> = self
            .imports
            .iter()
            .map(|(kind, result)| {
                let counts = json!({
                    "received": result.received,
                    "accepted": result.accepted,
                    "unchanged": result.unchanged,
                    "rejected": result.rejected,
                });
                (kind.clone(), counts)
            })
            .collect();
        let worst: Vec<&Value> = self.worst.iter().map(|worst| &worst.card).collect();
        json!({
            "as_of": self.as_of,
            "imports": imports,
            "ageing": self.ageing,
            "dso": self.dso,
            "worst": worst,
            "open_alerts": self.open_alerts().count(),
            "notices": self.notices.len(),
            "auc": self.auc,
        })
    }

    fn ageing_table(&self) -> String {
        let edges: Vec<u64> = array(&self.ageing["edges"]).filter_map(Value::as_u64).collect();
        let names = bucket_names(&edges, self.said("over ", "超过 "));
        let mut columns = vec![("", Side::Left), (self.said("not due", "未到期"), Side::Right)];
        columns.extend(names.iter().map(|name| (name.as_str(), Side::Right)));
        columns.push((self.said("total", "合计"), Side::Right));
        let mut table = Table::new(&columns);
        for line in array(&self.ageing["totals"]) {
            let currency = word(&line["currency"]);
            let amount = |value: &Value| amount(value, currency);
            let mut cells = vec![currency.to_owned(), amount(&line["not_due_minor"])];
            cells.extend(array(&line["buckets_minor"]).map(amount));
            cells.push(amount(&line["total_minor"]));
            table.row(cells);
        }
        table.render()
    }

    fn dso_line(&self) -> String {
        let undefined = self.said("undefined, no sales", "无销售，无法计算");
        let lines: Vec<String> = array(&self.dso["lines"])
            .map(|line| {
                let days = line["days"].as_str().unwrap_or(undefined);
                format!("{} {days}", word(&line["currency"]))
            })
            .collect();
        if lines.is_empty() { undefined.to_owned() } else { lines.join(self.said(", ", "，")) }
    }

    fn worst_table(&self) -> String {
        let mut table = Table::new(&[
            (self.said("customer", "客户"), Side::Left),
            (self.said("name", "名称"), Side::Left),
            (self.said("score", "评分"), Side::Right),
            (self.said("grade", "等级"), Side::Left),
            (self.said("why", "原因"), Side::Left),
        ]);
        for Worst { customer, card } in &self.worst {
            let mut cells =
                [&card["customer_id"], &customer["name"], &card["score"], &card["grade"]]
                    .map(|cell| word(cell).to_owned());
            // One reason a line; the customer stands beside the first.
            for reason in array(&card["reasons"]).take(REASONS_SHOWN) {
                let why = word(&reason["text"]).trim_end_matches(['.', '。']).to_owned();
                table.row(std::mem::take(&mut cells).into_iter().chain([why]));
            }
        }
        table.render()
    }

    fn open_alerts(&self) -> impl Iterator<Item = &Value> {
        self.alerts.iter().filter(|alert| alert["state"] == "open")
    }

    fn alert_lines(&self) -> String {
        let counted = self.counted(self.open_alerts(), "kind");
        let mut text = format!("\n{}{counted}\n", self.said("Open alerts: ", "未关闭的预警："));
        for alert in self.open_alerts().take(ALERTS_SHOWN) {
            text.push_str(&format!(
                "  {}  {}  {}\n",
                word(&alert["opened_on"]),
                word(&alert["customer_id"]),
                word(&alert["text"])
            ));
        }
        text
    }

    /// `12 (7 first-overdue, 5 limit-near)`: how many there are, and of which kinds.
    fn counted<'v>(&self, items: impl Iterator<Item = &'v Value>, field: &str) -> String {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for item in items {
            *kinds.entry(word(&item[field])).or_default() += 1;
        }
        let all: usize = kinds.values().sum();
        if all == 0 {
            return self.said("none", "无").to_owned();
        }
        let parts: Vec<String> =
            kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        match self.chinese {
            true => format!("{all}（{}）", parts.join("，")),
            false => format!("{all} ({})", parts.join(", ")),
        }
    }

    fn notice_lines(&self) -> String {
        let counted = self.counted(self.notices.iter(), "level");
        let mut text = format!("\n{}{counted}\n", self.said("Notices written: ", "已生成的通知："));
        for notice in self.notices.iter().take(NOTICES_SHOWN) {
            text.push_str(&format!(
                "  {}  {}  {}\n",
                word(&notice["day"]),
                word(&notice["customer_id"]),
                word(&notice["subject"])
            ));
        }
        text
    }
}

/// `1-30`, `31-60`, `61-90`, `over 90` for the edges 30, 60, 90.
fn bucket_names(edges: &[u64], over: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut from = 1;
    for edge in edges {
        names.push(format!("{from}-{edge}"));
        from = edge + 1;
    }
    names.push(format!("{over}{}", from - 1));
    names
}

/// Minor units as a decimal with thousands apart, in the exponent of the currency.
fn amount(minor: &Value, currency: &str) -> String {
    let (Some(minor), Ok(currency)) = (minor.as_i64(), currency.parse::<dunlin_domain::Currency>())
    else {
        return String::new();
    };
    let plain = dunlin_domain::money::format_minor(minor, currency.exponent());
    let (sign, plain) = plain.strip_prefix('-').map_or(("", plain.as_str()), |rest| ("-", rest));
    let (whole, part) = plain.split_once('.').unwrap_or((plain, ""));
    let mut grouped = String::new();
    for (index, digit) in whole.chars().enumerate() {
        if index > 0 && (whole.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    let mark = if part.is_empty() { "" } else { "." };
    format!("{sign}{grouped}{mark}{part}")
}

fn array(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_follow_their_currency() {
        for (minor, currency, shown) in [
            (0, "USD", "0.00"),
            (123_456_789, "CNY", "1,234,567.89"),
            (-100_000, "USD", "-1,000.00"),
            (1_234_567, "JPY", "1,234,567"),
            (1_234_567, "KWD", "1,234.567"),
            (999, "USD", "9.99"),
        ] {
            assert_eq!(amount(&json!(minor), currency), shown);
        }
    }

    #[test]
    fn buckets_are_named_after_their_edges() {
        assert_eq!(bucket_names(&[30, 60, 90], "over "), ["1-30", "31-60", "61-90", "over 90"]);
        assert_eq!(bucket_names(&[10], "over "), ["1-10", "over 10"]);
    }

    #[test]
    fn the_summary_says_what_the_application_said() {
        let imported = serde_json::from_value(
            json!({"import_id": "m", "received": 3, "accepted": 2, "unchanged": 1, "rejected": 0, "errors": []}),
        )
        .unwrap();
        let summary = Summary {
            as_of: "2026-03-31".to_owned(),
            chinese: false,
            imports: vec![("customers".to_owned(), imported)],
            ageing: json!({"edges": [30], "totals": [
                {"currency": "USD", "not_due_minor": 100, "buckets_minor": [200, 300], "total_minor": 600}]}),
            dso: json!({"lines": [{"currency": "USD", "days": "41.50"}]}),
            worst: vec![Worst {
                customer: json!({"id": "C1", "name": "上海贸易"}),
                card: json!({"customer_id": "C1", "score": "12.5", "grade": "E",
                             "reasons": [{"text": "pays 40 days late"}, {"text": "limit used"}, {"text": "x"}]}),
            }],
            alerts: vec![
                json!({"state": "open", "kind": "limit-near", "opened_on": "2026-03-31", "customer_id": "C1", "text": "95 %"}),
                json!({"state": "closed", "kind": "limit-near"}),
            ],
            notices: vec![
                json!({"level": "first", "day": "2026-03-31", "customer_id": "C1", "subject": "Overdue"}),
            ],
            auc: Some(0.914),
        };
        let text = summary.render();
        for part in [
            "  customers       3 received, 2 accepted, 1 unchanged\n",
            "       not due  1-30  over 30  total\n  USD     1.00  2.00     3.00   6.00\n",
            "Days sales outstanding: USD 41.50",
            "C1        上海贸易   12.5  E      pays 40 days late\n                                    limit used\n",
            "AUC 0.91",
            "Open alerts: 1 (1 limit-near)",
            "Notices written: 1 (1 first)",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
        assert_eq!(summary.to_json()["open_alerts"], 1);
        let text = Summary { chinese: true, ..summary }.render();
        for part in [
            "虚构公司，2026-03-31\n",
            "  客户  收到      3，接受 2，未变 1\n",
            "       未到期  1-30  超过 30  合计\n  USD    1.00  2.00     3.00  6.00\n",
            "（DSO）：USD 41.50\n",
            "  客户  名称      评分  等级  原因\n",
            "AUC 0.91（",
            "未关闭的预警：1（1 limit-near）\n",
            "已生成的通知：1（1 first）\n",
        ] {
            assert!(text.contains(part), "{part:?} is not in\n{text}");
        }
    }
}
