//! What others say of a customer: single records and files of them, by one flow.

use crate::{
    audit::{Author, Note, note, sha256},
    customer::merged,
    event as feed,
    ledger::{Change, missing, not_in_future, today},
};
use dunlin_domain::{
    Date, Id, Instant, Refusal, Refused,
    contract::{events::EventData, ingest::RowError},
    external::External,
};
use dunlin_store::{Db, Fault, customer, event, external, external::Before, score, write};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The readings of a name, by the day on which each was known.
type Readings<T> = BTreeMap<Date, T>;

/// What is told of a file, and of each customer that it is about.
const IMPORTED: &str = "external-fact.imported";

/// A row to add: customer, name, day, known on, record.
type New<T> = (i64, String, Date, Date, T);

/// Records what somebody says of a customer. The same again is fine; what is known on a later day corrects.
pub fn put<D: Db, T: External>(db: &D, record: &T, author: &Author) -> Result<(T, Change), Fault> {
    let done = write(db, |db| {
        let mut batch = Batch::read(db, std::slice::from_ref(record), author)?;
        let (stored, change) = batch.take(record)?;
        if change != Change::AlreadySo {
            let owner = stored.customer().map_or("", Id::as_str);
            let action = if change == Change::Made { "create" } else { "replace" };
            let said = json!({"kind": T::KIND, "record": stored});
            let entry = Note::changed(action, "external_fact", owner, None::<&Value>, Some(&said))?;
            let entry = note(db, author, &entry)?;
            batch.record(db, entry)?;
        }
        Ok((stored, change))
    })?;
    Ok(done)
}

/// What a slice of a file came to: how many rows were recorded and how many were there, and why others were not.
#[derive(Clone, Debug, Default)]
pub struct Taken {
    pub accepted: u64,
    pub unchanged: u64,
    pub errors: Vec<RowError>,
}

/// Takes in a slice of a file, in one transaction. Rows at fault are left out.
pub fn take_in<D: Db, T: External>(
    db: &D,
    import: &Id,
    rows: &[(u64, T)],
    author: &Author,
) -> Result<Taken, Fault> {
    let records: Vec<T> = rows.iter().map(|(_, record)| record.clone()).collect();
    write(db, |db| {
        let mut batch = Batch::read(db, &records, author)?;
        let mut taken = Taken::default();
        for (row, record) in rows {
            match batch.take(record) {
                Ok((_, Change::AlreadySo)) => taken.unchanged = taken.unchanged.saturating_add(1),
                Ok(_) => taken.accepted = taken.accepted.saturating_add(1),
                Err(Refused { code, detail, field }) => {
                    taken.errors.push(RowError { row: *row, field, code, detail });
                }
            }
        }
        if !batch.new.is_empty() {
            let new = serde_json::to_string(&batch.new).map_err(|e| Fault::Db(e.to_string()))?;
            let brought =
                json!({"kind": T::KIND, "accepted": taken.accepted, "rows": sha256(&[&new])});
            let entry = Note::changed(
                "import",
                "external_fact",
                import.as_str(),
                None::<&Value>,
                Some(&brought),
            )?;
            let entry = note(db, author, &entry)?;
            batch.record(db, entry)?;
            batch.tell(db, entry, author.at)?;
        }
        Ok(taken)
    })
}

/// Records beside what is stored of the same names.
struct Batch<T> {
    today: Date,
    owners: HashMap<Id, (i64, Option<Id>)>,
    stored: HashMap<(i64, String), Readings<T>>,
    new: Vec<New<T>>,
}

impl<T: External> Batch<T> {
    fn read<D: Db>(db: &D, records: &[T], author: &Author) -> Result<Self, Fault> {
        let mut ids: Vec<&Id> = records.iter().filter_map(External::customer).collect();
        ids.sort();
        ids.dedup();
        let owners: HashMap<Id, (i64, Option<Id>)> = external::owners(db, &ids)?
            .into_iter()
            .map(|(id, key, merged)| (id, (key, merged)))
            .collect();
        let named = records.iter().filter_map(|record| {
            let (key, _) = owners.get(record.customer()?)?;
            Some((*key, record.name().ok()?))
        });
        let mut names: Vec<(i64, String)> = named.collect();
        names.sort();
        names.dedup();
        let names: Vec<(i64, &str)> = names.iter().map(|(key, name)| (*key, &**name)).collect();
        let mut stored: HashMap<(i64, String), Readings<T>> = HashMap::new();
        for (key, name, known_on, record) in external::readings(db, T::KIND, &names)? {
            stored.entry((key, name)).or_default().insert(known_on, record);
        }
        Ok(Self { today: today(db, author.at)?, owners, stored, new: Vec::new() })
    }

    /// The record as it stands with what became of it.
    fn take(&mut self, record: &T) -> Result<(T, Change), Refused> {
        record.check()?;
        let (day, field) = record.day()?;
        not_in_future(day, self.today, field)?;
        let name = record.name()?;
        let key = self.owner(record)?;
        let readings = self.stored.entry((key, name.clone())).or_default();
        let known_on = match record.known_on() {
            Some(on) => on,
            None => match readings.last_key_value() {
                Some((on, last)) if record.clone().known(*on) == *last => *on,
                _ => self.today,
            },
        };
        not_in_future(known_on, self.today, "known_on")?;
        if known_on < day {
            let detail = format!("nothing is known before its day, {day}");
            return Err(Refused::new(Refusal::MalformedField, detail).at("known_on"));
        }
        let record = record.clone().known(known_on);
        match readings.get(&known_on) {
            Some(stored) if *stored == record => return Ok((record, Change::AlreadySo)),
            Some(stored) => {
                let field = differing(stored, &record);
                let detail = format!(
                    "what was known on {known_on} is stored with another {field}; a correction is known on a later day"
                );
                return Err(Refused::new(Refusal::DifferentContent, detail).at(&field));
            }
            None => {}
        }
        let change = if readings.is_empty() { Change::Made } else { Change::Replaced };
        readings.insert(known_on, record.clone());
        self.new.push((key, name, day, known_on, record.clone()));
        Ok((record, change))
    }

    /// Adds what is new. Those it is about are judged by more than before.
    fn record<D: Db>(&self, db: &D, entry: i64) -> Result<(), Fault> {
        external::insert_all(db, T::KIND, &self.new, entry)?;
        let customers: Vec<i64> = self.new.iter().map(|row| row.0).collect();
        score::outdate(db, &customers)
    }

    /// Tells of each customer that something of the file is about, so that it is judged.
    fn tell<D: Db>(&self, db: &D, entry: i64, at: Instant) -> Result<(), Fault> {
        let keys: BTreeSet<i64> = self.new.iter().map(|row| row.0).collect();
        let owners = self.owners.iter().filter(|(_, (key, _))| keys.contains(key));
        let data = EventData { entry: u64::try_from(entry).ok(), ..feed::nothing() };
        let told = owners.map(|(id, (key, _))| (IMPORTED, *key, id.clone(), data.clone()));
        let mut told: Vec<_> = told.collect();
        told.sort_by_key(|row| row.1);
        event::add_all(db, &told, at)
    }

    fn owner(&self, record: &T) -> Result<i64, Refused> {
        let field = "customer_id";
        let absent = || Refused::new(Refusal::MissingField, "the field is missing").at(field);
        let id = record.customer().ok_or_else(absent)?;
        match self.owners.get(id) {
            None => {
                Err(Refused::new(Refusal::UnknownCustomer, "no customer has this id").at(field))
            }
            Some((_, Some(into))) => Err(merged(into).at(field)),
            Some((key, None)) => Ok(*key),
        }
    }
}

/// The first field, by name, in which two records differ.
fn differing<T: External>(stored: &T, record: &T) -> String {
    let fields = |of: &T| match json!(of) {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    let (stored, record) = (fields(stored), fields(record));
    let mut names = stored.keys().chain(record.keys());
    names.find(|name| stored.get(*name) != record.get(*name)).cloned().unwrap_or_default()
}

/// The customer's record of this name as it was known on the day.
pub fn get<D: Db, T: External>(db: &D, id: &Id, name: &str, day: Date) -> Result<T, Fault> {
    let key = customer::key(db, id)?.ok_or_else(|| missing("customer"))?;
    external::get(db, key, T::KIND, name, day)?.ok_or_else(|| missing("record"))
}

/// The customer's records of the kind as they were known on the day, the latest first.
pub fn list<D: Db, T: External>(
    db: &D,
    id: &Id,
    day: Date,
    before: &Before,
    limit: u32,
) -> Result<Vec<(Before, T)>, Fault> {
    let key = customer::key(db, id)?.ok_or_else(|| missing("customer"))?;
    external::page(db, key, T::KIND, day, before, limit)
}
