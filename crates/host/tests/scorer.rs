//! The example scorer, held to what the contract promises of one. Any other scorer can be put in its place.

use dunlin::build::{Output, build};
use dunlin::manifest::Manifest;
use std::path::{Path, PathBuf};
use wasmtime::component::{Component, Func, Linker, Val};
use wasmtime::{Config, Engine, Store};

const INTERFACE: &str = "dunlin:credit/scorer@0.1.0";

fn file() -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let file = root.join("target/wasm32-wasip2/component/dunlin_example_scorer.wasm");
    let folder = tempfile::tempdir().unwrap();
    let manifest = folder.path().join("scorer.toml");
    let text = format!(
        "spin_manifest_version = 2\n[application]\nname = \"scorer\"\n\
         [[trigger.http]]\nroute = \"/none\"\ncomponent = \"scorer\"\n\
         [component.scorer]\nsource = {file:?}\n"
    );
    std::fs::write(&manifest, text).unwrap();
    build(&[&Manifest::load(&manifest).unwrap()], Output::Keep).unwrap();
    file
}

struct Scorer {
    store: Store<()>,
    call: Func,
}

impl Scorer {
    /// The component with nothing linked to it that does anything: an import that is called traps.
    fn start() -> Self {
        let engine = Engine::new(&Config::new()).unwrap();
        let component = Component::from_file(&engine, file()).unwrap();
        let mut linker = Linker::new(&engine);
        linker.define_unknown_imports_as_traps(&component).unwrap();
        let mut store = Store::new(&engine, ());
        let instance = linker.instantiate(&mut store, &component).unwrap();
        let interface = instance.get_export_index(&mut store, None, INTERFACE).unwrap();
        let call = instance.get_export_index(&mut store, Some(&interface), "score-batch").unwrap();
        let call = instance.get_func(&mut store, call).unwrap();
        Self { store, call }
    }

    /// The cards of a batch, or the name of the error.
    fn score(&mut self, batch: Vec<Val>, language: &str) -> Result<Vec<Val>, String> {
        let mut results = [Val::Bool(false)];
        let arguments = [Val::List(batch), Val::Enum(language.into())];
        self.call.call(&mut self.store, &arguments, &mut results).unwrap();
        match &results[0] {
            Val::Result(Ok(Some(cards))) => match &**cards {
                Val::List(cards) => Ok(cards.clone()),
                other => panic!("{other:?}"),
            },
            Val::Result(Err(Some(error))) => match &**error {
                Val::Variant(name, _) => Err(name.clone()),
                other => panic!("{other:?}"),
            },
            other => panic!("{other:?}"),
        }
    }
}

fn record(fields: Vec<(&str, Val)>) -> Val {
    Val::Record(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

fn text(text: &str) -> Val {
    Val::String(text.into())
}

/// The facts of a customer, of whom nothing but days beyond terms may be known.
fn facts(customer: &str, days: Option<&str>) -> Val {
    let fact = |days: &str| {
        record(vec![("name", Val::Enum("days-beyond-terms-12m".into())), ("value", text(days))])
    };
    record(vec![
        ("customer-id", text(customer)),
        (
            "as-of",
            record(vec![("year", Val::U16(2024)), ("month", Val::U8(3)), ("day", Val::U8(31))]),
        ),
        ("values", Val::List(days.map(fact).into_iter().collect())),
        ("group", Val::Option(None)),
    ])
}

fn field<'a>(of: &'a Val, name: &str) -> &'a Val {
    let Val::Record(fields) = of else { panic!("{of:?}") };
    fields.iter().find(|(known, _)| known == name).map(|(_, value)| value).unwrap()
}

fn shown(of: &Val) -> String {
    match of {
        Val::String(text) | Val::Enum(text) => text.clone(),
        Val::Option(Some(of)) => shown(of),
        Val::Option(None) => "-".into(),
        other => format!("{other:?}"),
    }
}

#[test]
fn a_scorer_gives_a_card_for_each_entry_in_its_order_and_the_same_again() {
    let mut scorer = Scorer::start();
    let batch = vec![facts("C-2", Some("12.5")), facts("C-1", Some("-3")), facts("C-3", None)];
    let cards = scorer.score(batch.clone(), "en").unwrap();
    let told: Vec<String> = cards
        .iter()
        .map(|card| {
            ["customer-id", "score", "grade", "model"]
                .map(|name| shown(field(card, name)))
                .join(" ")
        })
        .collect();
    assert_eq!(told, ["C-2 75.0 B days-late@1", "C-1 100.0 A days-late@1", "C-3 - - days-late@1",]);
    for (card, given) in cards.iter().zip(&batch) {
        assert_eq!(field(card, "facts"), given, "a card names what went in");
        assert_eq!(field(card, "as-of"), field(given, "as-of"));
    }
    assert_eq!(scorer.score(batch.clone(), "en").unwrap(), cards, "the same facts, the same card");
    let reversed: Vec<Val> = batch.iter().rev().cloned().collect();
    let back: Vec<Val> = scorer.score(reversed, "en").unwrap().into_iter().rev().collect();
    assert_eq!(back, cards, "no entry depends on another");
    let chinese = scorer.score(batch, "zh-CN").unwrap();
    assert_ne!(chinese, cards, "texts in the language asked for");
    assert_eq!(scorer.score(Vec::new(), "en").unwrap(), []);
}

#[test]
fn a_batch_that_is_too_long_is_refused_whole() {
    let mut scorer = Scorer::start();
    let batch = |length: usize| vec![facts("C", Some("1")); length];
    assert_eq!(scorer.score(batch(5_000), "en").unwrap().len(), 5_000);
    assert_eq!(scorer.score(batch(5_001), "en").unwrap_err(), "batch-too-large");
}

/// The standard library of the example's language names WASI. Nothing of it is called: all of it traps here.
#[test]
fn a_scorer_names_types_and_its_language_s_own_needs_alone() {
    let engine = Engine::new(&Config::new()).unwrap();
    let component = Component::from_file(&engine, file()).unwrap();
    let imports = component.component_type();
    let imports: Vec<String> = imports.imports(&engine).map(|(name, _)| name.to_string()).collect();
    let types = ["dunlin:credit/types@0.1.0", "dunlin:credit/score@0.1.0"];
    let known = |name: &String| types.contains(&name.as_str()) || name.starts_with("wasi:");
    assert!(imports.iter().all(known), "{imports:?}");
    assert!(!imports.iter().any(|name| name.contains("http") || name.contains("sqlite")));
}
