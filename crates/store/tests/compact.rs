//! What components carry of a statement says the same as what is written.

#[path = "../build/compact.rs"]
mod compact;

use compact::compact;

#[test]
fn blanks_and_comments_go_and_nothing_else() {
    for (written, carried) in [
        ("SELECT a,\n       b\nFROM t -- why\nWHERE a = ?1", "SELECT a,b FROM t WHERE a=?1"),
        ("-- First.\nSELECT 'it''s -- here',  \"a b\" ;", "SELECT 'it''s -- here',\"a b\";"),
        ("SELECT a - -1, a->>'x' , 1 - 2", "SELECT a - -1,a->>'x',1 - 2"),
        (
            "CHECK (kind IN (<kind>))\n    AND 期 <> '天 气'",
            "CHECK(kind IN(<kind>))AND 期 <> '天 气'",
        ),
        ("", ""),
        ("  -- nothing", ""),
    ] {
        assert_eq!(compact(written), carried, "{written}");
        assert_eq!(compact(carried), carried, "{written}");
    }
}

/// The schema that a component makes is the one that the tests of this crate make, but for blanks and comments.
#[test]
fn migrations_make_the_same_tables() {
    let made = |carried: fn(&str) -> String| {
        let db = rusqlite::Connection::open_in_memory().unwrap();
        for (_, name, sql) in dunlin_store::migrate::MIGRATIONS {
            let sql = dunlin_store::migrate::expand(sql).unwrap();
            db.execute_batch(&carried(&sql)).unwrap_or_else(|fault| panic!("{name}: {fault}"));
        }
        let mut tables = db.prepare("SELECT name, sql FROM sqlite_schema ORDER BY name").unwrap();
        let rows = tables.query_map([], |row| Ok((row.get(0)?, row.get::<_, Option<String>>(1)?)));
        rows.unwrap()
            .map(|row| row.unwrap())
            .map(|(name, sql): (String, _)| (name, sql.map(|sql| compact(&sql))))
            .collect::<Vec<_>>()
    };
    assert_eq!(made(compact), made(str::to_string));
}
