//! `dunlin backup`.

use super::{Format, Outcome, print, progress};
use clap::Args;
use std::path::PathBuf;

#[derive(Args)]
pub struct Options {
    /// File to write; it must not exist yet
    file: PathBuf,
    /// Data directory of the application
    #[arg(long, default_value = super::up::DATA_DIR)]
    data_dir: PathBuf,
    #[command(flatten)]
    format: Format,
}

pub fn run(options: &Options) -> Outcome {
    let source = options.data_dir.join("default.db");
    let bar = progress::spinner(format!("copying {}", source.display()));
    let pages = crate::backup::copy(&source, &options.file)?;
    bar.finish_and_clear();
    let bytes = std::fs::metadata(&options.file)?.len();
    if options.format.json {
        let file = options.file.display().to_string();
        print(&serde_json::json!({ "file": file, "bytes": bytes, "pages": pages }).to_string());
    } else {
        print(&format!("{} holds a checked copy of {bytes} bytes", options.file.display()));
    }
    Ok(true)
}
