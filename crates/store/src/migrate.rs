//! Migrations: numbered files, run once each, in order, under the write lock.
//!
//! A file is never changed after a release; a later change is a later file. `<name>` in a file stands for the WIT
//! spellings of the enum of that name, so that a CHECK constraint cannot disagree with the contract.

use crate::{Db, DbError, Fault, write};
use dunlin_domain::{Refusal, contract::SPELLINGS};

/// Every migration in order: number, name, statements.
pub const MIGRATIONS: &[(i64, &str, &str)] = &[
    (1, "ground", schema!("0001_ground.sql")),
    (2, "ledger", schema!("0002_ledger.sql")),
    (3, "write_off", schema!("0003_write_off.sql")),
    (4, "known", schema!("0004_known.sql")),
    (5, "imports", schema!("0005_imports.sql")),
    (6, "bank", schema!("0006_bank.sql")),
    (7, "events", schema!("0007_events.sql")),
    (8, "external_facts", schema!("0008_external_facts.sql")),
    (9, "rules", schema!("0009_rules.sql")),
    (10, "cards", schema!("0010_cards.sql")),
    (11, "bank", schema!("0011_bank.sql")),
    (12, "retries", schema!("0012_retries.sql")),
    (13, "warnings", schema!("0013_warnings.sql")),
    (14, "credit", schema!("0014_credit.sql")),
    (15, "ways", schema!("0015_ways.sql")),
    (16, "credit", schema!("0016_credit.sql")),
    (17, "score", schema!("0017_score.sql")),
    (18, "mend_b", schema!("0018_mend_b.sql")),
    (19, "replay", schema!("0019_replay.sql")),
    (20, "mend_a", schema!("0020_mend_a.sql")),
    (21, "holds", schema!("0021_holds.sql")),
    (22, "ways", schema!("0022_ways.sql")),
    (23, "undo", schema!("0023_undo.sql")),
    (24, "ledger", schema!("0024_ledger.sql")),
    (25, "references", schema!("0025_references.sql")),
    (26, "warnings", schema!("0026_warnings.sql")),
    (27, "checks", schema!("0027_checks.sql")),
    (28, "applications", schema!("0028_applications.sql")),
    (29, "names", schema!("0029_names.sql")),
    (30, "contested", schema!("0030_contested.sql")),
    (31, "returns", schema!("0031_returns.sql")),
    (32, "alerts", schema!("0032_alerts.sql")),
    (33, "rulers", schema!("0033_rulers.sql")),
    (34, "retention", schema!("0034_retention.sql")),
    (35, "scores", schema!("0035_scores.sql")),
    (36, "taken_back", schema!("0036_taken_back.sql")),
    (37, "credited", schema!("0037_credited.sql")),
    (38, "group_defaults", schema!("0038_group_defaults.sql")),
    (39, "former_names", schema!("0039_former_names.sql")),
    (40, "settled", schema!("0040_settled.sql")),
    (41, "ready", schema!("0041_ready.sql")),
    (42, "credit_lists", schema!("0042_credit_lists.sql")),
    (43, "ready_reservations", schema!("0043_ready_reservations.sql")),
    (44, "filed_checks", schema!("0044_filed_checks.sql")),
    (45, "holds_by_order", schema!("0045_holds_by_order.sql")),
];

/// How long an upgrade or the switch to WAL may find the database locked by its like before it gives up: each try
/// waits for the busy timeout, and the switch fails at once, so both bounds are generous.
const SWITCH_TRIES: u32 = 200;

/// The number of the newest migration.
fn latest() -> i64 {
    MIGRATIONS.last().map_or(0, |(number, _, _)| *number)
}

/// Sets the connection and brings the schema up to date. Cheap when there is nothing to do. A database of a newer
/// build is refused before anything of it is touched.
pub fn prepare<D: Db>(db: &D) -> Result<(), Fault> {
    let version = known_version(db)?;
    use_wal(db)?;
    // In WAL mode NORMAL loses no committed transaction when the process dies, only when the machine does.
    db.execute("PRAGMA synchronous = NORMAL", &[])?;
    // 32 MiB: the inner pages of the indexes of a million invoices.
    db.execute("PRAGMA cache_size = -32768", &[])?;
    // What is deleted or replaced is overwritten: what an erasure takes away must not stay in the free cells of the file.
    db.execute("PRAGMA secure_delete = ON", &[])?;
    if version < latest() {
        write(db, run_missing)?;
    }
    Ok(())
}

/// WAL persists in the file, so that it is switched once; instances that start at once find the file locked then.
fn use_wal<D: Db>(db: &D) -> Result<(), Fault> {
    let mut result = switch_to_wal(db);
    for _ in 1..SWITCH_TRIES {
        match result {
            Err(DbError::Locked) => result = switch_to_wal(db),
            _ => break,
        }
    }
    Ok(result?)
}

fn switch_to_wal<D: Db>(db: &D) -> Result<(), DbError> {
    let mode = db.first("PRAGMA journal_mode", &[])?;
    if mode.is_some_and(|row| row.text(0) == Ok("wal")) {
        return Ok(());
    }
    db.execute("PRAGMA journal_mode = WAL", &[]).map(drop)
}

/// The version of the schema, unless this build does not know it.
fn known_version<D: Db>(db: &D) -> Result<i64, Fault> {
    let (version, latest) = (db.int("PRAGMA user_version", &[])?, latest());
    if version > latest {
        let detail = format!(
            "the database has schema {version}, this build knows {latest}: run the newer build"
        );
        return Err(Fault::refused(Refusal::DatabaseNewer, detail));
    }
    Ok(version)
}

/// Runs inside the write lock: another instance may have done the work while this one waited.
fn run_missing<D: Db>(db: &D) -> Result<(), Fault> {
    let version = known_version(db)?;
    for (number, _, text) in MIGRATIONS.iter().filter(|(number, _, _)| *number > version) {
        for statement in statements(&expand(text)?) {
            db.execute(statement, &[])?;
        }
        db.execute(&format!("PRAGMA user_version = {number}"), &[])?;
    }
    Ok(())
}

/// Puts the WIT spellings in place of `<enum-name>`. An unknown name is our mistake and stops the migration.
pub fn expand(text: &str) -> Result<String, Fault> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("(<") {
        let (name, tail) = after
            .split_once(">)")
            .ok_or_else(|| Fault::Db("a migration has an open `(<`".into()))?;
        let known = SPELLINGS.iter().find(|(known, _)| *known == name);
        let (_, spellings) =
            known.ok_or_else(|| Fault::Db(format!("a migration names no enum: {name}")))?;
        let quoted: Vec<String> =
            spellings.iter().map(|spelling| format!("'{spelling}'")).collect();
        out.push_str(&format!("{before}({})", quoted.join(", ")));
        rest = tail;
    }
    out.push_str(rest);
    Ok(out)
}

/// Splits a file into statements, since the host runs the first of a string and drops the rest. Quotes and comments
/// are respected, and so is the body of a trigger, which goes on to `END;`.
pub fn statements(text: &str) -> Vec<&str> {
    let (mut found, mut start) = (Vec::new(), 0);
    let (mut quoted, mut comment, mut last) = (false, false, ' ');
    for (at, c) in text.char_indices() {
        match c {
            '\n' => comment = false,
            '-' if last == '-' && !quoted => comment = true,
            '\'' if !comment => quoted = !quoted,
            ';' if !quoted && !comment => {
                let statement = text.get(start..at).unwrap_or_default();
                if !is_open(statement) {
                    found.push(statement);
                    start = at + 1;
                }
            }
            _ => {}
        }
        last = c;
    }
    found.extend(text.get(start..));
    found.retain(|statement| code(statement).is_some());
    found
}

/// A statement from its first line that is no comment.
fn code(statement: &str) -> Option<&str> {
    let blank = |line: &str| line.trim().is_empty() || line.trim().starts_with("--");
    let from = statement.split_inclusive('\n').take_while(|line| blank(line)).map(str::len).sum();
    statement.get(from..).map(str::trim).filter(|code| !code.is_empty())
}

/// Whether a statement is a trigger whose body goes on: no statement in one ends with a word `END` of its own.
fn is_open(statement: &str) -> bool {
    let Some(code) = code(statement).filter(|code| code.starts_with("CREATE TRIGGER ")) else {
        return false;
    };
    let before = code.strip_suffix("END").and_then(|before| before.chars().next_back());
    before.is_none_or(char::is_alphanumeric)
}
