//! `/v1/report/ageing`: what is open by age, as data, table and picture.

use crate::{decimal, picture};
use dunlin_app::{
    remind,
    report::{self, Question},
};
use dunlin_domain::{
    Currency, Id,
    ageing::Edges,
    contract::{
        keys::Scope,
        report::{Ageing, AgeingBasis},
        types::Language,
    },
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, Csv, KNOWN_AT, Media, Problem, Query, Route, page};

const AGED_AS_OF: Query = Query::date(
    "aged_as_of",
    "The day to which the age is counted. Absent: the day of the balance.",
);
const BASIS: Query =
    Query::one_of("basis", AgeingBasis::NAMES, "What the age is counted from. Absent: `due`.");
const EDGES: Query =
    Query::text("edges", 60, "The last day of each bucket but the last. Absent: `30,60,90`.");
const BY: Query =
    Query::one_of("by", &["customer"], "Adds a line for each customer and currency, in pages.");
const LANGUAGE: Query = Query::one_of(
    "language",
    Language::NAMES,
    "The language of the words. Absent: the organisation's.",
);

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/report/ageing", "get_ageing")
            .about("Gives what was open on a day by age, one line a currency. The buckets sum to the total.")
            .scope(Scope::ReportRead)
            .query(&[AS_OF, KNOWN_AT, AGED_AS_OF, BASIS, EDGES, BY])
            .pages()
            .answers::<Ageing>()
            .csv()
            .run(get),
        Route::get("/v1/report/ageing.svg", "get_ageing_chart")
            .about("Draws the ageing, a row of bars for each currency.")
            .scope(Scope::ReportRead)
            .query(&[AS_OF, KNOWN_AT, AGED_AS_OF, BASIS, EDGES, LANGUAGE])
            .svg()
            .run(chart),
    ]
}

fn question<D: Db>(call: &Call<'_, D>) -> Result<Question, Problem> {
    let as_of = call.day()?;
    Ok(Question {
        as_of,
        known: call.known()?,
        aged_as_of: call.query(&AGED_AS_OF)?.unwrap_or(as_of),
        basis: call.query(&BASIS)?.unwrap_or(AgeingBasis::Due),
        edges: call.query(&EDGES)?.unwrap_or_default(),
    })
}

fn get<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let question = question(call)?;
    let edges = question.edges.clone();
    let mut ageing = report::ageing(call.db()?, question.clone())?;
    let by_customer = call.text(&BY)?.is_some();
    if by_customer {
        let after = call.cursor()?.unwrap_or(0);
        let (customers, next) =
            report::ageing_by_customer(call.db()?, &question, after, call.limit()?)?;
        ageing.customers = customers;
        ageing.next = next.map(|place| page::encode(&place)).transpose()?;
    }
    if call.wants() == Media::Csv {
        return Ok(Answer::csv(table(&ageing, &edges, by_customer)).paged(ageing.next));
    }
    Answer::json(&ageing)
}

/// The table of the customers where they were asked for, else of the currencies.
fn table(ageing: &Ageing, edges: &Edges, by_customer: bool) -> Csv {
    let buckets: Vec<String> = (0..edges.buckets()).map(|at| bucket_name(edges, at)).collect();
    let mut columns = vec!["customer_id", "currency", "not_due"];
    columns.extend(buckets.iter().map(String::as_str));
    columns.push("total");
    let mut csv = Csv::new(&columns);
    let mut row =
        |customer: Option<&Id>, currency: Currency, not_due: i64, buckets: &[i64], total: i64| {
            match customer {
                Some(id) => csv.text(id.as_str()),
                None => csv.empty(),
            };
            csv.plain(currency).plain(decimal(not_due, currency));
            for minor in buckets {
                csv.plain(decimal(*minor, currency));
            }
            csv.plain(decimal(total, currency)).end();
        };
    for of in &ageing.customers {
        row(
            Some(&of.customer_id),
            of.currency,
            of.not_due_minor,
            &of.buckets_minor,
            of.total_minor,
        );
    }
    if !by_customer {
        for of in &ageing.totals {
            row(None, of.currency, of.not_due_minor, &of.buckets_minor, of.total_minor);
        }
    }
    csv
}

/// `1-30`, `31-60`, `91+`.
pub(crate) fn bucket_name(edges: &Edges, at: usize) -> String {
    match edges.range(at) {
        Some((first, Some(last))) => format!("{first}-{last}"),
        Some((first, None)) => format!("{first}+"),
        None => String::new(),
    }
}

fn chart<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    let question = question(call)?;
    let edges = question.edges.clone();
    let language = match call.query(&LANGUAGE)? {
        Some(language) => language,
        None => remind::language(call.db()?)?,
    };
    let ageing = report::ageing(call.db()?, question)?;
    Ok(Answer::svg(picture::ageing(&ageing, &edges, language)))
}
