//! `kind=bank-statement`: a file that the component `statements` reads.

use dunlin_web::{Query, percent::decode_query};
use http::{Method, Uri};

/// The kind beside those of [`dunlin_domain::contract::ingest::ImportKind`]: a statement is no file of rows.
pub(crate) const KIND: &str = "bank-statement";

/// Every kind of file.
pub(crate) const KINDS: &[&str] = &["customers", "invoices", "payments", KIND];

/// Every media type of a file.
pub(crate) const MEDIA: &[&str] =
    &["text/csv", "application/x-ndjson", "application/xml", "text/xml", "text/plain"];

pub(crate) const FORMAT: Query = Query::one_of(
    "format",
    dunlin_domain::contract::bank::BankFormat::NAMES,
    "How the bank writes it: needed with `kind=bank-statement`, and with no other kind.",
);

/// Where a file of statements goes, with the parameters that are left when its kind is known; `None` with anything else,
/// also with a query that is to be refused here.
#[cfg_attr(not(target_family = "wasm"), allow(dead_code, reason = "only the component hands on"))]
pub(crate) fn handed_on(method: &Method, uri: &Uri) -> Option<String> {
    if *method != Method::POST || uri.path() != "/v1/ingest/imports" {
        return None;
    }
    let is_kind = |pair: &str| {
        pair.split_once('=').is_some_and(|(name, value)| {
            decode_query(name).as_deref() == Some("kind")
                && decode_query(value).as_deref() == Some(KIND)
        })
    };
    let pairs: Vec<&str> = uri.query().unwrap_or_default().split('&').collect();
    let at = pairs.iter().position(|pair| is_kind(pair))?;
    let rest = pairs.iter().enumerate().filter(|(place, _)| *place != at).map(|(_, pair)| *pair);
    Some(format!("/v1/ingest/statements?{}", rest.collect::<Vec<_>>().join("&")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use dunlin_domain::contract::ingest::ImportKind;

    #[test]
    fn the_kinds_are_those_of_rows_and_statements() {
        assert_eq!(KINDS.split_last(), Some((&KIND, ImportKind::NAMES)));
    }

    #[test]
    fn statements_are_handed_on_with_all_that_was_asked_besides() {
        let to = |method: Method, uri: &str| handed_on(&method, &uri.parse().unwrap());
        for (uri, wanted) in [
            ("/v1/ingest/imports?kind=bank-statement", Some("/v1/ingest/statements?")),
            (
                "/v1/ingest/imports?kind=bank-statement&format=mt940",
                Some("/v1/ingest/statements?format=mt940"),
            ),
            (
                "http://a.example/v1/ingest/imports?id=x&kind=bank%2Dstatement&format=camt053",
                Some("/v1/ingest/statements?id=x&format=camt053"),
            ),
            // Said twice, it is refused there as the parameter that it is.
            (
                "/v1/ingest/imports?kind=bank-statement&kind=bank-statement",
                Some("/v1/ingest/statements?kind=bank-statement"),
            ),
            ("/v1/ingest/imports?kind=invoices", None),
            ("/v1/ingest/imports?format=mt940", None),
            ("/v1/ingest/imports?kind=%FFbank-statement", None),
            ("/v1/ingest/imports", None),
            ("/v1/ingest/imports/7?kind=bank-statement", None),
        ] {
            assert_eq!(to(Method::POST, uri).as_deref(), wanted, "{uri}");
            assert_eq!(to(Method::GET, uri), None, "{uri}");
        }
    }
}
