//! When a debtor is reminded, of what and in which tone: the ground calendar.
//!
//! # What is decided
//!
//! [`decide`] looks at everything one customer owes in one currency on one business date and answers at most one
//! notice and the day on which to look again.
//!
//! 1. *What may be chased*: not what is disputed, not what is below the tolerance, not what unapplied payments and
//!    credit notes cover (set against the oldest first). A part that is covered is left out of the amount.
//! 2. *Who leads*: the oldest chased item that has not had the last level. The days after its due date decide when a
//!    notice is written; younger items join and do not restart the calendar. When it is paid, the next oldest leads.
//! 3. *Which level*: every item climbs by its own days, at most one level a notice. An item that is past due starts
//!    no higher than the first level after the due date, however old it is; courtesies whose day has passed are not
//!    made up for. The highest level among the items named is the level of the notice and decides its tone.
//! 4. *What is named*: everything chased that is due or past due; in an `upcoming` notice the upcoming items.
//! 5. *How often*: never two notices within [`Policy::minimum_interval_days`], so never two on a day. A courtesy that
//!    would push the next level off its day is not sent, and none is sent while an item past the last level is open.
//! 6. *When it ends*: when every chased item has had the last level, there is no next day. Later policies go on.
//!
//! # What is stored
//!
//! - For each invoice `reminded_level` and `reminded_on`: null until a notice names it; after a notice, for each of
//!   its items, [`DraftItem::level`] and the business date.
//! - For each customer and currency `last_notice_on`, the newest `reminded_on` of all its invoices, paid ones
//!   included, and `next_action_on`, which is [`Decision::next_action_on`]. The sweep asks for
//!   `next_action_on <= :today`.
//! - Whatever changes what is owed (an invoice, a payment, a dispute, a reversal) sets `next_action_on` to the
//!   business date of the change, so that the next sweep looks again.
//!
//! Deciding again on the day of the last notice answers no notice and the same next day.

use crate::arrange::arrange;
pub use crate::calendar::{CALENDAR, Policy, Step, first_action_on, tolerance_minor};
use crate::{
    Date, Id,
    calendar::{climb, steps_up_to},
    contract::remind::NoticeLevel,
    money,
    text::counted,
};

/// A claim that is open: an invoice, an interest note or a fee. Never a credit note, which counts in
/// [`Account::unapplied_minor`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenItem {
    /// The invoice.
    pub invoice_id: Id,
    /// The last day on which payment is in time.
    pub due_on: Date,
    /// What is still to be paid.
    pub open_minor: i64,
    /// Whether it is contested.
    pub disputed: bool,
    /// The level of the last notice that named it, by its own days. `None`: never named.
    pub reminded_level: Option<NoticeLevel>,
}

/// Everything one customer owes in one currency, in any order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Account {
    /// What is open.
    pub items: Vec<OpenItem>,
    /// Payments and credit notes not set against an invoice.
    pub unapplied_minor: i64,
    /// Below this an item is not chased; see [`tolerance_minor`].
    pub tolerance_minor: i64,
    /// The day of the last notice for this customer and currency, at any level.
    pub last_notice_on: Option<Date>,
}

/// One item that a notice names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DraftItem {
    /// The invoice.
    pub invoice_id: Id,
    /// The last day on which payment is in time.
    pub due_on: Date,
    /// What is asked for: what is open less the unapplied money that covers a part of it.
    pub open_minor: i64,
    /// Days after the due date; negative before it.
    pub days_past_due: i32,
    /// The item's own level after this notice, to be stored with the invoice.
    pub level: NoticeLevel,
}

/// A notice to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// The highest level among the items.
    pub level: NoticeLevel,
    /// Oldest due first, then by id.
    pub items: Vec<DraftItem>,
    /// The sum of the items.
    pub total_minor: i64,
}

/// Why an open item is not chased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SkipReason {
    /// It is contested.
    Disputed,
    /// What is open, or what is left of it after unapplied money, is below the tolerance.
    BelowTolerance,
    /// Unapplied payments or credit notes cover it.
    CoveredByUnapplied,
}

/// What was decided and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// What to write today.
    pub notice: Option<Draft>,
    /// The next day on which something is to be done if nothing changes. `None`: the calendar has ended or there is
    /// nothing to chase.
    pub next_action_on: Option<Date>,
    /// The rule and version, the leading item, and what it led to.
    pub because: String,
    /// The open items that are not chased.
    pub skipped: Vec<(Id, SkipReason)>,
}

/// Decides for one customer and currency on a business date. See the module for the rule.
pub fn decide(policy: &Policy, account: &Account, today: Date) -> Decision {
    let (mut chased, skipped) = chase(policy, account);
    let lead = leader(policy, &chased).cloned();
    let rested = earliest(policy, account.last_notice_on).is_none_or(|day| day <= today);
    let sends = rested && lead.as_ref().is_some_and(|lead| sends(policy, &chased, lead, today));
    let draft = sends.then(|| draft(policy, &mut chased, today)).flatten();
    let last_notice_on = if draft.is_some() { Some(today) } else { account.last_notice_on };
    let next_action_on = next_action(policy, &chased, last_notice_on, today);
    let outcome = match (&draft, next_action_on) {
        (Some(draft), _) => draft.level.to_string(),
        (None, Some(day)) => format!("nothing today, next on {day}"),
        (None, None) if chased.is_empty() => "nothing to chase".to_string(),
        (None, None) => "every item had the last level".to_string(),
    };
    let led = lead.map_or(String::new(), |lead| {
        format!(
            ", led by {} due {} ({})",
            lead.invoice_id,
            lead.due_on,
            days_in_words(lead.days(today))
        )
    });
    let because = format!("{}: {outcome}{led}", policy.rule);
    Decision { notice: draft, next_action_on, because, skipped }
}

/// An item that may be chased, with the part that unapplied money does not cover.
#[derive(Clone)]
struct Chased {
    invoice_id: Id,
    due_on: Date,
    open_minor: i64,
    /// How many steps of the policy it has behind it.
    done: usize,
}

impl Chased {
    fn days(&self, today: Date) -> i64 {
        today.days_since(self.due_on)
    }
}

/// Parts what may be chased, oldest due first, from what may not.
fn chase(policy: &Policy, account: &Account) -> (Vec<Chased>, Vec<(Id, SkipReason)>) {
    let mut items: Vec<&OpenItem> =
        account.items.iter().filter(|item| item.open_minor > 0).collect();
    arrange(&mut items, |a, b| (a.due_on, &a.invoice_id).cmp(&(b.due_on, &b.invoice_id)));
    let mut unapplied_minor = account.unapplied_minor.max(0);
    let mut chased = Vec::with_capacity(items.len());
    let mut skipped = Vec::new();
    for item in items {
        if let Some(reason) = not_chased(item, account.tolerance_minor) {
            skipped.push((item.invoice_id.clone(), reason));
            continue;
        }
        let covered_minor = unapplied_minor.min(item.open_minor);
        unapplied_minor = unapplied_minor.saturating_sub(covered_minor);
        let open_minor = item.open_minor.saturating_sub(covered_minor);
        if open_minor == 0 {
            skipped.push((item.invoice_id.clone(), SkipReason::CoveredByUnapplied));
        } else if open_minor < account.tolerance_minor {
            skipped.push((item.invoice_id.clone(), SkipReason::BelowTolerance));
        } else {
            let done = steps_up_to(policy, item.reminded_level);
            let (invoice_id, due_on) = (item.invoice_id.clone(), item.due_on);
            chased.push(Chased { invoice_id, due_on, open_minor, done });
        }
    }
    (chased, skipped)
}

/// The reasons that lie in the item alone.
fn not_chased(item: &OpenItem, tolerance_minor: i64) -> Option<SkipReason> {
    if item.disputed {
        return Some(SkipReason::Disputed);
    }
    (item.open_minor < tolerance_minor).then_some(SkipReason::BelowTolerance)
}

/// The oldest item that has a level before it.
fn leader<'a>(policy: &Policy, chased: &'a [Chased]) -> Option<&'a Chased> {
    chased.iter().find(|item| item.done < policy.steps.len())
}

/// Whether the leading item brings a notice on this day.
fn sends(policy: &Policy, chased: &[Chased], lead: &Chased, day: Date) -> bool {
    let reached = climb(policy, lead.done, lead.days(day));
    let Some(step) = reached.checked_sub(1).and_then(|at| policy.steps.get(at)) else {
        return false;
    };
    if reached == lead.done || step.days > 0 {
        return reached > lead.done;
    }
    let past_the_last = chased.iter().any(|item| item.done >= policy.steps.len());
    let next = policy.steps.get(reached).map(|next| next.days.saturating_sub(lead.days(day)));
    !past_the_last && next.is_none_or(|days| days >= policy.minimum_interval_days)
}

/// Names what is due, moves each named item up and sums. `None`: the sum cannot be held.
fn draft(policy: &Policy, chased: &mut [Chased], today: Date) -> Option<Draft> {
    money::sum(chased.iter().map(|item| item.open_minor)).ok()?;
    let upcoming = chased.iter().all(|item| item.days(today) < 0);
    let mut items = Vec::with_capacity(chased.len());
    for item in chased.iter_mut() {
        let days = item.days(today);
        let reached = climb(policy, item.done, days);
        let step = reached.checked_sub(1).and_then(|at| policy.steps.get(at));
        let Some(step) = step.filter(|_| upcoming || days >= 0) else { continue };
        item.done = reached;
        items.push(DraftItem {
            invoice_id: item.invoice_id.clone(),
            due_on: item.due_on,
            open_minor: item.open_minor,
            days_past_due: i32::try_from(days).unwrap_or(i32::MAX),
            level: step.level,
        });
    }
    let total_minor = money::sum(items.iter().map(|item| item.open_minor)).ok()?;
    let level = items.iter().map(|item| item.level).max()?;
    Some(Draft { level, items, total_minor })
}

/// The first day after a notice on which the next may be written.
fn earliest(policy: &Policy, last_notice_on: Option<Date>) -> Option<Date> {
    last_notice_on.and_then(|day| day.plus_days(policy.minimum_interval_days).ok())
}

/// The first day after today on which the leading item brings a notice, if nothing changes.
fn next_action(
    policy: &Policy,
    chased: &[Chased],
    last_notice_on: Option<Date>,
    today: Date,
) -> Option<Date> {
    let lead = leader(policy, chased)?;
    let from = today.plus_days(1).ok()?.max(earliest(policy, last_notice_on).unwrap_or(today));
    let on_step = policy.steps.iter().filter_map(|step| lead.due_on.plus_days(step.days).ok());
    let days = on_step.chain([from]).filter(|day| *day >= from);
    days.filter(|day| sends(policy, chased, lead, *day)).min()
}

fn days_in_words(days: i64) -> String {
    match days {
        0 => "today".to_string(),
        1.. => format!("{} past due", counted(days, "day")),
        _ => format!("in {}", counted(days.saturating_neg(), "day")),
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Day 0 of every script.
    fn day(number: i64) -> Date {
        "2024-05-31".parse::<Date>().unwrap().plus_days(number).unwrap()
    }

    fn account() -> Account {
        Account { items: vec![], unapplied_minor: 0, tolerance_minor: 100, last_notice_on: None }
    }

    fn item(id: &str, due: i64, open_minor: i64) -> OpenItem {
        let (invoice_id, due_on) = (id.parse().unwrap(), day(due));
        OpenItem { invoice_id, due_on, open_minor, disputed: false, reminded_level: None }
    }

    /// Stores what a decision says, as the store does.
    fn store(account: &mut Account, decision: &Decision, today: Date) {
        let Some(draft) = &decision.notice else { return };
        account.last_notice_on = Some(today);
        for named in &draft.items {
            let item = account.items.iter_mut().find(|item| item.invoice_id == named.invoice_id);
            item.unwrap().reminded_level = Some(named.level);
        }
    }

    /// `first A+3 B+1 = 150`
    fn shown(decision: &Decision) -> String {
        let Some(draft) = &decision.notice else { return "-".to_string() };
        let item = |item: &DraftItem| format!("{}{:+}", item.invoice_id, item.days_past_due);
        let items: Vec<String> = draft.items.iter().map(item).collect();
        format!("{} {} = {}", draft.level, items.join(" "), draft.total_minor)
    }

    /// `A due 0 500`, `pay A`, `pay A 200`, `dispute A`, `agree A`, `unapplied 300`
    fn happen(account: &mut Account, event: &str) {
        let words: Vec<&str> = event.split_whitespace().collect();
        let find = |account: &mut Account, id: &str| {
            account.items.iter().position(|item| item.invoice_id.to_string() == id).unwrap()
        };
        match words[..] {
            [id, "due", due, open] => {
                account.items.push(item(id, due.parse().unwrap(), open.parse().unwrap()));
            }
            ["pay", id] => {
                let at = find(account, id);
                account.items.remove(at);
            }
            ["pay", id, minor] => {
                let at = find(account, id);
                account.items[at].open_minor -= minor.parse::<i64>().unwrap();
            }
            [word, id] if word != "unapplied" => {
                let at = find(account, id);
                account.items[at].disputed = word == "dispute";
            }
            ["unapplied", minor] => account.unapplied_minor = minor.parse().unwrap(),
            _ => panic!("{event}"),
        }
    }

    /// Sweeps every day of a script but those of an outage. Each line is `day | events | notice`; a day that is not
    /// listed brings no notice. Along the way: the next action date is the day of the next notice, and the same day
    /// twice brings no second notice and the same next day.
    fn check_with(policy: &Policy, script: &str) {
        let lines: Vec<Vec<&str>> = script
            .lines()
            .filter(|line| !line.trim().is_empty())
            .map(|line| line.split('|').map(str::trim).collect())
            .collect();
        let number = |line: &[&str]| line[0].parse::<i64>().unwrap();
        let (first, last) = (number(&lines[0]), number(&lines[lines.len() - 1]));
        let mut account = account();
        let mut awaited: Option<Option<Date>> = None;
        let mut back = first;
        for at in first..=last {
            let line = lines.iter().find(|line| number(line) == at);
            for event in
                line.map_or("", |line| line[1]).split(';').filter(|event| !event.is_empty())
            {
                match event.trim().strip_prefix("outage until ") {
                    Some(until) => back = until.parse().unwrap(),
                    None => {
                        happen(&mut account, event);
                        awaited = None;
                    }
                }
            }
            if at < back {
                continue;
            }
            let decision = decide(policy, &account, day(at));
            assert_eq!(shown(&decision), line.map_or("-", |line| line[2]), "day {at} of {script}");
            if let Some(next) = awaited {
                let (sent, today) = (decision.notice.is_some(), Some(day(at)));
                let come = next.is_some() && next <= today;
                assert!(if sent { come } else { next != today }, "day {at} of {script}: {next:?}");
            }
            store(&mut account, &decision, day(at));
            let again = decide(policy, &account, day(at));
            assert_eq!(again.notice, None, "day {at} twice");
            assert_eq!(again.next_action_on, decision.next_action_on, "day {at} twice");
            awaited = Some(decision.next_action_on);
        }
    }

    fn check(script: &str) {
        check_with(&CALENDAR, script);
    }

    #[test]
    fn one_day_is_not_many() {
        for (days, told) in [
            (-2, "in 2 days"),
            (-1, "in 1 day"),
            (0, "today"),
            (1, "1 day past due"),
            (2, "2 days past due"),
        ] {
            assert_eq!(days_in_words(days), told);
        }
    }

    #[test]
    fn the_default_calendar_writes_on_its_exact_days_and_then_ends() {
        check(
            "
            -30 | A due 0 500 | -
            -3  |             | upcoming A-3 = 500
            0   |             | due A+0 = 500
            3   |             | first A+3 = 500
            7   |             | second A+7 = 500
            60  |             | -",
        );
    }

    #[test]
    fn each_level_has_a_day_before_on_and_after() {
        // level it had, day, level it gets
        let table = "
            -         -4   -
            -         -3   upcoming
            -         -2   upcoming
            -         -1   -
            -         0    due
            -         1    due
            -         2    -
            -         3    first
            -         6    first
            -         7    first
            -         3000 first
            upcoming  -2   -
            upcoming  -1   -
            upcoming  0    due
            upcoming  1    due
            upcoming  2    -
            upcoming  3    first
            upcoming  99   first
            due       1    -
            due       2    -
            due       3    first
            due       4    first
            due       99   first
            first     4    -
            first     6    -
            first     7    second
            first     8    second
            first     99   second
            second    8    -
            second    99   -";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let mut account = account();
            account.items.push(item("A", 0, 500));
            account.items[0].reminded_level = words[0].parse().ok();
            let decision = decide(&CALENDAR, &account, day(words[1].parse().unwrap()));
            let level = decision.notice.map_or("-".to_string(), |draft| draft.level.to_string());
            assert_eq!(level, words[2], "{line}");
        }
    }

    #[test]
    fn when_the_oldest_is_paid_the_next_one_leads_and_keeps_all_its_days() {
        let policy = Policy {
            rule: "warn-and-block@1",
            steps: &[
                Step { level: NoticeLevel::First, days: 5 },
                Step { level: NoticeLevel::Second, days: 7 },
            ],
            minimum_interval_days: 2,
        };
        // Due 31 May, 31 May and 2 June; on 2 June the two oldest are paid: 7 and 9 June.
        check_with(
            &policy,
            "
            0  | A due 0 500; B due 0 500; C due 2 500 | -
            2  | pay A; pay B                          | -
            7  |                                       | first C+5 = 500
            9  |                                       | second C+7 = 500
            30 |                                       | -",
        );
        check(
            "
            -9 | A due 0 500; B due 2 300 | -
            -3 |                          | upcoming A-3 = 500
            0  |                          | due A+0 = 500
            3  |                          | first A+3 B+1 = 800
            4  | pay A                    | -
            5  |                          | first B+3 = 300
            9  |                          | second B+7 = 300
            30 |                          | -",
        );
    }

    #[test]
    fn later_items_join_without_restarting_and_get_their_own_last_level() {
        check(
            "
            -3 | A due 0 500; B due 4 300 | upcoming A-3 = 500
            0  |                          | due A+0 = 500
            3  |                          | first A+3 = 500
            7  |                          | second A+7 B+3 = 800
            11 |                          | second A+11 B+7 = 800
            30 |                          | -",
        );
    }

    #[test]
    fn an_old_debt_seen_for_the_first_time_starts_at_first() {
        check(
            "
            100 | A due 0 500; B due 50 300 | first A+100 B+50 = 800
            102 |                           | second A+102 B+52 = 800
            130 |                           | -",
        );
    }

    #[test]
    fn a_new_item_of_a_debtor_past_the_last_level_gets_reminders_but_no_courtesies() {
        check(
            "
            50 | A due 0 500  | first A+50 = 500
            52 |              | second A+52 = 500
            60 | B due 65 300 | -
            68 |              | second A+68 B+3 = 800
            72 |              | second A+72 B+7 = 800
            90 |              | -",
        );
    }

    #[test]
    fn an_outage_collapses_into_one_notice() {
        check(
            "
            -5 | A due 0 500; outage until 0 | -
            0  |                             | due A+0 = 500
            1  | outage until 20             | -
            20 |                             | first A+20 = 500
            22 |                             | second A+22 = 500
            40 |                             | -",
        );
        check(
            "
            -5 | A due 0 500; B due 1 500; C due 9 500; outage until 12 | -
            12 | | first A+12 B+11 C+3 = 1500
            14 | | second A+14 B+13 C+5 = 1500
            16 | | second A+16 B+15 C+7 = 1500
            40 | | -",
        );
    }

    #[test]
    fn a_courtesy_that_would_push_the_next_level_off_its_day_is_not_sent() {
        check(
            "
            -1 | A due 0 500 | -
            0  |             | due A+0 = 500
            3  |             | first A+3 = 500
            4  | pay A       | -",
        );
        check(
            "
            2 | A due 0 500 | -
            3 |             | first A+3 = 500
            7 |             | second A+7 = 500",
        );
    }

    #[test]
    fn a_notice_every_second_day_is_sent_every_second_day() {
        let items: Vec<String> = (0..4).map(|n| format!("I{n} due {n} 100")).collect();
        check(&format!(
            "
            8  | {} | first I0+8 I1+7 I2+6 I3+5 = 400
            10 | | second I0+10 I1+9 I2+8 I3+7 = 400
            20 | | -",
            items.join(";")
        ));
        check(
            "
            3  | A due 0 100; B due 2 100 | first A+3 B+1 = 200
            4  | pay A | -
            5  |       | first B+3 = 100
            9  |       | second B+7 = 100",
        );
    }

    #[test]
    fn a_partly_paid_item_is_reminded_for_the_rest() {
        check(
            "
            0 | A due 0 500 | due A+0 = 500
            2 | pay A 200   | -
            3 |             | first A+3 = 300
            7 |             | second A+7 = 300",
        );
    }

    #[test]
    fn a_disputed_item_neither_leads_nor_is_named() {
        check(
            "
            3  | A due 0 500; B due 2 300; dispute A | due B+1 = 300
            5  |                                     | first B+3 = 300
            9  |                                     | second B+7 = 300
            12 | agree A                             | second A+12 B+10 = 800",
        );
    }

    #[test]
    fn what_is_below_the_tolerance_is_not_chased() {
        check(
            "
            3 | A due 0 99; B due 0 100 | first B+3 = 100
            4 | pay B 1                 | -
            9 |                         | -",
        );
    }

    #[test]
    fn unapplied_money_covers_the_oldest_first() {
        check(
            "
            3  | A due 0 500; B due 1 300; unapplied 800 | -
            5  | unapplied 500                           | first B+4 = 300
            7  | unapplied 250                           | first A+7 B+6 = 550
            8  | unapplied 450                           | -
            9  |                                         | second B+8 = 300
            11 | unapplied 0                             | second A+11 B+10 = 800
            20 |                                         | -",
        );
    }

    #[test]
    fn skipped_items_say_why() {
        let mut account = account();
        account.items = vec![
            item("A", 0, 500),
            item("B", 1, 150),
            item("C", 2, 99),
            item("D", 3, 800),
            item("E", 3, 0),
        ];
        account.items[3].disputed = true;
        account.unapplied_minor = 600;
        let decision = decide(&CALENDAR, &account, day(9));
        let skipped: Vec<String> =
            decision.skipped.iter().map(|(id, reason)| format!("{id} {reason:?}")).collect();
        assert_eq!(
            skipped,
            ["A CoveredByUnapplied", "B BelowTolerance", "C BelowTolerance", "D Disputed"]
        );
        assert_eq!((decision.notice, decision.next_action_on), (None, None));
        assert_eq!(decision.because, "calendar@1: nothing to chase");
    }

    #[test]
    fn a_decision_says_what_led_to_it() {
        let mut account = account();
        account.items = vec![item("A", 0, 500)];
        let because = |account: &Account, at| decide(&CALENDAR, account, day(at)).because;
        assert_eq!(
            because(&account, 3),
            "calendar@1: first, led by A due 2024-05-31 (3 days past due)"
        );
        assert_eq!(
            because(&account, -5),
            "calendar@1: nothing today, next on 2024-05-28, led by A due 2024-05-31 (in 5 days)"
        );
        account.items[0].reminded_level = Some(NoticeLevel::Second);
        assert_eq!(because(&account, 9), "calendar@1: every item had the last level");
    }

    #[test]
    fn a_total_that_cannot_be_held_is_not_asked_for() {
        let mut account = account();
        account.items = vec![item("A", 0, i64::MAX), item("B", 0, i64::MAX)];
        assert_eq!(decide(&CALENDAR, &account, day(3)).notice, None);
    }

    #[test]
    fn nothing_breaks_at_the_ends_of_the_calendar() {
        for due in ["1900-01-01", "2199-12-31"] {
            let mut account = account();
            account.items = vec![OpenItem { due_on: due.parse().unwrap(), ..item("A", 0, 500) }];
            for today in ["1900-01-01", "2199-12-31"] {
                let decision = decide(&CALENDAR, &account, today.parse().unwrap());
                assert!(decision.next_action_on.is_none_or(|next| next > today.parse().unwrap()));
            }
        }
    }

    /// What happens to an account on a day: payments, disputes, new items, unapplied money, no sweep.
    #[derive(Clone, Debug)]
    enum Event {
        New { due: i64, open_minor: i64 },
        Pay { which: usize, minor: i64 },
        Dispute { which: usize, on: bool },
        Unapplied(i64),
        NoSweep,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            3 => (-40i64..40, 1i64..900).prop_map(|(due, open_minor)| Event::New { due, open_minor }),
            2 => (0usize..9, 1i64..900).prop_map(|(which, minor)| Event::Pay { which, minor }),
            1 => (0usize..9, any::<bool>()).prop_map(|(which, on)| Event::Dispute { which, on }),
            1 => (0i64..900).prop_map(Event::Unapplied),
            2 => Just(Event::NoSweep),
        ]
    }

    fn apply(account: &mut Account, event: &Event, at: i64) {
        match event {
            Event::New { due, open_minor } => {
                let id = format!("I{}", account.items.len());
                account.items.push(item(&id, at + due, *open_minor));
            }
            Event::Pay { which, minor } => {
                let item = account.items.get_mut(*which);
                item.into_iter()
                    .for_each(|item| item.open_minor = (item.open_minor - minor).max(0));
            }
            Event::Dispute { which, on } => {
                account.items.get_mut(*which).into_iter().for_each(|item| item.disputed = *on);
            }
            Event::Unapplied(minor) => account.unapplied_minor = *minor,
            Event::NoSweep => {}
        }
    }

    proptest! {
        #[test]
        fn a_debtor_is_reminded_seldom_in_order_and_only_of_what_is_owed(
            events in proptest::collection::vec(proptest::option::weighted(0.4, event()), 1..90),
        ) {
            let mut account = account();
            let mut awaited: Option<Option<Date>> = None;
            for (at, event) in (0i64..).zip(&events) {
                if let Some(event) = event {
                    apply(&mut account, event, at);
                    awaited = if matches!(event, Event::NoSweep) { awaited } else { None };
                    if matches!(event, Event::NoSweep) {
                        continue;
                    }
                }
                let before = account.clone();
                let decision = decide(&CALENDAR, &account, day(at));
                prop_assert!(decision.next_action_on.is_none_or(|next| next > day(at)));
                if let Some(next) = awaited {
                    let (sent, today) = (decision.notice.is_some(), Some(day(at)));
                    let come = next.is_some() && next <= today;
                    prop_assert!(if sent { come } else { next != today }, "awaited {next:?}");
                }
                awaited = Some(decision.next_action_on);
                store(&mut account, &decision, day(at));
                prop_assert_eq!(decide(&CALENDAR, &account, day(at)).notice, None);
                let Some(draft) = decision.notice else { continue };
                let rested = before.last_notice_on.is_none_or(|last| day(at).days_since(last) >= 2);
                prop_assert!(rested, "two notices within the interval");
                prop_assert_eq!(draft.total_minor, draft.items.iter().map(|item| item.open_minor).sum::<i64>());
                prop_assert_eq!(draft.items.iter().map(|item| item.level).max(), Some(draft.level));
                let mut climbed = false;
                for named in &draft.items {
                    let item = before.items.iter().find(|item| item.invoice_id == named.invoice_id).unwrap();
                    prop_assert!(!item.disputed && named.open_minor >= 100);
                    prop_assert!(named.open_minor <= item.open_minor);
                    prop_assert!(Some(named.level) >= item.reminded_level, "a level fell");
                    let second = named.level == NoticeLevel::Second;
                    prop_assert!(!second || item.reminded_level >= Some(NoticeLevel::First), "a level was skipped");
                    let step = CALENDAR.steps.iter().find(|step| step.level == named.level).unwrap();
                    prop_assert!(i64::from(named.days_past_due) >= step.days, "too early");
                    climbed |= Some(named.level) > item.reminded_level;
                }
                prop_assert!(climbed, "a notice without news");
                for item in &before.items {
                    let named = draft.items.iter().any(|named| named.invoice_id == item.invoice_id);
                    let skipped = decision.skipped.iter().any(|(id, _)| *id == item.invoice_id);
                    let due = item.open_minor > 0 && item.due_on <= day(at);
                    prop_assert!(!due || named || skipped, "{} is due and left out", item.invoice_id);
                }
            }
        }

        #[test]
        fn an_item_left_alone_gets_every_level_on_its_day(due in 4i64..60, late in 0i64..90) {
            let mut account = account();
            account.items.push(item("A", due, 500));
            let mut got = Vec::new();
            for at in late..=120 {
                let decision = decide(&CALENDAR, &account, day(at));
                store(&mut account, &decision, day(at));
                got.extend(decision.notice.map(|draft| (draft.level, at - due)));
            }
            if late <= due - 3 {
                let days: Vec<_> = CALENDAR.steps.iter().map(|step| (step.level, step.days)).collect();
                prop_assert_eq!(got, days);
            } else {
                prop_assert!(got.ends_with(&[(NoticeLevel::Second, got[got.len() - 1].1)]));
                prop_assert_eq!(got[got.len() - 2].0, NoticeLevel::First);
            }
        }
    }
}
