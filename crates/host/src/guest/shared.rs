//! The one connection through which a file is written.
//!
//! SQLite has a connection give up all the pages that it keeps when another one has written. Of eight that write by turns
//! each would read them anew every time; one that all borrow keeps them, and its prepared statements.

use rusqlite::functions::FunctionFlags;
use rusqlite::hooks::{AuthAction, AuthContext, Authorization};
use rusqlite::{Connection, OpenFlags};
use std::cell::Cell;
use std::path::Path;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long a statement waits for another process's lock, as on Spin.
pub const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Prepared statements kept per connection; the application has a few hundred statements in all.
const STATEMENTS_KEPT: usize = 128;

/// Virtual machine steps between two looks at the clock: about ten milliseconds of work.
const STEPS_PER_LOOK: i32 = 1_000_000;

/// Who asks for the shared connection, and how long for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// To write: until it is free, if that is soon.
    ToWrite,
    /// To read: until it is free, if that is soon.
    Soon,
    /// To read, if it is free.
    Never,
}

/// How long the shared connection is waited for. Who has it for longer runs a long statement: the own connection is at
/// hand.
const PATIENCE: Duration = Duration::from_millis(1);

thread_local! {
    /// Pages in the log after a commit of this thread that nobody has looked at yet.
    static PAGES: Cell<i32> = const { Cell::new(0) };
    /// Whether a statement of this thread made or looked at something that is of one connection alone.
    static OWN: Cell<bool> = const { Cell::new(false) };
}

/// Pages in the log after a commit of this thread that nobody has looked at yet.
pub fn pages_written() -> i32 {
    PAGES.take()
}

/// Whether a statement that this thread prepared makes something that is of one connection alone.
pub fn made_its_own() -> bool {
    OWN.take()
}

/// A statement without the comments that stand before it.
fn bare(mut sql: &str) -> &str {
    loop {
        sql = sql.trim_start();
        match sql.strip_prefix("--") {
            Some(comment) => sql = comment.split_once('\n').map_or("", |(_, rest)| rest),
            None => return sql,
        }
    }
}

fn begins(bare: &str, word: &str) -> bool {
    bare.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
}

/// Whether a statement may read rows and do nothing else, by its first word.
pub fn may_only_read(sql: &str) -> bool {
    let sql = bare(sql);
    begins(sql, "SELECT") || begins(sql, "WITH")
}

/// Whether a statement changes rows, by its first word.
pub fn writes(sql: &str) -> bool {
    let sql = bare(sql);
    ["INSERT", "UPDATE", "DELETE", "REPLACE"].iter().any(|word| begins(sql, word))
}

/// Whether a statement that may only read does.
pub fn only_reads(link: &Link, sql: &str) -> bool {
    link.db.prepare_cached(sql).is_ok_and(|statement| statement.readonly())
}

/// What a pragma with a value changes in the file, or in the transaction alone.
const OF_THE_FILE: [&str; 5] =
    ["user_version", "application_id", "journal_mode", "wal_checkpoint", "defer_foreign_keys"];

/// What follows the word of a pragma, and whether it is of the file.
fn pragma(sql: &str) -> Option<(&str, bool)> {
    let sql = bare(sql);
    let rest = sql.get("PRAGMA".len()..).filter(|_| begins(sql, "PRAGMA"))?;
    let name = rest.trim_start().split(['=', '(', ' ', ';', '\n']).next().unwrap_or_default();
    Some((rest, OF_THE_FILE.iter().any(|known| known.eq_ignore_ascii_case(name))))
}

/// Whether a statement sets its connection.
pub fn sets(sql: &str) -> bool {
    pragma(sql).is_some_and(|(rest, of_the_file)| rest.contains(['=', '(']) && !of_the_file)
}

/// Whether a statement is a pragma that is the same for all connections.
pub fn is_of_the_file(sql: &str) -> bool {
    pragma(sql).is_some_and(|(_, of_the_file)| of_the_file)
}

/// What `last_insert_rowid`, `changes` and `total_changes` say.
#[derive(Default)]
pub struct Numbers {
    row: AtomicI64,
    changes: AtomicI64,
    total: AtomicI64,
}

impl Numbers {
    pub fn take_from(&self, other: &Numbers) {
        self.row.store(other.row.load(Relaxed), Relaxed);
        self.changes.store(other.changes.load(Relaxed), Relaxed);
        self.total.store(other.total.load(Relaxed), Relaxed);
    }
}

/// A connection of SQLite, set as all are.
pub struct Link {
    pub db: Connection,
    /// Of the component that has it.
    pub numbers: Arc<Numbers>,
    /// Milliseconds after `epoch` at which the running statement is interrupted.
    deadline: Arc<AtomicU64>,
    epoch: Instant,
}

impl Link {
    pub fn open(path: &Path) -> rusqlite::Result<Link> {
        // One thread at a time holds the connection, so SQLite's own mutex is not needed; no URI file names.
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let db = Connection::open_with_flags(path, flags)?;
        crate::runtime::memory::keep_small_things(&db);
        db.busy_timeout(BUSY_TIMEOUT)?;
        db.pragma_update(None, "foreign_keys", true)?;
        db.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        db.authorizer(Some(only_this_file));
        let deadline = Arc::new(AtomicU64::new(u64::MAX));
        let epoch = Instant::now();
        db.progress_handler(
            STEPS_PER_LOOK,
            Some({
                let deadline = deadline.clone();
                move || epoch.elapsed().as_millis() as u64 > deadline.load(Relaxed)
            }),
        );
        db.wal_hook(Some(|_, pages| {
            PAGES.set(pages);
            Ok(())
        }));
        let numbers = Arc::<Numbers>::default();
        let tell = |name: &str, number: fn(&Numbers) -> &AtomicI64| {
            let numbers = numbers.clone();
            let flags = FunctionFlags::SQLITE_UTF8;
            db.create_scalar_function(name, 0, flags, move |_| Ok(number(&numbers).load(Relaxed)))
        };
        tell("last_insert_rowid", |numbers| &numbers.row)?;
        tell("changes", |numbers| &numbers.changes)?;
        tell("total_changes", |numbers| &numbers.total)?;
        Ok(Link { db, numbers, deadline, epoch })
    }

    /// Sets it as these statements do.
    pub fn set(&self, settings: &[String]) -> rusqlite::Result<()> {
        // What gives no row is run all the same.
        settings.iter().try_for_each(|set| match self.db.query_row(set, [], |_| Ok(())) {
            Err(rusqlite::Error::QueryReturnedNoRows) => Ok(()),
            done => done,
        })
    }

    /// Has what runs next interrupted when it takes longer.
    pub fn interrupt_after(&self, longest: Duration) {
        let deadline = self.epoch.elapsed() + longest;
        self.deadline.store(deadline.as_millis() as u64, Relaxed);
    }

    /// The last row and how many rows were changed up to now.
    pub fn changed(&self) -> (i64, u64) {
        (self.db.last_insert_rowid(), self.db.total_changes())
    }

    /// Notes what a statement changed, and how it was before.
    pub fn count(&self, (row, total): (i64, u64), sql: &str) {
        let sql = bare(sql);
        let added = self.db.total_changes().saturating_sub(total) as i64;
        let last = self.db.last_insert_rowid();
        let is_insert = begins(sql, "INSERT") || begins(sql, "REPLACE");
        if last != row || (is_insert && added > 0) {
            self.numbers.row.store(last, Relaxed);
        }
        if added > 0 || is_insert || begins(sql, "UPDATE") || begins(sql, "DELETE") {
            self.numbers.changes.store(self.db.changes() as i64, Relaxed);
            self.numbers.total.fetch_add(added, Relaxed);
        }
    }
}

/// A component is given one file. `VACUUM` attaches a nameless one of its own, which is allowed.
fn only_this_file(context: AuthContext<'_>) -> Authorization {
    match context.action {
        AuthAction::Attach { filename } if !filename.is_empty() => Authorization::Deny,
        // These are of the process, and its neighbours live there too.
        AuthAction::Pragma { pragma_name: "soft_heap_limit" | "hard_heap_limit", .. } => {
            Authorization::Deny
        }
        AuthAction::CreateTempIndex { .. }
        | AuthAction::CreateTempTable { .. }
        | AuthAction::CreateTempTrigger { .. }
        | AuthAction::CreateTempView { .. }
        | AuthAction::Attach { .. } => {
            OWN.set(true);
            Authorization::Allow
        }
        _ => Authorization::Allow,
    }
}

/// The connection that all borrow who write a file.
#[derive(Default)]
pub struct Shared {
    place: Mutex<Place>,
    free: Condvar,
    /// How often it was given back by who might have written.
    written: AtomicU64,
    /// Connections that were left, with what was set on them.
    left: Mutex<Vec<(Link, Vec<String>)>>,
}

/// Connections that are kept for whoever comes next: more than that many instances seldom end at once.
const LEFT: usize = 8;

#[derive(Default)]
struct Place {
    link: Option<Link>,
    /// How it is set.
    settings: Vec<String>,
    /// Since when somebody has it.
    lent: Option<Instant>,
}

impl Shared {
    /// How often the file may have been written through it.
    pub fn written(&self) -> u64 {
        self.written.load(Relaxed)
    }

    /// Lends the connection to somebody who set so much of its own; to who writes it is opened when there is none yet.
    pub fn lend(&self, path: &Path, settings: &[String], wait: Wait) -> Option<Link> {
        let mut place = self.place();
        while let Some(since) = place.lent {
            if wait == Wait::Never {
                return None;
            }
            let left = PATIENCE.checked_sub(since.elapsed()).filter(|left| !left.is_zero())?;
            let waited = self.free.wait_timeout(place, left);
            place = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        let link = match place.link.take() {
            Some(link) if place.settings == settings => link,
            Some(other) => {
                place.link = Some(other);
                return None;
            }
            None if wait == Wait::ToWrite => {
                let link = Link::open(path).ok()?;
                link.set(settings).ok()?;
                place.settings = settings.to_vec();
                link
            }
            None => return None,
        };
        place.lent = Some(Instant::now());
        Some(link)
    }

    /// Takes the connection back, or that there is none any more.
    pub fn give_back(&self, link: Option<Link>, wrote: bool) {
        if wrote {
            self.written.fetch_add(1, Relaxed);
        }
        let mut place = self.place();
        place.lent = None;
        place.link = link;
        drop(place);
        self.free.notify_one();
    }

    /// Keeps a connection for whoever opens the file next.
    pub fn leave(&self, link: Link, settings: Vec<String>) {
        let mut left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        if left.len() < LEFT {
            left.push((link, settings));
        }
    }

    /// A connection that was left, as if nothing had been done on it, and what was set on it.
    pub fn left(&self) -> Option<(Link, Vec<String>)> {
        let found = self.left.lock().unwrap_or_else(PoisonError::into_inner).pop();
        found.inspect(|(link, _)| link.numbers.take_from(&Numbers::default()))
    }

    fn place(&self) -> MutexGuard<'_, Place> {
        self.place.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_are_told_apart_by_their_first_word() {
        for (sql, reads, is_set) in [
            ("SELECT 1", true, false),
            ("-- what it is for\n  with a AS (SELECT 1) SELECT * FROM a", true, false),
            ("INSERT INTO t VALUES (1)", false, false),
            ("PRAGMA cache_size = -100", false, true),
            (" pragma synchronous=NORMAL", false, true),
            ("PRAGMA cache_size", false, false),
            ("PRAGMA user_version = 4", false, false),
            ("PRAGMA wal_checkpoint(PASSIVE)", false, false),
            ("PRAG", false, false),
            ("-- nothing", false, false),
        ] {
            assert_eq!((may_only_read(sql), sets(sql)), (reads, is_set), "{sql}");
        }
    }
}
