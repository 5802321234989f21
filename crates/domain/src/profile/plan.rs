//! A profile compiled against one header: every field knows its column by number.

use super::{GENERIC, MAX_COLUMNS, RecordMapping, check, shown, value};
use crate::contract::ingest::{DateForm, FieldMapping, ImportKind, Profile};
use crate::money::NumberForm;
use crate::{Currency, Refusal, Refused};
use std::collections::{BTreeMap, BTreeSet};

/// One row of a source, by column. `None` is a column that the row does not have, which reads like an empty one.
pub trait Fields {
    /// The text in the column with this number, counted from 0 in the order of the plan's columns.
    fn get(&self, column: usize) -> Option<&str>;
}

impl Fields for [&str] {
    fn get(&self, column: usize) -> Option<&str> {
        <[&str]>::get(self, column).copied()
    }
}

/// How the rows of one file become records.
#[derive(Clone, Debug)]
pub struct Plan {
    pub(super) records: Vec<Record>,
    pub(super) numbers: NumberForm,
    pub(super) zone_is_known: fn(&str) -> bool,
    /// The currency of amounts that have none beside them.
    pub(super) currency: Option<Currency>,
    columns: Vec<String>,
    ignore_unknown: bool,
}

/// One record that each row gives.
#[derive(Clone, Debug)]
pub(super) struct Record {
    pub(super) when_present: Option<usize>,
    pub(super) when_values: Option<Vec<String>>,
    pub(super) unless_values: Option<Vec<String>>,
    pub(super) unless_present: Option<usize>,
    pub(super) only: Option<Vec<Pair>>,
    pub(super) unless: Vec<Pair>,
    /// Where one of them stands, the document is void at its source.
    pub(super) void: Vec<Pair>,
    /// Such a document is void here too.
    pub(super) voids: bool,
    pub(super) noun: Noun,
}

/// A column, where the file has it, and a value.
pub(super) type Pair = (Option<usize>, String);

#[derive(Clone, Debug)]
pub(super) enum Noun {
    Customer(Box<Customer>),
    Invoice(Box<Invoice>),
    Payment(Box<Payment>),
}

#[derive(Clone, Debug)]
pub(super) struct Customer {
    pub(super) id: Source,
    pub(super) name: Source,
    pub(super) country: Source,
    pub(super) currency: Source,
    pub(super) language: Source,
    pub(super) time_zone: Source,
    pub(super) email: Source,
    pub(super) phone: Source,
    pub(super) credit_limit: Source,
    pub(super) status: Source,
    pub(super) segment: Source,
    pub(super) industry: Source,
    pub(super) parent_id: Source,
    pub(super) contact: Contact,
    /// How a customer who is there is compared: 0 as a whole, 1 not at all, 2 by what the row says, 3 the
    /// same and changed.
    pub(super) compared: i64,
}

/// Whom to reach, by its columns.
#[derive(Clone, Debug)]
pub(super) struct Contact {
    pub(super) name: Source,
    pub(super) role: Source,
    pub(super) channel: Source,
    pub(super) address: Source,
}

impl Customer {
    /// Whether anything is said of status, segment or industry: most files have none of them, and shorter rows.
    pub(super) fn is_classed(&self) -> bool {
        let classes = [&self.status, &self.segment, &self.industry];
        classes.iter().any(|source| source.is_mapped()) || self.is_placed()
    }

    /// Whether anything is said of the group or of whom to reach.
    pub(super) fn is_placed(&self) -> bool {
        self.parent_id.is_mapped() || self.contact.name.is_mapped() || self.compared != 0
    }
}

#[derive(Clone, Debug)]
pub(super) struct Invoice {
    pub(super) id: Source,
    pub(super) customer_id: Source,
    pub(super) kind: Source,
    pub(super) issued_on: Source,
    pub(super) due_on: Source,
    pub(super) amount: Source,
    pub(super) currency: Source,
    pub(super) disputed: Source,
    pub(super) relates_to: Source,
    pub(super) penalty: Source,
    pub(super) contract_id: Source,
    pub(super) instalments: Source,
    pub(super) reference: Source,
}

impl Invoice {
    /// Whether anything is said beyond the amount: most files have none of it, and shorter rows.
    pub(super) fn has_terms(&self) -> bool {
        let Self { relates_to, penalty, contract_id, instalments, reference, .. } = self;
        [relates_to, penalty, contract_id, instalments, reference]
            .iter()
            .any(|source| source.is_mapped())
    }
}

#[derive(Clone, Debug)]
pub(super) struct Payment {
    pub(super) id: Source,
    pub(super) customer_id: Source,
    pub(super) received_on: Source,
    pub(super) amount: Source,
    pub(super) currency: Source,
    pub(super) invoice_id: Source,
    pub(super) same_as: Source,
    pub(super) another: Source,
}

/// Where one field comes from.
#[derive(Clone, Debug)]
pub(super) struct Source {
    pub(super) from: Origin,
    /// What an error calls it: the column, or the field where there is no column.
    pub(super) name: String,
    pub(super) prefix: Option<String>,
    pub(super) lookup: Option<BTreeMap<String, String>>,
    pub(super) date: DateForm,
    pub(super) from_name: bool,
    pub(super) unsigned: bool,
}

impl Source {
    pub(super) fn is_mapped(&self) -> bool {
        !matches!(self.from, Origin::Absent)
    }
}

#[derive(Clone, Debug)]
pub(super) enum Origin {
    Absent,
    Column(usize),
    Constant(String),
}

impl Plan {
    /// Compiles the profile for the columns of a header. With the profile `generic` each row gives one record of
    /// `kind`; with any other profile all its records, of which `kind` must be one.
    ///
    /// The guards stand in this order: the profile itself (`invalid-profile`), the kind (`malformed-parameter`), then
    /// of the header `too-many-columns`, `malformed-text`, `duplicate-column`, `unknown-column`, `missing-column`.
    pub fn new(
        profile: &Profile,
        kind: ImportKind,
        header: &[&str],
        currency: Option<Currency>,
        zone_is_known: fn(&str) -> bool,
    ) -> Result<Self, Refused> {
        check(profile)?;
        let records = records_for(profile, kind)?;
        let columns: Vec<String> =
            header.iter().map(|name| value::trim(name).to_string()).collect();
        names_are_sound(&columns)?;
        if profile.ignore_unknown != Some(true) {
            all_are_mapped(&columns, &records)?;
        }
        none_is_missing(&columns, &records, currency.is_some())?;
        Ok(compile(profile, &records, columns, currency, zone_is_known))
    }

    /// Compiles the profile for a source that names its columns in every row. The columns are those that the profile
    /// maps; none can be missing before a row is read.
    pub fn for_objects(
        profile: &Profile,
        kind: ImportKind,
        currency: Option<Currency>,
        zone_is_known: fn(&str) -> bool,
    ) -> Result<Self, Refused> {
        check(profile)?;
        let records = records_for(profile, kind)?;
        let mut columns: Vec<String> = Vec::new();
        for column in mapped(&records) {
            if !columns.iter().any(|known| known == column) {
                columns.push(column.to_string());
            }
        }
        Ok(compile(profile, &records, columns, currency, zone_is_known))
    }

    /// The columns in order, trimmed.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The number of the column with this name. `expected` is where it stands if this row is like the last one.
    pub fn column(&self, name: &str, expected: usize) -> Option<usize> {
        if self.columns.get(expected).is_some_and(|column| column == name) {
            return Some(expected);
        }
        self.columns.iter().position(|column| column == name)
    }

    /// Whether the column may hold a list: that of instalments.
    pub fn takes_list(&self, column: usize) -> bool {
        self.records.iter().any(|record| match &record.noun {
            Noun::Invoice(from) => {
                matches!(from.instalments.from, Origin::Column(number) if number == column)
            }
            Noun::Customer(_) | Noun::Payment(_) => false,
        })
    }

    /// Whether columns that nothing maps are left alone.
    pub fn ignores_unknown(&self) -> bool {
        self.ignore_unknown
    }
}

fn records_for(profile: &Profile, kind: ImportKind) -> Result<Vec<&RecordMapping>, Refused> {
    let one_kind = profile.name.as_str() == GENERIC;
    if !profile.records.iter().any(|record| record.kind == kind) {
        let detail = format!("the profile `{}` makes no {kind}", profile.name);
        return Err(Refused::new(Refusal::MalformedParameter, detail).at("kind"));
    }
    Ok(profile.records.iter().filter(|record| !one_kind || record.kind == kind).collect())
}

fn mapped<'a>(records: &[&'a RecordMapping]) -> impl Iterator<Item = &'a str> {
    let of = |record: &&'a RecordMapping| {
        let fields = record.fields.iter().filter_map(|mapping| mapping.column.as_deref());
        let conditions = record.when_present.iter().chain(&record.unless_present);
        let pairs = [&record.only_where, &record.unless_where, &record.void_where];
        let pairs = pairs.into_iter().flatten().flatten();
        let pairs = pairs.filter_map(|pair| Some(pair.split_once('=')?.0));
        let conditions = conditions.map(String::as_str).chain(pairs);
        fields.chain(conditions).collect::<Vec<&'a str>>()
    };
    records.iter().flat_map(of).collect::<Vec<_>>().into_iter()
}

fn names_are_sound(columns: &[String]) -> Result<(), Refused> {
    if columns.len() > MAX_COLUMNS {
        let detail =
            format!("the header has {} columns; at most {MAX_COLUMNS} are read", columns.len());
        return Err(Refused::new(Refusal::TooManyColumns, detail));
    }
    let mut seen = BTreeSet::new();
    for column in columns {
        value::no_controls(column).map_err(|refused| refused.at(&shown(column)))?;
        // A column without a name is not a name used twice: it is reported as unknown.
        if !column.is_empty() && !seen.insert(column.as_str()) {
            let detail = format!("the header names `{}` twice", shown(column));
            return Err(Refused::new(Refusal::DuplicateColumn, detail).at(&shown(column)));
        }
    }
    Ok(())
}

fn all_are_mapped(columns: &[String], records: &[&RecordMapping]) -> Result<(), Refused> {
    let mut known: BTreeSet<&str> = BTreeSet::new();
    // Extending it takes less code than collecting it, which sorts.
    known.extend(mapped(records));
    let unknown = columns.iter().zip(1u32..).filter(|(column, _)| !known.contains(column.as_str()));
    let unknown: Vec<(String, u32)> =
        unknown.map(|(column, number)| (shown(column), number)).collect();
    let called = |(column, number): &(String, u32)| match column.as_str() {
        "" => (format!("column {number}"), format!("column {number}, which has no name")),
        column => (column.to_string(), format!("`{column}`")),
    };
    let (fields, names): (Vec<String>, Vec<String>) = unknown.iter().take(10).map(called).unzip();
    let Some(first) = fields.first() else { return Ok(()) };
    let known: Vec<&str> = known.into_iter().collect();
    let detail =
        format!("the profile does not map {}; it maps {}", names.join(", "), known.join(", "));
    Err(Refused::new(Refusal::UnknownColumn, detail).at(first))
}

fn none_is_missing(
    columns: &[String],
    records: &[&RecordMapping],
    currency_is_known: bool,
) -> Result<(), Refused> {
    let needed = |record: &&RecordMapping| {
        let required = |mapping: &&FieldMapping| {
            let known = currency_is_known && mapping.field == "currency";
            !known
                && super::specs(record.kind)
                    .iter()
                    .any(|spec| spec.required && spec.name == mapping.field)
        };
        let fields =
            record.fields.iter().filter(required).filter_map(|mapping| mapping.column.clone());
        fields.chain(record.when_present.clone()).collect::<Vec<String>>()
    };
    let mut missing: Vec<String> =
        records.iter().flat_map(needed).filter(|column| !columns.contains(column)).collect();
    missing.dedup();
    let Some(first) = missing.first() else { return Ok(()) };
    let names: Vec<String> = missing.iter().take(10).map(|column| format!("`{column}`")).collect();
    Err(Refused::new(Refusal::MissingColumn, format!("the header lacks {}", names.join(", ")))
        .at(first))
}

fn compile(
    profile: &Profile,
    records: &[&RecordMapping],
    columns: Vec<String>,
    currency: Option<Currency>,
    zone_is_known: fn(&str) -> bool,
) -> Plan {
    let date = profile.date.unwrap_or(DateForm::Ymd);
    let compiled = |record: &&RecordMapping| {
        let place = |name: &Option<String>| {
            name.as_ref().and_then(|name| columns.iter().position(|column| column == name))
        };
        let pairs = |said: &Option<Vec<String>>| -> Vec<Pair> {
            let of = |pair: &String| {
                let (column, value) = pair.split_once('=').unwrap_or((pair, ""));
                (columns.iter().position(|name| name == column), value.to_string())
            };
            said.iter().flatten().map(of).collect()
        };
        Record {
            only: record.only_where.is_some().then(|| pairs(&record.only_where)),
            unless: pairs(&record.unless_where),
            void: pairs(&record.void_where),
            voids: record.voids == Some(true),
            when_present: place(&record.when_present),
            unless_present: place(&record.unless_present),
            when_values: record.when_values.clone(),
            unless_values: record.unless_values.clone(),
            noun: noun(record, &columns, date),
        }
    };
    Plan {
        records: records.iter().map(compiled).collect(),
        numbers: profile.number_form(),
        zone_is_known,
        currency,
        ignore_unknown: profile.ignore_unknown == Some(true),
        columns,
    }
}

fn noun(record: &RecordMapping, columns: &[String], date: DateForm) -> Noun {
    let of = |field: &str| source(record, field, columns, date);
    match record.kind {
        ImportKind::Customers => Noun::Customer(Box::new(Customer {
            id: of("id"),
            name: of("name"),
            country: of("country"),
            currency: of("currency"),
            language: of("language"),
            time_zone: of("time_zone"),
            email: of("email"),
            phone: of("phone"),
            credit_limit: of("credit_limit"),
            status: of("status"),
            segment: of("segment"),
            industry: of("industry"),
            parent_id: of("parent_id"),
            contact: Contact {
                name: of("contact_name"),
                role: of("contact_role"),
                channel: of("contact_channel"),
                address: of("contact_address"),
            },
            compared: match (record.only_new, record.updates, record.partial) {
                (Some(true), _, _) => 1,
                (_, Some(true), _) => 3,
                (_, _, Some(true)) => 2,
                _ => 0,
            },
        })),
        ImportKind::Invoices => Noun::Invoice(Box::new(Invoice {
            id: of("id"),
            customer_id: of("customer_id"),
            kind: of("kind"),
            issued_on: of("issued_on"),
            due_on: of("due_on"),
            amount: of("amount"),
            currency: of("currency"),
            disputed: of("disputed"),
            relates_to: of("relates_to"),
            penalty: of("penalty"),
            contract_id: of("contract_id"),
            instalments: of("instalments"),
            reference: of("reference"),
        })),
        ImportKind::Payments => Noun::Payment(Box::new(Payment {
            id: of("id"),
            customer_id: of("customer_id"),
            received_on: of("received_on"),
            amount: of("amount"),
            currency: of("currency"),
            invoice_id: of("invoice_id"),
            same_as: of("same_as"),
            another: of("another"),
        })),
    }
}

fn source(record: &RecordMapping, field: &str, columns: &[String], date: DateForm) -> Source {
    let absent = Source {
        from: Origin::Absent,
        name: field.to_string(),
        prefix: None,
        lookup: None,
        date,
        from_name: false,
        unsigned: false,
    };
    let Some(mapping) = record.fields.iter().find(|mapping| mapping.field == field) else {
        return absent;
    };
    let column = mapping.column.as_ref();
    let from = match (
        column.and_then(|name| columns.iter().position(|column| column == name)),
        &mapping.constant,
    ) {
        (Some(column), _) => Origin::Column(column),
        (None, Some(constant)) => Origin::Constant(constant.clone()),
        (None, None) => Origin::Absent,
    };
    let pairs = |lookup: &Vec<super::Lookup>| {
        let mut pairs = BTreeMap::new();
        pairs.extend(lookup.iter().map(|pair| (pair.from.clone(), pair.to.clone())));
        pairs
    };
    Source {
        from,
        name: column.cloned().unwrap_or_else(|| field.to_string()),
        prefix: mapping.prefix.clone(),
        lookup: mapping.lookup.as_ref().map(pairs),
        date: mapping.date.unwrap_or(date),
        from_name: mapping.from_name == Some(true),
        unsigned: mapping.unsigned == Some(true),
    }
}
