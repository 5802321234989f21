//! `docs/errors.md`, written from the contract.

use crate::{problem::title, status};
use dunlin_domain::Refusal;
use std::fmt::Write as _;

/// The page that lists every refusal: its status, whether it passes, and what the contract says of it.
pub fn errors_markdown() -> String {
    let mut out = String::from(
        "# Errors\n\n\
         Every error is `application/problem+json` (RFC 9457). Match on `code` and on nothing else: titles and details \
         are for people and may change. `field` or `row` is there where one is at fault, and `request_id` finds the \
         line in the log.\n\n\
         This page is written from the contract. Change `wit/types.wit` and run the tests of `dunlin-web` with \
         `UPDATE=1`.\n\n\
         | code | status | meaning |\n|---|---|---|\n",
    );
    for code in Refusal::ALL {
        let status = status::of(*code);
        let again =
            status::retry_after(*code).map(|s| format!(" `Retry-After: {s}`.")).unwrap_or_default();
        // Writing to a string cannot fail.
        let _ = writeln!(
            out,
            "| `{code}` | {status} {} | {}{again} |",
            status::reason(status),
            code.about()
        );
    }
    let longest =
        Refusal::ALL.iter().map(|code| title(*code)).max_by_key(String::len).unwrap_or_default();
    let _ = writeln!(out, "\nThe title is the code in words, such as \"{longest}\".");
    out
}
