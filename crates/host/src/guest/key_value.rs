//! `spin:key-value`: named stores in one table of `key-value.db` in the data directory.
//!
//! It is a cache and a place for documents. What must be true belongs in a database.

use super::Guest;
use crate::runtime::memory::SQLITE_BYTES;
use rusqlite::{OptionalExtension as _, params};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use wasmtime::component::{
    Access as StoreAccess, ComponentType, FutureReader, Lift, Linker, Lower, Resource,
    ResourceType, StreamReader,
};

/// Where all stores of the runtime live.
pub struct Database(Mutex<rusqlite::Connection>);

/// The stores a component may open.
pub struct Access {
    pub database: Arc<Database>,
    pub labels: BTreeSet<String>,
}

/// An open store: its label.
pub struct Store(String);

#[derive(ComponentType, Lift, Lower, Debug)]
#[component(variant)]
enum Error {
    #[component(name = "store-table-full")]
    StoreTableFull,
    #[component(name = "no-such-store")]
    NoSuchStore,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "other")]
    Other(String),
}

type Keys = (StreamReader<String>, FutureReader<Result<(), Error>>);

impl Database {
    /// Opens the file in `folder`, which is made on first use.
    pub fn open(folder: &Path) -> rusqlite::Result<Database> {
        let db = rusqlite::Connection::open(folder.join("key-value.db"))?;
        db.busy_timeout(Duration::from_secs(5))?;
        db.pragma_update(None, "journal_mode", "WAL")?;
        db.pragma_update(None, "synchronous", "NORMAL")?;
        // Of the whole process, not of this connection; every runtime has this connection and opens it first.
        db.pragma_update_and_check(None, "soft_heap_limit", SQLITE_BYTES, |_| Ok(()))?;
        db.execute_batch(
            "CREATE TABLE IF NOT EXISTS key_value (
                store TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL,
                PRIMARY KEY (store, key)
            ) STRICT, WITHOUT ROWID",
        )?;
        Ok(Database(Mutex::new(db)))
    }

    fn with<R>(
        &self,
        work: impl FnOnce(&rusqlite::Connection) -> rusqlite::Result<R>,
    ) -> Result<R, Error> {
        tokio::task::block_in_place(|| {
            let db = self.0.lock().map_err(|_| Error::Other("the store is broken".to_owned()))?;
            work(&db).map_err(|error| Error::Other(error.to_string()))
        })
    }

    fn get(&self, store: &str, key: &str) -> Result<Option<Vec<u8>>, Error> {
        self.with(|db| {
            db.prepare_cached("SELECT value FROM key_value WHERE store = ?1 AND key = ?2")?
                .query_row(params![store, key], |row| row.get(0))
                .optional()
        })
    }

    fn set(&self, store: &str, key: &str, value: &[u8]) -> Result<(), Error> {
        self.with(|db| {
            db.prepare_cached(
                "INSERT INTO key_value (store, key, value) VALUES (?1, ?2, ?3)
                 ON CONFLICT (store, key) DO UPDATE SET value = excluded.value",
            )?
            .execute(params![store, key, value])
            .map(drop)
        })
    }

    fn delete(&self, store: &str, key: &str) -> Result<(), Error> {
        self.with(|db| {
            db.prepare_cached("DELETE FROM key_value WHERE store = ?1 AND key = ?2")?
                .execute(params![store, key])
                .map(drop)
        })
    }

    fn keys(&self, store: &str) -> Result<Vec<String>, Error> {
        self.with(|db| {
            db.prepare_cached("SELECT key FROM key_value WHERE store = ?1 ORDER BY key")?
                .query_map([store], |row| row.get(0))?
                .collect()
        })
    }
}

pub fn add_to_linker(linker: &mut Linker<Guest>) -> wasmtime::Result<()> {
    let mut kv = linker.instance("spin:key-value/key-value@3.0.0")?;
    kv.resource("store", ResourceType::host::<Store>(), |mut store, rep| {
        store.data_mut().table.delete(Resource::<Store>::new_own(rep))?;
        Ok(())
    })?;
    // The guest awaits these functions, but each is done when it returns: a local file needs no waiting.
    macro_rules! function {
        ($name:literal, |$guest:ident, $arguments:tt: $types:ty| $body:expr) => {
            kv.func_wrap_concurrent($name, |accessor, $arguments: $types| {
                let result = accessor.with(|mut access| {
                    let $guest = access.get();
                    $body
                });
                Box::pin(std::future::ready(Ok((result,))))
            })?
        };
    }
    function!("[static]store.open", |guest, (label,): (String,)| open(guest, label));
    function!("[method]store.get", |guest, (store, key): (Resource<Store>, String)| {
        label(guest, &store).and_then(|label| database(guest).get(label, &key))
    });
    function!(
        "[method]store.set",
        |guest, (store, key, value): (Resource<Store>, String, Vec<u8>)| {
            label(guest, &store).and_then(|label| database(guest).set(label, &key, &value))
        }
    );
    function!("[method]store.delete", |guest, (store, key): (Resource<Store>, String)| {
        label(guest, &store).and_then(|label| database(guest).delete(label, &key))
    });
    function!("[method]store.exists", |guest, (store, key): (Resource<Store>, String)| {
        label(guest, &store)
            .and_then(|label| database(guest).get(label, &key))
            .map(|value| value.is_some())
    });
    kv.func_wrap_concurrent("[method]store.get-keys", |accessor, (store,): (Resource<Store>,)| {
        let keys = accessor.with(|access| keys(access, &store));
        Box::pin(std::future::ready(keys.map(|keys| (keys,))))
    })
}

fn open(guest: &mut Guest, label: String) -> Result<Resource<Store>, Error> {
    if !guest.grants.key_value.labels.contains(&label) {
        return Err(Error::AccessDenied);
    }
    guest.table.push(Store(label)).map_err(|_| Error::StoreTableFull)
}

fn label<'g>(guest: &'g Guest, store: &Resource<Store>) -> Result<&'g str, Error> {
    guest.table.get(store).map(|store| store.0.as_str()).map_err(|_| Error::NoSuchStore)
}

fn database(guest: &Guest) -> &Database {
    &guest.grants.key_value.database
}

fn keys(mut access: StoreAccess<'_, Guest>, store: &Resource<Store>) -> wasmtime::Result<Keys> {
    let guest = access.get();
    let found = label(guest, store).and_then(|label| database(guest).keys(label));
    let (keys, outcome) = match found {
        Ok(keys) => (keys, Ok(())),
        Err(error) => (Vec::new(), Err(error)),
    };
    let stream = StreamReader::new(&mut access, keys)?;
    let outcome = std::future::ready(wasmtime::error::Ok(outcome));
    Ok((stream, FutureReader::new(&mut access, outcome)?))
}
