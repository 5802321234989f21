//! Somebody says what an entry is, or that it is none of its candidates.

use super::world::{DAYS_APART, may_be_ids};
use crate::{
    audit::{self, Author, Note},
    ledger::{Change, known_customer, missing},
    payment::{self, names},
};
use dunlin_domain::{
    Date, Decimal, Id, Money, Refusal, Refused,
    bank::{charge, matching as rule, name::Name},
    contract::{
        bank::{BankMatch, Candidate, Confirmation, MatchReason, MatchState, Rejection},
        ledger::NewReversal,
        types::{Deduction, Designation, Difference, NewPayment, ReversalKind},
    },
    text,
};
use dunlin_store::{Db, Fault, bank, customer, invoice, matching, reversal, write};
use serde_json::json;

/// What stands before the id of a match in the id of its payment or reversal.
const BOOKED: &str = "bank-";

/// The id of the payment or reversal of a match.
pub(super) fn booked(id: &Id) -> String {
    format!("{BOOKED}{id}")
}

/// Matches after a key: all, or those in a state, or of them those alone that are booked and not for all of what came.
pub fn matches<D: Db>(
    db: &D,
    after: i64,
    limit: u32,
    of: (Option<MatchState>, bool),
) -> Result<Vec<(i64, BankMatch)>, Fault> {
    let mut found = bank::matches(db, after, limit, of, None)?;
    follow(db, &mut found)?;
    Ok(found)
}

/// A match.
pub fn get<D: Db>(db: &D, id: &Id) -> Result<BankMatch, Fault> {
    Ok(found(db, id)?.1)
}

fn found<D: Db>(db: &D, id: &Id) -> Result<(i64, BankMatch), Fault> {
    let mut found = bank::matches(db, 0, 1, (None, false), Some(id))?;
    follow(db, &mut found)?;
    found.pop().ok_or_else(|| missing("match"))
}

/// Has candidates name the payments that took the place of mistakes, and the customers that stayed: they are kept as they
/// were when the statement came.
fn follow<D: Db>(db: &D, found: &mut [(i64, BankMatch)]) -> Result<(), Fault> {
    let candidates = found.iter().flat_map(|(_, of)| &of.candidates);
    let payments = candidates.filter_map(|of| of.payment_id.as_ref()).map(Id::as_str);
    let payments: Vec<&str> = payments.filter(|id| id.starts_with(BOOKED)).collect();
    if !payments.is_empty() {
        let anew = bank::booked_anew(db, &payments)?;
        for candidate in found.iter_mut().flat_map(|(_, of)| &mut of.candidates) {
            let now =
                anew.iter().find(|(before, ..)| candidate.payment_id.as_ref() == Some(before));
            if let Some((_, now, customer)) = now {
                (candidate.payment_id, candidate.customer_id) =
                    (Some(now.clone()), customer.clone());
            }
        }
    }
    let mut named: Vec<&str> =
        found.iter().flat_map(|(_, of)| &of.candidates).map(|of| of.customer_id.as_str()).collect();
    named.sort_unstable();
    named.dedup();
    if named.is_empty() {
        return Ok(());
    }
    let merged = customer::merged_into(db, &named)?;
    for candidate in found.iter_mut().flat_map(|(_, of)| &mut of.candidates) {
        let into = merged.iter().find(|(gone, _)| *gone == candidate.customer_id);
        if let Some((_, stayed)) = into {
            candidate.customer_id = stayed.clone();
        }
    }
    Ok(())
}

/// Somebody says what an entry is: its payment or reversal is booked, and the payer's account is learned.
pub fn confirm<D: Db>(
    db: &D,
    id: &Id,
    new: &Confirmation,
    author: &Author,
) -> Result<Change, Fault> {
    write(db, |db| {
        let (key, item) = found(db, id)?;
        if item.state == MatchState::Automatic {
            let detail = "the rule booked it: reverse its payment if that is wrong";
            return Err(Fault::refused(Refusal::WrongState, detail));
        }
        let said = said(&item, new)?;
        if item.state != MatchState::Confirmed && new.another != Some(true) {
            unless_repeated(db, &item)?;
        }
        let (booked, mistake) = booked_now(db, key, id)?;
        let done = if item.minor > 0 {
            if item.state != MatchState::Confirmed {
                enough(db, &item, &said)?;
                if new.another != Some(true) {
                    unless_paid(db, &item, &said)?;
                }
            }
            pay(db, &item, &said, booked, author)?
        } else {
            if item.state != MatchState::Confirmed && new.another != Some(true) {
                unless_returned(db, &item, &said, new.minor)?;
            }
            give_back(db, &item, &said, new.minor, booked, author)?
        };
        if done.change == Change::AlreadySo {
            return Ok(Change::AlreadySo);
        }
        let note =
            Note::changed("confirm", "bank-match", id.as_str(), Some(&item.state), Some(new))?;
        let personal = json!({"payer_name": item.payer_name, "payer_account": item.payer_account});
        let entry = audit::note(db, author, &note.with_personal(&personal, done.customer)?)?;
        let row = (key, MatchState::Confirmed, Some(done.customer), Some(done.payment), None);
        bank::settle(db, &[row], entry)?;
        // The money keeps the names that it had before it was booked by mistake.
        if let Some(mistake) = mistake {
            names::give(db, &mistake, Some(done.payment), author)?;
        }
        if let (Some(account), true) = (&item.payer_account, item.minor > 0) {
            teach(db, &item, account, done.customer, new.teach, author, entry)?;
        }
        Ok(Change::Replaced)
    })
}

/// Learns the payer's account, where it is the customer's as far as its name says, or somebody says so. One that is
/// known as another customer's is learned too, which makes it nobody's.
fn teach<D: Db>(
    db: &D,
    item: &BankMatch,
    account: &str,
    customer: i64,
    said: Option<bool>,
    author: &Author,
    entry: i64,
) -> Result<(), Fault> {
    let fits = |called: &str| {
        let payer = item.payer_name.as_deref().map(Name::new);
        payer.is_none_or(|payer| rule::fits(&payer, &Name::new(called)))
    };
    let wanted = match said {
        Some(said) => said,
        None => {
            let (known, _) = matching::named(db, &[(); 0], &[customer])?;
            known.iter().any(|(_, _, called)| fits(called))
        }
    };
    if wanted || matching::taught_otherwise(db, account, customer)? {
        let on = crate::ledger::today(db, author.at)?;
        matching::teach(db, &item.id, account, customer, on, entry)?;
    }
    Ok(())
}

/// Refuses what a document has no longer open: since the candidates were listed it was paid another way. What was written
/// off is recovered.
fn enough<D: Db>(db: &D, item: &BankMatch, said: &Candidate) -> Result<(), Fault> {
    let customer = known_customer(db, &said.customer_id)?;
    for part in said.designation.iter().flatten() {
        let Some((_, key, of, _, currency, _)) = invoice::find(db, part.invoice_id.as_str())?
        else {
            continue;
        };
        let open = invoice::payable_now(db, key)?;
        // What is another's or in another currency is for the payment to judge.
        if of == customer && currency == item.currency && part.minor > open {
            let detail =
                format!("{} of {} are designated, {open} are open", part.minor, part.invoice_id);
            return Err(Refused::new(Refusal::MoreThanOpen, detail).at("designation").into());
        }
    }
    Ok(())
}

/// Whether a candidate said that the entry may be this payment, or a refund of it.
fn was_asked(item: &BankMatch, payment: &Id) -> bool {
    let of = |of: &&Candidate| of.payment_id.as_ref() == Some(payment);
    let asked = |of: &Candidate| of.reasons.contains(&MatchReason::PerhapsBooked);
    item.candidates.iter().filter(of).any(asked)
}

fn perhaps(of: &Id) -> Fault {
    let detail = format!(
        "{of}, which came another way, may be this money: reject the match, or say `another`"
    );
    Refused::new(Refusal::PerhapsBooked, detail).at("another").into()
}

/// Refuses an entry of which another statement has one that may be the same and was booked since: the second of two does not
/// know that, and shows nothing of it.
fn unless_repeated<D: Db>(db: &D, item: &BankMatch) -> Result<(), Fault> {
    let first = item.repeats.as_ref().unwrap_or(&item.id);
    let Some(of) = bank::booked_repeat(db, &item.id, first)? else { return Ok(()) };
    let detail = format!(
        "{of}, an entry of another statement which may be this one, is booked: reject the match, or say `another`"
    );
    Err(Refused::new(Refusal::PerhapsBooked, detail).at("another").into())
}

/// Refuses a credit that may be a payment which came another way since its candidates were listed.
fn unless_paid<D: Db>(db: &D, item: &BankMatch, said: &Candidate) -> Result<(), Fault> {
    let customer = known_customer(db, &said.customer_id)?;
    let day = |days: i64| item.booked_on.plus_days(days);
    let from = day(DAYS_APART.saturating_neg()).unwrap_or(Date::FIRST);
    let to = day(DAYS_APART).unwrap_or(Date::LAST);
    let amounts = [item.minor, item.instructed_minor.unwrap_or(item.minor)];
    let references = item.references.as_deref().unwrap_or_default();
    let text = item.remittance.as_deref().unwrap_or_default();
    let ids = may_be_ids(references, item.end_to_end_id.as_deref(), text);
    let ids: Vec<&str> = ids.chain(item.bank_reference.as_deref()).collect();
    let of = [(customer, item.currency, from, to, 0)];
    let found = matching::paid_elsewhere(db, &of, &amounts, &ids, i64::MAX)?;
    let may_be = |of: &&matching::Elsewhere| of.1 == item.currency && !was_asked(item, &of.4);
    found.iter().find(may_be).map_or(Ok(()), |of| Err(perhaps(&of.4)))
}

/// Refuses a debit that may be what went back of its payment another way since its candidates were listed.
fn unless_returned<D: Db>(
    db: &D,
    item: &BankMatch,
    said: &Candidate,
    minor: Option<i64>,
) -> Result<(), Fault> {
    let Some(id) = said.payment_id.as_ref().filter(|id| !was_asked(item, id)) else {
        return Ok(());
    };
    let Some((payment, _)) = dunlin_store::payment::key(db, id)? else { return Ok(()) };
    let out = item.minor.saturating_neg();
    let amounts =
        [minor.unwrap_or(out), out, item.instructed_minor.map_or(out, i64::saturating_neg)];
    let back = reversal::of_payments(db, &[payment], i64::MAX)?.remove(&payment);
    let found = back.unwrap_or_default().into_iter().find(|of| {
        of.kind != ReversalKind::Mistake
            && !of.id.as_str().starts_with(BOOKED)
            && amounts.contains(&of.minor)
            && of.on.days_since(item.booked_on).saturating_abs() <= DAYS_APART
    });
    found.map_or(Ok(()), |of| Err(perhaps(&of.id)))
}

/// A confirmation with the candidate that it names in place of its number.
fn said(item: &BankMatch, new: &Confirmation) -> Result<Candidate, Fault> {
    let refused = |code: Refusal, field: &str, detail: &str| {
        Err(Fault::from(Refused::new(code, detail).at(field)))
    };
    let credit = item.minor > 0;
    if credit && new.minor.is_some() {
        return refused(Refusal::MalformedField, "minor", "only of a debit a part goes back");
    }
    if let Some(number) = new.candidate {
        if new.customer_id.is_some() || new.designation.is_some() || new.payment_id.is_some() {
            return refused(Refusal::MalformedField, "candidate", "a candidate says it all");
        }
        let found = item.candidates.iter().find(|candidate| candidate.number == number);
        let Some(candidate) = found else {
            return refused(
                Refusal::MalformedField,
                "candidate",
                "the match has no such candidate",
            );
        };
        return Ok(candidate.clone());
    }
    match (&new.customer_id, &new.payment_id) {
        (Some(_), Some(_)) => {
            refused(Refusal::MalformedField, "payment_id", "a customer or a payment, not both")
        }
        (Some(_), None) if !credit => {
            refused(Refusal::MissingField, "payment_id", "a debit takes back a payment: name it")
        }
        (None, Some(_)) if credit => refused(
            Refusal::MissingField,
            "customer_id",
            "a credit is somebody's: name the customer",
        ),
        (None, None) => {
            let field = if credit { "customer_id" } else { "payment_id" };
            refused(Refusal::MissingField, field, "a candidate or its parts")
        }
        (customer, payment) => Ok(Candidate {
            number: 0,
            customer_id: customer.clone().map_or_else(|| "-".parse(), Ok)?,
            designation: new.designation.clone(),
            payment_id: payment.clone(),
            score: Decimal::ZERO,
            reasons: Vec::new(),
        }),
    }
}

/// What a confirmation led to.
struct Done {
    change: Change,
    customer: i64,
    payment: i64,
}

/// The id of what is booked next, another one after each payment that was a mistake, and that of the last mistake.
fn booked_now<D: Db>(db: &D, key: i64, id: &Id) -> Result<(Id, Option<Id>), Fault> {
    let first = booked(id);
    let of = |time: i64| match time {
        1 => first.parse::<Id>(),
        time => format!("{first}-{time}").parse(),
    };
    let undone = bank::undone(db, key)?;
    let before = (undone > 0).then(|| of(undone)).transpose()?;
    Ok((of(undone.saturating_add(1))?, before))
}

fn pay<D: Db>(
    db: &D,
    item: &BankMatch,
    said: &Candidate,
    id: Id,
    author: &Author,
) -> Result<Done, Fault> {
    let customer = known_customer(db, &said.customer_id)?;
    let mut designation = said.designation.clone();
    let fee = item.instructed_minor.map_or(0, |minor| minor.saturating_sub(item.minor));
    let deductions = designation.as_mut().and_then(|of| deduct(of, item.minor, fee));
    let new = NewPayment {
        id: Some(id.clone()),
        customer_id: said.customer_id.clone(),
        received_on: item.booked_on,
        amount: Money { minor: item.minor, currency: item.currency },
        invoice_id: None,
        designation,
        order: None,
        contract_id: None,
        deductions,
        settles: None,
        same_as: None,
        // Whoever confirms has seen what else it may be.
        another: Some(true),
    };
    let change = payment::record(db, &id, &new, author).map_err(of_match)?;
    let payment = dunlin_store::payment::key(db, &id)?.ok_or_else(|| missing("payment"))?.0;
    Ok(Done { change, customer, payment })
}

/// Takes the bank's fee out of what is designated, where that is more than came in.
fn deduct(designation: &mut [Designation], minor: i64, fee: i64) -> Option<Vec<Deduction>> {
    let sum = designation.iter().fold(0i64, |sum, part| sum.saturating_add(part.minor));
    let fee = fee.min(sum.saturating_sub(minor));
    let mut parts: Vec<(usize, i64)> =
        designation.iter().enumerate().map(|(at, part)| (at, part.minor)).collect();
    let part = designation.get_mut(charge::deduct(&mut parts, fee)?)?;
    part.minor = part.minor.saturating_sub(fee);
    let (invoice_id, reason) = (part.invoice_id.clone(), Difference::BankCharge);
    Some(vec![Deduction { invoice_id, minor: fee, reason }])
}

fn give_back<D: Db>(
    db: &D,
    item: &BankMatch,
    said: &Candidate,
    minor: Option<i64>,
    called: Id,
    author: &Author,
) -> Result<Done, Fault> {
    let unknown =
        || Refused::new(Refusal::UnknownPayment, "no payment has this id").at("payment_id");
    let id = said.payment_id.as_ref().ok_or_else(unknown)?;
    let (payment, _) = dunlin_store::payment::key(db, id)?.ok_or_else(unknown)?;
    let all = item.instructed_minor.unwrap_or(item.minor).saturating_neg();
    let out = item.minor.saturating_neg();
    if minor.is_some_and(|minor| minor > out) {
        let detail = format!("{out} went out");
        return Err(Refused::new(Refusal::MoreThanOpen, detail).at("minor").into());
    }
    // What was instructed goes back as all that came of it: the rest the banks kept.
    let left = match reversal::get(db, &called)? {
        Some((_, before)) => before.minor,
        None => payment::left(db, payment)?,
    };
    let kept = all.saturating_sub(left);
    let all = if kept > 0 && kept <= bank::fee(db, payment)? { left } else { all };
    let new = NewReversal {
        id: Some(called.clone()),
        on: Some(item.booked_on),
        kind: ReversalKind::Returned,
        minor: Some(minor.unwrap_or(all)),
        reason: None,
        same_as: None,
        // As of a credit.
        another: Some(true),
    };
    let change = payment::go_back(db, id, &called, &new, author).map_err(of_match)?;
    let customer = payment::get(db, id, dunlin_domain::Date::LAST, i64::MAX)?.customer_id;
    let customer = customer::key(db, &customer)?.ok_or_else(|| missing("customer"))?;
    Ok(Done { change, customer, payment })
}

/// A refusal of what is to be booked, at the field of the match that has it. Says how money that pays for two customers is
/// booked.
fn of_match(fault: Fault) -> Fault {
    let Fault::Refused(mut refused) = fault else { return fault };
    if refused.code == Refusal::InvoiceOfAnotherCustomer {
        refused.detail =
            "a payment is one customer's: reject the match and record a payment for each of them"
                .into();
    }
    let field = match refused.field.as_deref() {
        Some("received_on" | "on") => "booked_on",
        Some("amount") => "minor",
        // A confirmation names no documents otherwise, and holds the fee of the bank back itself.
        Some("invoice_id" | "deductions") => "designation",
        _ => return Fault::Refused(refused),
    };
    refused.field = Some(field.into());
    Fault::Refused(refused)
}

/// The payment of a match was a mistake and went back as a whole: somebody has to look at the entry again, and what its
/// confirmation taught is forgotten. Runs inside the transaction of the reversal; other payments have no match.
pub(crate) fn reopen<D: Db>(
    db: &D,
    payment: &Id,
    reversal: &Id,
    author: &Author,
) -> Result<(), Fault> {
    match bank::of_payment(db, payment)? {
        Some(id) => look_again(db, &id, payment, reversal, author),
        None => Ok(()),
    }
}

/// What was booked for an entry of a bank comes back by the entry as a whole where it was a mistake: what of it went back
/// otherwise would have gone back twice then, or not at all.
pub(crate) fn unless_of_entry<D: Db>(db: &D, payment: &Id, back: &Id) -> Result<(), Fault> {
    match bank::of_payment(db, payment)? {
        None => Ok(()),
        Some(id) => {
            let detail = format!(
                "{back} went back of it, and the mistake would put {id} of a bank statement to review as a whole: take {back} back first"
            );
            Err(Fault::refused(Refusal::WrongState, detail))
        }
    }
}

/// The reversal that an entry of a bank was booked as was taken back: somebody has to look at the entry again. Runs inside
/// the transaction that took it back; other reversals have no match.
pub(crate) fn reopen_debit<D: Db>(
    db: &D,
    payment: &Id,
    reversal: &Id,
    author: &Author,
) -> Result<(), Fault> {
    match bank::of_reversal(db, reversal)? {
        Some(id) => look_again(db, &id, payment, reversal, author),
        None => Ok(()),
    }
}

/// A payment that was booked for an entry of a bank and taken back as a mistake comes back by the entry: it was put to
/// somebody again, and may be booked already.
pub(crate) fn unless_put_back<D: Db>(db: &D, payment: &Id) -> Result<(), Fault> {
    match bank::put_back(db, payment)? {
        None => Ok(()),
        Some(id) => {
            let detail = format!("a mistake put {id} of a bank statement to review: confirm that");
            Err(Fault::refused(Refusal::WrongState, detail))
        }
    }
}

fn look_again<D: Db>(
    db: &D,
    id: &Id,
    payment: &Id,
    reversal: &Id,
    author: &Author,
) -> Result<(), Fault> {
    let (key, item) = found(db, id)?;
    let before =
        json!({"state": item.state, "customer_id": item.customer_id, "payment_id": payment});
    let after = json!({"state": MatchState::Review, "reversal_id": reversal});
    let note = Note::changed("reopen", "bank-match", id.as_str(), Some(&before), Some(&after))?;
    let entry = audit::note(db, author, &note)?;
    bank::reopen(db, key, entry)?;
    matching::unteach(db, id)
}

/// Somebody says that an entry is none of its candidates. It stays, and can be confirmed later.
pub fn reject<D: Db>(db: &D, id: &Id, new: &Rejection, author: &Author) -> Result<Change, Fault> {
    text::check_optional(new.reason.as_deref(), payment::MAX_REASON, "reason")?;
    write(db, |db| {
        let (key, item) = found(db, id)?;
        match item.state {
            MatchState::Rejected => return Ok(Change::AlreadySo),
            MatchState::Review | MatchState::Unmatched | MatchState::AlreadyBooked => {}
            MatchState::Automatic | MatchState::Confirmed => {
                let detail = "it was booked: reverse its payment if that is wrong";
                return Err(Fault::refused(Refusal::WrongState, detail));
            }
        }
        let note =
            Note::changed("reject", "bank-match", id.as_str(), Some(&item.state), Some(new))?;
        let entry = audit::note(db, author, &note)?;
        bank::settle(db, &[(key, MatchState::Rejected, None, None, None)], entry)?;
        // What came another way under the name of a payment that was a mistake may be booked as its own from now on.
        if let Some(mistake) = booked_now(db, key, id)?.1 {
            names::give(db, &mistake, None, author)?;
        }
        Ok(Change::Replaced)
    })
}
