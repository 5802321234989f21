//! `dunlin build`.

use super::{Outcome, progress, up};
use crate::{build_components, manifest::Manifest};
use std::path::Path;

pub fn run() -> Outcome {
    let manifest = Manifest::load(&up::find(Path::new(up::MANIFEST))?)?;
    let bar = progress::spinner("building the components");
    build_components(manifest.root())?;
    bar.finish_and_clear();
    Ok(true)
}
