//! Tables `credit_…`: where somebody stands, orders, reservations, rules, checks and holds.

use crate::{Db, Fault, Param, When};
use dunlin_domain::{
    Date, Id, Instant, Money,
    contract::{
        credit::{
            CheckPurpose, Hold, HoldState, KeptCheck, NewRule, Order, Reservation,
            ReservationState, Rule, Verdict,
        },
        types::Language,
    },
    credit::check::{Position, Reason},
};
use std::sync::LazyLock;

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

/// Which holds are wanted: those of a customer, in a state, of an order, or one alone.
#[derive(Clone, Copy, Debug, Default)]
pub struct WantedHolds<'a> {
    pub customer: Option<&'a Id>,
    pub state: Option<HoldState>,
    pub order: Option<&'a Id>,
    pub only: Option<&'a Id>,
}

/// Holds before a key, newest first, each without its reasons and with what was seen.
pub fn holds<D: Db>(
    db: &D,
    (before, limit): (i64, u32),
    wanted: &WantedHolds<'_>,
) -> Result<Vec<(i64, Hold, Vec<Reason>)>, Fault> {
    let params: [Param<'_>; 6] = [
        before.into(),
        i64::from(limit).into(),
        wanted.customer.map(Id::as_str).into(),
        wanted.state.map(HoldState::name).into(),
        wanted.order.map(Id::as_str).into(),
        wanted.only.map(Id::as_str).into(),
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

/// Of orders that wait both of whom goes and of whom stays in a merge, the hold that is not needed: that of the one that
/// goes, but where it alone is forced.
pub fn held_twice<D: Db>(db: &D, from: i64, to: i64) -> Result<Vec<Waiting>, Fault> {
    db.json(sql!("customer/merge_holds.sql"), &[from.into(), to.into()])
}
