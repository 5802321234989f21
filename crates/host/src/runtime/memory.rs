//! Keeps the memory of the process together.
//!
//! An import passes documents of several megabytes from hand to hand, and its thread changes at every step. Left to
//! itself, the C library keeps a heap for every thread and holds on to what was freed there; with a million rows that
//! doubles the memory of the process.

use std::sync::Once;

/// Page cache and documents of all SQLite connections together. Beyond it SQLite gives up the pages that were used
/// least recently, whichever connection they belong to.
pub const SQLITE_BYTES: i64 = 128 << 20;

/// Heaps for all threads together.
const HEAPS: i32 = 2;

/// From this size on, memory is asked of the system by itself and goes back to it at once. What a slice of a file is
/// handed over in is smaller: to ask for it anew each time has the system clear every page of it.
const LARGE: i32 = 32 << 20;

/// So much that was freed at the end of a heap is kept for what comes next.
const KEPT: i32 = 64 << 20;

/// Tells the C library, once for the process.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[allow(unsafe_code)]
pub fn limit_heaps() {
    static TOLD: Once = Once::new();
    TOLD.call_once(|| {
        // SAFETY: `mallopt` may be called at any time and from any thread; it only changes what later calls of
        // `malloc` and `free` do.
        unsafe {
            libc::mallopt(libc::M_ARENA_MAX, HEAPS);
            libc::mallopt(libc::M_MMAP_THRESHOLD, LARGE);
            libc::mallopt(libc::M_TRIM_THRESHOLD, KEPT);
        }
    });
}

/// Other C libraries have nothing to be told.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn limit_heaps() {}

/// Sizes in bytes and numbers of the pieces that a connection has at hand.
const PIECES: (i32, i32) = (1_200, 500);

/// Gives a connection memory of its own for what a statement needs while it runs, so that it does not ask the C library,
/// and wait for the lock that all connections share, for each of them.
#[allow(unsafe_code)]
pub fn keep_small_things(db: &rusqlite::Connection) {
    use rusqlite::ffi::{SQLITE_DBCONFIG_LOOKASIDE, sqlite3_db_config};
    // SAFETY: the handle is that of an open connection that is used by this thread alone. SQLite allocates the memory
    // itself, and where it cannot it goes on without.
    unsafe {
        let (size, count) = PIECES;
        let nothing = std::ptr::null_mut::<std::ffi::c_void>();
        sqlite3_db_config(db.handle(), SQLITE_DBCONFIG_LOOKASIDE, nothing, size, count);
    }
}
