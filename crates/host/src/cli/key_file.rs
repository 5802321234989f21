//! The admin key of a data directory, for those who were not given one.

use anyhow::{Context as _, Result};
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// The key and whether it was made just now.
pub struct AdminKey {
    pub key: String,
    pub is_new: bool,
    pub path: PathBuf,
}

/// Bytes of randomness in a key; as hexadecimal digits, twice as many characters.
const KEY_BYTES: usize = 24;

/// Reads `<data-dir>/admin-key`, or makes it, readable by its owner only.
pub fn admin_key(data_dir: &Path) -> Result<AdminKey> {
    std::fs::create_dir_all(data_dir)
        .with_context(|| format!("cannot create the data directory {}", data_dir.display()))?;
    let path = data_dir.join("admin-key");
    let failed = || format!("cannot use the admin key in {}", path.display());
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match made {
        Ok(mut file) => {
            let key = random_key()?;
            writeln!(file, "{key}").with_context(failed)?;
            Ok(AdminKey { key, is_new: true, path })
        }
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let key = std::fs::read_to_string(&path).with_context(failed)?.trim().to_owned();
            anyhow::ensure!(!key.is_empty(), "{}: it is empty; delete it", failed());
            Ok(AdminKey { key, is_new: false, path })
        }
        Err(error) => Err(error).with_context(failed),
    }
}

fn random_key() -> Result<String> {
    let mut bytes = [0_u8; KEY_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|error| anyhow::anyhow!("the system gives no randomness: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn the_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let data = folder.path().join("data");
        let first = admin_key(&data).unwrap();
        assert!(first.is_new && first.key.len() == 2 * KEY_BYTES);
        let mode = std::fs::metadata(&first.path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let second = admin_key(&data).unwrap();
        assert!(!second.is_new && second.key == first.key);
    }
}
