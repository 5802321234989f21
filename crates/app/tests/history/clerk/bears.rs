//! What a debt bears, how late it is, and what of it is contested.

use super::{CURRENCIES, Claim, Clerk, Credit, FIXED_SUMS, GRACE};

impl Clerk<'_> {
    /// What bears on a day late: what was open the evening before, without what is contested.
    fn bears(&self, at: usize, today: i64, through: i64) -> i64 {
        let claim = &self.documents.claims[at];
        let mut bears = self.days[at][usize::try_from(today - 1).unwrap()];
        for of in self.contested.iter().filter(|of| of.claim == claim.id) {
            let decided = of.decided <= through;
            if decided && of.upheld > 0 && claim.due <= today && today <= of.decided {
                bears -= of.upheld;
            }
            if !decided && of.on <= today {
                bears -= of.minor;
            }
        }
        bears.max(0)
    }

    fn late(&self, at: usize, through: i64) -> std::ops::RangeInclusive<i64> {
        self.documents.claims[at].due + GRACE + 1..=through
    }

    /// What some claims bear together, rounded once.
    pub(super) fn interest(&self, of: &[usize], through: i64) -> i64 {
        let mut sum = 0i128;
        for at in of {
            let signed = self.documents.claims[*at].signed;
            for today in self.late(*at, through) {
                let rate = self.documents.rate(signed.unwrap_or(today));
                sum += i128::from(self.bears(*at, today, through)) * rate;
            }
        }
        i64::try_from((sum * 2 + 365 * 100) / (2 * 365 * 100)).unwrap()
    }

    /// One sum for an invoice of which anything was ever late, by all that it claims.
    pub(super) fn fixed(&self, whole: &str, through: i64) -> i64 {
        let parts = self.meant(whole);
        let is_late =
            |at: &usize| self.late(*at, through).any(|today| self.bears(*at, today, through) > 0);
        let euros = parts.iter().all(|at| self.documents.claims[*at].currency == CURRENCIES[0]);
        if !euros || !parts.iter().any(is_late) {
            return 0;
        }
        let (below, small, large) = FIXED_SUMS;
        let amount: i64 = parts.iter().map(|at| self.documents.claims[*at].minor).sum();
        if amount < below { small } else { large }
    }

    /// What interest notes claim of an invoice's interest, less the credit notes about each, and what was given up.
    pub(super) fn settled(&self, whole: &str, through: i64) -> (i64, i64) {
        let credited = |id: &str| -> i64 {
            let about = |of: &&Credit| {
                of.rank == 0 && of.on <= through && of.named.iter().any(|(name, _)| name == id)
            };
            self.documents.credits.iter().filter(about).map(|of| of.minor).sum()
        };
        let notes = self.documents.claims.iter().filter(|of| {
            of.kind == "interest-note" && of.about.as_deref() == Some(whole) && of.on <= through
        });
        let noted = notes.map(|note| (note.minor - credited(&note.id)).max(0)).sum();
        let waived =
            self.documents.waived.iter().filter(|of| of.whole == whole && of.on <= through);
        (noted, waived.map(|of| of.minor).sum())
    }

    /// Days past due and delinquent days of what is open of a document, and how much of it is contested.
    pub(super) fn late_by(&self, whole: &str, day: i64) -> (i64, i64, i64) {
        let open: Vec<usize> =
            self.meant(whole).into_iter().filter(|at| self.open[*at] > 0).collect();
        let claims = || open.iter().map(|at| &self.documents.claims[*at]);
        let is_paused = |claim: &Claim, today: i64| {
            self.documents.paused.iter().any(|of| {
                let of_all = of.whole.is_none()
                    && self.documents.owner(of.customer) == self.documents.owner(claim.customer);
                (of_all || of.whole.as_deref() == Some(whole)) && of.from < today && today <= of.to
            })
        };
        let past_due = claims().map(|claim| (day - claim.due).max(0)).max();
        let delinquent = claims().map(|claim| {
            let days = (claim.due + 1..=day).filter(|today| !is_paused(claim, *today));
            i64::try_from(days.count()).unwrap()
        });
        let contested = open.iter().map(|at| {
            let id = &self.documents.claims[*at].id;
            let of = self.contested.iter();
            let of = of.filter(|of| of.claim == *id && of.on <= day && day < of.decided);
            of.map(|of| of.minor).sum::<i64>().min(self.open[*at])
        });
        (past_due.unwrap_or(0), delinquent.max().unwrap_or(0), contested.sum())
    }
}
