//! A position with the rules that decide for it, judged as it is or with something supposed.

use super::{Inputs, Judged, Reason, Seen, base, is_held, limits, purpose_of};
use crate::{
    Currency, Decimal, Id, Money, Refused,
    contract::{
        credit::{
            CheckPurpose, ExposureComponent, LimitKind, LimitLine, MemberExposure, RuleKind,
            RuleLevel, Verdict,
        },
        types::{CustomerStatus, Grade},
    },
    credit::{
        check::{Piece, Released},
        exposure::{self, Book, Books},
        limit::{self, Decided, Limits},
        rule::{self, Known, Settings, deciding, shipped},
    },
    decimal,
    money::MAX_MINOR,
};
use rust_decimal::prelude::ToPrimitive;
use std::collections::{BTreeMap, BTreeSet};

/// What is taken otherwise than it is, to find what would pass.
#[derive(Clone, Debug, Default)]
pub(super) struct Supposed {
    /// Asked for in its place.
    pub amount: Option<i64>,
    /// Paid, and set against what is owed as the ledger would.
    pub prepaid: i64,
    pub guaranteed: i64,
    /// The customer's own limit, in [`Case::own_currency`].
    pub own: Option<i64>,
    /// The limit of its group, in its currency.
    pub group: Option<i64>,
    /// Pieces that are paid, by place.
    pub paid: BTreeSet<usize>,
    /// What other members pay of what they owe in a currency.
    pub members: Vec<((i64, Currency), i64)>,
}

/// What stays the same whatever is supposed.
pub(super) struct Case<'a> {
    pub inputs: &'a Inputs,
    pub settings: Settings,
    pub limits: Limits,
    books: Books,
    /// Invoices of the customer's own in the currency asked for, by place, in the order in which they are paid.
    owed: Vec<usize>,
    /// How much of the order that is asked about is in the exposure already.
    counted: i64,
    /// The rules that decide, kind by kind.
    rules: Vec<&'a Known>,
}

/// What the rules of one judgement look at.
struct Sight<'a> {
    asked: Money,
    limits: Limits,
    decided: Decided,
    /// Overdue and not contested, of the customer's own.
    overdue: Vec<Open<'a>>,
    books: Books,
    /// What counts for the customer, its currency, and the exposure with what is asked.
    own: (Option<i64>, Currency, i64),
    has_limit: bool,
}

/// What is open and not contested of a document.
struct Open<'a> {
    piece: &'a Piece,
    minor: i64,
}

impl<'a> Case<'a> {
    pub fn new(inputs: &'a Inputs) -> Result<Self, Refused> {
        let (position, day) = (&inputs.position, inputs.day);
        let purpose = Some(purpose_of(&inputs.question));
        let of = |kind: &RuleKind| {
            deciding(&position.rules, shipped(), *kind, None, purpose, day).into_iter()
        };
        Ok(Self {
            inputs,
            settings: Settings::of(&position.rules, purpose, day),
            limits: limits(position, day),
            books: exposure::books(position.pieces.iter(), &position.guarantees)?,
            owed: owed(inputs),
            counted: counted(inputs, is_known(inputs))?,
            rules: RuleKind::ALL.iter().flat_map(of).collect(),
        })
    }

    pub fn judge(&self, supposed: &Supposed) -> Result<Judged, Refused> {
        let inputs = self.inputs;
        let (position, question) = (&inputs.position, &inputs.question);
        let limits = self.limits_with(supposed);
        let (limit, decided) = limit::effective(&limits, &inputs.rates)?;
        let minor = supposed.amount.unwrap_or(question.amount.minor);
        let asked = Money { minor, ..question.amount };
        let currency = limit.as_ref().map_or(asked.currency, |limit| limit.currency);

        let unpaid = position.pieces.iter().enumerate();
        let unpaid = unpaid.filter(|(at, _)| !supposed.paid.contains(at)).map(|(_, piece)| piece);
        let mut books = match supposed.paid.is_empty() {
            true => self.books.clone(),
            false => exposure::books(unpaid, &position.guarantees)?,
        };
        for (of, minor) in &supposed.members {
            books.entry(*of).or_default().lower(*minor);
        }
        let before = self.sums(&books, currency, false)?;
        let book = books.entry((position.key, asked.currency)).or_default();
        book.asked = asked.minor.saturating_sub(self.counted).max(0);
        let served = self.serve(book, supposed.prepaid);
        if supposed.guaranteed > 0 {
            book.guarantee(supposed.guaranteed);
        }
        let after_minor = self.sums(&books, currency, false)?.total;
        let group_after_minor = match position.head.is_some() {
            true => Some(self.sums(&books, currency, true)?.total),
            false => None,
        };
        let overdue = position.pieces.iter().enumerate().filter_map(|(at, piece)| {
            let is_overdue =
                piece.member == position.key && is_overdue(piece) && !supposed.paid.contains(&at);
            let paid = served.get(&at).copied().unwrap_or(0);
            let minor = piece.minor.saturating_sub(piece.contested).saturating_sub(paid);
            (is_overdue && minor > 0).then_some(Open { piece, minor })
        });
        let sight = Sight {
            asked,
            limits,
            decided,
            overdue: overdue.collect(),
            books,
            own: (limit.as_ref().and_then(|limit| limit.minor), currency, after_minor),
            has_limit: limit.is_some(),
        };
        let mut reasons = Vec::new();
        for known in &self.rules {
            self.look(known, &sight, &mut reasons)?;
        }
        self.look_at_components(&sight, &mut reasons)?;
        let concerns = |order: &Option<Id>| order.is_none() || *order == question.order_id;
        for placed in position.placed.iter().filter(|placed| concerns(&placed.order)) {
            reasons.push(Reason {
                rule: Id::known("placed-hold"),
                kind: RuleKind::PlacedHold,
                level: RuleLevel::Customer,
                verdict: Verdict::ForcedHold,
                seen: Seen::Hold(placed.id.clone()),
            });
        }
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
        let covers = |released: &&Released| {
            concerns(&released.order)
                && released.amount.is_none_or(|most| self.is_within(asked, most, released))
        };
        let released =
            |of: &Reason| position.released.iter().filter(covers).find(|by| by.waives(of));
        let worst = reasons.iter().map(|of| of.verdict).max().unwrap_or(Verdict::Pass);
        let held = reasons.iter().filter(|of| is_held(of.verdict));
        let standing = held.filter(|of| released(of).is_none());
        let (placed, found): (Vec<&Reason>, Vec<&Reason>) =
            standing.partition(|of| of.kind == RuleKind::PlacedHold);
        let worst_of = |all: &[&Reason]| all.iter().map(|of| of.verdict).max();
        let found = worst_of(&found);
        let standing = found.max(worst_of(&placed));
        // Who lets it pass has seen what it warns of.
        let passes = if is_held(worst) { Verdict::Pass } else { worst };
        let verdict = standing.unwrap_or(passes);
        let let_pass = is_held(worst) && !is_held(verdict);
        let let_pass = reasons.first().filter(|_| let_pass).and_then(released);
        Ok(Judged {
            verdict,
            found,
            released_by: let_pass.map(|released| released.id.clone()),
            reasons,
            currency,
            before,
            after_minor,
            group_after_minor,
            limit,
        })
    }

    /// Whether what is asked for takes the order no further than what was released, whatever was done of it since.
    fn is_within(&self, asked: Money, most: Money, released: &Released) -> bool {
        let (of, rates) = (&self.inputs.position, &self.inputs.rates);
        let since = released.base_minor.map_or(0, |then| base(self.inputs).saturating_sub(then));
        let currency = of.done.map_or(asked.currency, |done| done.currency);
        let since = match since < 0 {
            true => rates
                .down(since.saturating_neg(), currency, asked.currency)
                .map(i64::saturating_neg),
            false => rates.up(since, currency, asked.currency),
        };
        let further = |since: i64| asked.minor.saturating_add(since) <= most.minor;
        most.currency == asked.currency && since.is_ok_and(further)
    }

    /// The limits, each of them another where that is supposed.
    fn limits_with(&self, supposed: &Supposed) -> Limits {
        let mut limits = self.limits.clone();
        let line = |kind: LimitKind, currency: Currency| LimitLine {
            kind,
            minor: 0,
            currency,
            unlimited: false,
            mandatory: false,
            from: None,
            to: None,
            id: None,
        };
        if let Some(minor) = supposed.own {
            let own = limits.individual.take();
            let own = own.unwrap_or_else(|| line(LimitKind::Individual, self.own_currency()));
            limits.individual = Some(LimitLine { minor, mandatory: true, ..own });
            limits.own_expired = false;
        }
        if let Some(minor) = supposed.group {
            let group = limits.group.take();
            let group = group.unwrap_or_else(|| line(LimitKind::Group, self.own_currency()));
            limits.group = Some(LimitLine { minor, ..group });
            limits.group_expired = false;
        }
        limits
    }

    /// The currency of the customer's own limit, or of one that would be set.
    pub fn own_currency(&self) -> Currency {
        let limits = &self.limits;
        let line = limits.individual.as_ref().or(limits.group.as_ref());
        line.map_or(self.inputs.question.amount.currency, |line| line.currency)
    }

    /// Pays what is owed as the ledger does: the oldest due first, what is contested last. What is left stays unapplied.
    /// Under another order, money that does not pay all that may come before is taken to go to whatever helps least. Gives
    /// by place what was paid of what is not contested.
    fn serve(&self, book: &mut Book, prepaid: i64) -> BTreeMap<usize, i64> {
        let mut served = BTreeMap::new();
        let mut left = prepaid;
        for contested in [false, true] {
            let open = |piece: &Piece| match contested {
                true => piece.contested,
                false => piece.minor.saturating_sub(piece.contested),
            };
            let position = &self.inputs.position;
            let owed = self.owed.iter().filter_map(|at| Some((at, position.pieces.get(*at)?)));
            let all = owed.clone().map(|(_, piece)| open(piece)).fold(0, i64::saturating_add);
            if position.other_order == Some(1) && left < all {
                let elsewhere = |goes: &dyn Fn(&Piece) -> bool| {
                    let others = owed.clone().filter(|(_, piece)| goes(piece));
                    others.map(|(_, piece)| open(piece)).fold(left, i64::saturating_sub).max(0)
                };
                book.lower(elsewhere(&|piece| !self.settings.counts(piece.component)));
                if !contested {
                    let rest = elsewhere(&|piece| !is_overdue(piece));
                    let late: Vec<_> = owed.filter(|(_, piece)| is_overdue(piece)).collect();
                    self.pay_the_latest(&late, rest, &mut served);
                }
                return served;
            }
            for (at, piece) in owed {
                let paid = open(piece).min(left);
                left = left.saturating_sub(paid);
                book.pay(piece, paid);
                if !contested {
                    served.insert(*at, paid);
                }
            }
        }
        book.prepay(left);
        served
    }

    /// Pays of overdue documents, the oldest first, what no order spares them: the oldest is the last to be paid, as none
    /// helps more. Where a rule sums up several of them in another currency, how they round depends on the order, and
    /// nothing is taken as paid.
    fn pay_the_latest(
        &self,
        late: &[(&usize, &Piece)],
        mut left: i64,
        served: &mut BTreeMap<usize, i64>,
    ) {
        let asked = self.inputs.question.amount.currency;
        let is_other = |bound: Money| bound.currency != asked;
        let rounds = |known: &&&Known| known.rule.kind == RuleKind::OverdueAmount;
        let mut rounding = self.rules.iter().filter(rounds);
        if late.len() > 1 && rounding.any(|known| known.rule.amount.is_some_and(is_other)) {
            return;
        }
        for (at, piece) in late.iter().rev() {
            let paid = piece.minor.saturating_sub(piece.contested).min(left);
            left = left.saturating_sub(paid);
            served.insert(**at, paid);
        }
    }

    /// What the other members of the group stand for.
    pub fn members(
        &self,
        to: Currency,
        ids: &BTreeMap<i64, Id>,
    ) -> Result<Vec<MemberExposure>, Refused> {
        let (position, rates) = (&self.inputs.position, &self.inputs.rates);
        let (pieces, guarantees) = (&position.pieces, &position.guarantees);
        let mut members = Vec::new();
        for (key, id) in ids {
            let sums = exposure::sums(&self.books, |of| of == *key, &self.settings, to, rates)?;
            let parts =
                exposure::told(&sums, &self.settings, *key, pieces, guarantees, |_| Ok(None))?;
            members.push(MemberExposure { customer: id.clone(), total_minor: sums.total, parts });
        }
        Ok(members)
    }

    /// The exposure of the customer, or of all members of its group.
    fn sums(&self, books: &Books, to: Currency, all: bool) -> Result<exposure::Sums, Refused> {
        let of = |member: i64| all || member == self.inputs.position.key;
        exposure::sums(books, of, &self.settings, to, &self.inputs.rates)
    }

    /// Looks whether a rule fails.
    fn look(
        &self,
        known: &Known,
        sight: &Sight<'_>,
        reasons: &mut Vec<Reason>,
    ) -> Result<(), Refused> {
        let (position, rates) = (&self.inputs.position, &self.inputs.rates);
        let rule = &known.rule;
        let most = rule.more_than.unwrap_or_default();
        let above = |seen: &i64| *seen > 0 && Decimal::from(*seen) > most;
        let count = |seen: Option<i64>| seen.filter(above).map(|seen| Seen::Count(seen, most));
        let plain = |fails: bool| fails.then_some(Seen::Plain);
        let amount = |minor: i64, bound: Money| {
            let seen = Money::new(minor, bound.currency);
            (minor > bound.minor).then_some(Seen::Amount(seen, bound))
        };
        let seen = match rule.kind {
            RuleKind::DaysOverdue => {
                let oldest = sight.overdue.iter().filter_map(|open| open.piece.due_on).min();
                count(oldest.map(|due| self.inputs.day.days_since(due)))
            }
            RuleKind::AccountStatus => {
                use CustomerStatus as S;
                let stop = [S::OnHold, S::Suspended, S::Closed];
                let statuses = rule.statuses.as_deref().unwrap_or(&stop);
                statuses.contains(&position.status).then_some(Seen::Status(position.status))
            }
            RuleKind::WorsenedTerms => {
                let asked = self.inputs.question.terms_days.map(i64::from);
                let longer = asked.zip(position.usual_terms);
                count(longer.map(|(asked, usual)| asked.saturating_sub(usual)))
            }
            RuleKind::ExpiredLimit => plain(sight.limits.expired()),
            RuleKind::LimitMissing => {
                let is_missing = !sight.has_limit && !sight.limits.expired();
                let waits = position.limit_waits == Some(1);
                is_missing.then_some(if waits { Seen::Waiting } else { Seen::Plain })
            }
            RuleKind::LegalStage => plain(position.legal_stage == Some(1)),
            RuleKind::BrokenPromise => count(position.broken_promises.map(i64::from)),
            RuleKind::OverdueAmount => match rule.amount {
                None => None,
                Some(bound) => {
                    let mut sum = 0i64;
                    for open in &sight.overdue {
                        let currency = open.piece.currency;
                        sum = sum.saturating_add(rates.up(open.minor, currency, bound.currency)?);
                    }
                    amount(sum, bound)
                }
            },
            RuleKind::OrderAmount => match rule.amount {
                None => None,
                Some(bound) => {
                    let asked = sight.asked;
                    amount(rates.up(asked.minor, asked.currency, bound.currency)?, bound)
                }
            },
            RuleKind::LimitUsed => {
                for seen in self.used(rule.more_than.unwrap_or(Decimal::ONE), sight)? {
                    reasons.push(reason(known, seen));
                }
                None
            }
            RuleKind::ScoreDrop => {
                let own = (position.grade, position.grade_before);
                let mut all = [own].into_iter().chain(position.merged_grades.iter().copied());
                all.find_map(|(grade, before)| {
                    let grade = grade?;
                    let fell = before.map_or(0, |before| fall(before, grade));
                    let bad = rule.grade.is_some_and(|worst| grade >= worst);
                    // With a grade alone a fall above it is no reason.
                    let looks = rule.grade.is_none() || rule.more_than.is_some();
                    let fails = bad || (looks && above(&fell));
                    fails.then_some(Seen::Grade(grade, before))
                })
            }
            RuleKind::ExposureComponent | RuleKind::PlacedHold => None,
        };
        reasons.extend(seen.map(|seen| reason(known, seen)));
        Ok(())
    }

    /// How much may be asked for before a rule that looks at the amount finds something, where the exposure grows by all of
    /// it and everything is in one currency.
    pub fn room(&self, judged: &Judged) -> i64 {
        let limit = judged.limit.as_ref().and_then(|limit| limit.minor);
        let bound = |known: &&Known| match known.rule.kind {
            RuleKind::OrderAmount => known.rule.amount.map(|most| most.minor),
            RuleKind::LimitUsed => limit.map(|minor| {
                let most = part(minor, known.rule.more_than.unwrap_or(Decimal::ONE));
                most.saturating_sub(judged.before.total)
            }),
            _ => None,
        };
        self.rules.iter().filter_map(bound).fold(MAX_MINOR, i64::min)
    }

    /// The share of the limit that is used where nothing is asked for: of the customer's own or of its group's, whichever
    /// is more.
    pub fn utilisation(&self, judged: &Judged) -> Result<Option<Decimal>, Refused> {
        let Some(most) = judged.limit.as_ref().and_then(|limit| limit.minor) else {
            return Ok(None);
        };
        let own = decimal::share(judged.before.total, most);
        let group = self.limits.group.as_ref().filter(|line| !line.unlimited);
        let (Some(line), Some(total)) = (group, judged.group_after_minor) else { return Ok(own) };
        let most = self.inputs.rates.down(line.minor, line.currency, judged.currency)?;
        Ok(own.max(decimal::share(total, most)))
    }

    /// Whether more than a share of the limit would be used: of the customer's own, and of its group's.
    fn used(&self, share: Decimal, sight: &Sight<'_>) -> Result<Vec<Seen>, Refused> {
        let mut found = Vec::new();
        let mut hold = |total: i64, minor: i64, currency: Currency, group: bool| {
            let most = part(minor, share);
            if total > most {
                let (after, most) = (Money::new(total, currency), Money::new(most, currency));
                found.push(Seen::Used { after, most, group });
            }
        };
        if let (Some(minor), currency, total) = sight.own {
            hold(total, minor, currency, false);
        }
        let group = sight.limits.group.as_ref().filter(|line| !line.unlimited);
        if let Some(line) = group.filter(|_| sight.decided != Decided::Unlimited) {
            let total = self.sums(&sight.books, line.currency, true)?.total;
            hold(total, line.minor, line.currency, true);
        }
        Ok(found)
    }

    /// Looks at components that have a limit of their own.
    fn look_at_components(
        &self,
        sight: &Sight<'_>,
        reasons: &mut Vec<Reason>,
    ) -> Result<(), Refused> {
        for (component, bound, known) in &self.settings.limits {
            let minor = self.sums(&sight.books, bound.currency, false)?.part(*component);
            if minor > bound.minor {
                let seen = Money::new(minor, bound.currency);
                reasons.push(reason(known, Seen::Component(*component, seen, *bound)));
            }
        }
        Ok(())
    }
}

fn is_overdue(piece: &Piece) -> bool {
    piece.component == ExposureComponent::OverdueInvoices
}

fn reason(known: &Known, seen: Seen) -> Reason {
    let verdict = rule::verdict(known);
    // Somebody has said how much at most: until that counts nothing goes out on credit.
    let least = if seen == Seen::Waiting { Verdict::Hold } else { verdict };
    Reason {
        rule: known.name.clone(),
        kind: known.rule.kind,
        level: known.level,
        verdict: verdict.max(least),
        seen,
    }
}

/// Invoices of the customer's own in the currency asked for, by place, the oldest due first.
fn owed(inputs: &Inputs) -> Vec<usize> {
    use ExposureComponent as C;
    let position = &inputs.position;
    let is_owed = |(_, piece): &(usize, &Piece)| {
        piece.member == position.key
            && matches!(piece.component, C::OpenInvoices | C::OverdueInvoices)
            && piece.currency == inputs.question.amount.currency
    };
    let mut owed: Vec<(usize, &Piece)> =
        position.pieces.iter().enumerate().filter(is_owed).collect();
    owed.sort_by(|(_, a), (_, b)| (a.due_on, &a.id).cmp(&(b.due_on, &b.id)));
    owed.into_iter().map(|(at, _)| at).collect()
}

/// What the order that is asked about has in the exposure.
pub(super) fn of_order(inputs: &Inputs) -> impl Iterator<Item = &Piece> + Clone {
    let (order, position) = (inputs.question.order_id.as_ref(), &inputs.position);
    let of = move |piece: &&Piece| {
        piece.member == position.key && order.is_some() && piece.order.as_ref() == order
    };
    position.pieces.iter().filter(of)
}

/// Whether the question is about an order that was taken: what was cancelled of it is not asked for again.
pub(super) fn is_known(inputs: &Inputs) -> bool {
    matches!(purpose_of(&inputs.question), CheckPurpose::Delivery | CheckPurpose::Invoice)
}

/// How much of the order that is asked about is or was in the exposure, in the currency that is asked for: what counts of
/// it, what was invoiced, which counts in the ledger, and what was cancelled where that is wanted. A rate never makes it
/// more.
pub(super) fn counted(inputs: &Inputs, with_cancelled: bool) -> Result<i64, Refused> {
    let to = inputs.question.amount.currency;
    let pieces = of_order(inputs).map(|piece| (piece.minor, piece.currency));
    let done = inputs.question.order_id.as_ref().and(inputs.position.done).map(|done| {
        let cancelled = if with_cancelled { done.cancelled } else { 0 };
        (done.invoiced.saturating_add(cancelled), done.currency)
    });
    let mut counted = 0i64;
    for (minor, currency) in pieces.chain(done) {
        counted = counted.saturating_add(inputs.rates.down(minor, currency, to)?);
    }
    Ok(counted)
}

/// A share of a limit, rounded down.
fn part(minor: i64, share: Decimal) -> i64 {
    let part = Decimal::from(minor).checked_mul(share).map(|part| part.floor());
    part.and_then(|part| part.to_i64()).unwrap_or(minor)
}

/// By how many classes a grade fell.
fn fall(before: Grade, now: Grade) -> i64 {
    let place = |grade: Grade| Grade::ALL.iter().position(|known| *known == grade);
    let place = |grade: Grade| place(grade).and_then(|at| i64::try_from(at).ok()).unwrap_or(0);
    place(now).saturating_sub(place(before))
}
