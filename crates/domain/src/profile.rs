//! Mapping profiles: how the columns of a source become customers, invoices and payments.
//!
//! A profile is a document that a client stores; [`check`] is what it has to pass. [`Plan`] is a profile compiled
//! against one header, and [`Plan::row`] turns one source row into checked records, all of them or none.

pub mod event;
mod plan;
mod row;
mod shipped;
mod slice;
mod terms;
pub(crate) mod value;

pub use plan::{Fields, Plan};
pub use shipped::{SHIPPED, shipped};
pub use slice::{MAX_ERRORS, Rows, Slice};
pub use terms::{Said, Terms};

use crate::contract::ingest::{DateForm, FieldMapping, ImportKind, Lookup, Profile, RecordMapping};
use crate::money::NumberForm;
use crate::{Refusal, Refused};
use std::collections::BTreeSet;
use value::Sort;

/// The name of the built-in profile: plain columns named like the fields.
pub const GENERIC: &str = "generic";

/// The most columns a source may have: wide exports of accounting systems have about a hundred.
pub const MAX_COLUMNS: usize = 256;

/// The longest field of a source in bytes: no field that is kept is longer than 200 characters, and a free text that
/// nothing maps may stand beside it.
pub const MAX_FIELD: usize = 8 * 1024;

/// The most records one row may give: an invoice, its payment, its customer and one more.
pub const MAX_RECORDS: usize = 4;

/// The most fields one record may map; no record has as many.
pub const MAX_MAPPINGS: usize = 32;

/// The most values one lookup may translate: a list of customers belongs in a file, not in a profile.
pub const MAX_LOOKUPS: usize = 1_000;

/// The longest column name, constant, prefix or lookup value, in characters.
pub const MAX_TEXT: usize = 200;

/// A field that a record has.
#[derive(Clone, Copy, Debug)]
struct Spec {
    name: &'static str,
    sort: Sort,
    required: bool,
}

const fn must(name: &'static str, sort: Sort) -> Spec {
    Spec { name, sort, required: true }
}

const fn may(name: &'static str, sort: Sort) -> Spec {
    Spec { name, sort, required: false }
}

const CUSTOMER: [Spec; 17] = [
    must("id", Sort::Id),
    must("name", Sort::Name),
    may("country", Sort::Country),
    may("currency", Sort::Currency),
    may("language", Sort::Language),
    may("time_zone", Sort::TimeZone),
    may("email", Sort::Email),
    may("phone", Sort::Phone),
    may("credit_limit", Sort::Amount),
    may("status", Sort::CustomerStatus),
    may("segment", Sort::Label),
    may("industry", Sort::Label),
    may("parent_id", Sort::Id),
    may("contact_name", Sort::Name),
    may("contact_role", Sort::Label),
    may("contact_channel", Sort::Channel),
    may("contact_address", Sort::Address),
];

const INVOICE: [Spec; 13] = [
    must("id", Sort::Id),
    must("customer_id", Sort::Id),
    may("kind", Sort::InvoiceKind),
    must("issued_on", Sort::Date),
    may("due_on", Sort::Date),
    must("amount", Sort::Amount),
    must("currency", Sort::Currency),
    may("disputed", Sort::Flag),
    may("relates_to", Sort::Id),
    may("penalty", Sort::Flag),
    may("contract_id", Sort::Id),
    may("instalments", Sort::Instalments),
    may("reference", Sort::Label),
];

const PAYMENT: [Spec; 8] = [
    must("id", Sort::Id),
    must("customer_id", Sort::Id),
    must("received_on", Sort::Date),
    must("amount", Sort::Amount),
    must("currency", Sort::Currency),
    may("invoice_id", Sort::Id),
    may("same_as", Sort::Id),
    may("another", Sort::Flag),
];

fn specs(kind: ImportKind) -> &'static [Spec] {
    match kind {
        ImportKind::Customers => &CUSTOMER,
        ImportKind::Invoices => &INVOICE,
        ImportKind::Payments => &PAYMENT,
    }
}

impl Profile {
    /// The built-in profile `generic`: each column is named like its field, amounts as `1234.56`, dates as
    /// `2024-03-31`, unknown columns refused. It maps all three kinds; an import uses the one it names.
    pub fn generic() -> Self {
        // The dispute flag is left out: whether a debtor contests an invoice is not in an accounting export.
        let mapped = |spec: &&Spec| spec.name != "disputed";
        let field = |spec: &Spec| FieldMapping {
            field: spec.name.to_string(),
            column: Some(spec.name.to_string()),
            constant: None,
            prefix: None,
            date: None,
            lookup: None,
            from_name: None,
            unsigned: None,
        };
        let record = |kind: &ImportKind| RecordMapping {
            kind: *kind,
            when_present: None,
            unless_present: None,
            when_values: None,
            unless_values: None,
            only_new: None,
            partial: None,
            only_where: None,
            unless_where: None,
            void_where: None,
            voids: None,
            updates: None,
            fields: specs(*kind).iter().filter(mapped).map(field).collect(),
        };
        Self {
            name: crate::Id::known(GENERIC),
            description: Some(
                "Columns named like the fields, plain decimals, dates as 2024-03-31.".to_string(),
            ),
            decimal_mark: None,
            thousands_mark: None,
            delimiter: None,
            date: None,
            ignore_unknown: None,
            records: ImportKind::ALL.iter().map(record).collect(),
        }
    }

    /// What stands between the columns of CSV.
    pub fn delimiter(&self) -> u8 {
        match self.delimiter.as_deref() {
            Some(";") => b';',
            Some("\t") => b'\t',
            _ => b',',
        }
    }

    fn number_form(&self) -> NumberForm {
        let mark = |mark: &Option<String>| mark.as_deref().and_then(|mark| mark.chars().next());
        NumberForm {
            decimal: mark(&self.decimal_mark).unwrap_or('.'),
            thousands: mark(&self.thousands_mark),
        }
    }
}

/// Whether a profile document can be used. The refusal is `invalid-profile` and names the place, such as
/// `records[0].fields[2].column`.
///
/// The guards stand in this order: the name, the marks, the number of records, then record by record the number of
/// fields, each field, and what is lacking.
pub fn check(profile: &Profile) -> Result<(), Refused> {
    if profile.name.as_str() == GENERIC && *profile != Profile::generic() {
        return Err(invalid(
            "name",
            "`generic` is built in and cannot be changed; choose another name",
        ));
    }
    if let Some(shipped) = shipped(profile.name.as_str())
        && *profile != shipped
    {
        let detail =
            "the name is that of a shipped profile, which cannot be changed; choose another";
        return Err(invalid("name", detail));
    }
    let described = profile.description.as_deref().unwrap_or_default();
    if described.chars().count() > 1_000 {
        return Err(invalid("description", "a description has at most 1000 characters"));
    }
    mark_is_sound(profile.decimal_mark.as_deref())
        .map_err(|detail| invalid("decimal_mark", detail))?;
    mark_is_sound(profile.thousands_mark.as_deref())
        .map_err(|detail| invalid("thousands_mark", detail))?;
    if profile.delimiter.as_deref().is_some_and(|text| !matches!(text, "," | ";" | "\t")) {
        return Err(invalid("delimiter", "columns are cut at `,`, `;` or a tab"));
    }
    let form = profile.number_form();
    if form.thousands == Some(form.decimal) {
        let detail = format!("`{}` is the decimal mark already", form.decimal);
        return Err(invalid("thousands_mark", detail));
    }
    if profile.records.is_empty() || profile.records.len() > MAX_RECORDS {
        return Err(invalid(
            "records",
            format!("a profile makes 1 to {MAX_RECORDS} records of a row"),
        ));
    }
    let date = profile.date.unwrap_or(DateForm::Ymd);
    for (index, record) in profile.records.iter().enumerate() {
        record_is_sound(record, date, &format!("records[{index}]"))?;
    }
    Ok(())
}

fn invalid(field: &str, detail: impl Into<String>) -> Refused {
    Refused::new(Refusal::InvalidProfile, detail).at(field)
}

fn mark_is_sound(mark: Option<&str>) -> Result<(), &'static str> {
    let Some(mark) = mark else { return Ok(()) };
    let mut chars = mark.chars();
    let (Some(only), None) = (chars.next(), chars.next()) else {
        return Err("a mark is one character");
    };
    if only.is_alphanumeric() || only.is_control() || matches!(only, '-' | '+') {
        return Err("a mark is no letter, digit or sign");
    }
    Ok(())
}

/// Whether the profile says which documents are cancelled, so that the other rows say of theirs that they are not.
pub fn tells_void(profile: &Profile) -> bool {
    profile.records.iter().any(|record| record.void_where.is_some())
}

fn record_is_sound(record: &RecordMapping, date: DateForm, path: &str) -> Result<(), Refused> {
    if record.fields.is_empty() || record.fields.len() > MAX_MAPPINGS {
        let detail = format!("a record maps 1 to {MAX_MAPPINGS} fields");
        return Err(invalid(&format!("{path}.fields"), detail));
    }
    if let Some(column) = &record.unless_present {
        column_is_sound(column)
            .map_err(|detail| invalid(&format!("{path}.unless_present"), detail))?;
    }
    if let Some(column) = &record.when_present {
        column_is_sound(column)
            .map_err(|detail| invalid(&format!("{path}.when_present"), detail))?;
    }
    for (name, values) in
        [("when_values", &record.when_values), ("unless_values", &record.unless_values)]
    {
        let Some(values) = values else { continue };
        if record.when_present.is_none() {
            let detail = "the values are those of the column `when_present`, which is absent";
            return Err(invalid(&format!("{path}.{name}"), detail));
        }
        values_are_sound(values, &format!("{path}.{name}"))?;
    }
    if record.kind != ImportKind::Customers {
        let said = [record.only_new, record.partial, record.updates];
        for (name, said) in ["only_new", "partial", "updates"].into_iter().zip(said) {
            if said == Some(true) {
                return Err(invalid(&format!("{path}.{name}"), "only customers have it"));
            }
        }
    }
    let left_alone = [("only_new", record.only_new), ("partial", record.partial)];
    for (name, _) in left_alone.into_iter().filter(|(_, said)| *said == Some(true)) {
        if record.updates == Some(true) {
            let detail =
                format!("a customer who is there is changed, and by `{name}` is not: take one");
            return Err(invalid(&format!("{path}.updates"), detail));
        }
    }
    if record.void_where.is_some() && record.kind != ImportKind::Invoices {
        return Err(invalid(&format!("{path}.void_where"), "only invoices have it"));
    }
    if record.voids == Some(true) && record.void_where.is_none() {
        return Err(invalid(&format!("{path}.voids"), "`void_where` says of which documents"));
    }
    for (name, pairs) in [
        ("only_where", &record.only_where),
        ("unless_where", &record.unless_where),
        ("void_where", &record.void_where),
    ] {
        let Some(pairs) = pairs else { continue };
        let path = format!("{path}.{name}");
        values_are_sound(pairs, &path)?;
        let sound = |pair: &String| {
            pair.split_once('=').is_some_and(|(column, _)| column_is_sound(column).is_ok())
        };
        if !pairs.iter().all(sound) {
            return Err(invalid(&path, "a column and its value are written as `Status=Posted`"));
        }
    }
    let mut seen = BTreeSet::new();
    for (index, mapping) in record.fields.iter().enumerate() {
        let path = format!("{path}.fields[{index}]");
        let spec = known_field(record.kind, &mapping.field)
            .map_err(|refused| refused.at(&format!("{path}.field")))?;
        if !seen.insert(spec.name) {
            return Err(invalid(
                &format!("{path}.field"),
                format!("`{}` is mapped twice", spec.name),
            ));
        }
        mapping_is_sound(mapping, spec, mapping.date.unwrap_or(date), &path)?;
    }
    let path = format!("{path}.fields");
    if let Some(lacking) =
        specs(record.kind).iter().find(|spec| spec.required && !seen.contains(spec.name))
    {
        return Err(invalid(
            &path,
            format!("`{}` of {} is required and not mapped", lacking.name, record.kind),
        ));
    }
    let contact = ["contact_name", "contact_channel", "contact_address"];
    if contact.iter().any(|field| seen.contains(field)) {
        if let Some(lacking) = contact.iter().find(|field| !seen.contains(*field)) {
            let detail = format!("a contact needs `{lacking}` too, which is not mapped");
            return Err(invalid(&path, detail));
        }
    } else if seen.contains("contact_role") {
        return Err(invalid(&path, "`contact_role` needs the contact that has it"));
    }
    if seen.contains("credit_limit") && !seen.contains("currency") {
        return Err(invalid(
            &path,
            "`credit_limit` needs `currency`, which says what the limit is counted in",
        ));
    }
    Ok(())
}

fn values_are_sound(values: &[String], path: &str) -> Result<(), Refused> {
    if values.is_empty() || values.len() > MAX_LOOKUPS || !values.iter().all(|v| text_is_sound(v)) {
        let detail = format!("1 to {MAX_LOOKUPS} values of at most {MAX_TEXT} characters");
        return Err(invalid(path, detail));
    }
    Ok(())
}

fn known_field(kind: ImportKind, name: &str) -> Result<&'static Spec, Refused> {
    let found = specs(kind).iter().find(|spec| spec.name == name);
    found.ok_or_else(|| {
        let names: Vec<&str> = specs(kind).iter().map(|spec| spec.name).collect();
        let detail =
            format!("`{}` is no field of {kind}, which have {}", shown(name), names.join(", "));
        Refused::new(Refusal::InvalidProfile, detail)
    })
}

fn mapping_is_sound(
    mapping: &FieldMapping,
    spec: &Spec,
    date: DateForm,
    path: &str,
) -> Result<(), Refused> {
    let at = |part: &str| format!("{path}.{part}");
    match (&mapping.column, &mapping.constant) {
        (Some(column), None) => {
            column_is_sound(column).map_err(|detail| invalid(&at("column"), detail))?
        }
        (None, Some(constant)) => {
            let whole = format!("{}{constant}", mapping.prefix.as_deref().unwrap_or_default());
            let whole = if mapping.from_name == Some(true) { value::id_of(&whole) } else { whole };
            spec.sort
                .check(&whole, date)
                .map_err(|refused| invalid(&at("constant"), refused.detail))?;
        }
        (Some(_), Some(_)) => {
            return Err(invalid(
                &at("constant"),
                "a field comes from a column or a constant, not both",
            ));
        }
        (None, None) => {
            return Err(invalid(&at("column"), "a field comes from a column or a constant"));
        }
    }
    if let Some(prefix) = &mapping.prefix {
        if !spec.sort.takes_prefix() {
            return Err(invalid(&at("prefix"), format!("`{}` takes no prefix", spec.name)));
        }
        if prefix.is_empty() || !text_is_sound(prefix) {
            return Err(invalid(
                &at("prefix"),
                format!("a prefix is 1 to {MAX_TEXT} characters without controls"),
            ));
        }
    }
    if mapping.date.is_some() && !matches!(spec.sort, Sort::Date) {
        return Err(invalid(&at("date"), format!("`{}` is no date", spec.name)));
    }
    if mapping.from_name == Some(true) {
        if !matches!(spec.sort, Sort::Id) {
            return Err(invalid(&at("from_name"), format!("`{}` is no id", spec.name)));
        }
        if mapping.prefix.is_some() {
            return Err(invalid(&at("from_name"), "an id made of a name takes no prefix"));
        }
    }
    if mapping.unsigned == Some(true) && !matches!(spec.sort, Sort::Amount) {
        return Err(invalid(&at("unsigned"), format!("`{}` is no amount", spec.name)));
    }
    match &mapping.lookup {
        Some(_) if mapping.constant.is_some() => {
            Err(invalid(&at("lookup"), "a constant needs no lookup"))
        }
        Some(lookup) => lookup_is_sound(lookup, mapping, spec, date, &at("lookup")),
        None => Ok(()),
    }
}

fn lookup_is_sound(
    lookup: &[Lookup],
    mapping: &FieldMapping,
    spec: &Spec,
    date: DateForm,
    path: &str,
) -> Result<(), Refused> {
    if lookup.is_empty() || lookup.len() > MAX_LOOKUPS {
        return Err(invalid(path, format!("a lookup has 1 to {MAX_LOOKUPS} values")));
    }
    let mut seen = BTreeSet::new();
    for (index, entry) in lookup.iter().enumerate() {
        let from = format!("{path}[{index}].from");
        if !text_is_sound(&entry.from) || value::trim(&entry.from) != entry.from {
            let detail = format!(
                "a value is at most {MAX_TEXT} characters without controls or space around it"
            );
            return Err(invalid(&from, detail));
        }
        if !seen.insert(entry.from.as_str()) {
            return Err(invalid(&from, format!("`{}` is listed twice", shown(&entry.from))));
        }
        // An empty target makes the value absent.
        if !entry.to.is_empty() {
            let whole = format!("{}{}", mapping.prefix.as_deref().unwrap_or_default(), entry.to);
            let whole = if mapping.from_name == Some(true) { value::id_of(&whole) } else { whole };
            let bad = |refused: Refused| invalid(&format!("{path}[{index}].to"), refused.detail);
            spec.sort.check(&whole, date).map_err(bad)?;
        }
    }
    Ok(())
}

fn column_is_sound(column: &str) -> Result<(), String> {
    // Header names are trimmed before they are compared, so that a name with space around it would never be found.
    let sound = !column.is_empty() && text_is_sound(column) && value::trim(column) == column;
    sound.then_some(()).ok_or_else(|| {
        format!("a column name is 1 to {MAX_TEXT} characters without controls or space around it")
    })
}

fn text_is_sound(text: &str) -> bool {
    text.chars().count() <= MAX_TEXT && !text.chars().any(char::is_control)
}

/// As much of a text from outside as an error may repeat.
fn shown(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests;
