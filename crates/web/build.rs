//! The document of the functions as it is served: without the spaces and line breaks that are there for readers of the
//! repository, which are two fifths of it.

use std::{env, fs, io, path::Path};

fn main() -> io::Result<()> {
    let written = Path::new("../../docs/openapi.json");
    println!("cargo::rerun-if-changed={}", written.display());
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    let text = compact(&fs::read_to_string(written)?);
    fs::write(Path::new(&folder).join("openapi.json"), text)
}

/// JSON without white space outside its strings.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let mut out = String::with_capacity(json.len());
    for c in json.chars().filter(|c| *c != '\n') {
        if quoted || !c.is_ascii_whitespace() {
            out.push(c);
        }
        quoted ^= c == '"' && !escaped;
        escaped = quoted && c == '\\' && !escaped;
    }
    out
}
