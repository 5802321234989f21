//! A copy of a database that is in use.

use anyhow::{Context as _, Result, bail, ensure};
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Pages copied at a time.
const PAGES_PER_STEP: i32 = 1_000;

/// How long to wait for a lock of the application.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// Copies the database `source` to the new file `target` while others read and write it, checks the copy, and
/// answers its number of pages. The file appears under its name only when it is whole.
pub fn copy(source: &Path, target: &Path) -> Result<i32> {
    ensure!(!target.exists(), "{} exists already; a backup never overwrites", target.display());
    let folder = match target.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let name = target.file_name().context("the backup needs a file name")?;
    let part = folder.join(format!(".{}.part", name.to_string_lossy()));
    let copied = copy_to(source, &part).and_then(|pages| {
        // A hard link fails when the name has been taken meanwhile, which a rename would not.
        fs::hard_link(&part, target)
            .with_context(|| format!("cannot give the backup its name {}", target.display()))?;
        Ok(pages)
    });
    let _ = fs::remove_file(&part);
    copied
}

fn copy_to(source: &Path, part: &Path) -> Result<i32> {
    ensure!(source.is_file(), "there is no database at {}", source.display());
    let _ = fs::remove_file(part);
    let from = Connection::open_with_flags(source, OpenFlags::SQLITE_OPEN_READ_ONLY)
        .with_context(|| format!("cannot open {}", source.display()))?;
    let mut to = Connection::open(part)
        .with_context(|| format!("cannot write the backup in {}", part.display()))?;
    let pages = step_through(&from, &mut to).context("cannot copy the database")?;
    // The copy is a single file, without a log beside it, so that it can be moved as one.
    to.pragma_update(None, "journal_mode", "DELETE")?;
    let verdict: String = to.query_row("PRAGMA integrity_check", [], |row| row.get(0))?;
    ensure!(verdict == "ok", "the copy is damaged: {verdict}");
    to.close().map_err(|(_, error)| error)?;
    fs::File::open(part)?.sync_all()?;
    Ok(pages)
}

fn step_through(from: &Connection, to: &mut Connection) -> Result<i32> {
    // One read transaction over all steps: without it every commit of the application would start the copy again. The
    // application writes on meanwhile, since its database keeps a write-ahead log.
    from.busy_timeout(BUSY_TIMEOUT)?;
    let reading = from.unchecked_transaction()?;
    reading.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let backup = Backup::new(&reading, to)?;
    loop {
        match backup.step(PAGES_PER_STEP)? {
            StepResult::Done => return Ok(backup.progress().pagecount),
            StepResult::More => {}
            _ => bail!("the database is locked"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

    #[test]
    fn a_database_in_use_is_copied_whole() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("default.db");
        let writer = Connection::open(&source).unwrap();
        writer.pragma_update(None, "journal_mode", "WAL").unwrap();
        writer
            .execute_batch(
                "CREATE TABLE pair (a, b); WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n \
                 WHERE i < 50000) INSERT INTO pair SELECT i, hex(randomblob(50)) FROM n",
            )
            .unwrap();
        let done = AtomicBool::new(false);
        let target = folder.path().join("copy.db");
        std::thread::scope(|scope| {
            let done = &done;
            scope.spawn(move || {
                while !done.load(Relaxed) {
                    // Both rows or neither: a copy between them would be torn.
                    writer
                        .execute_batch("BEGIN; INSERT INTO pair VALUES (0, 1); INSERT INTO pair VALUES (0, 2); COMMIT")
                        .unwrap();
                    std::thread::sleep(Duration::from_millis(1));
                }
            });
            let copied = copy(&source, &target);
            done.store(true, Relaxed);
            assert!(copied.unwrap() > PAGES_PER_STEP);
        });
        let copy = Connection::open(&target).unwrap();
        let count = |sql| copy.query_row(sql, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(count("SELECT count(*) FROM pair WHERE a > 0"), 50_000);
        assert_eq!(count("SELECT count(*) % 2 FROM pair"), 0);
        assert_eq!(
            fs::read_dir(folder.path())
                .unwrap()
                .filter(|e| { e.as_ref().unwrap().file_name().to_string_lossy().contains("part") })
                .count(),
            0
        );
    }

    #[test]
    fn nothing_is_overwritten_and_nothing_is_made_up() {
        let folder = tempfile::tempdir().unwrap();
        let (source, target) = (folder.path().join("default.db"), folder.path().join("copy.db"));
        assert!(copy(&source, &target).is_err());
        assert!(!source.exists() && !target.exists());
        Connection::open(&source).unwrap().execute_batch("CREATE TABLE t (x)").unwrap();
        fs::write(&target, "mine").unwrap();
        assert!(copy(&source, &target).unwrap_err().to_string().contains("exists already"));
        assert_eq!(fs::read_to_string(&target).unwrap(), "mine");
    }
}
