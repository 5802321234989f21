//! The Wasmtime engine: one per runtime, with a clock that keeps busy components from hogging a thread.

use super::compiled::Compiled;
use crate::guest::{Guest, linker};
use anyhow::{Context as _, Result};
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;
use wasmtime::component::{Component, InstancePre, Linker};
use wasmtime::{Config, Engine};

/// How long a component may compute before the other tasks of its thread get a turn.
const TICK: Duration = Duration::from_millis(10);

/// Compiles components, each file once, and links them to the host.
pub struct Loader {
    engine: Engine,
    linker: Linker<Guest>,
    kept: Compiled,
    compiled: HashMap<PathBuf, Component>,
}

impl Loader {
    /// `cache` keeps compiled code between starts, by the content of the file and the version of the compiler.
    pub fn new(cache: &Path) -> Result<Loader> {
        let mut config = Config::new();
        config.wasm_component_model_async(true);
        config.epoch_interruption(true);
        let engine = Engine::new(&config)?;
        tick(&engine)?;
        let linker = linker(&engine)?;
        Ok(Loader { engine, linker, kept: Compiled::new(cache)?, compiled: HashMap::new() })
    }

    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Loads the component in `file`. An import that the host does not have is refused by its name.
    pub fn load(&mut self, id: &str, file: &Path) -> Result<InstancePre<Guest>> {
        if !self.compiled.contains_key(file) {
            let component = self.kept.load(&self.engine, file).with_context(|| {
                format!("cannot load the component `{id}` from {}", file.display())
            })?;
            self.compiled.insert(file.to_path_buf(), component);
        }
        let linked = self.linker.instantiate_pre(&self.compiled[file]);
        linked.map_err(anyhow::Error::from).with_context(|| {
            format!(
                "the component `{id}` needs something the local runtime does not have; run the \
                 application with `spin up`"
            )
        })
    }
}

/// Advances the engine's clock until the engine is gone. A thread of its own, so that no busy task can stop it.
fn tick(engine: &Engine) -> Result<()> {
    let engine = engine.weak();
    std::thread::Builder::new().name("dunlin-tick".to_owned()).spawn(move || {
        loop {
            std::thread::sleep(TICK);
            match engine.upgrade() {
                Some(engine) => engine.increment_epoch(),
                None => return,
            }
        }
    })?;
    Ok(())
}
