//! `/v1/report/dso`: days sales outstanding.

use crate::decimal;
use dunlin_app::report;
use dunlin_domain::contract::{
    keys::Scope,
    report::{Dso, DsoMethod},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Csv, KNOWN_AT, Media, Problem, Query, Route};

const MONTHS: Query =
    Query::whole("months", 1, 36, "How many months, the day's own included. Absent: 3.");
const METHOD: Query = Query::one_of("method", DsoMethod::NAMES, "The formula. Absent: `simple`.");

/// A quarter: short enough to show a change, long enough to even out a month.
const DEFAULT_MONTHS: u32 = 3;

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/report/dso", "get_dso")
            .about(
                "Gives days sales outstanding by currency, with the formula and what went into it.",
            )
            .scope(Scope::ReportRead)
            .query(&[AS_OF, KNOWN_AT, MONTHS, METHOD])
            .answers::<Dso>()
            .csv()
            .run(get),
    ]
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let months = call.whole(&MONTHS)?.unwrap_or(DEFAULT_MONTHS);
    let method = call.query(&METHOD)?.unwrap_or(DsoMethod::Simple);
    let dso = report::dso(call.db()?, call.when()?, months, method)?;
    if call.wants() == Media::Csv {
        return Ok(Answer::csv(table(&dso)));
    }
    Answer::json(&dso)
}

fn table(dso: &Dso) -> Csv {
    let mut csv =
        Csv::new(&["as_of", "months", "method", "currency", "days", "receivables", "sales"]);
    for line in &dso.lines {
        csv.plain(dso.as_of).plain(dso.months).plain(dso.method).plain(line.currency);
        match line.days {
            Some(days) => csv.plain(days),
            None => csv.empty(),
        };
        csv.plain(decimal(line.receivables_minor, line.currency))
            .plain(decimal(line.sales_minor, line.currency))
            .end();
    }
    csv
}
