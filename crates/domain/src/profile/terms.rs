//! What a row says of a document beyond its amount: its contract, its instalments, and what it is about.

use super::value;
use crate::contract::{ingest::DateForm, types::Instalment};
use crate::{Id, Refusal, Refused};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// The last value of a row of invoices. What it names is looked up when the file is applied.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Terms {
    /// The document that a credit note, an interest note or a fee is about.
    pub relates_to: Option<Id>,
    /// Whether a fee is a penalty.
    pub penalty: bool,
    /// The contract whose version in force on the day of issue gives what the row leaves out.
    pub contract_id: Option<Id>,
    /// Whether the row says when it is due, rather than leave that to the contract.
    pub is_due: bool,
    /// The parts it is paid in.
    pub instalments: Option<Vec<Instalment>>,
    /// The reference that is printed on the document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// The row says nothing but that the document is void at its source.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub void: bool,
    /// And that it is to be void here too; then customer and amount of the row are the document's.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub voids: bool,
}

impl Terms {
    /// Whether the row is another than one without these columns.
    pub(super) fn says_anything(&self) -> bool {
        self.relates_to.is_some()
            || self.penalty
            || self.contract_id.is_some()
            || self.instalments.is_some()
            || self.reference.is_some()
    }
}

/// What a row says of a payment beside itself, as the last value of a row of payments.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Said {
    /// The payment that it is already.
    pub same_as: Option<Id>,
    /// It is another payment than those of bank statements.
    pub another: bool,
}

/// The most instalments an invoice has.
const MAX_PARTS: usize = 100;

/// One of a list of instalments in NDJSON. The amount is text or a number, read as it is written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Listed<'a> {
    due_on: String,
    #[serde(borrow)]
    amount: &'a RawValue,
}

/// Instalments as `2026-01-31:3000.00;2026-02-28:2000.00`, or as a JSON list of `{"due_on", "amount"}`.
pub(super) fn instalments(
    text: &str,
    form: DateForm,
    amount: impl Fn(&str) -> Result<i64, Refused>,
) -> Result<Vec<Instalment>, Refused> {
    let wanted = "instalments written as `2026-01-31:3000.00;2026-02-28:2000.00`";
    let malformed = || value::malformed(text, wanted);
    let part = |due_on: &str, minor: &str| {
        let due_on = value::date(value::trim(due_on), form)?;
        Ok(Instalment { due_on, minor: amount(value::trim(minor))? })
    };
    let parts: Vec<Instalment> = if text.starts_with('[') {
        let listed: Vec<Listed<'_>> = serde_json::from_str(text)
            .map_err(|_| value::malformed(text, "a list of `{\"due_on\", \"amount\"}`"))?;
        let read = |of: &Listed<'_>| {
            let raw = of.amount.get();
            let quoted = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"'));
            part(&of.due_on, quoted.unwrap_or(raw))
        };
        listed.iter().map(read).collect::<Result<_, Refused>>()?
    } else {
        let read = |text: &str| {
            let (due_on, minor) = text.rsplit_once(':').ok_or_else(malformed)?;
            part(due_on, minor)
        };
        text.split(';').map(read).collect::<Result<_, Refused>>()?
    };
    if parts.len() > MAX_PARTS {
        let detail = format!("an invoice has at most {MAX_PARTS} instalments");
        return Err(Refused::new(Refusal::MalformedField, detail));
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<String, Refusal> {
        let amount = |text: &str| {
            crate::money::parse_amount(
                text,
                "EUR".parse()?,
                crate::money::NumberForm { decimal: '.', thousands: None },
            )
        };
        let parts = instalments(text, DateForm::Ymd, amount).map_err(|refused| refused.code)?;
        let said = parts.iter().map(|part| format!("{} {}", part.due_on, part.minor));
        Ok(said.collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn instalments_are_read_from_a_text_and_from_a_list() {
        let two = "2026-01-31 300000, 2026-02-28 200050";
        for (text, wanted) in [
            ("2026-01-31:3000.00;2026-02-28:2000.50", Ok(two)),
            (" 2026-01-31 : 3000.00 ; 2026-02-28 : 2000.50 ", Ok(two)),
            (
                r#"[{"due_on":"2026-01-31","amount":"3000.00"},{"amount":2000.50,"due_on":"2026-02-28"}]"#,
                Ok(two),
            ),
            ("2026-01-31:3000.00;", Err(Refusal::MalformedField)),
            ("2026-01-31", Err(Refusal::MalformedField)),
            ("2026-02-30:1.00;2026-03-01:1.00", Err(Refusal::MalformedDate)),
            ("2026-01-31:3,000.00;2026-02-28:1", Err(Refusal::MalformedAmount)),
            ("[]", Ok("")),
            ("[1]", Err(Refusal::MalformedField)),
            (r#"[{"due_on":"2026-01-31"}]"#, Err(Refusal::MalformedField)),
            (r#"[{"due_on":"2026-01-31","amount":1,"paid":true}]"#, Err(Refusal::MalformedField)),
            (r#"[{"due_on":"2026-01-31","amount":[1]}]"#, Err(Refusal::MalformedAmount)),
        ] {
            assert_eq!(read(text), wanted.map(str::to_string), "{text}");
        }
        let many = ["2026-01-31:1"; 101].join(";");
        assert_eq!(read(&many), Err(Refusal::MalformedField));
    }

    proptest! {
        #[test]
        fn any_text_is_instalments_or_refused(text in "[\\[\\]{}\"a-z0-9:;,. -]{0,60}") {
            let _ = read(&text);
        }
    }
}
