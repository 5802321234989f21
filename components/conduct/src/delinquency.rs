//! `/v1/ingest/invoices/{id}/buckets` and `/v1/ingest/customers/{id}/class`: how late, day by day.

use dunlin_app::delinquency;
use dunlin_domain::contract::{
    keys::Scope,
    ledger::{BucketHistory, CustomerClass},
};
use dunlin_store::Db;
use dunlin_web::{AS_OF, Answer, Call, KNOWN_AT, Problem, Route};

pub(crate) fn routes<D: Db>() -> Vec<Route<D>> {
    vec![
        Route::get("/v1/ingest/invoices/{id}/buckets", "get_bucket_history")
            .about("Gives the buckets of delinquent days that a document or instalment was in up to the day.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<BucketHistory>()
            .run(buckets),
        Route::get("/v1/ingest/customers/{id}/class", "get_customer_class")
            .about("Gives the class of a customer on the day by the policy's classes, and why it is not better.")
            .scope(Scope::IngestRead)
            .query(&[AS_OF, KNOWN_AT])
            .answers::<CustomerClass>()
            .run(class),
    ]
}

fn buckets<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&delinquency::buckets(call.db()?, &call.id()?, call.when()?)?)
}

fn class<D: Db>(call: &mut Call<'_, D>) -> Result<Answer, Problem> {
    Answer::json(&delinquency::class(call.db()?, &call.id()?, call.when()?)?)
}
