//! Whose turn it is to write a file.
//!
//! SQLite lets one connection write at a time, and has the others ask again after pauses that grow to a tenth of a
//! second: who comes at a bad moment waits long, and whoever comes next may go first. Connections of this process wait
//! in a queue instead, so that they are served in order and as soon as the one before is done.

use std::collections::{BTreeSet, HashMap};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

/// The writers of one file.
#[derive(Default)]
pub struct Queue {
    line: Mutex<Line>,
    called: Condvar,
}

#[derive(Default)]
struct Line {
    /// The number that the next one draws.
    next: u64,
    /// The number whose turn it is.
    serving: u64,
    /// Numbers of those who went away before their turn.
    gone: BTreeSet<u64>,
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
        let number = line.next;
        line.next += 1;
        let not_yet = |line: &mut Line| line.serving != number;
        let (mut line, waited) = self
            .called
            .wait_timeout_while(line, longest, not_yet)
            .unwrap_or_else(PoisonError::into_inner);
        if waited.timed_out() {
            line.gone.insert(number);
            return None;
        }
        Some(Turn(self.clone()))
    }

    fn line(&self) -> MutexGuard<'_, Line> {
        self.line.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mut line = self.0.line();
        line.serving += 1;
        while let Some(next) = Some(line.serving).filter(|next| line.gone.contains(next)) {
            line.gone.remove(&next);
            line.serving += 1;
        }
        drop(line);
        self.0.called.notify_all();
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
}
