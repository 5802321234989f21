//! Whose turn it is to write a file.
//!
//! SQLite lets one connection write at a time, and has the others ask again after pauses that grow to a tenth of a
//! second: who comes at a bad moment waits long, and whoever comes next may go first. Connections of this process wait
//! in a queue instead, so that they are served in order and as soon as the one before is done.

use super::shared::Shared;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;
use tokio::sync::Notify;

/// The writers of one file.
#[derive(Default)]
pub struct Queue {
    line: Mutex<Line>,
    /// Whether somebody writes the log back.
    writing_back: AtomicBool,
    /// Pages of the log when it was last written back; fewer are a log that began anew.
    written_back: AtomicI32,
    /// The connection through which they write.
    pub shared: Shared,
    /// Rings for those who wait outside of the line.
    freed: Notify,
}

#[derive(Default)]
struct Line {
    /// Whether somebody has the turn, or was called to take it.
    taken: bool,
    /// The bells of those who wait, in their order: each wakes one alone.
    waiting: VecDeque<Arc<Condvar>>,
    /// The bell of the one who was called and has not come yet.
    called: Option<Arc<Condvar>>,
}

/// The right to write, given back when it is dropped.
pub struct Turn(Arc<Queue>);

impl Queue {
    /// The queue of a file, one in the whole process.
    pub fn of(file: &Path) -> Arc<Queue> {
        static QUEUES: LazyLock<Mutex<HashMap<PathBuf, Weak<Queue>>>> =
            LazyLock::new(Mutex::default);
        let mut queues = QUEUES.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(queue) = queues.get(file).and_then(Weak::upgrade) {
            return queue;
        }
        queues.retain(|_, queue| queue.strong_count() > 0);
        let queue = Arc::<Queue>::default();
        queues.insert(file.to_path_buf(), Arc::downgrade(&queue));
        queue
    }

    /// Waits for the turn of a connection, so long at the most.
    pub fn wait(self: &Arc<Self>, longest: Duration) -> Option<Turn> {
        let mut line = self.line();
        if !line.taken {
            line.taken = true;
            return Some(Turn(self.clone()));
        }
        let bell = Arc::new(Condvar::new());
        line.waiting.push_back(bell.clone());
        let not_yet = |line: &mut Line| {
            !line.called.as_ref().is_some_and(|called| Arc::ptr_eq(called, &bell))
        };
        let (mut line, waited) =
            bell.wait_timeout_while(line, longest, not_yet).unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            line.waiting.retain(|other| !Arc::ptr_eq(other, &bell));
            return None;
        }
        line.called = None;
        Some(Turn(self.clone()))
    }

    /// Ends when nobody writes and nobody waits for that in the line, so long after at the most: for who can let others go on
    /// meanwhile.
    pub async fn lull(&self, longest: Duration) {
        let mut freed = pin!(self.freed.notified());
        freed.as_mut().enable();
        if self.line().taken {
            let _ = tokio::time::timeout(longest, freed).await;
        }
    }

    /// Whether the log, which has so many pages after a commit, has grown by so many since it was last written back.
    pub fn is_long(&self, logged: i32, grown: i32) -> bool {
        let before = self.written_back.load(Relaxed);
        if logged < before {
            self.written_back.store(0, Relaxed);
            return logged >= grown;
        }
        logged - before >= grown
    }

    /// The right to write back a log of so many pages, which one has at a time.
    pub fn to_write_back(self: &Arc<Self>, logged: i32) -> Option<WriteBack> {
        if self.writing_back.swap(true, Relaxed) {
            return None;
        }
        self.written_back.store(logged, Relaxed);
        Some(WriteBack(self.clone()))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The right to write the log back, given back when it is dropped.
pub struct WriteBack(Arc<Queue>);

impl WriteBack {
    /// First while others go on writing, then what they added, in a turn, so that the log can begin anew.
    pub fn run(self, longest: Duration, work: impl Fn()) {
        work();
        if let Some(_turn) = self.0.wait(longest) {
            work();
        }
    }
}

impl Drop for WriteBack {
    fn drop(&mut self) {
        self.0.writing_back.store(false, Relaxed);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.called = line.waiting.pop_front();
        line.taken = line.called.is_some();
        let called = line.called.clone();
        drop(line);
        match called {
            Some(bell) => bell.notify_one(),
            None => self.0.freed.notify_waiters(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn a_file_has_one_queue_and_another_file_another() {
        let (one, again) = (Queue::of(Path::new("a.db")), Queue::of(Path::new("a.db")));
        assert!(Arc::ptr_eq(&one, &again));
        assert!(!Arc::ptr_eq(&one, &Queue::of(Path::new("b.db"))));
    }

    #[test]
    fn the_next_goes_on_when_a_turn_is_given_back_and_who_went_away_is_passed_over() {
        let queue = Arc::<Queue>::default();
        let first = queue.wait(LONG).unwrap();
        assert!(queue.wait(Duration::ZERO).is_none());
        let waiting = std::thread::spawn({
            let queue = queue.clone();
            move || queue.wait(LONG).is_some()
        });
        drop(first);
        assert!(waiting.join().unwrap());
        assert!(queue.wait(LONG).is_some());
    }

    #[tokio::test]
    async fn a_lull_comes_when_nobody_writes_and_nobody_waits_in_the_line() {
        let queue = Arc::<Queue>::default();
        queue.lull(LONG).await;
        let turn = queue.wait(LONG).unwrap();
        let lull = || {
            let queue = queue.clone();
            tokio::spawn(async move { queue.lull(LONG).await })
        };
        let (one, other) = (lull(), lull());
        queue.lull(Duration::from_millis(5)).await;
        assert!(!one.is_finished() && !other.is_finished());
        let next = std::thread::spawn({
            let queue = queue.clone();
            move || queue.wait(LONG).unwrap()
        });
        while queue.line().waiting.is_empty() {
            std::thread::yield_now();
        }
        drop(turn);
        let turn = next.join().unwrap();
        tokio::task::yield_now().await;
        assert!(!one.is_finished() && !other.is_finished());
        drop(turn);
        one.await.unwrap();
        other.await.unwrap();
    }

    #[test]
    fn a_log_is_long_when_it_grew_and_again_after_it_began_anew() {
        let queue = Arc::<Queue>::default();
        assert!(!queue.is_long(9, 10) && queue.is_long(11, 10));
        let count = std::cell::Cell::new(0);
        let right = queue.to_write_back(11).unwrap();
        assert!(queue.to_write_back(11).is_none());
        right.run(LONG, || count.set(count.get() + 1));
        assert_eq!(count.get(), 2);
        assert!(queue.to_write_back(11).is_some());
        for (logged, long) in [(12, false), (20, false), (21, true), (2, false), (10, true)] {
            assert_eq!(queue.is_long(logged, 10), long, "{logged}");
        }
    }

    #[test]
    fn who_waits_goes_on_one_after_the_other() {
        let queue = Arc::<Queue>::default();
        let inside = Arc::<Mutex<u32>>::default();
        let first = queue.wait(LONG).unwrap();
        let one = || {
            let (queue, inside) = (queue.clone(), inside.clone());
            std::thread::spawn(move || {
                for _ in 0..100 {
                    let turn = queue.wait(LONG).unwrap();
                    // Nobody else is inside while the turn is held.
                    *inside.try_lock().unwrap() += 1;
                    drop(turn);
                }
            })
        };
        let all: Vec<_> = (0..8).map(|_| one()).collect();
        drop(first);
        all.into_iter().for_each(|one| one.join().unwrap());
        assert_eq!(*inside.lock().unwrap(), 800);
    }
}
