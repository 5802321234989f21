//! Which debt is served first.

use super::Clerk;
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
    fn part(&self, claim: usize, calm: bool) -> i64 {
        let id = &self.documents.claims[claim].id;
        let contested =
            self.documents.contested.iter().filter(|of| {
                calm && of.claim == *id && of.on <= self.today && self.today < of.decided
            });
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
                    1_000 * self.not_due(root) - self.burden(root),
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

    /// The rate of its first day late.
    fn burden(&self, claim: usize) -> i64 {
        i64::try_from(self.documents.rate(self.documents.claims[claim].due + 1)).unwrap()
    }

    /// 0 for overdue, 1 for the last day to pay, 2 for before.
    fn due_state(&self, claim: usize) -> i64 {
        let due = self.documents.claims[claim].due;
        1 + (due - self.today).signum()
    }

    pub(super) fn serve_all(&mut self) {
        for at in self.credits() {
            let credit = &self.documents.credits[at];
            while self.free[at] > 0 && credit.rank < 2 {
                // What nobody contests is served first.
                let calm = !self.queue(credit.order, true).is_empty();
                let queue = self.queue(credit.order, calm);
                let Some(first) = queue.first().copied() else { return };
                if credit.order != ORDERS[4] {
                    self.pay(at, first, self.part(first, calm));
                    continue;
                }
                let alike = |claim: &usize| {
                    let (one, other) = (self.root(*claim), self.root(first));
                    (self.not_due(one), self.documents.claims[one].due)
                        == (self.not_due(other), self.documents.claims[other].due)
                };
                let group: Vec<usize> = queue.iter().copied().filter(alike).collect();
                self.share(at, &group, calm);
            }
        }
    }

    fn share(&mut self, at: usize, group: &[usize], calm: bool) {
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
        let sums: Vec<i64> =
            groups.iter().map(|of| of.iter().map(|claim| self.part(*claim, calm)).sum()).collect();
        let total: i64 = sums.iter().sum();
        let given = self.free[at].min(total);
        let mut shares: Vec<i64> = sums.iter().map(|sum| given * sum / total).collect();
        let mut rests: Vec<usize> = (0..roots.len()).collect();
        rests.sort_by_key(|at| (-(given * sums[*at] % total), *at));
        let over = usize::try_from(given - shares.iter().sum::<i64>()).unwrap();
        for at in rests.into_iter().take(over) {
            shares[at] += 1;
        }
        for (claims, mut left) in groups.into_iter().zip(shares) {
            for claim in claims {
                left -= self.pay(at, claim, left.min(self.part(claim, calm)));
            }
        }
    }
}
