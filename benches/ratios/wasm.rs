//! The sizes of the shipped components.

use crate::table::{Bar, Table};
use anyhow::Result;
use dunlin::manifest::Manifest;
use std::path::Path;

/// DESIGN: 1.5 MiB each.
const BAR: Bar = Bar::AtMost(1.5);

pub fn measure(root: &Path, table: &mut Table) -> Result<()> {
    for name in ["spin.toml", "schedule.toml"] {
        let manifest = Manifest::load(&root.join(name))?;
        for (id, component) in &manifest.components {
            let bytes = std::fs::metadata(manifest.source(component))?.len();
            let mib = bytes as f64 / f64::from(1 << 20);
            table.add(
                &format!("{id}.wasm"),
                format!("{bytes} bytes"),
                String::new(),
                mib,
                Some(BAR),
            );
        }
    }
    Ok(())
}
