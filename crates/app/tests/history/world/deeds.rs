//! What a ledger is sent.

use super::{TODAY, day, id, policy_of, read};
use crate::clerk::CUSTOMERS;
use dunlin_app::{
    audit::Author, contract, credit_refund, customer, default_record, dispute, guarantee, interest,
    invoice, ledger::Change, pause, payment, policy, write_off,
};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::{Value, json};

/// A request as it is sent. What it says does not depend on what the ledger holds.
#[derive(Clone, Debug)]
pub enum Deed {
    Invoice(Value),
    Payment(Value),
    Refund(String, Value),
    RefundBack(String, Value),
    Reverse(String, Value),
    /// A reversal of a payment was none.
    Undo(String),
    CorrectInvoice(String, Value),
    CorrectPayment(String, Value),
    WriteOff(Value),
    TakeBack(String, Value),
    /// A document that is void from a day on.
    Void(String, i64),
    Dispute(Value),
    Resolve(String, Value),
    Default(Value),
    Close(String, Value),
    Reopen(String, Value),
    Pause(Value),
    Resume(String, Value),
    Waiver(Value),
    /// A guarantee by its id.
    Guarantee(String, Value),
    /// A row of the table of rates.
    Rate(Value),
    /// The order of what names none.
    Policy(&'static str),
    Merge,
    /// A version of a contract.
    Contract(String, Value),
}

impl Deed {
    pub fn send(&self, db: &NativeDb, author: &Author) -> Result<Change, Fault> {
        let made = id("made");
        match self.clone() {
            Self::Invoice(new) => invoice::add(db, &read(new), made, author).map(|done| done.1),
            Self::Payment(new) => payment::add(db, &read(new), made, author).map(|done| done.1),
            Self::Refund(of, new) => credit_refund::add(db, &id(&of), &read(new), made, author),
            Self::RefundBack(of, new) => {
                credit_refund::reverse(db, &id(&of), &read(new), author).map(|done| done.1)
            }
            Self::Reverse(of, new) => payment::reverse(db, &id(&of), &read(new), made, author),
            Self::Undo(of) => {
                let why = read(json!({"reason": "of another"}));
                payment::undo(db, &id(&of), &why, author).map(|done| done.1)
            }
            Self::CorrectInvoice(of, new) => invoice::correct(db, &id(&of), &read(new), author),
            Self::CorrectPayment(of, new) => payment::correct(db, &id(&of), &read(new), author),
            Self::WriteOff(new) => write_off::add(db, &read(new), made, author).map(|done| done.1),
            Self::TakeBack(of, new) => {
                write_off::reverse(db, &id(&of), &read(new), author).map(|done| done.1)
            }
            Self::Void(of, on) => invoice::void(db, &id(&of), day(on), author),
            Self::Dispute(new) => dispute::open(db, &read(new), made, author).map(|done| done.1),
            Self::Resolve(of, new) => dispute::resolve(db, &id(&of), &read(new), author),
            Self::Default(new) => {
                default_record::add(db, &read(new), made, author).map(|done| done.1)
            }
            Self::Close(of, new) => default_record::close(db, &id(&of), &read(new), author),
            Self::Reopen(of, new) => default_record::reopen(db, &id(&of), &read(new), author),
            Self::Pause(new) => pause::add(db, &read(new), made, author).map(|done| done.1),
            Self::Resume(of, new) => pause::resume(db, &id(&of), &read(new), author),
            Self::Waiver(new) => {
                interest::add_waiver(db, &read(new), made, TODAY.parse().unwrap(), author)
                    .map(|done| done.1)
            }
            Self::Guarantee(of, new) => {
                guarantee::put(db, &id(&of), &read(new), author).map(|done| done.1)
            }
            Self::Rate(row) => interest::put_rates(db, &id("house"), &[read(row)], author),
            Self::Policy(order) => policy::put(db, &read(policy_of(Some(order))), author),
            Self::Contract(of, new) => {
                contract::put(db, &id(&of), &read(new), author).map(|done| done.1)
            }
            Self::Merge => customer::merge(db, &id(CUSTOMERS[1]), &id(CUSTOMERS[0]), author),
        }
    }
}
