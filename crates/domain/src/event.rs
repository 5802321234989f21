//! The feed of what happened: where an event stands, what it is called, and which kinds somebody asks for.
//!
//! A place is four numbers: the row of the order of events, the sort of thing that the row led to, the key of that
//! thing, and which of the events about it. An event's id is its place as text, so that it is the same every time.

use crate::{Refusal, Refused, text};
use std::{fmt, str::FromStr};

/// The most kinds that a webhook or a reader names.
pub const MAX_KINDS: usize = 50;

/// What is told, by its noun and verb.
pub const KINDS: [&str; 97] = [
    "alert-rule.changed",
    "alert-rule.created",
    "alert.assigned",
    "alert.closed",
    "alert.escalated",
    "alert.opened",
    "alert.resumed",
    "alert.snoozed",
    "allocation.recorded",
    "application.created",
    "bank-match.confirmed",
    "bank-match.rejected",
    "bank-match.reopened",
    "bank-statement.created",
    "card.changed",
    "card.created",
    "card.published",
    "contract.changed",
    "contract.created",
    "credit-note.created",
    "credit-note.returned",
    "credit-refund.created",
    "credit-refund.reversed",
    "credit-rule.changed",
    "credit-rule.created",
    "customer.changed",
    "customer.created",
    "customer.erased",
    "customer.merged",
    "default.closed",
    "default.cured",
    "default.opened",
    "default.reopened",
    "dispute.opened",
    "dispute.reopened",
    "dispute.resolved",
    "external-fact.changed",
    "external-fact.created",
    "external-fact.imported",
    "fee.created",
    "grade.changed",
    "guarantee.changed",
    "guarantee.created",
    "hold.changed",
    "hold.cleared",
    "hold.opened",
    "hold.released",
    "import.applied",
    "interest-note.created",
    "interest.waived",
    "invoice.corrected",
    "invoice.created",
    "invoice.referenced",
    "invoice.reinstated",
    "invoice.reopened",
    "invoice.settled",
    "invoice.voided",
    "limit-policy.changed",
    "limit-policy.created",
    "limit.decided",
    "limit.proposed",
    "limit.set",
    "mandate.cancelled",
    "notice.created",
    "notice.failed",
    "notice.sent",
    "order.changed",
    "order.recorded",
    "organisation.changed",
    "pause.created",
    "pause.resumed",
    "payer-account.removed",
    "payment.corrected",
    "payment.failed",
    "payment.named",
    "payment.recorded",
    "payment.reinstated",
    "payment.returned",
    "payment.reversed",
    "payment.unnamed",
    "policy.changed",
    "profile.changed",
    "profile.created",
    "rate.created",
    "reservation.committed",
    "reservation.made",
    "reservation.released",
    "retention.changed",
    "review.recorded",
    "tiers.changed",
    "watch.begun",
    "watch.changed",
    "watch.ended",
    "write-off.asked",
    "write-off.booked",
    "write-off.refused",
    "write-off.reversed",
];

/// The sorts of things a row of the order leads to, in the order in which a change makes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The change itself.
    Change,
    Customer,
    Invoice,
    Payment,
    Allocation,
}

const RANKS: [Rank; 5] =
    [Rank::Change, Rank::Customer, Rank::Invoice, Rank::Payment, Rank::Allocation];

/// Where an event stands. The first place is before every event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The row of the order of events.
    pub event: i64,
    /// What it is about.
    pub rank: Rank,
    /// The key of the thing; 0 of the change itself.
    pub row: i64,
    /// Which of the events about the thing.
    pub part: u8,
}

impl Place {
    /// Before every event.
    pub const FIRST: Self = Self { event: 0, rank: Rank::Change, row: 0, part: 0 };

    /// The place of a change itself.
    pub fn of(event: i64) -> Self {
        Self { event, ..Self::FIRST }
    }
}

impl fmt::Display for Place {
    /// As short as it can be: `17`, or `17-2-4031-0`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::of(self.event) {
            return write!(f, "{}", self.event);
        }
        let rank = RANKS.iter().position(|rank| *rank == self.rank).unwrap_or(0);
        write!(f, "{}-{rank}-{}-{}", self.event, self.row, self.part)
    }
}

impl FromStr for Place {
    type Err = Refused;

    fn from_str(text: &str) -> Result<Self, Refused> {
        let refused = || {
            let detail = "a place in the feed is `0`, or what `next` or the id of an event said";
            Refused::new(Refusal::MalformedParameter, detail)
        };
        let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let parts: Vec<&str> = text.split('-').collect();
        if !parts.iter().all(|part| plain(part)) {
            return Err(refused());
        }
        match parts.as_slice() {
            [event] => Ok(Self::of(event.parse().map_err(|_| refused())?)),
            [event, rank, row, part] => Ok(Self {
                event: event.parse().map_err(|_| refused())?,
                rank: *rank.parse().ok().and_then(|at: usize| RANKS.get(at)).ok_or_else(refused)?,
                row: row.parse().map_err(|_| refused())?,
                part: part.parse().map_err(|_| refused())?,
            }),
            _ => Err(refused()),
        }
    }
}

/// What a change of the audit chain is called in the feed; `None` where what it led to says it all, or where it
/// concerns nobody outside.
pub fn kind_of(noun: &str, action: &str) -> Option<String> {
    let known = match (noun, action) {
        // The documents and payments themselves are events.
        ("invoice" | "payment", "create") => return None,
        // Who may call, and what tells the feed itself, is nobody else's business.
        ("api_key" | "webhook" | "event_source" | "inbound_event", _) => return None,
        // Nothing moved: what it is was told.
        ("reversal-name", _) => return None,
        // One entry for many customers; each default is told by itself.
        ("default_record", "judge") => return None,
        ("customer", "replace") => "customer.changed",
        ("default_record", "create") => "default.opened",
        ("default_record", "close") => "default.closed",
        ("default_record", "reopen") => "default.reopened",
        ("dispute", "create") => "dispute.opened",
        ("contract", "add-version") => "contract.changed",
        ("alert", "snooze") => "alert.snoozed",
        ("alert", "escalate") => "alert.escalated",
        ("alert", "assign") => "alert.assigned",
        ("watch", "create") => "watch.begun",
        ("watch", "end") => "watch.ended",
        ("review", _) => "review.recorded",
        ("write_off", "create") => "write-off.asked",
        ("write_off", "decide") => "write-off.refused",
        ("import", "create") => "import.applied",
        ("invoice", "reference") => "invoice.referenced",
        ("payment-name", "create") => "payment.named",
        ("payment-name", "remove") => "payment.unnamed",
        ("interest_entry", "create") => "interest.waived",
        ("customer_event", "payment-failed") => "payment.failed",
        ("customer_event", "mandate-cancelled") => "mandate.cancelled",
        ("credit_hold", "create") => "hold.opened",
        ("credit_hold", "change") => "hold.changed",
        ("credit_hold", "release") => "hold.released",
        ("credit_hold", "clear") => "hold.cleared",
        ("credit_limit", "create" | "replace") => "limit.set",
        ("credit_limit", "decide") => "limit.decided",
        ("limit_policy", "propose") => "limit.proposed",
        ("credit_order", "create") => "order.recorded",
        ("credit_order", "replace") => "order.changed",
        ("credit_reservation", "create") => "reservation.made",
        ("credit_reservation", "commit") => "reservation.committed",
        ("credit_reservation", "release") => "reservation.released",
        _ => "",
    };
    if !known.is_empty() {
        return Some(known.to_string());
    }
    let verb = match action {
        "create" => "created",
        "replace" => "changed",
        "correct" => "corrected",
        "reverse" => "reversed",
        "merge" => "merged",
        "erase" => "erased",
        "resolve" => "resolved",
        "resume" => "resumed",
        "close" => "closed",
        "decide" => "decided",
        "import" => "imported",
        "publish" => "published",
        "confirm" => "confirmed",
        "reject" => "rejected",
        "reopen" => "reopened",
        "reinstate" => "reinstated",
        "remove" => "removed",
        "void" => "voided",
        other => other,
    };
    Some(format!("{}.{verb}", noun.replace('_', "-")))
}

/// Whether what a change of the audit chain is called can be asked for, or is never told.
pub fn is_listed(noun: &str, action: &str) -> bool {
    kind_of(noun, action).is_none_or(|kind| KINDS.contains(&kind.as_str()))
}

/// Whether a reason is a code, such as `card_declined` or `AC04`. A sentence may be about a person.
pub fn is_code(text: &str) -> bool {
    let code = |byte: u8| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte);
    (1..=64).contains(&text.len()) && text.bytes().all(code)
}

/// Whether a kind is one of those that are asked for. Nothing asked for is everything.
pub fn is_wanted(kind: &str, patterns: &[String]) -> bool {
    let fits = |pattern: &String| match pattern.strip_suffix('*') {
        Some(beginning) => kind.starts_with(beginning),
        None => kind == pattern,
    };
    patterns.is_empty() || patterns.iter().any(fits)
}

/// Checks kinds that are asked for: `*`, a kind such as `invoice.created`, or a noun with a star such as `invoice.*`. What
/// is never told is refused, with what is: whoever waits for it would wait for ever.
pub fn check_kinds(patterns: &[String]) -> Result<(), Refused> {
    let refused = |detail: String| Err(Refused::new(Refusal::MalformedField, detail).at("kinds"));
    if patterns.len() > MAX_KINDS {
        return refused(format!("at most {MAX_KINDS} kinds are named"));
    }
    for pattern in patterns {
        text::check(pattern, 1, 60, "kinds")?;
        let words = |text: &str| {
            !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-')
        };
        let good = pattern == "*"
            || pattern
                .split_once('.')
                .is_some_and(|(noun, verb)| words(noun) && (verb == "*" || words(verb)));
        if !good {
            return refused(format!("`{pattern}` is not like `invoice.created` or `invoice.*`"));
        }
        let asked = std::slice::from_ref(pattern);
        if !KINDS.iter().any(|kind| is_wanted(kind, asked)) {
            return refused(format!("`{pattern}` is never told; told are {}", KINDS.join(", ")));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn kinds_are_a_noun_and_a_verb() {
        for (noun, action, kind) in [
            ("invoice", "create", None),
            ("invoice", "correct", Some("invoice.corrected")),
            ("customer", "create", Some("customer.created")),
            ("write_off", "create", Some("write-off.asked")),
            ("contract", "add-version", Some("contract.changed")),
            ("credit_refund", "reverse", Some("credit-refund.reversed")),
            ("external_fact", "import", Some("external-fact.imported")),
            ("watch", "create", Some("watch.begun")),
            ("alert", "escalate", Some("alert.escalated")),
            ("alert_rule", "replace", Some("alert-rule.changed")),
            ("card", "publish", Some("card.published")),
            ("tiers", "replace", Some("tiers.changed")),
            ("bank-match", "reopen", Some("bank-match.reopened")),
            ("default_record", "reopen", Some("default.reopened")),
            ("payer-account", "remove", Some("payer-account.removed")),
            ("dispute", "resolve", Some("dispute.resolved")),
            ("bank_statement", "create", Some("bank-statement.created")),
            ("api_key", "revoke", None),
            ("credit_hold", "clear", Some("hold.cleared")),
            ("credit_rule", "replace", Some("credit-rule.changed")),
            ("payment-name", "create", Some("payment.named")),
            ("payment-name", "remove", Some("payment.unnamed")),
            ("invoice", "reference", Some("invoice.referenced")),
            ("application", "create", Some("application.created")),
            ("write_off", "decide", Some("write-off.refused")),
        ] {
            assert_eq!(kind_of(noun, action).as_deref(), kind, "{noun} {action}");
            assert!(kind.is_none_or(|kind| KINDS.contains(&kind)), "{noun} {action} is not listed");
        }
    }

    #[test]
    fn a_change_without_a_kind_that_can_be_asked_for_is_seen() {
        for (noun, action, listed) in [
            ("invoice", "correct", true),
            ("api_key", "revoke", true),
            ("invoice", "stamp", false),
            ("parcel", "create", false),
        ] {
            assert_eq!(is_listed(noun, action), listed, "{noun} {action}");
        }
    }

    #[test]
    fn patterns_take_what_they_name() {
        for (pattern, kind, wanted) in [
            ("invoice.*", "invoice.created", true),
            ("invoice.*", "invoices.created", false),
            ("invoice.created", "invoice.created", true),
            ("invoice.created", "invoice.corrected", false),
            ("*", "payment.recorded", true),
        ] {
            assert_eq!(is_wanted(kind, &[pattern.to_string()]), wanted, "{pattern} {kind}");
        }
        assert!(is_wanted("payment.recorded", &[]));
        let never = ["invoice.paid", "invoices.*", "subscription.*"];
        for bad in ["", "invoice", "Invoice.*", "invoice.", "invoice.**", ".*", "a.b.c"]
            .into_iter()
            .chain(never)
        {
            assert!(check_kinds(&[bad.to_string()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn every_kind_stands_in_the_table_of_the_page() {
        let page = include_str!("../../../docs/api/webhooks.md");
        let rows = page.lines().skip_while(|line| *line != "| kind | what happened |").skip(2);
        let (mut told, mut noun) = (Vec::new(), "");
        for row in rows.take_while(|line| line.starts_with('|')) {
            let cell = row.split('|').nth(1).unwrap();
            for name in cell.split('`').skip(1).step_by(2) {
                let (of, verb) = name.split_once('.').unwrap();
                noun = if of.is_empty() { noun } else { of };
                told.push(format!("{noun}.{verb}"));
            }
        }
        told.sort();
        assert_eq!(told, KINDS);
    }

    #[test]
    fn a_reason_that_is_a_code_is_told() {
        let long = "x".repeat(65);
        for (text, code) in [
            ("card_declined", true),
            ("AC04", true),
            ("", false),
            ("Anna Weber", false),
            ("a@b.example", false),
            ("余额不足", false),
            (&long, false),
        ] {
            assert_eq!(is_code(text), code, "{text}");
        }
    }

    proptest! {
        #[test]
        fn a_place_survives_its_text(event in 0i64.., rank in 0usize..5, row in 0i64.., part in any::<u8>()) {
            let place = Place { event, rank: RANKS[rank], row, part };
            prop_assert_eq!(place.to_string().parse::<Place>().unwrap(), place);
        }

        #[test]
        fn any_text_is_a_place_or_refused(text in ".{0,40}") {
            if let Err(refused) = text.parse::<Place>() {
                prop_assert_eq!(refused.code, Refusal::MalformedParameter);
            }
        }
    }
}
