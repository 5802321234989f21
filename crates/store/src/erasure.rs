//! Takes what is personal out of a customer's rows. What it owed and paid stays, and so do the hashes of the audit chain.

use crate::{Db, Fault, Param};

/// What stands in the place of a name or a text that was taken away.
pub const ERASED: &str = "erased";

/// Takes the personal fields out of the customer's row and of what it read before, and says whether any were there.
pub fn erase_customer<D: Db>(db: &D, customer: i64) -> Result<bool, Fault> {
    let params: [Param<'_>; 2] = [customer.into(), ERASED.into()];
    let formers = db.execute(sql!("erasure/erase_formers.sql"), &params)?;
    let sql = sql!("erasure/erase_customer.sql");
    Ok(db.first(sql, &params)?.is_some() || !formers.is_empty())
}

/// Takes the personal fields out of the customer's entries in the audit chain, and says of how many.
pub fn erase_entries<D: Db>(db: &D, customer: i64) -> Result<u64, Fault> {
    let rows = db.execute(
        "UPDATE audit SET personal = NULL, salt = NULL WHERE customer_key = ?1 AND personal IS NOT NULL RETURNING key",
        &[customer.into()],
    )?;
    Ok(rows.len().try_into().unwrap_or(u64::MAX))
}

/// Takes the names of who secures the customer's debt out of its guarantees, and says whether any were there: it may be
/// the customer itself, or a person that stands surety.
pub fn erase_guarantees<D: Db>(db: &D, customer: i64) -> Result<bool, Fault> {
    let rows = db.execute(
        "UPDATE guarantee SET party = ?2 WHERE customer_key = ?1 AND party <> ?2 RETURNING key",
        &[customer.into(), ERASED.into()],
    )?;
    let formers = db.execute(
        "UPDATE guarantee_former SET document = json_set(document, '$.party', ?2)
         WHERE customer_key = ?1 AND document ->> 'party' <> ?2 RETURNING key",
        &[customer.into(), ERASED.into()],
    )?;
    Ok(!rows.is_empty() || !formers.is_empty())
}

/// Takes out why the customer was watched, why warnings about it were put off or closed, and why its limits, rules and
/// holds were set, placed and released, and says whether anything was there.
pub fn erase_reasons<D: Db>(db: &D, customer: i64) -> Result<bool, Fault> {
    let params: [Param<'_>; 2] = [customer.into(), ERASED.into()];
    let mut found = false;
    for sql in [
        "UPDATE watch SET reason = ?2 WHERE customer_key = ?1 AND reason <> ?2 RETURNING key",
        "UPDATE alert SET closed_because = ?2
         WHERE customer_key = ?1 AND closed_because IS NOT NULL AND closed_because <> ?2 RETURNING key",
        "UPDATE alert_action SET reason = ?2
         WHERE alert_key IN (SELECT key FROM alert WHERE customer_key = ?1) AND reason IS NOT NULL AND reason <> ?2
         RETURNING key",
        "UPDATE credit_limit SET reason = ?2
         WHERE customer_key = ?1 AND reason IS NOT NULL AND reason <> ?2 RETURNING key",
        "UPDATE credit_hold SET reason = ?2
         WHERE customer_key = ?1 AND reason IS NOT NULL AND reason <> ?2 RETURNING key",
        "UPDATE credit_hold SET release_reason = ?2
         WHERE customer_key = ?1 AND release_reason IS NOT NULL AND release_reason <> ?2 RETURNING key",
        sql!("erasure/erase_rules.sql"),
        sql!("erasure/erase_checks.sql"),
    ] {
        found |= !db.execute(sql, &params)?.is_empty();
    }
    Ok(found)
}

/// Takes the texts out of the customer's notices, and says of how many.
pub fn empty_notices<D: Db>(db: &D, customer: i64) -> Result<u64, Fault> {
    let sql = sql!("erasure/empty_notices.sql");
    let rows = db.execute(sql, &[customer.into(), ERASED.into()])?;
    Ok(rows.len().try_into().unwrap_or(u64::MAX))
}

/// Takes the bodies out of the events that came in about the customer, and says of how many.
pub fn empty_events<D: Db>(db: &D, customer: i64) -> Result<u64, Fault> {
    let rows = db.execute(
        "UPDATE inbound_event SET body = NULL, detail = NULL, awaits = NULL, awaits_id = NULL
         WHERE customer_key = ?1 AND body IS NOT NULL RETURNING key",
        &[customer.into()],
    )?;
    Ok(rows.len().try_into().unwrap_or(u64::MAX))
}

/// Moves what was written into the database file and empties the log beside it, in which pages stand as they read
/// before. While somebody else reads or writes, or where the host does not allow it, that is left to the next checkpoint
/// that the database makes by itself.
pub fn empty_log<D: Db>(db: &D) {
    // The erasure has happened; how soon the log follows changes nothing of that.
    let _ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)", &[]);
}
