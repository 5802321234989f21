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

const ALL: &str = include_str!("shipped.json");

/// The shipped profile of this name.
pub fn shipped(name: &str) -> Option<Profile> {
    if !SHIPPED.contains(&name) {
        return None;
    }
    // What is in the file is read by a test.
    let all: Vec<Profile> = serde_json::from_str(ALL).unwrap_or_default();
    all.into_iter().find(|profile| profile.name.as_str() == name)
}
