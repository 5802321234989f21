//! The profiles that ship: the columns of what other systems export, in `shipped.json`.

use crate::contract::ingest::Profile;

/// The names of the shipped profiles, in their order.
pub const SHIPPED: [&str; 15] = [
    "erpnext-customer",
    "erpnext-payment-entry",
    "erpnext-sales-invoice",
    "fxiaoke-payment",
    "fxiaoke-receivable",
    "jiandaoyun-payment",
    "jiandaoyun-receivable",
    "odoo-invoice",
    "odoo-payment",
    "quickbooks-invoice",
    "quickbooks-payment",
    "xero-invoice",
    "xero-payment",
    "zoho-books-invoice",
    "zoho-books-payment",
];

/// `shipped.json` without the space between its parts, and with what it repeats taken out, as the build wrote it.
const PACKED: &str = include_str!(concat!(env!("OUT_DIR"), "/shipped.json"));

/// The shipped profile of this name.
pub fn shipped(name: &str) -> Option<Profile> {
    if !SHIPPED.contains(&name) {
        return None;
    }
    // What is in the file is read by a test.
    let all: Vec<Profile> = serde_json::from_str(&whole(PACKED)).unwrap_or_default();
    all.into_iter().find(|profile| profile.name.as_str() == name)
}

/// The text with what it repeats put in again: the last first, which may have others within it.
fn whole(packed: &str) -> String {
    let Some((words, text)) = packed.split_once("\n\n") else { return packed.to_string() };
    let marks = ('\u{e}'..='\u{1f}').zip(words.split('\n'));
    let mut text = text.to_string();
    for (mark, word) in marks.collect::<Vec<_>>().into_iter().rev() {
        text = text.replace(mark, word);
    }
    text
}
