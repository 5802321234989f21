//! Writes the Rust types of the contract from `wit/`: records, enums, variants and the two plug-in traits. The time
//! zones are written by `zones`.
//!
//! wit-bindgen would write the same types, but without the WIT spelling of enum values in JSON and SQL, and with a
//! runtime that pure rules have no use for. The parser is the one wit-bindgen uses.

// A build that fails is seen at once; the lint is for request code.
#![allow(clippy::indexing_slicing)]

mod zones;

use std::{collections::BTreeSet, env, error::Error, fmt::Write as _, fs, path::Path};
use wit_parser::{
    Docs, Enum, Function, FunctionKind, Interface, Record, Resolve, Type, TypeDef, TypeDefKind,
    TypeId, Variant,
};

/// WIT types that have a Rust type of their own, with the rule that makes them valid.
const OWN: [(&str, &str); 6] = [
    ("id", "crate::Id"),
    ("currency-code", "crate::Currency"),
    ("decimal", "crate::Decimal"),
    ("date", "crate::Date"),
    ("instant", "crate::Instant"),
    ("day-count", "crate::DayCount"),
];

/// Records that are small and copied like numbers.
const COPY: [&str; 1] = ["money"];

fn main() -> Result<(), Box<dyn Error>> {
    let wit = Path::new(&env::var("CARGO_MANIFEST_DIR")?).join("../../wit");
    println!("cargo:rerun-if-changed={}", wit.display());
    let mut resolve = Resolve::default();
    let (package, _) = resolve.push_dir(&wit)?;
    let mut out = String::new();
    let mut enums = BTreeSet::new();
    for (name, id) in &resolve.packages[package].interfaces {
        let interface = &resolve.interfaces[*id];
        docs(&mut out, &interface.docs);
        writeln!(out, "pub mod {} {{", snake(name))?;
        for (name, id) in &interface.types {
            type_def(&mut out, &resolve, name, *id, &mut enums)?;
        }
        if !interface.functions.is_empty() {
            plug_in(&mut out, &resolve, name, interface)?;
        }
        writeln!(out, "}}")?;
    }
    writeln!(
        out,
        "/// Every enum of the contract by its WIT name, with its spellings: what `<name>` stands for in SQL."
    )?;
    writeln!(out, "pub const SPELLINGS: &[(&str, &[&str])] = &[")?;
    for (name, path) in enums {
        writeln!(out, "({name:?}, {path}::NAMES),")?;
    }
    writeln!(out, "];")?;
    let folder = env::var("OUT_DIR")?;
    fs::write(Path::new(&folder).join("contract.rs"), out)?;
    zones::write(Path::new(&folder))?;
    Ok(())
}

fn type_def(
    out: &mut String,
    resolve: &Resolve,
    name: &str,
    id: TypeId,
    enums: &mut BTreeSet<(String, String)>,
) -> Result<(), Box<dyn Error>> {
    let def = &resolve.types[id];
    docs(out, &def.docs);
    if let Some((_, own)) = OWN.iter().find(|(wit, _)| *wit == name) {
        writeln!(out, "pub type {} = {own};", camel(name))?;
        return Ok(());
    }
    match &def.kind {
        TypeDefKind::Record(record) => record_def(out, resolve, name, record)?,
        TypeDefKind::Enum(cases) => {
            let module = module_of(resolve, def);
            enums.insert((name.to_string(), format!("{module}::{}", camel(name))));
            enum_def(out, name, cases)?;
        }
        TypeDefKind::Variant(variant) => variant_def(out, resolve, name, variant)?,
        TypeDefKind::Type(of) => {
            writeln!(out, "pub type {} = {};", camel(name), rust(resolve, of))?
        }
        other => {
            return Err(format!("{name}: {} is not used in the contract", other.as_str()).into());
        }
    }
    Ok(())
}

fn module_of(resolve: &Resolve, def: &TypeDef) -> String {
    match def.owner {
        wit_parser::TypeOwner::Interface(id) => {
            resolve.interfaces[id].name.as_deref().map(snake).unwrap_or_default()
        }
        _ => String::new(),
    }
}

fn record_def(
    out: &mut String,
    resolve: &Resolve,
    name: &str,
    record: &Record,
) -> std::fmt::Result {
    let counts = record.fields.iter().all(|field| field.ty == Type::U64);
    let copy = if counts {
        "Copy, Hash, Default, "
    } else if COPY.contains(&name) {
        "Copy, Hash, "
    } else {
        ""
    };
    writeln!(
        out,
        "#[derive({copy}Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]"
    )?;
    writeln!(out, "#[cfg_attr(feature = \"schema\", derive(schemars::JsonSchema))]")?;
    writeln!(out, "#[serde(deny_unknown_fields)]\npub struct {} {{", camel(name))?;
    for field in &record.fields {
        docs(out, &field.docs);
        let ty = rust(resolve, &field.ty);
        if ty.starts_with("Option<Option<") {
            let read = "#[serde(default, deserialize_with = \"crate::spelling::given\", skip_serializing_if = \"Option::is_none\")]";
            writeln!(out, "{read}")?;
        } else if ty.starts_with("Option<") {
            writeln!(out, "#[serde(default, skip_serializing_if = \"Option::is_none\")]")?;
        }
        if let Some(at) = ty.find("crate::contract::").filter(|_| ty.contains("::Decimal")) {
            let (around, end) = (&ty[..at], if at > 0 { ">" } else { "" });
            let with = format!("{around}crate::decimal::Written{end}");
            writeln!(out, "#[cfg_attr(feature = \"schema\", schemars(with = {with:?}))]")?;
        }
        writeln!(out, "pub {}: {ty},", ident(&field.name))?;
    }
    writeln!(out, "}}")
}

fn enum_def(out: &mut String, name: &str, cases: &Enum) -> std::fmt::Result {
    let ty = camel(name);
    writeln!(
        out,
        "#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]"
    )?;
    writeln!(
        out,
        "#[cfg_attr(feature = \"schema\", derive(schemars::JsonSchema))]\npub enum {ty} {{"
    )?;
    for case in &cases.cases {
        docs(out, &case.docs);
        writeln!(out, "#[serde(rename = {:?})] {},", case.name, camel(&case.name))?;
    }
    writeln!(out, "}}\nimpl {ty} {{")?;
    let list = |of: &dyn Fn(&str) -> String| {
        cases.cases.iter().map(|c| of(&c.name)).collect::<Vec<_>>().join(", ")
    };
    writeln!(out, "/// Every case, in the order of the WIT.")?;
    writeln!(
        out,
        "pub const ALL: &'static [Self] = &[{}];",
        list(&|c| format!("Self::{}", camel(c)))
    )?;
    writeln!(out, "/// The WIT spelling of every case.")?;
    writeln!(
        out,
        "pub const NAMES: &'static [&'static str] = &[{}];",
        list(&|c| format!("{c:?}"))
    )?;
    writeln!(
        out,
        "/// The WIT spelling.\npub const fn name(self) -> &'static str {{ match self {{"
    )?;
    for case in &cases.cases {
        writeln!(out, "Self::{} => {:?},", camel(&case.name), case.name)?;
    }
    writeln!(
        out,
        "}} }}\n/// What the WIT says of it.\npub const fn about(self) -> &'static str {{ match self {{"
    )?;
    for case in &cases.cases {
        let about = case.docs.contents.as_deref().unwrap_or_default().replace('\n', " ");
        writeln!(out, "Self::{} => {about:?},", camel(&case.name))?;
    }
    writeln!(out, "}} }} }}\ncrate::spelling::spelled!({ty});")
}

fn variant_def(
    out: &mut String,
    resolve: &Resolve,
    name: &str,
    variant: &Variant,
) -> std::fmt::Result {
    writeln!(out, "#[derive(Clone, Debug, PartialEq, Eq)]\npub enum {} {{", camel(name))?;
    for case in &variant.cases {
        docs(out, &case.docs);
        let of = case.ty.map(|ty| format!("({})", rust(resolve, &ty))).unwrap_or_default();
        writeln!(out, "{}{of},", camel(&case.name))?;
    }
    writeln!(out, "}}")
}

/// A trait for an interface with functions, named like the interface.
fn plug_in(
    out: &mut String,
    resolve: &Resolve,
    name: &str,
    interface: &Interface,
) -> Result<(), Box<dyn Error>> {
    docs(out, &interface.docs);
    writeln!(out, "#[allow(async_fn_in_trait)]\npub trait {} {{", camel(name))?;
    for (name, function) in &interface.functions {
        docs(out, &function.docs);
        writeln!(out, "{};", signature(resolve, name, function)?)?;
    }
    writeln!(out, "}}")?;
    Ok(())
}

fn signature(resolve: &Resolve, name: &str, function: &Function) -> Result<String, Box<dyn Error>> {
    let keyword = match function.kind {
        FunctionKind::Freestanding => "fn",
        FunctionKind::AsyncFreestanding => "async fn",
        _ => return Err(format!("{name}: only plain functions are plug-in points").into()),
    };
    let mut arguments = String::from("&self");
    for parameter in &function.params {
        let ty = rust(resolve, &parameter.ty);
        let ty = ty
            .strip_prefix("Vec<")
            .and_then(|t| t.strip_suffix('>'))
            .map(|t| format!("&[{t}]"))
            .unwrap_or(ty);
        write!(arguments, ", {}: {ty}", ident(&parameter.name))?;
    }
    let result =
        function.result.map(|ty| format!(" -> {}", rust(resolve, &ty))).unwrap_or_default();
    Ok(format!("{keyword} {}({arguments}){result}", ident(name)))
}

/// The Rust spelling of a WIT type, by full path so that modules need no imports of each other.
fn rust(resolve: &Resolve, ty: &Type) -> String {
    match ty {
        Type::Bool => "bool".into(),
        Type::U8 => "u8".into(),
        Type::U16 => "u16".into(),
        Type::U32 => "u32".into(),
        Type::U64 => "u64".into(),
        Type::S32 => "i32".into(),
        Type::S64 => "i64".into(),
        Type::String => "String".into(),
        Type::Id(id) => named(resolve, *id),
        other => format!("compile_error!(\"{other:?} is not used in the contract\")"),
    }
}

fn named(resolve: &Resolve, id: TypeId) -> String {
    let def = &resolve.types[id];
    let of = |ty: &Option<Type>| ty.map(|ty| rust(resolve, &ty)).unwrap_or_else(|| "()".into());
    match (&def.kind, &def.name) {
        (TypeDefKind::Option(ty), _) => format!("Option<{}>", rust(resolve, ty)),
        (TypeDefKind::List(ty), _) => format!("Vec<{}>", rust(resolve, ty)),
        (TypeDefKind::Result(r), _) => format!("Result<{}, {}>", of(&r.ok), of(&r.err)),
        (_, Some(name)) => format!("crate::contract::{}::{}", module_of(resolve, def), camel(name)),
        (_, None) => "compile_error!(\"an unnamed type is not used in the contract\")".into(),
    }
}

fn docs(out: &mut String, docs: &Docs) {
    for line in docs.contents.as_deref().unwrap_or_default().lines() {
        out.push_str(&format!("#[doc = {:?}]\n", format!(" {line}")));
    }
}

fn snake(name: &str) -> String {
    name.replace('-', "_").to_lowercase()
}

fn camel(name: &str) -> String {
    name.split('-')
        .map(|word| {
            let mut letters = word.chars();
            letters.next().map(|first| {
                first.to_uppercase().chain(letters.flat_map(char::to_lowercase)).collect()
            })
        })
        .map(Option::unwrap_or_default)
        .collect::<Vec<String>>()
        .concat()
}

/// A field or function name; `type` is a word of Rust.
fn ident(name: &str) -> String {
    match snake(name).as_str() {
        "type" => "r#type".into(),
        other => other.into(),
    }
}
