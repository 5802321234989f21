//! What the ledger answers is what the clerk finds.

use super::{World, day, id, moment};
use crate::clerk::{CURRENCIES, CUSTOMERS, Claim, Clerk, Documents, Standing, documents};
use dunlin_app::{customer, interest, invoice, ledger, payment, report, statement};
use dunlin_domain::{
    Id,
    ageing::Edges,
    contract::report::{AgeingBasis, DsoMethod},
};
use dunlin_store::{Fault, When};
use std::collections::BTreeMap;

impl World {
    /// What the ledger answers for a day and a moment is what the clerk finds.
    pub fn check(&self, on: i64, until: usize) {
        let documents = documents(&self.log, until);
        let standing = Clerk::stand(&documents, on);
        let known = invoice::known_at(&self.db, Some(moment(until.min(self.step)))).unwrap();
        for claim in &documents.claims {
            let name = id(&claim.id);
            let got = found(invoice::get(&self.db, &name, day(on), known));
            let got = got.map(|got| (got.open.minor, got.contract_id.map(|of| of.to_string())));
            let wanted = standing.open.get(&claim.id).copied();
            let read = wanted.map(|open| (open, claim.contract.clone()));
            assert_eq!(got, read, "open of {} on day {on} as known at step {until}", claim.id);
            if wanted.is_some() {
                let read = invoice::get(&self.db, &name, day(on), known).unwrap();
                assert_eq!(
                    read.written_off_minor, standing.given_up[&claim.id],
                    "given up of {} on day {on} as known at step {until}",
                    claim.id
                );
            }
            if wanted.is_some() && claim.kind == "invoice" && claim.minor > 0 {
                let of = interest::of_invoice(&self.db, &name, day(on), known).unwrap();
                let (got, wanted) = (of.unwrap().accrued.minor, standing.interest[&claim.id]);
                assert_eq!(
                    got, wanted,
                    "interest of {} on day {on} as known at step {until}",
                    claim.id
                );
            }
        }
        let of_invoices = documents.claims.iter().filter(|claim| claim.kind == "invoice");
        for claim in of_invoices.filter(|claim| standing.fixed.contains_key(&claim.whole)) {
            let of = interest::of_invoice(&self.db, &id(&claim.whole), day(on), known).unwrap();
            let (fixed, whole) = (standing.fixed[&claim.whole], &claim.whole);
            let (noted, waived) = standing.settled[whole];
            let accrued = standing.interest[whole];
            let got = of
                .map(|of| (of.fixed_minor, of.noted_minor, of.waived_minor, of.outstanding_minor));
            let wanted = (fixed, noted, waived, accrued + fixed - noted - waived);
            assert_eq!(got, Some(wanted), "sums of {whole} on day {on} as known at step {until}");
        }
        for credit in documents.credits.iter().filter(|credit| credit.rank < 2) {
            let name = id(&credit.id);
            let got = match credit.rank {
                0 => invoice::get(&self.db, &name, day(on), known).map(|got| got.open.minor),
                _ => payment::get(&self.db, &name, day(on), known).map(|got| got.unallocated.minor),
            };
            let wanted = standing.free.get(&credit.id).copied();
            assert_eq!(
                got.ok(),
                wanted,
                "left of {} on day {on} as known at step {until}",
                credit.id
            );
        }
        if documents.merged == self.now().merged {
            for (whole, wanted) in &standing.late {
                let got = invoice::get(&self.db, &id(whole), day(on), known).unwrap();
                let days = (got.days_past_due.into(), got.delinquent_days.into());
                let got = (days.0, days.1, got.disputed_minor);
                assert_eq!(got, *wanted, "{whole} on day {on} as known at step {until}");
            }
        }
        self.check_names(&documents, on, known);
        self.check_shares(&documents, on, known);
        self.check_reports(&documents, &standing, When { day: day(on), known });
        // What a merge moved is asked for by its own name, of a moment before it too; the customers' sums are not.
        if documents.merged == self.now().merged {
            let customers = if documents.merged { 1 } else { 2 };
            for customer in &CUSTOMERS[..customers] {
                self.check_sums(customer, &documents, &standing, When { day: day(on), known });
            }
        }
    }

    fn check_sums(&self, customer: &str, documents: &Documents, standing: &Standing, when: When) {
        let is_of = |of: &'static str| documents.owner(of) == customer;
        let mut of = Documents { claims: documents.claims.clone(), ..Documents::default() };
        of.claims.retain(|claim| is_of(claim.customer));
        of.credits = documents.credits.iter().filter(|of| is_of(of.customer)).cloned().collect();
        let name = id(customer);
        let balances = ledger::customer(&self.db, &name, when).unwrap().balances;
        let exposed = customer::standing(&self.db, &name, when).unwrap().own;
        let lines = statement::of(&self.db, &name, when.day, None, when.known).unwrap().entries;
        for currency in CURRENCIES {
            let open = of.claims.iter().filter(|of| of.currency == currency);
            let outstanding: i64 = open.filter_map(|of| standing.open.get(&of.id)).sum();
            let free = of.credits.iter().filter(|of| of.currency == currency);
            let left: i64 = free.filter_map(|of| standing.free.get(&of.id)).sum();
            let owed = balances.iter().find(|of| of.currency.as_str() == currency);
            let sums = owed.map_or((0, 0), |of| (of.outstanding_minor, of.unapplied_minor));
            assert_eq!(sums, (outstanding, left), "the sums of {customer} {when:?}");
            let exposed = exposed.iter().find(|of| of.currency.as_str() == currency);
            let exposed = exposed.map_or(0, |of| of.exposure_minor + of.secured_minor);
            assert_eq!(exposed, outstanding);
            let last = lines.iter().rfind(|line| line.currency.as_str() == currency);
            let balance = last.map_or(0, |line| line.balance_minor);
            assert_eq!(balance, outstanding - left, "the balance of {customer} {when:?}");
        }
        self.check_lists(&name, &of, standing, when);
    }
}

impl World {
    /// The reports over the whole book, and of each customer.
    fn check_reports(&self, documents: &Documents, standing: &Standing, when: When) {
        let late = |due: i64| day(due) < when.day;
        let open = |claim: &Claim| standing.open.get(&claim.id).copied().unwrap_or(0);
        let question = report::Question {
            as_of: when.day,
            known: when.known,
            aged_as_of: when.day,
            basis: AgeingBasis::Due,
            edges: Edges::default(),
        };
        let ageing = report::ageing(&self.db, question.clone()).unwrap();
        let (lines, _) = report::ageing_by_customer(&self.db, &question, 0, 100).unwrap();
        let dso = report::dso(&self.db, when, 1, DsoMethod::Simple).unwrap();
        for currency in CURRENCIES {
            let claims = || documents.claims.iter().filter(|of| of.currency == currency);
            let total: i64 = claims().map(open).sum();
            let not_due: i64 = claims().filter(|of| !late(of.due)).map(open).sum();
            let credits = documents.credits.iter().filter(|of| of.currency == currency);
            let unapplied: i64 = credits.filter_map(|of| standing.free.get(&of.id)).sum();
            let line = ageing.totals.iter().find(|of| of.currency.as_str() == currency);
            let got =
                line.map_or((0, 0, 0), |of| (of.total_minor, of.not_due_minor, of.unapplied_minor));
            assert_eq!(got, (total, not_due, unapplied), "ageing in {currency} {when:?}");
            let of_customers = lines.iter().filter(|of| of.currency.as_str() == currency);
            assert_eq!(of_customers.map(|of| of.total_minor).sum::<i64>(), total, "{when:?}");
            let line = dso.lines.iter().find(|of| of.currency.as_str() == currency);
            assert_eq!(line.map_or(0, |of| of.receivables_minor), total, "dso {when:?}");
        }
        let wanted: BTreeMap<String, i64> = documents
            .claims
            .iter()
            .filter(|of| late(of.due) && open(of) > 0)
            .map(|of| (of.id.clone(), open(of)))
            .collect();
        let (mut got, mut after) = (BTreeMap::new(), (String::new(), 0));
        loop {
            let page = report::overdue(&self.db, &after, 2, when).unwrap();
            let Some((_, last)) = page.last() else { break };
            after = last.clone();
            got.extend(page.into_iter().map(|(of, _)| (of.invoice_id.to_string(), of.open.minor)));
        }
        assert_eq!(got, wanted, "the list of what is overdue {when:?}");
    }

    /// The lists, page by page, have what was there and known, in their order.
    fn check_lists(&self, customer: &Id, documents: &Documents, standing: &Standing, when: When) {
        let mut wanted: BTreeMap<String, i64> = BTreeMap::new();
        for claim in &documents.claims {
            if let Some(open) = standing.open.get(&claim.id) {
                *wanted.entry(claim.whole.clone()).or_default() += open;
            }
        }
        let (mut notes, mut money) = (BTreeMap::new(), BTreeMap::new());
        for credit in &documents.credits {
            if let Some(free) = standing.free.get(&credit.id) {
                let into = if credit.rank == 0 { &mut notes } else { &mut money };
                into.insert(credit.id.clone(), *free);
            }
        }
        wanted.append(&mut notes);
        let (mut got, mut after, mut dues) = (BTreeMap::new(), (String::new(), 0), Vec::new());
        loop {
            let page = invoice::page(&self.db, customer, &after, 2, when).unwrap();
            let Some((_, last)) = page.last() else { break };
            after = last.clone();
            for (invoice, _) in page {
                dues.push(invoice.due_on);
                assert_eq!(got.insert(invoice.id.to_string(), invoice.open.minor), None);
            }
        }
        assert_eq!(got, wanted, "the list of invoices {when:?}");
        assert!(dues.is_sorted(), "{dues:?}");
        let (mut got, mut after) = (BTreeMap::new(), (String::new(), 0));
        loop {
            let page = payment::page(&self.db, customer, &after, 2, when).unwrap();
            let Some((_, last)) = page.last() else { break };
            after = last.clone();
            for (payment, _) in page {
                got.insert(payment.id.to_string(), payment.unallocated.minor);
            }
        }
        assert_eq!(got, money, "the list of payments {when:?}");
    }
}

/// What there is. What is not there is refused; a fault is none of that.
fn found<T>(got: Result<T, Fault>) -> Option<T> {
    match got {
        Ok(got) => Some(got),
        Err(Fault::Refused(_)) => None,
        Err(fault) => panic!("{fault:?}"),
    }
}
