//! What a customer's record must satisfy beyond the types of its fields, and which of its changes may be a sign.

use crate::{
    Refusal, Refused,
    contract::{
        ledger::CustomerPart,
        types::{BankAccount, Contact, CustomerStatus, NewCustomer, Representative},
    },
    money::MAX_MINOR,
    profile::value::{MAX_NAME, country, email, label, name, phone, time_zone, words},
    text, zone,
};

/// The longest tag, in characters.
pub const MAX_TAG: usize = 50;
/// The longest address of a contact, in characters: a postal one has several lines.
pub const MAX_ADDRESS: usize = 400;
/// The most tags, contacts and bank accounts of one customer: a person still reads them all.
pub const MAX_ENTRIES: usize = 50;
/// The most people who may bind one customer.
pub const MAX_REPRESENTATIVES: usize = 20;

/// Checks a customer that a client wrote, naming the first field at fault.
pub fn check(new: &NewCustomer) -> Result<(), Refused> {
    name(&new.name).map_err(|refused| refused.at("name"))?;
    checked("country", new.country.as_deref(), country)?;
    checked("time_zone", new.time_zone.as_deref(), |text| time_zone(text, zone::is_known))?;
    checked("email", new.email.as_deref(), email)?;
    checked("phone", new.phone.as_deref(), phone)?;
    limit(new)?;
    checked("segment", new.segment.as_deref(), label)?;
    checked("industry", new.industry.as_deref(), label)?;
    each("tags", new.tags.as_deref(), MAX_ENTRIES, |tag| words(tag, MAX_TAG))?;
    each("contacts", new.contacts.as_deref(), MAX_ENTRIES, contact)?;
    each(
        "representatives",
        new.representatives.as_deref(),
        MAX_REPRESENTATIVES,
        |person: &Representative| name(&person.name).map_err(|refused| refused.at("name")),
    )?;
    each("bank_accounts", new.bank_accounts.as_deref(), MAX_ENTRIES, bank_account)
}

fn limit(new: &NewCustomer) -> Result<(), Refused> {
    let Some(limit) = new.credit_limit else { return Ok(()) };
    if new.currency.is_some_and(|currency| currency != limit.currency) {
        let detail = "the limit is in the customer's own currency";
        return Err(Refused::new(Refusal::CurrencyMismatch, detail).at("credit_limit"));
    }
    let refusal = match limit.minor {
        ..0 => Refusal::AmountNotPositive,
        minor if minor > MAX_MINOR => Refusal::AmountTooLarge,
        _ => return Ok(()),
    };
    Err(Refused::new(refusal, refusal.about()).at("credit_limit"))
}

fn contact(contact: &Contact) -> Result<(), Refused> {
    name(&contact.name).map_err(|refused| refused.at("name"))?;
    checked("role", contact.role.as_deref(), label)?;
    text::check(&contact.address, 1, MAX_ADDRESS, "address")?;
    checked("time_zone", contact.time_zone.as_deref(), |text| time_zone(text, zone::is_known))
}

fn bank_account(account: &BankAccount) -> Result<(), Refused> {
    let number = &account.account;
    if !(4..=40).contains(&number.len()) || !number.bytes().all(|b| b.is_ascii_alphanumeric()) {
        let detail = "an account is 4 to 40 letters and digits, spaces left out";
        return Err(Refused::new(Refusal::MalformedField, detail).at("account"));
    }
    checked("bank", account.bank.as_deref(), |text| words(text, MAX_NAME))?;
    checked("holder", account.holder.as_deref(), |text| words(text, MAX_NAME))
}

fn checked(
    field: &str,
    text: Option<&str>,
    rule: impl FnOnce(&str) -> Result<(), Refused>,
) -> Result<(), Refused> {
    text.map_or(Ok(()), |text| rule(text).map_err(|refused| refused.at(field)))
}

/// Checks every entry of a list; a refusal names the entry, and its field where it has fields.
fn each<T>(
    field: &str,
    entries: Option<&[T]>,
    most: usize,
    rule: impl Fn(&T) -> Result<(), Refused>,
) -> Result<(), Refused> {
    let entries = entries.unwrap_or_default();
    if entries.len() > most {
        let detail = format!("the list has at most {most} entries");
        return Err(Refused::new(Refusal::TextTooLong, detail).at(field));
    }
    for (index, entry) in entries.iter().enumerate() {
        rule(entry).map_err(|refused| refused.within(&format!("{field}[{index}]")))?;
    }
    Ok(())
}

/// The record as it is kept: the status said, accounts without spaces, no list that is empty.
pub fn settled(mut new: NewCustomer) -> NewCustomer {
    fn kept<T>(list: Option<Vec<T>>) -> Option<Vec<T>> {
        list.filter(|list| !list.is_empty())
    }
    new.status = Some(new.status.unwrap_or(CustomerStatus::Active));
    for account in new.bank_accounts.iter_mut().flatten() {
        account.account.retain(|c| c != ' ');
    }
    NewCustomer {
        tags: kept(new.tags),
        contacts: kept(new.contacts),
        representatives: kept(new.representatives),
        bank_accounts: kept(new.bank_accounts),
        ..new
    }
}

/// A part of a record that changed, with how many entries were added and removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PartChange {
    /// Which part.
    pub part: CustomerPart,
    /// Entries that are new.
    pub added: u32,
    /// Entries that are gone.
    pub removed: u32,
}

/// The changes from one record to the next that may be a sign. An entry that was altered is one removed and one added;
/// another order of entries is no change. The mail address and telephone of the record count as contacts.
pub fn changes(before: &NewCustomer, after: &NewCustomer) -> Vec<PartChange> {
    let ways = |new: &NewCustomer| {
        let ways = [("email", &new.email), ("phone", &new.phone)];
        ways.into_iter()
            .filter_map(|(way, to)| to.clone().map(|to| (way, to)))
            .collect::<Vec<(&str, String)>>()
    };
    let contacts = sum(
        moved(before.contacts.as_deref(), after.contacts.as_deref()),
        moved(Some(&ways(before)), Some(&ways(after))),
    );
    let accounts = moved(before.bank_accounts.as_deref(), after.bank_accounts.as_deref());
    let people = moved(before.representatives.as_deref(), after.representatives.as_deref());
    let status = moved(Some(&[before.status]), Some(&[after.status]));
    [
        (CustomerPart::Contact, contacts),
        (CustomerPart::BankAccount, accounts),
        (CustomerPart::Representative, people),
        (CustomerPart::Status, status),
    ]
    .into_iter()
    .filter(|(_, moved)| *moved != (0, 0))
    .map(|(part, (added, removed))| PartChange { part, added, removed })
    .collect()
}

/// How many entries were added and removed. An entry that stands twice counts twice.
fn moved<T: PartialEq>(before: Option<&[T]>, after: Option<&[T]>) -> (u32, u32) {
    let mut gone: Vec<&T> = before.unwrap_or_default().iter().collect();
    let mut added = 0u32;
    for entry in after.unwrap_or_default() {
        match gone.iter().position(|other| *other == entry) {
            Some(place) => drop(gone.swap_remove(place)),
            None => added = added.saturating_add(1),
        }
    }
    (added, u32::try_from(gone.len()).unwrap_or(u32::MAX))
}

fn sum(one: (u32, u32), other: (u32, u32)) -> (u32, u32) {
    (one.0.saturating_add(other.0), one.1.saturating_add(other.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(more: &str) -> NewCustomer {
        let text = format!(r#"{{"name": "Bakery"{more}}}"#);
        serde_json::from_str(&text).unwrap()
    }

    fn many(field: &str, entry: &str, count: usize) -> String {
        format!(r#", "{field}": [{}]"#, vec![entry; count].join(","))
    }

    #[test]
    fn every_field_has_its_bounds_and_is_named_when_it_is_beyond() {
        let contact = r#"{"name": "A", "channel": "email", "address": "a@b"}"#;
        let (account, person) = (r#"{"account": "DE89"}"#, r#"{"name": "A"}"#);
        let x = |count: usize| "x".repeat(count);
        for (more, wanted) in [
            (String::new(), ""),
            (r#", "segment": "key accounts", "industry": "零售", "status": "prospect""#.into(), ""),
            (format!(r#", "segment": "{}""#, x(101)), "segment text-too-long"),
            (r#", "industry": " ""#.into(), "industry missing-field"),
            (many("tags", r#""vip""#, 50), ""),
            (many("tags", r#""vip""#, 51), "tags text-too-long"),
            (format!(r#", "tags": ["a", "{}"]"#, x(51)), "tags[1] text-too-long"),
            (many("contacts", contact, 50), ""),
            (many("contacts", contact, 51), "contacts text-too-long"),
            (many("contacts", &contact.replace("a@b", ""), 1), "contacts[0].address missing-field"),
            (many("contacts", &contact.replace("a@b", "Lane 1\\nTown"), 1), ""),
            (
                many("contacts", &contact.replace("a@b", "a\\u0000b"), 1),
                "contacts[0].address malformed-text",
            ),
            (
                many("contacts", &contact.replace("a@b", &x(401)), 1),
                "contacts[0].address text-too-long",
            ),
            (
                many("contacts", &contact.replace('}', r#", "time_zone": "Mars/Olympus"}"#), 1),
                "contacts[0].time_zone unknown-time-zone",
            ),
            (many("representatives", person, 20), ""),
            (many("representatives", person, 21), "representatives text-too-long"),
            (
                many("representatives", &person.replace('A', &x(201)), 1),
                "representatives[0].name text-too-long",
            ),
            (many("bank_accounts", account, 50), ""),
            (many("bank_accounts", account, 51), "bank_accounts text-too-long"),
            (
                many("bank_accounts", &account.replace("DE89", "DE8"), 1),
                "bank_accounts[0].account malformed-field",
            ),
            (
                many("bank_accounts", &account.replace("DE89", &x(41)), 1),
                "bank_accounts[0].account malformed-field",
            ),
            (
                many("bank_accounts", &account.replace("DE89", "DE-89"), 1),
                "bank_accounts[0].account malformed-field",
            ),
            (many("bank_accounts", &account.replace("DE89", "DE89 3704 00"), 1), ""),
        ] {
            let found = match check(&settled(record(&more))) {
                Ok(()) => String::new(),
                Err(refused) => format!("{} {}", refused.field.unwrap(), refused.code),
            };
            assert_eq!(found, wanted, "{more}");
        }
    }

    #[test]
    fn a_change_of_who_is_reached_who_pays_and_who_binds_is_a_sign() {
        let contact = |to: &str| {
            format!(
                r#", "contacts": [{{"name": "A", "channel": "email", "address": "{to}"}},
                    {{"name": "B", "channel": "sms", "address": "1"}}]"#
            )
        };
        let people = |names: &str| format!(r#", "representatives": [{names}]"#);
        let part = |part, added, removed| vec![PartChange { part, added, removed }];
        use CustomerPart as P;
        for (before, after, wanted) in [
            (contact("a@b"), contact("a@b"), vec![]),
            (contact("a@b"), contact("c@d"), part(P::Contact, 1, 1)),
            (contact("a@b"), String::new(), part(P::Contact, 0, 2)),
            (r#", "email": "a@b""#.into(), r#", "email": "c@d""#.into(), part(P::Contact, 1, 1)),
            (r#", "email": "a@b""#.into(), r#", "phone": "1""#.into(), part(P::Contact, 1, 1)),
            (
                people(r#"{"name": "A"}, {"name": "B"}"#),
                people(r#"{"name": "B"}, {"name": "A"}"#),
                vec![],
            ),
            (
                people(r#"{"name": "A"}"#),
                people(r#"{"name": "A"}, {"name": "A"}"#),
                part(P::Representative, 1, 0),
            ),
            (String::new(), r#", "status": "on-hold""#.into(), part(P::Status, 1, 1)),
            (
                r#", "bank_accounts": [{"account": "DE89 3704"}]"#.into(),
                r#", "bank_accounts": [{"account": "DE893704"}]"#.into(),
                vec![],
            ),
            (String::new(), r#", "segment": "x", "tags": ["y"]"#.into(), vec![]),
        ] {
            let found = changes(&settled(record(&before)), &settled(record(&after)));
            assert_eq!(found, wanted, "{before} -> {after}");
        }
    }
}
