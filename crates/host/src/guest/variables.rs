//! `spin:variables`: the component's own variables, filled in from the application's at start.

use super::Guest;
use wasmtime::component::{ComponentType, Lift, Linker, Lower};

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum Error {
    #[component(name = "invalid-name")]
    InvalidName(String),
    #[component(name = "undefined")]
    Undefined(String),
    #[component(name = "provider")]
    Provider(String),
    #[component(name = "other")]
    Other(String),
}

pub fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    linker.instance("spin:variables/variables@3.0.0")?.func_wrap_concurrent(
        "get",
        |accessor, (name,): (String,)| {
            let value = accessor.with(|mut store| get(store.get(), name));
            Box::pin(std::future::ready(Ok((value,))))
        },
    )
}

fn get(guest: &Guest, name: String) -> Result<String, Error> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    match guest.grants.variables.get(&name) {
        Some(value) => Ok(value.clone()),
        None if name.is_empty() || !name.chars().all(allowed) => Err(Error::InvalidName(name)),
        None => Err(Error::Undefined(name)),
    }
}
