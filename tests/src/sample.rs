//! The published accounts-receivable sample, which is not part of the sources: what does not run without it says so.

use crate::workspace;
use std::{io::Write as _, path::Path};

/// Where it lies, from the root of the workspace.
const SAMPLE: &str = "../shared/data/ibm_accounts_receivable.csv";

/// With this in the environment its absence is an error.
const NEEDED: &str = "DUNLIN_SAMPLE_NEEDED";

/// The sample for what has this name. `None`: there is none, and it was said that this did not run.
///
/// # Panics
///
/// When there is none and it is needed.
pub fn sample(what: &str) -> Option<Vec<u8>> {
    let needed = std::env::var_os(NEEDED).is_some();
    match read(&workspace().join(SAMPLE), what, needed) {
        Ok(bytes) => Some(bytes),
        Err(said) => {
            assert!(!needed, "{said}");
            // The harness of tests holds back what is printed, and shows this.
            let _ = writeln!(std::io::stderr(), "{said}");
            None
        }
    }
}

fn read(path: &Path, what: &str, needed: bool) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| {
        let fate = if needed { "cannot run" } else { "did not run" };
        format!("{what} {fate}: {SAMPLE} beside the workspace cannot be read ({error})")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_run_without_the_sample_says_so_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("sample.csv");
        let said = |needed| read(&path, "the ranking", needed).unwrap_err();
        assert!(
            said(false).starts_with("the ranking did not run: ../shared/data/ibm_"),
            "{}",
            said(false)
        );
        assert!(said(true).starts_with("the ranking cannot run: "), "{}", said(true));
        std::fs::write(&path, "a,b\n").unwrap();
        assert_eq!(read(&path, "the ranking", true), Ok(b"a,b\n".to_vec()));
    }
}
