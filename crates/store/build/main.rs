//! Puts the statements and migrations where `sql!` and `schema!` take them: as they are, and for a component without what
//! only a reader needs.

mod compact;

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let wasm = env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "wasm");
    let out = env::var("OUT_DIR").map_err(io::Error::other)?;
    for folder in ["sql", "schema"] {
        println!("cargo::rerun-if-changed={folder}");
        copy(Path::new(folder), &Path::new(&out).join(folder), wasm)?;
    }
    Ok(())
}

fn copy(from: &Path, to: &Path, compacted: bool) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        if entry.file_type()?.is_dir() {
            copy(&from, &to, compacted)?;
        } else {
            let text = fs::read_to_string(&from)?;
            fs::write(to, if compacted { compact::compact(&text) } else { text })?;
        }
    }
    Ok(())
}
