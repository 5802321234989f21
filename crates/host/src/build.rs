//! Builds the Wasm components of a manifest when their sources are there.
//!
//! Cargo knows what is stale, so every component is asked for. Each is asked for alone and as a `cdylib`: packages that
//! are libraries for native tests and components at once would be linked without optimisation across crates. What
//! they share is built once, as long as they ask for the same features of it.

use crate::manifest::Manifest;
use anyhow::{Context as _, Result, bail, ensure};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Component as Part, Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

/// The only target that components are built for.
const TARGET: &str = "wasm32-wasip2";

/// One build at a time in this process; cargo's own lock keeps processes apart.
static BUILDING: Mutex<()> = Mutex::new(());

/// What becomes of cargo's messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Output {
    /// To standard error as they come, for a person who waits.
    Show,
    /// Kept, and part of the error if the build fails.
    Keep,
}

/// Builds the components of `spin.toml` and `schedule.toml` in `root`, whichever of the two exist.
pub fn build_components(root: &Path) -> Result<()> {
    let mut manifests = Vec::new();
    for name in ["spin.toml", "schedule.toml"] {
        let path = root.join(name);
        if path.is_file() {
            manifests.push(Manifest::load(&path)?);
        }
    }
    ensure!(!manifests.is_empty(), "there is no spin.toml in {}", root.display());
    build(&manifests.iter().collect::<Vec<_>>(), Output::Keep)
}

/// Brings the components of all `manifests` up to date. Without sources, the files have to be there already.
pub fn build(manifests: &[&Manifest], output: Output) -> Result<()> {
    let mut files = BTreeSet::new();
    for manifest in manifests {
        let root = std::path::absolute(manifest.root())?;
        files.extend(manifest.components.values().map(|c| plain(&root.join(&c.source))));
    }
    let made = files.iter().filter_map(|file| made_by_cargo(file));
    let sources: Vec<Made> =
        made.filter(|made| made.workspace.join("Cargo.toml").is_file()).collect();
    if !sources.is_empty() {
        let _one_at_a_time = BUILDING.lock().unwrap_or_else(|broken| broken.into_inner());
        ensure_target()?;
        for made in &sources {
            cargo(made, output)?;
        }
    }
    for file in &files {
        ensure!(file.is_file(), "the component {} is missing", file.display());
    }
    Ok(())
}

/// Where a Wasm file comes from.
#[derive(Debug, PartialEq)]
struct Made {
    workspace: PathBuf,
    profile: String,
    package: String,
}

/// The origin of a path such as `…/target/wasm32-wasip2/component/dunlin_ingest.wasm`. Files elsewhere were built by
/// someone else.
fn made_by_cargo(file: &Path) -> Option<Made> {
    let package = file.file_name()?.to_str()?.strip_suffix(".wasm")?.replace('_', "-");
    let folder = file.parent()?;
    let triple = folder.parent()?;
    let target = triple.parent()?;
    if triple.file_name()? != TARGET || target.file_name()? != "target" {
        return None;
    }
    let profile = match folder.file_name()?.to_str()? {
        "debug" => "dev",
        other => other,
    };
    Some(Made { workspace: target.parent()?.to_path_buf(), profile: profile.to_owned(), package })
}

/// An absolute path without `.` and `..`.
fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Part::CurDir => {}
            Part::ParentDir => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

fn cargo(made: &Made, output: Output) -> Result<()> {
    let Made { workspace: root, profile, package } = made;
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).args(["rustc", "--package", package, "--lib"]);
    command.args(["--crate-type", "cdylib", "--profile", profile, "--target", TARGET]);
    // The manifest names files below this folder, wherever the caller's own build goes.
    command.arg("--target-dir").arg(root.join("target"));
    for name in inherited_from_cargo() {
        command.env_remove(name);
    }
    command.stdin(Stdio::null());
    let shown = format!(
        "cargo rustc -p {package} --lib --crate-type cdylib --profile {profile} --target {TARGET}"
    );
    let failed = || format!("cannot build the components; try `{shown}` in {}", root.display());
    match output {
        Output::Show => {
            ensure!(command.status().with_context(failed)?.success(), failed());
        }
        Output::Keep => {
            let done = command.output().with_context(failed)?;
            if !done.status.success() {
                bail!("{}\n{}", failed(), String::from_utf8_lossy(&done.stderr));
            }
        }
    }
    Ok(())
}

/// What an outer `cargo run` or `cargo test` sets for its own child, and what would make an inner cargo rebuild
/// everything or wait for a job server that is gone.
fn inherited_from_cargo() -> impl Iterator<Item = OsString> {
    const NAMES: [&str; 9] = [
        "CARGO_CRATE_NAME",
        "CARGO_BIN_NAME",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_MAKEFLAGS",
        "CARGO_PRIMARY_PACKAGE",
        "CARGO_TARGET_TMPDIR",
        "MAKEFLAGS",
        "MFLAGS",
        "OUT_DIR",
    ];
    const PREFIXES: [&str; 4] = ["CARGO_BIN_EXE_", "CARGO_CFG_", "CARGO_MANIFEST_", "CARGO_PKG_"];
    std::env::vars_os().map(|(name, _)| name).filter(|name| {
        name.to_str().is_some_and(|name| {
            NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        })
    })
}

/// Makes sure that the standard library for the target is installed, also where rustup does not do so by itself.
fn ensure_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let asked = Command::new(rustc)
        .args(["--print", "target-libdir", "--target", TARGET])
        .output()
        .context("cannot run rustc; install Rust from https://rustup.rs")?;
    let folder = String::from_utf8_lossy(&asked.stdout);
    if asked.status.success() && Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    match added {
        Ok(status) if status.success() => Ok(()),
        _ => bail!("Rust cannot build for {TARGET} yet; run this once: rustup target add {TARGET}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_path_of_a_component_names_its_workspace_profile_and_package() {
        for (path, found) in [
            (
                "/w/target/wasm32-wasip2/component/dunlin_ingest.wasm",
                Some(("/w", "component", "dunlin-ingest")),
            ),
            ("/w/tests/../target/wasm32-wasip2/debug/x.wasm", Some(("/w", "dev", "x"))),
            ("/w/target/wasm32-wasip1/release/x.wasm", None),
            ("/w/components/x.wasm", None),
            ("/w/target/wasm32-wasip2/release/x.cwasm", None),
            ("/w/target/wasm32-wasip2/release/deps/x.wasm", None),
        ] {
            let found = found.map(|(workspace, profile, package): (&str, &str, &str)| Made {
                workspace: workspace.into(),
                profile: profile.to_owned(),
                package: package.to_owned(),
            });
            assert_eq!(made_by_cargo(&plain(Path::new(path))), found, "{path}");
        }
    }
}
