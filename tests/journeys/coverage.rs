//! Every route and every refusal code stands in a journey.

use crate::support::format::{self, Journey, Step, What};
use crate::{FOLDERS, folder, provoked};
use dunlin_domain::Refusal;
use dunlin_store::native::NativeDb;
use dunlin_web::RouteInfo;
use std::collections::BTreeSet;

/// The tables of contents of all components that answer HTTP.
pub fn routes() -> Vec<RouteInfo> {
    let tables = [
        dunlin_ingest::routes::<NativeDb>(),
        dunlin_ledger::routes(),
        dunlin_terms::routes(),
        dunlin_settlement::routes(),
        dunlin_conduct::routes(),
        dunlin_check::routes(),
        dunlin_credit::routes(),
        dunlin_bank::routes(),
        dunlin_statements::routes(),
        dunlin_events::routes(),
        dunlin_feed::routes(),
        dunlin_score::routes(),
        dunlin_warn::routes(),
        dunlin_rules::routes(),
        dunlin_remind::routes(),
        dunlin_report::routes(),
        dunlin_sweep::routes(),
    ];
    tables.iter().flatten().map(|route| route.info().clone()).collect()
}

fn journeys() -> Vec<Journey> {
    FOLDERS.iter().flat_map(|name| format::folder(&folder(name))).collect()
}

/// Whether the step calls this function and has it succeed.
fn exercises(step: &Step, route: &RouteInfo) -> bool {
    let path = step.path.split('?').next().unwrap_or_default();
    let (wanted, found): (Vec<&str>, Vec<&str>) =
        (route.path().split('/').collect(), path.split('/').collect());
    let fits = |(wanted, found): (&&str, &&str)| {
        wanted == found || (wanted.starts_with('{') && !found.is_empty())
    };
    step.method == route.method().as_str()
        && step.expected.status < 300
        && wanted.len() == found.len()
        && wanted.iter().zip(&found).all(fits)
}

/// What the application asks of itself, under the lease of a tick: every journey with a sweep has it succeed.
const ITS_OWN: [&str; 1] = ["sweep_alerts"];

#[test]
fn every_route_is_in_a_journey() {
    let journeys = journeys();
    let steps: Vec<&Step> = journeys.iter().flat_map(|journey| &journey.steps).collect();
    let missing: Vec<String> = routes()
        .iter()
        .filter(|route| !ITS_OWN.contains(&route.name()))
        .filter(|route| !steps.iter().any(|step| exercises(step, route)))
        .map(|route| format!("{} {} ({})", route.method(), route.path(), route.name()))
        .collect();
    assert!(missing.is_empty(), "no journey has these succeed: {missing:#?}");
}

#[test]
fn every_refusal_code_is_in_a_journey() {
    let mut covered: BTreeSet<String> =
        provoked::PROVOKED.iter().map(|(code, _)| code.to_string()).collect();
    for step in journeys().iter().flat_map(|journey| &journey.steps) {
        if let What::Refusal { code, .. } = &step.expected.what {
            covered.insert(code.clone());
        }
        // The errors of rows stand in the bodies of imports.
        for entry in step.expected.body.split('{').filter(|entry| entry.starts_with("\"row\": ")) {
            let code =
                entry.split_once("\"code\": \"").and_then(|(_, rest)| rest.split('"').next());
            covered.extend(code.map(str::to_owned));
        }
    }
    let missing: Vec<&str> = Refusal::ALL
        .iter()
        .map(|code| code.name())
        .filter(|name| !covered.contains(*name))
        .collect();
    assert!(missing.is_empty(), "no journey provokes {missing:?}");
    let known = |name: &String| {
        Refusal::ALL.iter().any(|code| code.name() == name) || name.starts_with('@')
    };
    let made_up: Vec<&String> = covered.iter().filter(|name| !known(name)).collect();
    assert!(made_up.is_empty(), "journeys expect codes that do not exist: {made_up:?}");
}

#[test]
fn every_folder_is_run() {
    let entries = std::fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap().path());
    let mut found: Vec<String> = entries
        .filter(|path| path.is_dir() && !path.ends_with("support") && !path.ends_with("documents"))
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .collect();
    found.sort();
    assert_eq!(found, FOLDERS);
}
