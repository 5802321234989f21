//! Tables `credit_…` and `limit_policy`: limits, orders, reservations, rules, checks and holds.

use crate::{Db, Fault, Param, Row, When};
use dunlin_domain::{
    Currency, Date, Decimal, Id, Instant, Money,
    contract::{
        credit::{
            ApprovalThreshold, CheckPurpose, EffectiveLimit, Hold, HoldState, KeptCheck, Limit,
            LimitPolicy, LimitSource, LimitState, NewLimit, NewRule, Order, Reservation,
            ReservationState, Rule, Verdict,
        },
        types::{CustomerStatus, Grade, Language},
    },
    credit::{
        check::{Position, Reason},
        limit::Entry,
        merge::Party,
    },
};
use serde::de::DeserializeOwned;
use std::{collections::BTreeMap, sync::LazyLock};

/// The order that is asked about, and whether its usual terms are looked for.
pub type About<'a> = (Option<&'a Id>, bool);

/// Where somebody stands now, with what belongs to it at the same moment.
#[derive(Clone, Debug)]
pub struct Found {
    pub position: Position,
    /// The position as the statement gave it, in JSON.
    pub text: String,
    /// Whether a check holds the order.
    pub waits: bool,
    /// The organisation's.
    pub time_zone: String,
    pub language: Language,
}

/// Where somebody stands now. Nothing where anything is allocated on a later day: then [`position_then`] reads it.
pub fn position<D: Db>(
    db: &D,
    id: &Id,
    (today, now): (Date, Instant),
    (order, with_terms): About<'_>,
) -> Result<Option<Found>, Fault> {
    let (today, now) = (today.to_string(), now.to_string());
    let params: [Param<'_>; 5] = [
        id.as_str().into(),
        (&today).into(),
        (&now).into(),
        i64::from(with_terms).into(),
        order.map(Id::as_str).into(),
    ];
    let Some(row) = db.first(sql!("credit/position.sql"), &params)? else { return Ok(None) };
    Ok(Some(Found {
        position: row.json::<Position>(0)?.gathered(),
        waits: row.int(1)? == 1,
        time_zone: row.text(2)?.to_string(),
        language: row.parse(3)?,
        text: row.text(0)?.to_string(),
    }))
}

/// Where somebody stood on a day up to a moment of it, with what was known, among the members of its group then, with
/// what was reserved up to another moment. What its record said is left open.
pub fn position_then<D: Db>(
    db: &D,
    customer: i64,
    (when, moment, reserved): (When, Instant, Option<Instant>),
    (head, members): (i64, &[i64]),
    (order, with_terms): About<'_>,
) -> Result<Position, Fault> {
    let (day, moment) = (when.day.to_string(), moment.to_string());
    let reserved = reserved.map(|at| at.to_string());
    let members = crate::array(members)?;
    let params: [Param<'_>; 9] = [
        customer.into(),
        (&day).into(),
        (&moment).into(),
        (&members).into(),
        head.into(),
        i64::from(with_terms).into(),
        when.known.into(),
        reserved.as_ref().into(),
        order.map(Id::as_str).into(),
    ];
    db.json(sql!("credit/position_then.sql"), &params)
}

// ---- what is kept ready

/// A question that what is kept ready may answer.
#[derive(Clone, Copy, Debug)]
pub struct Plain<'a> {
    pub customer: &'a Id,
    pub amount: Money,
    pub order: Option<&'a Id>,
    /// The day that it is, and the time zone in which that is so.
    pub today: (Date, &'a str),
    pub at: Instant,
}

/// A question as a statement takes it: customer, today, now, time zone, currency, amount, order.
type Asked<'a> = (&'a str, String, String, &'a str, &'a str, i64, Option<&'a str>);

impl Plain<'_> {
    fn row(&self) -> Asked<'_> {
        let Self { customer, amount, order, today: (today, zone), at } = self;
        let order = order.map(Id::as_str);
        let (today, at, currency) = (today.to_string(), at.to_string(), amount.currency.as_str());
        (customer.as_str(), today, at, zone, currency, amount.minor, order)
    }
}

/// A statement of one question, which begins by taking it from parameters, as one of several that takes them from JSON.
fn of_several(one: &str, taken: &str) -> String {
    let (head, rest) = one.split_once("SELECT 0").unwrap_or((one, ""));
    let tail = rest.split_once(')').map_or(rest, |(_, tail)| tail);
    format!("{head}{taken}){tail}")
}

/// A check that is to be kept where it passes by what is ready.
#[derive(Clone, Debug)]
pub struct ToKeep<'a> {
    pub of: Plain<'a>,
    pub id: &'a Id,
    /// What was asked, as members of a JSON object.
    pub question: String,
    /// The reservation that is asked for, which must be new.
    pub reservation: Option<&'a Id>,
}

/// What a check says: what counts before what is asked, the limit, and the components as JSON.
#[derive(Clone, Debug)]
pub struct Ready {
    pub total_minor: i64,
    pub limit: Option<EffectiveLimit>,
    pub exposure: String,
}

impl Ready {
    fn read(row: &Row, at: usize) -> Result<Self, Fault> {
        let limit = row.text_or_null(at + 1)?.map(read_json).transpose()?;
        let exposure = row.text(at + 2)?.to_string();
        Ok(Self { total_minor: row.int(at)?, limit, exposure })
    }
}

/// What is kept ready for questions, one after the other. Nothing: it must be looked at.
pub fn ready<D: Db>(db: &D, asked: &[Plain<'_>]) -> Result<Vec<Option<Ready>>, Fault> {
    static OF_SEVERAL: LazyLock<String> = LazyLock::new(|| {
        of_several(
            sql!("credit/ready.sql"),
            "SELECT j.key, j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5,
                 j.value ->> 6
             FROM json_each(?1) AS j",
        )
    });
    let rows: Vec<Asked<'_>> = asked.iter().map(Plain::row).collect();
    let found = match rows.as_slice() {
        [(customer, today, now, zone, currency, minor, order)] => {
            let (customer, zone, currency) =
                ((*customer).into(), (*zone).into(), (*currency).into());
            let (minor, order) = ((*minor).into(), (*order).into());
            let params = [customer, today.into(), now.into(), zone, currency, minor, order];
            db.execute(sql!("credit/ready.sql"), &params)?
        }
        rows => db.execute(&OF_SEVERAL, &[(&crate::array(rows)?).into()])?,
    };
    let mut told: Vec<Option<Ready>> = vec![None; asked.len()];
    for row in found {
        let place = usize::try_from(row.int(0)?).ok().and_then(|place| told.get_mut(place));
        if let Some(place) = place {
            *place = Some(Ready::read(&row, 1)?);
        }
    }
    Ok(told)
}

/// Checks to keep as their statement takes them, put together before anybody has to wait for the transaction.
#[derive(Clone, Debug)]
pub enum AllToKeep<'a> {
    One(ToKeep<'a>),
    /// Rows as JSON.
    Several(String),
}

impl<'a> AllToKeep<'a> {
    /// Nothing of nothing.
    pub fn of(mut asked: Vec<ToKeep<'a>>) -> Result<Option<Self>, Fault> {
        if asked.len() < 2 {
            return Ok(asked.pop().map(Self::One));
        }
        let rows = asked.iter().map(|to| {
            let (customer, today, now, zone, currency, minor, order) = to.of.row();
            let ToKeep { id, question, reservation, .. } = to;
            (customer, today, now, zone, currency, minor, order, id, question, reservation)
        });
        Ok(Some(Self::Several(crate::array(&rows.collect::<Vec<_>>())?)))
    }
}

/// Keeps checks that pass by what is kept ready, and gives the key of the customer of each, with what was found where that
/// is wanted. Those that are missing must be looked at.
pub fn keep_ready<D: Db>(
    db: &D,
    asked: &AllToKeep<'_>,
    wanted: bool,
) -> Result<BTreeMap<Id, (i64, Option<Ready>)>, Fault> {
    static OF_SEVERAL: LazyLock<String> = LazyLock::new(|| {
        of_several(
            sql!("credit/keep_ready.sql"),
            "SELECT j.key, j.value ->> 0, j.value ->> 1, j.value ->> 2, j.value ->> 3, j.value ->> 4, j.value ->> 5,
                 j.value ->> 6, j.value ->> 7, j.value ->> 8, j.value ->> 9
             FROM json_each(?1) AS j",
        )
    });
    let told = i64::from(wanted).into();
    let kept = match asked {
        AllToKeep::One(ToKeep { of, id, question, reservation }) => {
            let (customer, today, now, zone, currency, minor, order) = of.row();
            let (id, reservation) = (id.as_str().into(), reservation.map(Id::as_str).into());
            let (today, now, question) = ((&today).into(), (&now).into(), question.into());
            let (customer, zone, currency) = (customer.into(), zone.into(), currency.into());
            let (minor, order) = (minor.into(), order.into());
            let params = [
                customer,
                today,
                now,
                zone,
                currency,
                minor,
                order,
                id,
                question,
                reservation,
                told,
            ];
            db.execute(sql!("credit/keep_ready.sql"), &params)?
        }
        AllToKeep::Several(rows) => {
            let mut params: [Param<'_>; 11] = std::array::from_fn(|_| Param::Null);
            let [first, .., last] = &mut params;
            (*first, *last) = (rows.into(), told);
            db.execute(&OF_SEVERAL, &params)?
        }
    };
    let kept = kept.iter().map(|row| {
        let found = if wanted { Some(Ready::read(row, 2)?) } else { None };
        Ok((row.parse(0)?, (row.int(1)?, found)))
    });
    kept.collect()
}

/// Files the next checks under their customers, so many at the most, and says whether there are more.
pub fn file_checks<D: Db>(db: &D, most: u32) -> Result<bool, Fault> {
    let most = i64::from(most);
    db.execute(sql!("credit/file_checks.sql"), &[most.into()])?;
    let filed = db.execute(
        "UPDATE credit_filing SET upto_key = min(upto_key + ?1, (SELECT max(key) FROM credit_check))
         WHERE one = 1 AND upto_key < (SELECT max(key) FROM credit_check)
         RETURNING upto_key < (SELECT max(key) FROM credit_check)",
        &[most.into()],
    )?;
    filed.first().map_or(Ok(false), |row| Ok(row.int(0)? == 1))
}

/// Customers for whom nothing is kept ready that still holds.
pub fn unready<D: Db>(
    db: &D,
    (today, now): (Date, Instant),
    limit: u32,
) -> Result<Vec<i64>, Fault> {
    let (today, now) = (today.to_string(), now.to_string());
    let params: [Param<'_>; 3] = [(&today).into(), (&now).into(), i64::from(limit).into()];
    db.json(sql!("credit/unready.sql"), &params)
}

/// Where customers stand now. Those of whom anything is allocated on a later day are left out.
pub fn positions<D: Db>(
    db: &D,
    customers: &[i64],
    (today, now): (Date, Instant),
) -> Result<Vec<Position>, Fault> {
    // A component has the statement without its blanks.
    static OF_MANY: LazyLock<String> = LazyLock::new(|| {
        let one = sql!("credit/position.sql");
        let many = "own.key IN (SELECT value FROM json_each(?1))";
        ["own.id = ?1", "own.id=?1"].iter().fold(one.to_owned(), |sql, id| sql.replace(id, many))
    });
    let (customers, today, now) = (crate::array(customers)?, today.to_string(), now.to_string());
    let params: [Param<'_>; 5] =
        [(&customers).into(), (&today).into(), (&now).into(), 0i64.into(), None::<&str>.into()];
    let rows = db.execute(&OF_MANY, &params)?;
    rows.iter().map(|row| row.json(0)).collect()
}

/// A customer that was looked at, with currency, room and total where something is ready.
pub type LookedAt = (i64, Option<Currency>, Option<i64>, Option<i64>);

/// What a check says of a customer, as JSON: the limit and the components.
pub type Told = (i64, Option<String>, String);

/// Keeps ready what was found of customers.
pub fn put_ready<D: Db>(
    db: &D,
    looked_at: &[LookedAt],
    told: &[Told],
    (today, now): (Date, Instant),
) -> Result<(), Fault> {
    let (today, now) = (today.to_string(), now.to_string());
    let (looked_at, told) = (crate::array(looked_at)?, crate::array(told)?);
    let params: [Param<'_>; 3] = [(&looked_at).into(), (&today).into(), (&now).into()];
    db.execute(sql!("credit/put_ready.sql"), &params)?;
    db.execute(sql!("credit/put_told.sql"), &[(&told).into()])?;
    db.execute(
        "DELETE FROM credit_told WHERE customer_key IN (SELECT value ->> 0 FROM json_each(?1) WHERE value ->> 1 IS NULL)",
        &[(&looked_at).into()],
    )?;
    Ok(())
}

// ---- limits

/// Limits of customers to be kept: id, customer, with everything said.
pub type NewRow = (Id, i64, NewLimit);

/// Keeps limits that were asked for, unless they are there, and says how many it kept.
pub fn insert_limits<D: Db>(
    db: &D,
    rows: &[NewRow],
    (state, source): (LimitState, LimitSource),
    asked_by: &str,
    entry: i64,
) -> Result<u64, Fault> {
    let rows = crate::array(rows)?;
    let last = || db.int("SELECT coalesce(max(key), 0) FROM credit_limit", &[]);
    let before = last()?;
    let counts = (state == LimitState::Approved).then_some(entry);
    db.execute(
        sql!("credit/insert_limits.sql"),
        &[
            (&rows).into(),
            state.name().into(),
            source.name().into(),
            asked_by.into(),
            entry.into(),
            counts.into(),
        ],
    )?;
    Ok(crate::added(before, last()?))
}

/// Notes what became of a limit that waited.
pub fn decide_limit<D: Db>(
    db: &D,
    id: &Id,
    state: LimitState,
    decided_by: &str,
    entry: i64,
) -> Result<(), Fault> {
    let counts = (state == LimitState::Approved).then_some(entry);
    db.execute(
        "UPDATE credit_limit SET state = ?2, decided_by = ?3, counts_key = ?4, decided_entry_key = ?5 WHERE id = ?1",
        &[
            id.as_str().into(),
            state.name().into(),
            decided_by.into(),
            counts.into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// Heads and members of the groups of the one that goes in a merge and of the one that stays.
pub fn parties<D: Db>(db: &D, from: i64, to: i64) -> Result<Vec<Party>, Fault> {
    db.json(sql!("customer/merge_limits.sql"), &[from.into(), to.into()])
}

/// Takes rules along with a merge.
pub fn move_rules<D: Db>(
    db: &D,
    (from, to, head): (i64, i64, i64),
    day: Date,
    entry: i64,
) -> Result<(), Fault> {
    let day = day.to_string();
    let params: [Param<'_>; 4] = [from.into(), to.into(), head.into(), (&day).into()];
    db.execute(sql!("customer/merge_rules_former.sql"), &params)?;
    let params: [Param<'_>; 4] = [from.into(), to.into(), head.into(), entry.into()];
    db.execute(sql!("customer/merge_rules.sql"), &params)?;
    Ok(())
}

/// Of orders that wait both of whom goes and of whom stays in a merge, the hold that is not needed: that of the one that
/// goes, but where it alone is forced.
pub fn held_twice<D: Db>(db: &D, from: i64, to: i64) -> Result<Vec<Waiting>, Fault> {
    db.json(sql!("customer/merge_holds.sql"), &[from.into(), to.into()])
}

/// Turns down what waits of a customer that is merged into another, so that nobody approves a limit of nobody: but for what
/// somebody asked for where the other one has no limit, which waits for that one.
pub fn refuse_waiting<D: Db>(
    db: &D,
    (from, to): (i64, i64),
    by: &str,
    entry: i64,
) -> Result<(), Fault> {
    db.execute(
        "UPDATE credit_limit SET customer_key = ?2
         WHERE customer_key = ?1 AND counts_key IS NULL AND state = 'pending' AND source = 'key' AND kind <> 'group'
            AND NOT EXISTS (
                SELECT 1 FROM credit_limit AS own
                WHERE own.customer_key = ?2 AND own.counts_key > 0 AND own.kind <> 'group'
            )
            AND EXISTS (SELECT 1 FROM customer AS c WHERE c.key = ?2 AND c.limit_minor IS NULL)",
        &[from.into(), to.into()],
    )?;
    db.execute(
        "UPDATE credit_limit SET state = 'refused', decided_by = ?2, decided_entry_key = ?3
         WHERE customer_key = ?1 AND counts_key IS NULL AND state = 'pending'",
        &[from.into(), by.into(), entry.into()],
    )?;
    Ok(())
}

/// Limits of a customer that waited for a second key when an audit entry was the last one known, newest first.
pub fn waiting<D: Db>(db: &D, customer: &Id, known: i64) -> Result<Vec<Limit>, Fault> {
    db.json(sql!("credit/waiting.sql"), &[customer.as_str().into(), known.into()])
}

/// Limits before a key, newest first: of a customer, in a state, or some alone, by their ids.
pub fn limits<D: Db>(
    db: &D,
    before: i64,
    limit: u32,
    customer: Option<&Id>,
    state: Option<LimitState>,
    only: Option<&[Id]>,
) -> Result<Vec<(i64, Limit)>, Fault> {
    let only = only.map(crate::array).transpose()?;
    let params: [Param<'_>; 5] = [
        before.into(),
        i64::from(limit).into(),
        customer.map(Id::as_str).into(),
        state.map(LimitState::name).into(),
        only.as_ref().into(),
    ];
    db.json(sql!("credit/limits.sql"), &params)
}

/// Which of these ids are limits that were asked for.
pub fn known_limits<D: Db>(db: &D, ids: &[Id]) -> Result<Vec<Id>, Fault> {
    let ids = crate::array(ids)?;
    db.json(
        "SELECT json_group_array(l.id) FROM json_each(?1) AS j CROSS JOIN credit_limit AS l ON l.id = j.value",
        &[(&ids).into()],
    )
}

// ---- orders

/// An order as it stood on a day.
pub fn order_then<D: Db>(db: &D, id: &Id, day: Date) -> Result<Option<Order>, Fault> {
    let day = day.to_string();
    let params = [id.as_str().into(), (&day).into()];
    let row = db.first(sql!("credit/order_then.sql"), &params)?;
    row.map(|row| row.json(0)).transpose()
}

/// Keeps how an order stands from its day on, in place of how it stood.
pub fn put_order<D: Db>(db: &D, order: &Order, customer: i64, entry: i64) -> Result<(), Fault> {
    let (text, on) = (crate::array(order)?, order.on.to_string());
    db.execute(
        "UPDATE credit_order SET until_on = ?2 WHERE id = ?1 AND until_on = '9999-12-31'",
        &[order.id.as_str().into(), (&on).into()],
    )?;
    let params: [Param<'_>; 3] = [(&text).into(), customer.into(), entry.into()];
    db.execute(sql!("credit/insert_order.sql"), &params)?;
    Ok(())
}

// ---- reservations

/// A reservation as it is stored: one that ran out still reads as held.
pub fn reservation<D: Db>(db: &D, id: &Id) -> Result<Option<Reservation>, Fault> {
    let row = db.first(sql!("credit/reservation.sql"), &[id.as_str().into()])?;
    row.map(|row| row.json(0)).transpose()
}

/// Reservations before a key, newest first, as they are stored: of a customer, in a state at this moment, of an order.
pub fn reservations<D: Db>(
    db: &D,
    before: i64,
    limit: u32,
    (customer, state, order): (Option<&Id>, Option<ReservationState>, Option<&Id>),
    now: Instant,
) -> Result<Vec<(i64, Reservation)>, Fault> {
    let now = now.to_string();
    let params: [Param<'_>; 6] = [
        before.into(),
        i64::from(limit).into(),
        customer.map(Id::as_str).into(),
        state.map(ReservationState::name).into(),
        order.map(Id::as_str).into(),
        (&now).into(),
    ];
    db.json(sql!("credit/reservations.sql"), &params)
}

/// Keeps new reservations: each with the key of its customer and its entry.
pub fn insert_reservations<D: Db>(db: &D, new: &[(&Reservation, i64, i64)]) -> Result<(), Fault> {
    let rows = new.iter().map(|(of, customer, entry)| {
        let Reservation { id, amount, order_id, made_at, expires_at, state, .. } = of;
        let Reservation { purpose, terms_days, check_id, hold_id, .. } = of;
        let asked = (purpose, terms_days, check_id, hold_id);
        let Money { minor, currency } = amount;
        (id, customer, minor, currency, order_id, made_at, expires_at, state, entry, asked)
    });
    let rows = crate::array(&rows.collect::<Vec<_>>())?;
    db.execute(sql!("credit/insert_reservations.sql"), &[(&rows).into()])?;
    Ok(())
}

/// The reservation that keeps an order's amount free since its hold cleared.
pub fn reservation_of_hold<D: Db>(
    db: &D,
    customer: i64,
    order: &Id,
    now: Instant,
) -> Result<Option<Id>, Fault> {
    let now = now.to_string();
    let row = db.first(
        "SELECT id FROM credit_reservation
         WHERE customer_key = ?1 AND until_at > ?3 AND state = 'held' AND order_id = ?2 AND hold_id IS NOT NULL",
        &[customer.into(), order.as_str().into(), (&now).into()],
    )?;
    row.map(|row| row.parse(0)).transpose()
}

/// Ends a reservation.
pub fn end_reservation<D: Db>(
    db: &D,
    id: &Id,
    state: ReservationState,
    at: Instant,
    entry: i64,
) -> Result<(), Fault> {
    let at = at.to_string();
    db.execute(
        "UPDATE credit_reservation SET state = ?2, until_at = ?3, ended_entry_key = ?4 WHERE id = ?1",
        &[id.as_str().into(), state.name().into(), (&at).into(), entry.into()],
    )?;
    Ok(())
}

/// Ends what is reserved for an order that is recorded now.
pub fn commit_reservations_of<D: Db>(
    db: &D,
    customer: i64,
    order: &Id,
    at: Instant,
    entry: i64,
) -> Result<(), Fault> {
    let at = at.to_string();
    db.execute(
        "UPDATE credit_reservation SET state = 'committed', until_at = ?3, ended_entry_key = ?4
         WHERE customer_key = ?1 AND until_at > ?3 AND state = 'held' AND coalesce(order_id, id) = ?2",
        &[customer.into(), order.as_str().into(), (&at).into(), entry.into()],
    )?;
    Ok(())
}

// ---- rules

/// Rules that stand after a name, or one alone.
pub fn rules<D: Db>(
    db: &D,
    after: &str,
    limit: u32,
    only: Option<&Id>,
) -> Result<Vec<Rule>, Fault> {
    let params: [Param<'_>; 3] =
        [after.into(), i64::from(limit).into(), only.map(Id::as_str).into()];
    db.json(sql!("credit/rules.sql"), &params)
}

/// The rule of a name as it stood after an entry.
pub fn rule_by<D: Db>(db: &D, name: &Id, entry: i64) -> Result<Option<NewRule>, Fault> {
    let row = db.first(
        "SELECT document FROM credit_rule WHERE name = ?1 AND entry_key <= ?2 ORDER BY version DESC LIMIT 1",
        &[name.as_str().into(), entry.into()],
    )?;
    row.map(|row| row.json(0)).transpose()
}

/// Keeps a rule in place of the one of its name.
pub fn put_rule<D: Db>(
    db: &D,
    (name, version): (&Id, u32),
    new: &NewRule,
    (customer, group): (Option<i64>, Option<i64>),
    entry: i64,
) -> Result<(), Fault> {
    db.execute(
        "UPDATE credit_rule SET replaced = 1 WHERE name = ?1 AND replaced = 0",
        &[name.as_str().into()],
    )?;
    let document = crate::array(new)?;
    db.execute(
        "INSERT INTO credit_rule (name, version, customer_key, group_key, document, replaced, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6)",
        &[
            name.as_str().into(),
            i64::from(version).into(),
            customer.into(),
            group.into(),
            (&document).into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

// ---- checks

/// Keeps a check with what it rested on.
pub fn insert_check<D: Db>(
    db: &D,
    id: &Id,
    customer: i64,
    at: Instant,
    (verdict, hold): (Verdict, Option<&Id>),
    inputs: &str,
) -> Result<(), Fault> {
    let at = at.to_string();
    db.execute(
        "INSERT INTO credit_check (id, customer_key, at, verdict, hold_id, inputs) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        &[
            id.as_str().into(),
            customer.into(),
            (&at).into(),
            verdict.name().into(),
            hold.map(Id::as_str).into(),
            inputs.into(),
        ],
    )?;
    Ok(())
}

/// What a check rested on, as JSON, and the hold that stood after it.
pub fn check<D: Db>(db: &D, id: &Id) -> Result<Option<(String, Option<Id>)>, Fault> {
    let sql = "SELECT inputs, hold_id FROM credit_check WHERE id = ?1";
    let Some(row) = db.first(sql, &[id.as_str().into()])? else { return Ok(None) };
    let hold = row.text_or_null(1)?.map(str::parse).transpose()?;
    Ok(Some((row.text(0)?.to_string(), hold)))
}

/// Checks before a key, newest first: of a customer, with a verdict.
pub fn checks<D: Db>(
    db: &D,
    before: i64,
    limit: u32,
    customer: Option<&Id>,
    verdict: Option<Verdict>,
) -> Result<Vec<(i64, KeptCheck)>, Fault> {
    let params: [Param<'_>; 4] = [
        before.into(),
        i64::from(limit).into(),
        customer.map(Id::as_str).into(),
        verdict.map(Verdict::name).into(),
    ];
    db.json(sql!("credit/checks.sql"), &params)
}

/// Keeps an application of a customer: the rule and the verdict, and the application as JSON.
pub fn insert_application<D: Db>(
    db: &D,
    id: &Id,
    (customer, (rule, verdict), question): (i64, (&str, Verdict), &str),
    at: Instant,
    entry: i64,
) -> Result<(), Fault> {
    db.execute(
        "INSERT INTO application (id, customer_key, at, rule, verdict, question, entry_key)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        &[
            id.as_str().into(),
            customer.into(),
            (&at.to_string()).into(),
            rule.into(),
            verdict.name().into(),
            question.into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// When an application was asked, and the application as JSON.
pub fn application<D: Db>(db: &D, id: &Id) -> Result<Option<(Instant, String)>, Fault> {
    let sql = "SELECT at, question FROM application WHERE id = ?1";
    let Some(row) = db.first(sql, &[id.as_str().into()])? else { return Ok(None) };
    Ok(Some((row.text(0)?.parse()?, row.text(1)?.to_string())))
}

// ---- holds

/// Holds before a key, newest first, each without its reasons and with what was seen: of a customer, in a state, or one
/// alone.
pub fn holds<D: Db>(
    db: &D,
    before: i64,
    limit: u32,
    customer: Option<&Id>,
    state: Option<HoldState>,
    only: Option<&Id>,
) -> Result<Vec<(i64, Hold, Vec<Reason>)>, Fault> {
    let params: [Param<'_>; 5] = [
        before.into(),
        i64::from(limit).into(),
        customer.map(Id::as_str).into(),
        state.map(HoldState::name).into(),
        only.map(Id::as_str).into(),
    ];
    db.json(sql!("credit/holds.sql"), &params)
}

/// A hold of an order, with the question that waits.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Waiting {
    pub key: i64,
    pub id: Id,
    pub customer: Id,
    pub order: Option<Id>,
    pub amount: Money,
    pub purpose: Option<CheckPurpose>,
    pub terms_days: Option<u32>,
    /// What was invoiced and cancelled of the order when more of it was asked for.
    pub base_minor: i64,
    pub verdict: Verdict,
    pub rules: Vec<Id>,
}

/// The hold that a check opened on an order and that stands.
pub fn hold_of_order<D: Db>(db: &D, customer: i64, order: &Id) -> Result<Option<Waiting>, Fault> {
    let params = [customer.into(), order.as_str().into()];
    let row = db.first(sql!("credit/hold_of_order.sql"), &params)?;
    row.map(|row| row.json(0)).transpose()
}

/// Opens a hold, with what was seen.
pub fn insert_hold<D: Db>(
    db: &D,
    (new, base_minor, seen): (&Hold, i64, &[&Reason]),
    customer: i64,
    entry: i64,
) -> Result<(), Fault> {
    let (text, seen) = (crate::array(new)?, crate::array(seen)?);
    let params: [Param<'_>; 5] =
        [(&text).into(), customer.into(), entry.into(), base_minor.into(), (&seen).into()];
    db.execute(sql!("credit/insert_hold.sql"), &params)?;
    Ok(())
}

/// Notes what a hold that stands waits for now, and why, and keeps how it read.
pub fn change_hold<D: Db>(
    db: &D,
    (new, base_minor, seen): (&Hold, i64, &[&Reason]),
    at: Instant,
    entry: i64,
) -> Result<(), Fault> {
    let (text, seen, at) = (crate::array(new)?, crate::array(seen)?, at.to_string());
    let params: [Param<'_>; 3] = [new.id.as_str().into(), (&at).into(), entry.into()];
    db.execute(sql!("credit/keep_former_hold.sql"), &params)?;
    let params: [Param<'_>; 3] = [(&text).into(), base_minor.into(), (&seen).into()];
    db.execute(sql!("credit/change_hold.sql"), &params)?;
    Ok(())
}

/// Keeps what was seen of a hold that is the same otherwise, unless that is the same as well.
pub fn tell_hold<D: Db>(db: &D, id: &Id, seen: &[&Reason]) -> Result<(), Fault> {
    let seen = crate::array(seen)?;
    let params: [Param<'_>; 2] = [id.as_str().into(), (&seen).into()];
    db.execute("UPDATE credit_hold SET reasons = ?2 WHERE id = ?1 AND reasons IS NOT ?2", &params)?;
    Ok(())
}

/// Ends a hold whose reasons cleared.
pub fn clear_hold<D: Db>(db: &D, id: &Id, at: Instant, entry: i64) -> Result<(), Fault> {
    let at = at.to_string();
    db.execute(
        "UPDATE credit_hold SET state = 'cleared', closed_at = ?2, closed_entry_key = ?3 WHERE id = ?1",
        &[id.as_str().into(), (&at).into(), entry.into()],
    )?;
    Ok(())
}

/// Ends a hold by somebody's word, which lets its order pass until a moment where one is given.
pub fn release_hold<D: Db>(
    db: &D,
    id: &Id,
    (at, until): (Instant, Option<Instant>),
    (who, reason): (&str, &str),
    entry: i64,
) -> Result<(), Fault> {
    let (at, until) = (at.to_string(), until.map(|until| until.to_string()));
    db.execute(
        "UPDATE credit_hold SET state = 'released', closed_at = ?2, released_until = ?3, released_by = ?4,
             release_reason = ?5, closed_entry_key = ?6
         WHERE id = ?1",
        &[
            id.as_str().into(),
            (&at).into(),
            until.as_ref().into(),
            who.into(),
            reason.into(),
            entry.into(),
        ],
    )?;
    Ok(())
}

/// Holds of orders after a key, the oldest first.
pub fn standing_holds<D: Db>(db: &D, after: i64, limit: u32) -> Result<Vec<Waiting>, Fault> {
    let params = [after.into(), i64::from(limit).into()];
    db.json(sql!("credit/standing_holds.sql"), &params)
}

/// Holds after a key whose release ran out and whose orders nobody looked at since.
pub fn run_out_holds<D: Db>(
    db: &D,
    (after, now): (i64, Instant),
    limit: u32,
) -> Result<Vec<Waiting>, Fault> {
    let now = now.to_string();
    let params: [Param<'_>; 3] = [(&now).into(), i64::from(limit).into(), after.into()];
    db.json(sql!("credit/run_out_holds.sql"), &params)
}

/// Notes that the order of a hold was looked at after its release ran out.
pub fn follow_hold<D: Db>(db: &D, key: i64, at: Instant) -> Result<(), Fault> {
    let at = at.to_string();
    let params: [Param<'_>; 2] = [key.into(), (&at).into()];
    db.execute("UPDATE credit_hold SET followed_at = ?2 WHERE key = ?1", &params)?;
    Ok(())
}

// ---- the limit policy

/// The policy in force and its number, from 1.
pub fn policy<D: Db>(db: &D) -> Result<Option<(u32, LimitPolicy)>, Fault> {
    let sql = "SELECT (SELECT count(*) FROM limit_policy), document FROM limit_policy ORDER BY key DESC LIMIT 1";
    let Some(row) = db.first(sql, &[])? else { return Ok(None) };
    Ok(Some((u32::try_from(row.int(0)?).unwrap_or(u32::MAX), row.json(1)?)))
}

/// What needs a second key when this key asks: by the policy in force, and by those before it back to the last that
/// another key published.
pub fn thresholds_for<D: Db>(db: &D, who: &str) -> Result<Vec<Vec<ApprovalThreshold>>, Fault> {
    db.json(sql!("credit/thresholds_for.sql"), &[who.into()])
}

/// Publishes a policy.
pub fn insert_policy<D: Db>(db: &D, new: &LimitPolicy, entry: i64) -> Result<(), Fault> {
    let document = crate::array(new)?;
    db.execute(
        "INSERT INTO limit_policy (document, entry_key) VALUES (?1, ?2)",
        &[(&document).into(), entry.into()],
    )?;
    Ok(())
}

/// What a customer's documents in the policy's currency come to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Bought {
    /// Of the last twelve months.
    pub turnover_minor: i64,
    /// The day of the first document, in whatever currency.
    pub first_on: Option<Date>,
    pub outstanding_minor: i64,
}

/// A customer as a limit policy sees it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Deserialize)]
pub struct Candidate {
    pub key: i64,
    pub id: Id,
    pub grade: Option<Grade>,
    /// The worst of who was merged into it since, which knew nothing of their debts.
    pub merged_grade: Option<Grade>,
    pub tier: Option<String>,
    pub bought: Bought,
    secured: Option<Vec<(i64, Decimal)>>,
    pub status: CustomerStatus,
    pub limit: Option<Money>,
    dated: Option<(Vec<Entry>, Vec<Waits>)>,
    group: Option<(Option<Money>, Vec<Entry>)>,
}

/// Amount, currency and whether it is unlimited of a limit that waits for a second key.
pub type Waits = (i64, Currency, u8);

impl Candidate {
    /// Amount and share of each guarantee in force.
    pub fn guarantees(&self) -> &[(i64, Decimal)] {
        self.secured.as_deref().unwrap_or_default()
    }

    /// The credit limit of the record of the head of its group. Absent: in no group.
    pub fn head(&self) -> Option<Option<Money>> {
        self.group.as_ref().map(|(record, _)| *record)
    }

    /// Those of its limits and its group's.
    pub fn currencies(&self) -> impl Iterator<Item = Currency> {
        let records = self.limit.into_iter().chain(self.head().flatten());
        let dated = self.ledger().iter().map(|entry| entry.currency);
        dated.chain(records.map(|record| record.currency))
    }

    /// Limits that count, with those of its group.
    pub fn ledger(&self) -> &[Entry] {
        self.dated.as_ref().map_or(&[], |(ledger, _)| ledger)
    }

    /// Individual limits that wait for a second key.
    pub fn waiting(&self) -> &[Waits] {
        self.dated.as_ref().map_or(&[], |(_, waiting)| waiting)
    }
}

/// Which customers to look at.
#[derive(Clone, Copy, Debug)]
pub enum Among<'a> {
    /// So many after a key.
    After(i64, u32),
    /// These, by key.
    These(&'a [i64]),
}

/// What a limit policy in this currency proposes from on the day.
pub fn candidates<D: Db>(
    db: &D,
    among: Among<'_>,
    day: Date,
    currency: Currency,
) -> Result<Vec<Candidate>, Fault> {
    let (after, limit, keys) = match among {
        Among::After(after, limit) => (after, i64::from(limit), None),
        Among::These(keys) => (0, -1, Some(crate::array(keys)?)),
    };
    let (before, day) = (day.minus_months(12)?.to_string(), day.to_string());
    let params: [Param<'_>; 6] = [
        after.into(),
        limit.into(),
        (&day).into(),
        (&before).into(),
        currency.as_str().into(),
        keys.as_ref().into(),
    ];
    match db.first(sql!("credit/proposals.sql"), &params)? {
        Some(row) => read(row.text(0)?),
        None => Ok(Vec::new()),
    }
}

/// Reads them here, where the rules of speed are those of this crate: a book is read in slices of thousands.
fn read(candidates: &str) -> Result<Vec<Candidate>, Fault> {
    let mut found: Vec<Candidate> = read_json(candidates)?;
    for of in &mut found {
        if let Some((_, group)) = &mut of.group {
            of.dated.get_or_insert_default().0.append(group);
        }
    }
    Ok(found)
}

fn read_json<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    serde_json::from_str(text).map_err(|e| Fault::Db(format!("stored JSON: {e}")))
}
