//! The shape of the workspace: who may depend on whom, who may name tables, that nothing lies about unused, and that
//! every function can be reached through the manifest.

use dunlin::{Router, manifest::Manifest};
use dunlin_domain::contract::ledger::{Component, OrderKey};
use dunlin_store::native::NativeDb;
use dunlin_tests::workspace;
use dunlin_web::RouteInfo;
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// What each package may use of ours, tests aside: the arrow domain <- store <- app <- components, web beside app.
const ARROW: [(&str, &[&str]); 23] = [
    ("crates/domain", &[]),
    ("crates/store", &["domain"]),
    ("crates/app", &["domain", "store"]),
    ("crates/web", &["app", "domain", "store"]),
    ("crates/host", &["domain"]),
    ("components/ingest", COMPONENT),
    ("components/ledger", COMPONENT),
    ("components/terms", COMPONENT),
    ("components/settlement", COMPONENT),
    ("components/warn", COMPONENT),
    ("components/rules", COMPONENT),
    ("components/conduct", COMPONENT),
    ("components/credit", COMPONENT),
    ("components/check", COMPONENT),
    ("components/bank", COMPONENT),
    ("components/statements", COMPONENT),
    ("components/events", COMPONENT),
    ("components/feed", COMPONENT),
    ("components/score", COMPONENT),
    ("components/remind", COMPONENT),
    ("components/report", COMPONENT),
    ("components/sweep", COMPONENT),
    ("components/clock", &[]),
];

const COMPONENT: &[&str] = &["app", "domain", "store", "web"];

/// Packages of others that bring a host or a runtime with them, and who may use them.
const HELD: [(&str, &[&str]); 5] = [
    ("rusqlite", &["crates/store", "crates/host"]),
    ("spin-sdk", &["crates/web", "components/"]),
    ("tokio", &["crates/host"]),
    ("wasmtime", &["crates/host"]),
    ("anyhow", &["crates/host"]),
];

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn manifest(path: &str) -> toml::Table {
    read(&workspace().join(path)).parse().unwrap()
}

/// The names of all dependencies but those of tests, on every platform.
fn dependencies(package: &str) -> BTreeSet<String> {
    let manifest = manifest(&format!("{package}/Cargo.toml"));
    let targets = manifest.get("target").and_then(|of| of.as_table()).into_iter().flatten();
    let of_targets = targets.filter_map(|(_, target)| target.get("dependencies"));
    let tables = manifest.get("dependencies").into_iter().chain(of_targets);
    let tables = tables.chain(manifest.get("build-dependencies"));
    tables.flat_map(|table| table.as_table().unwrap().keys().cloned()).collect()
}

fn folders(of: &str) -> BTreeSet<String> {
    let entries = fs::read_dir(workspace().join(of)).unwrap().map(Result::unwrap);
    let with_manifest = entries.filter(|entry| entry.path().join("Cargo.toml").is_file());
    with_manifest.map(|entry| format!("{of}/{}", entry.file_name().to_str().unwrap())).collect()
}

#[test]
fn packages_depend_along_the_arrow() {
    let known: BTreeSet<String> = ARROW.iter().map(|(package, _)| (*package).to_string()).collect();
    let found: BTreeSet<String> =
        folders("crates").into_iter().chain(folders("components")).collect();
    assert_eq!(found, known, "a package without a place in the arrow");
    for (package, allowed) in ARROW {
        for dependency in dependencies(package) {
            if let Some(ours) = dependency.strip_prefix("dunlin-") {
                assert!(allowed.contains(&ours), "{package} uses {dependency}");
            }
            assert_ne!(dependency, "dunlin", "{package} uses the runtime");
            for (held, by) in HELD {
                let may = by.iter().any(|of| package.starts_with(of));
                assert!(dependency != held || may, "{package} uses {dependency}");
            }
        }
    }
}

/// Every file below a folder with this ending, sorted.
fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|of| of == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The code of a package without its tests.
fn code(package: &str) -> Vec<(PathBuf, String)> {
    let files = files(&workspace().join(package).join("src"), "rs").into_iter();
    let code = files.filter(|path| {
        !path.components().any(|part| part.as_os_str().to_str().unwrap().starts_with("tests"))
    });
    code.map(|path| {
        let text = read(&path);
        let text = text.split("#[cfg(test)]").next().unwrap().to_string();
        (path, text)
    })
    .collect()
}

/// The tables of the schema.
fn tables() -> Vec<String> {
    let schema = read(&workspace().join("crates/store/schema/schema.sql"));
    let names = schema.lines().filter_map(|line| line.strip_prefix("CREATE TABLE "));
    names.map(|rest| rest.split(' ').next().unwrap().to_string()).collect()
}

#[test]
fn only_the_store_names_tables() {
    let tables = tables();
    assert!(tables.len() > 15, "{tables:?}");
    for (package, _) in ARROW.iter().filter(|(package, _)| *package != "crates/store") {
        for (path, text) in code(package) {
            let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_').collect();
            let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
            for pair in words.windows(2) {
                let verb = ["FROM", "INTO", "JOIN", "UPDATE", "TABLE"].contains(&pair[0]);
                let table = tables.iter().any(|table| table == pair[1]);
                assert!(!(verb && table), "{}: {} {}", path.display(), pair[0], pair[1]);
            }
        }
    }
}

/// What the domain may not ask for: files, sockets, clocks, chance, threads of work.
#[test]
fn the_domain_asks_the_world_nothing() {
    let asks = [
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "std::thread",
        "SystemTime",
        "Instant::now",
        "Utc::now",
        "Local::now",
        "getrandom",
        "rand::",
        "async fn",
        ".await",
        "println!",
        "eprintln!",
    ];
    for (path, text) in code("crates/domain") {
        for ask in asks {
            // The plug-in point of notifiers is asynchronous in the contract; its text is written at build time.
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let found = lines.filter(|line| line.contains(ask)).collect::<Vec<_>>();
            assert!(found.is_empty(), "{}: {found:?}", path.display());
        }
    }
}

/// A flow cannot be left halfway: nothing that writes can wait for anything but the database.
#[test]
fn stores_and_flows_are_synchronous() {
    for package in ["crates/store", "crates/app"] {
        for (path, text) in code(package) {
            let lines = text.lines().filter(|line| !line.trim_start().starts_with("//"));
            let waits: Vec<&str> =
                lines.filter(|line| line.contains(".await") || line.contains("async fn")).collect();
            assert!(waits.is_empty(), "{}: {waits:?}", path.display());
        }
    }
}

#[test]
fn every_statement_is_used() {
    let store = workspace().join("crates/store");
    let sources: String = code("crates/store").into_iter().map(|(_, text)| text).collect();
    let folder = store.join("sql");
    let statements = files(&folder, "sql");
    assert!(statements.len() > 40);
    for path in statements {
        let name = path.strip_prefix(&folder).unwrap().to_str().unwrap();
        assert!(sources.contains(&format!("sql!(\"{name}\")")), "nothing uses {name}");
        let noun = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        let module = store.join("src").join(format!("{noun}.rs"));
        assert!(module.is_file(), "{name} belongs to no noun");
    }
}

fn routes_of(component: &str) -> Vec<RouteInfo> {
    let routes = match component {
        "ingest" => dunlin_ingest::routes::<NativeDb>(),
        "ledger" => dunlin_ledger::routes(),
        "terms" => dunlin_terms::routes(),
        "settlement" => dunlin_settlement::routes(),
        "conduct" => dunlin_conduct::routes(),
        "credit" => dunlin_credit::routes(),
        "check" => dunlin_check::routes(),
        "bank" => dunlin_bank::routes(),
        "statements" => dunlin_statements::routes(),
        "events" => dunlin_events::routes(),
        "feed" => dunlin_feed::routes(),
        "score" => dunlin_score::routes(),
        "warn" => dunlin_warn::routes(),
        "rules" => dunlin_rules::routes(),
        "remind" => dunlin_remind::routes(),
        "report" => dunlin_report::routes(),
        "sweep" => dunlin_sweep::routes(),
        other => panic!("{other} has no table of routes"),
    };
    routes.iter().map(|route| route.info().clone()).collect()
}

#[test]
fn the_manifest_sends_every_path_to_the_component_that_serves_it() {
    let file = Manifest::load(&workspace().join("spin.toml")).unwrap();
    let router = Router::new(&file).unwrap();
    let patterns: BTreeSet<&str> =
        file.http.iter().filter_map(|trigger| trigger.route.as_deref()).collect();
    let components: BTreeSet<&String> = file.http.iter().map(|t| &t.component).collect();
    let mut reached: BTreeSet<&str> = BTreeSet::new();
    for component in &components {
        for route in routes_of(component) {
            let path: Vec<&str> = route
                .path()
                .split('/')
                .map(|part| if part.starts_with('{') { "x" } else { part })
                .collect();
            let found = router.find(&path.join("/")).unwrap();
            assert_eq!(found.component, *component, "{} {}", route.method(), route.path());
            reached.insert(found.pattern);
        }
    }
    assert_eq!(reached, patterns, "a trigger that leads to nothing");
    let named: BTreeSet<&String> = file.components.keys().collect();
    assert_eq!(named, components, "a component that no route leads to");
    let manifest = manifest("spin.toml");
    for component in components {
        let command = manifest["component"][component]["build"]["command"].as_str().unwrap();
        assert!(command.starts_with(&format!("cargo rustc -p dunlin-{component} ")), "{command}");
    }
}

#[test]
fn every_function_stands_in_the_table_of_the_docs_and_on_its_page() {
    let docs = workspace().join("docs");
    let table = read(&docs.join("api.md"));
    let rows = table.lines().filter(|line| line.starts_with("| [")).filter_map(|line| {
        let (page, functions) = line.split_once("](")?.1.split_once(')')?;
        page.starts_with("api/").then(|| (docs.join(page), functions.to_string()))
    });
    let rows: Vec<(PathBuf, String)> = rows.collect();
    let file = Manifest::load(&workspace().join("spin.toml")).unwrap();
    let components: BTreeSet<&String> = file.http.iter().map(|t| &t.component).collect();
    let mut missing = Vec::new();
    for route in components.into_iter().flat_map(|component| routes_of(component)) {
        let name = format!("`{}`", route.name());
        let row = rows.iter().find(|(_, functions)| functions.contains(&name));
        if row.is_none_or(|(page, _)| !read(page).contains(&name)) {
            missing.push(name);
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn the_tests_that_the_map_names_are_there() {
    let map = read(&workspace().join("ARCHITECTURE.md"));
    let rows = map.lines().skip_while(|line| *line != "| definition | case | test |").skip(2);
    let mut count = 0;
    for row in rows.take_while(|line| line.starts_with('|')) {
        for name in row.split('`').skip(1).step_by(2) {
            let (file, test) = name.split_once("::").unwrap_or((name, ""));
            let code = read(&workspace().join(file));
            assert!(code.contains("#[test]") && code.contains(&format!("fn {test}")), "{name}");
            count += 1;
        }
    }
    assert!(count > 15, "the table is gone");
}

/// Records of the contract that somebody writes by hand, and the page that has to say all that may stand in them.
const EXPLAINED: [(&str, &str); 6] = [
    ("LateInterest", "interest"),
    ("ReferenceRate", "interest"),
    ("Compounding", "interest"),
    ("FixedSum", "interest"),
    ("AllocationOrder", "policy"),
    ("Policy", "policy"),
];

#[test]
fn every_field_of_a_clause_and_of_an_order_stands_on_its_page() {
    let page = |name: &str| read(&workspace().join(format!("docs/api/{name}.md")));
    let document: serde_json::Value =
        serde_json::from_str(&read(&workspace().join("docs/openapi.json"))).unwrap();
    let mut missing = Vec::new();
    for (record, of) in EXPLAINED {
        let fields = document["components"]["schemas"][record]["properties"].as_object().unwrap();
        assert!(!fields.is_empty(), "{record}");
        let text = page(of);
        let said = |field: &str| {
            text.contains(&format!("`{field}`")) || text.contains(&format!("\"{field}\""))
        };
        missing.extend(fields.keys().filter(|field| !said(field)).map(|f| format!("{record}.{f}")));
    }
    let policy = page("policy");
    let keys = OrderKey::NAMES.iter().filter(|key| !policy.contains(&format!("| `{key}` |")));
    missing.extend(keys.map(|key| format!("keys: {key}")));
    let parts = Component::NAMES.iter().filter(|part| !policy.contains(&format!("`{part}`")));
    missing.extend(parts.map(|part| format!("components: {part}")));
    assert!(missing.is_empty(), "{missing:?}");
}
