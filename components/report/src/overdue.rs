//! `/v1/report/overdue`: what is past due, oldest first.

use crate::decimal;
use dunlin_app::report;
use dunlin_domain::contract::{
    keys::Scope,
    report::{Overdue, OverdueItem},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Csv, KNOWN_AT, Media, Problem, Route, page};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/report/overdue", "list_overdue")
            .about("Lists what was past due on the day, oldest due first.")
            .scope(Scope::ReportRead)
            .query(&[AS_OF, KNOWN_AT])
            .pages()
            .answers::<Overdue>()
            .csv()
            .run(list),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after, when) = (call.limit()?, call.cursor()?.unwrap_or_default(), call.when()?);
    let found = report::overdue(call.db()?, &after, limit.saturating_add(1), when)?;
    let (items, next) = page::cut(found, limit, |(_, place)| place.clone())?;
    let items: Vec<OverdueItem> = items.into_iter().map(|(item, _)| item).collect();
    if call.wants() == Media::Csv {
        return Ok(Answer::csv(table(&items)).paged(next));
    }
    Answer::json(&Overdue { as_of: when.day, items, next })
}

fn table(items: &[OverdueItem]) -> Csv {
    let columns = [
        "invoice_id",
        "customer_id",
        "customer_name",
        "due_on",
        "days_past_due",
        "open",
        "currency",
        "disputed",
    ];
    let mut csv = Csv::new(&columns);
    for item in items {
        csv.text(item.invoice_id.as_str())
            .text(item.customer_id.as_str())
            .text(&item.customer_name);
        csv.plain(item.due_on).plain(item.days_past_due);
        csv.plain(decimal(item.open.minor, item.open.currency))
            .plain(item.open.currency)
            .plain(item.disputed)
            .end();
    }
    csv
}
