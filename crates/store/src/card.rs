//! Table `card`: drafts and versions of the documents that judge.

use crate::{Db, Fault, When};
use dunlin_domain::{
    Date,
    contract::score::{Card, CardDocument, CardState},
};

/// Where a page of cards ended: name, and place below its draft.
pub type After = (String, i64);

/// The place of a draft: before every version.
const DRAFT: i64 = 1_000_000_000;

/// A card in force: its segment, name, version and document.
pub type InForce = (Option<String>, String, u32, CardDocument);

/// The cards in force on the day, one for each segment that has any.
pub fn in_force<D: Db>(db: &D, when: When) -> Result<Vec<InForce>, Fault> {
    let day = when.day.to_string();
    db.json(sql!("card/in_force.sql"), &[(&day).into(), when.known.into()])
}

/// Cards by name, a draft and then its versions from the newest.
pub fn page<D: Db>(
    db: &D,
    after: &After,
    limit: u32,
    only: Option<&str>,
) -> Result<Vec<(Card, After)>, Fault> {
    type Row = (String, Option<u32>, Option<Date>, CardDocument);
    let params = [(&after.0).into(), after.1.into(), i64::from(limit).into(), only.into()];
    let rows: Vec<Row> = db.json(sql!("card/page.sql"), &params)?;
    let card = |(name, version, valid_from, document): Row| {
        let state = if version.is_some() { CardState::Published } else { CardState::Draft };
        let place = version.map_or(DRAFT, i64::from).saturating_neg();
        let after = (name.clone(), place);
        (Card { name, state, version, valid_from, document }, after)
    };
    Ok(rows.into_iter().map(card).collect())
}

/// The draft of a name, or else its newest version.
pub fn newest<D: Db>(db: &D, name: &str) -> Result<Option<Card>, Fault> {
    let after = (String::new(), 0);
    Ok(page(db, &after, 1, Some(name))?.pop().map(|(card, _)| card))
}

/// A version of a name.
pub fn version<D: Db>(db: &D, name: &str, version: u32) -> Result<Option<Card>, Fault> {
    let after = (name.to_string(), i64::from(version).saturating_neg().saturating_sub(1));
    let found = page(db, &after, 1, Some(name))?.pop().map(|(card, _)| card);
    Ok(found.filter(|card| card.version == Some(version)))
}

/// The newest version number of a name.
pub fn last_version<D: Db>(db: &D, name: &str) -> Result<u32, Fault> {
    let last =
        db.int("SELECT coalesce(max(version), 0) FROM card WHERE name = ?1", &[name.into()])?;
    Ok(u32::try_from(last).unwrap_or(u32::MAX))
}

/// Puts a draft in the place of the one before.
pub fn put_draft<D: Db>(
    db: &D,
    name: &str,
    document: &CardDocument,
    entry: i64,
) -> Result<(), Fault> {
    let json = crate::array(document)?;
    db.execute(
        "INSERT INTO card (name, segment, document, entry_key) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT (name, coalesce(version, 0)) DO UPDATE SET
             segment = excluded.segment, document = excluded.document, entry_key = excluded.entry_key",
        &[name.into(), document.segment.as_ref().into(), (&json).into(), entry.into()],
    )?;
    Ok(())
}

/// Makes the draft of a name a version.
pub fn publish<D: Db>(
    db: &D,
    name: &str,
    version: u32,
    from: Date,
    entry: i64,
) -> Result<(), Fault> {
    let from = from.to_string();
    db.execute(
        "UPDATE card SET version = ?2, valid_from = ?3, entry_key = ?4 WHERE name = ?1 AND version IS NULL",
        &[name.into(), i64::from(version).into(), (&from).into(), entry.into()],
    )?;
    Ok(())
}
