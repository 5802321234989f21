//! Customers: single writes, groups, merges, and where a customer and its group stand.

use crate::{
    audit::{Author, Note, note},
    invoice::{self, known_at},
    ledger::{self, Change, missing},
    replay,
};
use dunlin_domain::{
    Currency, Date, Id, Instant, Refusal, Refused,
    contract::{
        ledger::{CustomerChange, Exposure, Standing},
        types::{Customer, NewCustomer},
    },
    customer::{changes, check, settled},
    guarantee::{Cover, secured},
    money,
};
use dunlin_store::{
    Db, Fault, When, contract, credit_limit, customer, customer::Place, guarantee,
    invoice as store_invoice, score, watch, write,
};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// The fields that tell of people: the audit chain keeps them apart, so that they can be erased.
const PERSONAL: [&str; 7] =
    ["name", "email", "phone", "tags", "contacts", "representatives", "bank_accounts"];

/// A record as JSON, field by field.
type Fields = Map<String, Value>;

/// Records a customer. The same again is fine; the same id with other content is refused.
pub fn add<D: Db>(
    db: &D,
    new: &NewCustomer,
    made: Id,
    author: &Author,
) -> Result<(Id, Change), Fault> {
    let id = new.id.clone().unwrap_or(made);
    let after = settled(NewCustomer { id: Some(id.clone()), ..new.clone() });
    check(&after)?;
    write(db, |db| {
        let change = match customer::record(db, &id)? {
            None => save(db, &id, None, &after, None, author)?,
            Some((_, stored)) => {
                let before = writable(&stored)?;
                if let Some(field) = differing(&before, &after)? {
                    let detail =
                        format!("the id is stored with another {field}; nothing was changed");
                    return Err(Refused::new(Refusal::DifferentContent, detail).at(&field).into());
                }
                Change::AlreadySo
            }
        };
        Ok((id.clone(), change))
    })
}

/// Replaces a customer, or makes it when it is not there.
pub fn put<D: Db>(db: &D, id: &Id, new: &NewCustomer, author: &Author) -> Result<Change, Fault> {
    put_on(db, id, new, None, author)
}

/// The same of what changed on a day and is known late. Absent: what changed, changed today.
pub fn put_on<D: Db>(
    db: &D,
    id: &Id,
    new: &NewCustomer,
    changed_on: Option<Date>,
    author: &Author,
) -> Result<Change, Fault> {
    write(db, |db| replace(db, id, new, changed_on, author))
}

/// The same inside a transaction that does more.
pub(crate) fn replace<D: Db>(
    db: &D,
    id: &Id,
    new: &NewCustomer,
    changed_on: Option<Date>,
    author: &Author,
) -> Result<Change, Fault> {
    if new.id.as_ref().is_some_and(|other| other != id) {
        let detail = "the id in the body is not the id in the URL";
        return Err(Refused::new(Refusal::MalformedField, detail).at("id").into());
    }
    let after = settled(NewCustomer { id: Some(id.clone()), ..new.clone() });
    check(&after)?;
    let today = ledger::today(db, author.at)?;
    let day = changed_on.unwrap_or(today);
    ledger::not_in_future(day, today, "changed_on")?;
    let Some((key, stored)) = customer::record(db, id)? else {
        return save(db, id, None, &after, changed_on, author);
    };
    let before = writable(&stored)?;
    if before == after {
        return Ok(Change::AlreadySo);
    }
    let left = customer::place(db, id)?.and_then(|place| place.parent_key);
    let change = save(db, id, Some(&before), &after, changed_on, author)?;
    // A head that loses its last member is in no group any more.
    score::outdate(db, &[key, left.unwrap_or(key)])?;
    customer::add_changes(db, key, day, author.at, &changes(&before, &after))?;
    Ok(change)
}

fn save<D: Db>(
    db: &D,
    id: &Id,
    before: Option<&NewCustomer>,
    after: &NewCustomer,
    changed_on: Option<Date>,
    author: &Author,
) -> Result<Change, Fault> {
    let parent = after.parent_id.as_ref().map(|parent| parent_key(db, id, parent)).transpose()?;
    let key = customer::save(db, after, parent)?;
    let (was, was_personal) = before.map(in_two).transpose()?.unzip();
    let (mut is, personal) = in_two(after)?;
    is.extend(changed_on.map(|day| ("changed_on".into(), day.to_string().into())));
    let (action, change) = match before {
        None => ("create", Change::Made),
        Some(_) => ("replace", Change::Replaced),
    };
    let entry = Note::changed(action, "customer", id.as_str(), was.as_ref(), Some(&is))?;
    let personal = serde_json::json!({"before": was_personal, "after": personal});
    let entry = note(db, author, &entry.with_personal(&personal, key)?)?;
    let day = changed_on.map_or_else(|| ledger::today(db, author.at), Ok)?;
    customer::keep_former(db, key, before, day, entry)?;
    Ok(change)
}

/// A record in two: what may be kept, and what tells of people.
fn in_two(record: &NewCustomer) -> Result<(Fields, Fields), Fault> {
    Ok(fields(record)?.into_iter().partition(|(name, _)| !PERSONAL.contains(&name.as_str())))
}

fn fields(record: &NewCustomer) -> Result<Fields, Fault> {
    match serde_json::to_value(record) {
        Ok(Value::Object(fields)) => Ok(fields),
        other => Err(Fault::Db(format!("a customer as JSON: {other:?}"))),
    }
}

/// The first field, by name, in which two records differ.
fn differing(before: &NewCustomer, after: &NewCustomer) -> Result<Option<String>, Fault> {
    let (before, after) = (fields(before)?, fields(after)?);
    let mut names = before.keys().chain(after.keys());
    Ok(names.find(|name| before.get(*name) != after.get(*name)).cloned())
}

/// The stored record as a client would write it. One that was merged is not written any more.
pub(crate) fn writable(stored: &Customer) -> Result<NewCustomer, Refused> {
    if let Some(into) = &stored.merged_into {
        return Err(merged(into).at("id"));
    }
    Ok(NewCustomer {
        id: Some(stored.id.clone()),
        name: stored.name.clone(),
        country: stored.country.clone(),
        currency: stored.currency,
        language: stored.language,
        time_zone: stored.time_zone.clone(),
        email: stored.email.clone(),
        phone: stored.phone.clone(),
        credit_limit: stored.credit_limit,
        parent_id: stored.parent_id.clone(),
        status: Some(stored.status),
        segment: stored.segment.clone(),
        industry: stored.industry.clone(),
        tags: stored.tags.clone(),
        contacts: stored.contacts.clone(),
        representatives: stored.representatives.clone(),
        bank_accounts: stored.bank_accounts.clone(),
    })
}

pub(crate) fn merged(into: &Id) -> Refused {
    let detail = format!("the customer was merged into `{into}`");
    Refused::new(Refusal::CustomerMerged, detail)
}

/// The key of the head of a group that the customer may join: groups have one level.
fn parent_key<D: Db>(db: &D, id: &Id, parent: &Id) -> Result<i64, Fault> {
    let nested = |detail| Refused::new(Refusal::GroupNested, detail).at("parent_id");
    if parent == id {
        return Err(nested("a customer is not its own parent").into());
    }
    let Some(head) = customer::place(db, parent)? else {
        let detail = "no customer has this id";
        return Err(Refused::new(Refusal::UnknownCustomer, detail).at("parent_id").into());
    };
    if let Some((_, into)) = &head.merged {
        return Err(merged(into).at("parent_id").into());
    }
    if head.parent_key.is_some() {
        return Err(nested("the parent has a parent itself; groups have one level").into());
    }
    if customer::place(db, id)?.is_some_and(|own| own.is_parent) {
        return Err(nested("the customer is a parent itself; groups have one level").into());
    }
    Ok(head.key)
}

/// Merges a duplicate into the customer that stays: all its documents move there and are allocated anew.
pub fn merge<D: Db>(db: &D, id: &Id, into: &Id, author: &Author) -> Result<Change, Fault> {
    write(db, |db| {
        let from = customer::place(db, id)?.ok_or_else(|| missing("customer"))?;
        let (to_id, to) = last_of(db, into)?;
        if from.key == to.key {
            let detail = "a customer is not merged into itself";
            return Err(Refused::new(Refusal::CustomerMerged, detail).at("into").into());
        }
        match &from.merged {
            Some((there, _)) if *there == to.key => return Ok(Change::AlreadySo),
            Some((_, there)) => return Err(merged(there).at("into").into()),
            None => {}
        }
        let change = serde_json::json!({"into": to_id});
        let note_of =
            Note::changed("merge", "customer", id.as_str(), None::<&Value>, Some(&change));
        let entry = note(db, author, &note_of?)?;
        let head = to.parent_key.filter(|parent| *parent != from.key).unwrap_or(to.key);
        let day = ledger::today(db, author.at)?;
        let whose = (from.key, to.key, head);
        crate::credit::merge::follow(db, whose, day, (author, entry))?;
        customer::merge(db, whose, day, entry)?;
        credit_limit::refuse_waiting(db, (from.key, to.key), &author.who, entry)?;
        follow_wish(db, (from.key, to.key), day, entry)?;
        score::outdate(db, &[from.parent_key.unwrap_or(to.key)])?;
        replay::customers(db, &[to.key], author.at, Some(entry))?;
        Ok(Change::Replaced)
    })
}

/// Whoever wanted the duplicate watched has the customer watched that stays, but where somebody wants that already.
fn follow_wish<D: Db>(db: &D, (from, to): (i64, i64), day: Date, entry: i64) -> Result<(), Fault> {
    let standing = |key| Ok::<_, Fault>(watch::last(db, key)?.filter(|of| of.2.is_none()));
    let Some((key, wish, _)) = standing(from)? else { return Ok(()) };
    watch::end(db, key, day, entry)?;
    if wish.until.is_some_and(|until| until <= day) || standing(to)?.is_some() {
        return Ok(());
    }
    watch::insert(db, to, &wish, day, entry)
}

/// The customer of this id, or the one that it was merged into: a merge leaves no longer chain.
fn last_of<D: Db>(db: &D, id: &Id) -> Result<(Id, Place), Fault> {
    let unknown = || Refused::new(Refusal::UnknownCustomer, "no customer has this id").at("into");
    let place = customer::place(db, id)?.ok_or_else(unknown)?;
    match &place.merged {
        None => Ok((id.clone(), place)),
        Some((_, into)) => {
            let last = customer::place(db, into)?.ok_or_else(unknown)?;
            Ok((into.clone(), last))
        }
    }
}

/// What changed of a customer's record up to the day and was recorded by a moment, by day and then as it was recorded, after
/// a place in that order.
pub fn changes_of<D: Db>(
    db: &D,
    id: &Id,
    after: &(String, i64),
    limit: u32,
    day: Date,
    moment: Option<Instant>,
) -> Result<Vec<CustomerChange>, Fault> {
    let when = When { day, known: known_at(db, moment)? };
    customer::then(db, id, when)?.ok_or_else(|| missing("customer"))?;
    customer::changes(db, id, after, limit, day, moment)
}

/// What a customer and its group owe on the day, and what of it is secured.
pub fn standing<D: Db>(db: &D, id: &Id, when: impl Into<When>) -> Result<Standing, Fault> {
    let when = when.into();
    let (key, record) = customer::then(db, id, when)?.ok_or_else(|| missing("customer"))?;
    let parent = match &record.parent_id {
        Some(parent) => customer::then(db, parent, when)?,
        None => None,
    };
    let (head_key, head) = parent.unwrap_or((key, record));
    let members = customer::group(db, head_key, when)?;
    let by_member = exposures(db, &members, when)?;
    let own = by_member.iter().filter(|(of, _)| *of == key);
    let own = own.map(|(_, exposure)| exposure.clone()).collect();
    // Who is no member of another's group and has no member is in none.
    let (group_id, group_limit, group) = match members.len() {
        ..=1 => (None, None, Vec::new()),
        _ => (Some(head.id), head.credit_limit, in_sum(&by_member)?),
    };
    Ok(Standing { customer_id: id.clone(), as_of: when.day, own, group_id, group_limit, group })
}

/// A guarantee that is not in force any more, with its first and last day.
type Ended = (Cover, (Date, Date));

/// What guarantees that ended can still be claimed for: what fell due while they were in force and is open.
fn claimable<D: Db>(
    db: &D,
    (customer, currency): (i64, Currency),
    ended: &[Ended],
    when: When,
) -> Result<i64, Fault> {
    let keys = store_invoice::keys_of(db, customer)?;
    let reading = invoice::Reading::of(db, &keys, when.day, when.known)?;
    let mut debts = vec![0i64; ended.len()];
    let claims: Vec<_> =
        reading.claims_open().filter(|(claim, _)| claim.currency == currency).collect();
    let contracts = claims.iter().filter_map(|(claim, _)| claim.contract_id.as_ref()).collect();
    let contracts = contract::keys(db, &contracts)?;
    let mut all = 0i64;
    for (claim, open) in claims {
        let contract = claim.contract_id.as_ref().and_then(|id| contracts.get(id)).copied();
        let mut secures = false;
        for ((cover, (from, to)), debt) in ended.iter().zip(&mut debts) {
            let of_debt = cover.contract.is_none() || cover.contract == contract;
            if of_debt && (*from..=*to).contains(&claim.due_on) {
                *debt = debt.saturating_add(open);
                secures = true;
            }
        }
        all = all.saturating_add(if secures { open } else { 0 });
    }
    let borne = ended.iter().zip(debts).map(|((cover, _), debt)| cover.bears(debt));
    Ok(borne.fold(0i64, i64::saturating_add).min(all))
}

/// What each of these customers owes in each currency, and what of it is secured.
fn exposures<D: Db>(db: &D, keys: &[i64], when: When) -> Result<Vec<(i64, Exposure)>, Fault> {
    let mut covers: BTreeMap<(i64, Currency), Vec<Cover>> = BTreeMap::new();
    let mut ended: BTreeMap<(i64, Currency), Vec<Ended>> = BTreeMap::new();
    for (customer, currency, cover, days) in guarantee::in_force(db, keys, when)? {
        match days {
            None => covers.entry((customer, currency)).or_default().push(cover),
            Some(days) => ended.entry((customer, currency)).or_default().push((cover, days)),
        }
    }
    let mut under: BTreeMap<(i64, Currency), BTreeMap<i64, i64>> = BTreeMap::new();
    for (customer, currency, contract, minor) in contract::outstanding(db, keys, when)? {
        under.entry((customer, currency)).or_default().insert(contract, minor);
    }
    let balances = customer::balances(db, keys, when)?;
    let mut found = Vec::new();
    for key in keys {
        for balance in balances.get(key).into_iter().flatten() {
            let of = (*key, balance.currency);
            let covers = covers.get(&of).map(Vec::as_slice).unwrap_or_default();
            let none = BTreeMap::new();
            let under = under.get(&of).unwrap_or(&none);
            let mut secured_minor = secured(covers, balance.outstanding_minor, under);
            if let Some(ended) = ended.get(&of) {
                let claimable = claimable(db, of, ended, when)?;
                secured_minor =
                    secured_minor.saturating_add(claimable).min(balance.outstanding_minor);
            }
            let exposure = Exposure {
                currency: balance.currency,
                outstanding_minor: balance.outstanding_minor,
                unapplied_minor: balance.unapplied_minor,
                secured_minor,
                exposure_minor: balance.outstanding_minor.saturating_sub(secured_minor),
            };
            found.push((*key, exposure));
        }
    }
    Ok(found)
}

/// The sum over customers, by currency.
fn in_sum(exposures: &[(i64, Exposure)]) -> Result<Vec<Exposure>, Fault> {
    let mut sums: BTreeMap<Currency, Vec<&Exposure>> = BTreeMap::new();
    for (_, exposure) in exposures {
        sums.entry(exposure.currency).or_default().push(exposure);
    }
    let total = |(currency, parts): (Currency, Vec<&Exposure>)| {
        let sum = |of: fn(&Exposure) -> i64| money::sum(parts.iter().map(|part| of(part)));
        Ok(Exposure {
            currency,
            outstanding_minor: sum(|part| part.outstanding_minor)?,
            unapplied_minor: sum(|part| part.unapplied_minor)?,
            secured_minor: sum(|part| part.secured_minor)?,
            exposure_minor: sum(|part| part.exposure_minor)?,
        })
    };
    sums.into_iter().map(total).collect()
}
