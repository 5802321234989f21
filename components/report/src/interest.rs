//! `/v1/report/interest`: late interest that can be claimed.

use crate::decimal;
use dunlin_app::interest;
use dunlin_domain::contract::{
    keys::Scope,
    report::{ClaimableInterest, ClaimableInterestPage},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Csv, KNOWN_AT, Media, Problem, Query, Route, page};

const CUSTOMER: Query = Query::id("customer_id", "Whose invoices. Absent: everybody's.");

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/report/interest", "list_claimable_interest")
            .about("Lists invoices with late interest that can be claimed on the day, with sums by currency.")
            .scope(Scope::ReportRead)
            .query(&[CUSTOMER, AS_OF, KNOWN_AT])
            .pages()
            .answers::<ClaimableInterestPage>()
            .csv()
            .run(list),
    ]
}

fn list<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let (limit, after, when) = (call.limit()?, call.cursor()?.unwrap_or_default(), call.when()?);
    let customer = call.query(&CUSTOMER)?;
    let found = interest::claimable(call.db()?, after, limit, customer.as_ref(), when)?;
    let next = found.next.map(|last| page::encode(&last)).transpose()?;
    if call.wants() == Media::Csv {
        return Ok(Answer::csv(table(&found.items)).paged(next));
    }
    let (items, totals) = (found.items, found.totals);
    Answer::json(&ClaimableInterestPage { as_of: when.day, items, totals, next })
}

fn table(items: &[ClaimableInterest]) -> Csv {
    let columns = [
        "invoice_id",
        "customer_id",
        "currency",
        "through",
        "accrued",
        "fixed",
        "noted",
        "waived",
        "claimable",
        "clause",
        "missing",
    ];
    let mut csv = Csv::new(&columns);
    for item in items {
        csv.text(item.invoice_id.as_str()).text(item.customer_id.as_str());
        csv.plain(item.currency).plain(item.through);
        let amounts = [
            item.accrued_minor,
            item.fixed_minor,
            item.noted_minor,
            item.waived_minor,
            item.claimable_minor,
        ];
        for minor in amounts {
            csv.plain(decimal(minor, item.currency));
        }
        csv.text(item.clause.as_deref().unwrap_or_default());
        csv.text(item.missing.as_deref().unwrap_or_default()).end();
    }
    csv
}
