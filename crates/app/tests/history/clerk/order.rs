//! Which debt is served first.

use super::{Clerk, Guarantee, NEVER};
use crate::events::ORDERS;

impl Clerk<'_> {
    /// The claim that a debt is about: the invoice, or the first of its instalments, if it was issued by then.
    fn root(&self, claim: usize) -> usize {
        let of = &self.documents.claims[claim];
        let meant = of.about.as_ref().map(|about| self.meant(about)).unwrap_or_default();
        let root = meant.first().copied();
        root.filter(|root| self.documents.claims[*root].on <= of.on).unwrap_or(claim)
    }

    fn place(&self, claim: usize) -> (i64, i64, String) {
        let claim = &self.documents.claims[claim];
        (claim.due, claim.on, claim.id.clone())
    }

    fn component(&self, claim: usize, order: &str) -> i64 {
        let kind = match self.documents.claims[claim].kind {
            "penalty" if order != ORDERS[5] => "fee",
            kind => kind,
        };
        let places: &[&str] = match order {
            "interest-first" => &["interest-note", "fee", "invoice"],
            "principal-first" => &["invoice", "interest-note", "fee"],
            _ => &["fee", "penalty", "interest-note", "invoice"],
        };
        i64::try_from(places.iter().position(|place| *place == kind).unwrap()).unwrap()
    }

    /// What is open of a claim; if asked so, without what is contested today.
    pub(super) fn part(&self, claim: usize, calm: bool) -> i64 {
        let id = &self.documents.claims[claim].id;
        let contested = self
            .contested
            .iter()
            .filter(|of| calm && of.claim == *id && of.on <= self.today && self.today < of.decided);
        self.open[claim] - contested.map(|of| of.minor).sum::<i64>()
    }

    /// Everything that is open, or open and not contested, in an order.
    fn queue(&self, order: &str, calm: bool) -> Vec<usize> {
        let mut open: Vec<usize> =
            (0..self.open.len()).filter(|claim| self.part(*claim, calm) > 0).collect();
        open.sort_by_key(|claim| {
            let due = self.documents.claims[*claim].due;
            let root = self.root(*claim);
            let rank = match order {
                "oldest-due-first" => (0, due, (0, 0, String::new()), 0),
                "newest-due-first" => (0, -due, (0, 0, String::new()), 0),
                "interest-first" | "principal-first" => {
                    (self.component(*claim, order), due, (0, 0, String::new()), 0)
                }
                "fee-penalty-interest-principal" => {
                    let component = 10 * self.due_state(*claim) + self.component(*claim, order);
                    (component, due, (0, 0, String::new()), 0)
                }
                _ => (
                    10_000 * self.not_due(root) + 1_000 * self.secured(root) - self.burden(root),
                    self.documents.claims[root].due,
                    self.place(root),
                    self.component(*claim, order),
                ),
            };
            (rank, self.place(*claim))
        });
        open
    }

    fn not_due(&self, claim: usize) -> i64 {
        let of = &self.documents.claims[claim];
        i64::from(of.due.max(of.on) > self.today)
    }

    /// Whether something secures it today that does not secure all debts of the customer alike.
    fn secured(&self, claim: usize) -> i64 {
        let of = &self.documents.claims[claim];
        let secures = |guarantee: &&Guarantee| {
            let last = guarantee.to.unwrap_or(NEVER);
            let claim_by = guarantee.claim.unwrap_or(last);
            let is_in_force =
                guarantee.from <= self.today && self.today <= last && self.today <= claim_by;
            let has_ended = last < self.today && self.today <= claim_by;
            let was_due = guarantee.from <= of.due && of.due <= last;
            match &guarantee.contract {
                Some(_) if guarantee.contract != of.contract => false,
                Some(_) => is_in_force || (has_ended && was_due),
                None => {
                    let owner = |customer| self.documents.owner(customer);
                    owner(guarantee.customer) == owner(of.customer) && has_ended && was_due
                }
            }
        };
        let guarantees = self.documents.guarantees.iter();
        let mut guarantees = guarantees.filter(|guarantee| guarantee.currency == of.currency);
        i64::from(guarantees.any(|guarantee| secures(&guarantee)))
    }

    /// The rate of its first day late.
    fn burden(&self, claim: usize) -> i64 {
        i64::try_from(self.documents.rate(self.documents.claims[claim].due + 1)).unwrap()
    }

    /// 0 for overdue, 1 for the last day to pay, 2 for before.
    fn due_state(&self, claim: usize) -> i64 {
        let due = self.documents.claims[claim].due;
        1 + (due - self.today).signum()
    }

    /// What by the law comes before the invoice that a payment names and says no more of: the fees about it, then the
    /// interest.
    pub(super) fn charges(&self, at: usize, part: usize, claims: &[usize]) -> Vec<usize> {
        let credit = &self.documents.credits[at];
        let (name, most) = &credit.named[part];
        let said = most.is_some() || credit.settles.as_ref() == Some(name);
        if credit.order != ORDERS[4] || credit.rank != 1 || said {
            return Vec::new();
        }
        let component = |claim: usize| self.component(claim, ORDERS[4]);
        let named = claims.iter().map(|claim| component(*claim)).max();
        let mut charges: Vec<usize> = (0..self.open.len()).collect();
        charges.retain(|of| self.root(*of) != *of && claims.contains(&self.root(*of)));
        charges.retain(|of| Some(component(*of)) < named);
        charges.sort_by_key(|of| (component(*of), self.place(*of)));
        charges
    }

    pub(super) fn serve_all(&mut self) {
        for at in self.credits() {
            let credit = &self.documents.credits[at];
            while self.free[at] > 0 && credit.rank < 2 {
                // What nobody contests is served first.
                let calm = !self.queue(credit.order, true).is_empty();
                let queue = self.queue(credit.order, calm);
                let Some(first) = queue.first().copied() else { return };
                let all: i64 = self.open.iter().sum();
                if credit.order != ORDERS[4] {
                    if !self.save_rest(at, first, calm) {
                        let others = all - self.seen(first, calm);
                        let minor = self.worth(at, first, calm, self.free[at], others);
                        self.pay(at, first, minor, calm);
                    }
                    continue;
                }
                let alike = |claim: &usize| {
                    let (one, other) = (self.root(*claim), self.root(first));
                    let place =
                        |of| (self.not_due(of), self.secured(of), self.documents.claims[of].due);
                    place(one) == place(other)
                };
                let group: Vec<usize> = queue.iter().copied().filter(alike).collect();
                let saved = group.iter().filter(|of| self.save_rest(at, **of, calm)).count();
                if saved == 0 {
                    let those: i64 = group.iter().map(|of| self.seen(*of, calm)).sum();
                    self.pay_group(at, &group, calm, all - those);
                }
            }
        }
    }

    /// Equal debts share what there is: first what settles them, then what else they can take.
    fn pay_group(&mut self, at: usize, group: &[usize], calm: bool, others: i64) {
        let mut roots: Vec<usize> = Vec::new();
        for claim in group {
            if !roots.contains(&self.root(*claim)) {
                roots.push(self.root(*claim));
            }
        }
        let groups: Vec<Vec<usize>> = roots
            .iter()
            .map(|root| group.iter().copied().filter(|claim| self.root(*claim) == *root).collect())
            .collect();
        let price = |of: &Vec<usize>| {
            let prices = of.iter().map(|claim| self.price(at, *claim, calm));
            prices.fold((0, 0), |(full, net), one| (full + one.0, net + one.1))
        };
        let prices: Vec<(i64, i64)> = groups.iter().map(price).collect();
        let nets: Vec<i64> = prices.iter().map(|price| price.1).collect();
        let saved: Vec<i64> = prices.iter().map(|price| price.0 - price.1).collect();
        let (net, full) = (nets.iter().sum(), prices.iter().map(|price| price.0).sum());
        let given = self.free[at].min((self.free[at] - others).max(net).min(full));
        let mut shares = dealt(given.min(net), &nets);
        for (share, more) in shares.iter_mut().zip(dealt((given - net).max(0), &saved)) {
            *share += more;
        }
        for (claims, share) in groups.into_iter().zip(shares) {
            self.pay_all(at, &claims, share, calm, 0);
        }
    }
}

/// In proportion; what is over goes one by one to who came off worst.
fn dealt(amount: i64, among: &[i64]) -> Vec<i64> {
    let total = among.iter().sum::<i64>().max(1);
    let mut shares: Vec<i64> = among.iter().map(|of| amount * of / total).collect();
    let mut rests: Vec<usize> = (0..among.len()).collect();
    rests.sort_by_key(|at| (-(amount * among[*at] % total), *at));
    let over = usize::try_from(amount - shares.iter().sum::<i64>()).unwrap();
    for at in rests.into_iter().take(over) {
        shares[at] += 1;
    }
    shares
}
