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

/// From this size on, memory is asked of the system by itself and goes back to it at once.
const LARGE: i32 = 256 << 10;

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
            libc::mallopt(libc::M_TRIM_THRESHOLD, LARGE);
        }
    });
}

/// Other C libraries have nothing to be told.
#[cfg(not(all(target_os = "linux", target_env = "gnu")))]
pub fn limit_heaps() {}
