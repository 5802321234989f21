//! `/v1/report/snapshots`: the book as each sweep left it.

use crate::decimal;
use dunlin_app::report;
use dunlin_domain::contract::{
    keys::Scope,
    report::{Snapshot, SnapshotPage},
};
use dunlin_store::{Db, notice};
use dunlin_web::{Answer, Call, Csv, Media, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/report/snapshots", "list_snapshots")
            .about("Lists the book as each sweep left it, newest day first.")
            .scope(Scope::ReportRead)
            .pages()
            .answers::<SnapshotPage>()
            .csv()
            .run(list),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, before) =
        (call.limit()?, call.cursor::<String>()?.unwrap_or_else(|| notice::last().0));
    let found = report::snapshots(call.db()?, &before, limit.saturating_add(1))?;
    let (items, next) = page::cut(found, limit, |snapshot| snapshot.day.to_string())?;
    if call.wants() == Media::Csv {
        return Ok(Answer::csv(table(&items)).paged(next));
    }
    Answer::json(&SnapshotPage { items, next })
}

fn table(items: &[Snapshot]) -> Csv {
    let columns = [
        "day",
        "currency",
        "not_due",
        "1-30",
        "31-60",
        "61-90",
        "91+",
        "total",
        "unapplied",
        "customers_overdue",
        "alerts_open",
        "notices",
    ];
    let mut csv = Csv::new(&columns);
    for of in items {
        for line in &of.totals {
            csv.plain(of.day)
                .plain(line.currency)
                .plain(decimal(line.not_due_minor, line.currency));
            for minor in &line.buckets_minor {
                csv.plain(decimal(*minor, line.currency));
            }
            csv.plain(decimal(line.total_minor, line.currency))
                .plain(decimal(line.unapplied_minor, line.currency));
            csv.plain(of.customers_overdue).plain(of.alerts_open).plain(of.notices).end();
        }
    }
    csv
}
