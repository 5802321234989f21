//! Compiled components, kept in a folder between starts.
//!
//! A file is mapped into memory and not read: of the machine code of all components only what runs is ever loaded.

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};
use std::ffi::OsStr;
use std::fs::{self, File};
use std::hash::{Hash as _, Hasher};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::{Duration, SystemTime};
use wasmtime::Engine;
use wasmtime::component::Component;

/// What was not used for so long goes away when something new comes.
const KEPT: Duration = Duration::from_secs(30 * 24 * 3600);

const EXTENSION: &str = "cwasm";

/// The folder of compiled components. Whoever can write it can run anything in this process.
pub struct Compiled {
    folder: PathBuf,
}

impl Compiled {
    pub fn new(folder: &Path) -> Result<Compiled> {
        fs::create_dir_all(folder)
            .with_context(|| format!("cannot create the cache folder {}", folder.display()))?;
        Ok(Compiled { folder: folder.to_path_buf() })
    }

    /// The component in `file`, compiled unless the same one was by the same compiler before.
    pub fn load(&self, engine: &Engine, file: &Path) -> Result<Component> {
        let bytes = fs::read(file)?;
        let kept = self.folder.join(name(engine, &bytes)).with_extension(EXTENSION);
        if let Ok(component) = map(engine, &kept) {
            // It was used, and stays.
            let _ = File::open(&kept).and_then(|file| file.set_modified(SystemTime::now()));
            return Ok(component);
        }
        let compiled = engine.precompile_component(&bytes).map_err(anyhow::Error::from)?;
        write(&kept, &compiled).with_context(|| format!("cannot write {}", kept.display()))?;
        self.forget_unused();
        map(engine, &kept)
    }

    fn forget_unused(&self) {
        let Ok(files) = fs::read_dir(&self.folder) else { return };
        for path in files.flatten().map(|file| file.path()) {
            let used = path.metadata().and_then(|metadata| metadata.modified());
            let age = used.ok().and_then(|used| used.elapsed().ok());
            if path.extension() == Some(OsStr::new(EXTENSION)) && age.is_some_and(|age| age > KEPT)
            {
                // Who still runs it keeps it.
                let _ = fs::remove_file(path);
            }
        }
    }
}

/// A name for what this compiler, as it is set, makes of these bytes.
fn name(engine: &Engine, bytes: &[u8]) -> String {
    struct Hashed(Sha256);
    impl Hasher for Hashed {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut hashed = Hashed(Sha256::new_with_prefix(bytes));
    engine.precompile_compatibility_hash().hash(&mut hashed);
    hashed.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[allow(unsafe_code)]
fn map(engine: &Engine, file: &Path) -> Result<Component> {
    // SAFETY: the file was written by `write`, whole or not at all, from what this compiler gave, and nobody changes a
    // file there: another one takes its place. Who may write the folder is trusted, as with the program itself.
    unsafe { Component::deserialize_file(engine, file) }.map_err(anyhow::Error::from)
}

/// Writes a file so that it is there whole or not at all, also after a loss of power.
fn write(file: &Path, bytes: &[u8]) -> Result<()> {
    // Several runtimes may write the same, in several processes and in one.
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let number = NEXT.fetch_add(1, Relaxed);
    let partial = file.with_extension(format!("{}.{number}.partial", std::process::id()));
    let mut written = File::create(&partial)?;
    let done = written.write_all(bytes).and_then(|()| written.sync_all());
    match done.and_then(|()| fs::rename(&partial, file)) {
        Ok(()) => Ok(()),
        Err(error) => {
            let _ = fs::remove_file(&partial);
            Err(error.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A component of so many empty modules.
    fn component(modules: u8) -> Vec<u8> {
        let mut bytes = b"\0asm\x0d\0\x01\0".to_vec();
        (0..modules).for_each(|_| bytes.extend(b"\x01\x08\0asm\x01\0\0\0"));
        bytes
    }

    fn kept(folder: &Path) -> Vec<PathBuf> {
        let mut files: Vec<_> =
            fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        files
    }

    #[test]
    fn a_component_is_compiled_once_and_another_one_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source.wasm");
        let cache = folder.path().join("cache");
        let compiled = Compiled::new(&cache).unwrap();
        let engine = Engine::default();
        let load = |modules| {
            fs::write(&source, component(modules)).unwrap();
            compiled.load(&engine, &source).unwrap();
            kept(&cache)
        };
        let first = load(0);
        assert_eq!(first.len(), 1);
        let before = first[0].metadata().unwrap().len();
        assert_eq!((load(0), first[0].metadata().unwrap().len()), (first.clone(), before));
        assert_eq!(load(1).len(), 2);
    }

    #[test]
    fn runtimes_that_compile_the_same_at_once_do_not_meet() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source.wasm");
        for round in 0..20 {
            fs::write(&source, component(round)).unwrap();
            std::thread::scope(|scope| {
                for _ in 0..8 {
                    scope.spawn(|| {
                        let compiled = Compiled::new(folder.path()).unwrap();
                        compiled.load(&Engine::default(), &source).unwrap();
                    });
                }
            });
        }
    }

    #[test]
    fn a_file_that_is_broken_is_compiled_anew() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source.wasm");
        fs::write(&source, component(0)).unwrap();
        let compiled = Compiled::new(&folder.path().join("cache")).unwrap();
        let engine = Engine::default();
        compiled.load(&engine, &source).unwrap();
        let file = kept(&compiled.folder).remove(0);
        let whole = fs::read(&file).unwrap();
        for broken in [&b""[..], b"nothing", &whole[..100]] {
            fs::remove_file(&file).unwrap();
            fs::write(&file, broken).unwrap();
            compiled.load(&engine, &source).unwrap();
            assert_eq!(fs::read(&file).unwrap(), whole);
        }
    }

    #[test]
    fn what_nobody_used_for_long_goes_when_something_new_comes() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source.wasm");
        let compiled = Compiled::new(&folder.path().join("cache")).unwrap();
        let engine = Engine::default();
        fs::write(&source, component(0)).unwrap();
        compiled.load(&engine, &source).unwrap();
        let old = kept(&compiled.folder).remove(0);
        let aged = |by: Duration| {
            let file = File::options().write(true).open(&old).unwrap();
            file.set_modified(SystemTime::now() - by).unwrap();
        };
        // Used again, it is new again.
        aged(KEPT * 2);
        compiled.load(&engine, &source).unwrap();
        fs::write(&source, component(1)).unwrap();
        compiled.load(&engine, &source).unwrap();
        assert_eq!(kept(&compiled.folder).len(), 2);
        aged(KEPT * 2);
        fs::write(&source, component(2)).unwrap();
        compiled.load(&engine, &source).unwrap();
        assert_eq!(kept(&compiled.folder).len(), 2);
        assert!(!old.exists());
    }
}
