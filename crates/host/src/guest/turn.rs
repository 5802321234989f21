//! Whose turn it is to write a file.
//!
//! SQLite lets one connection write at a time, and has the others ask again after pauses that grow to a tenth of a
//! second: who comes at a bad moment waits long, and whoever comes next may go first. Connections of this process wait
//! in a queue instead, so that they are served in order and as soon as the one before is done.
//!
//! Who waits in the line holds up its instance. Where several are going to write from inside of one they wait outside, as a
//! crowd: it is let go when nobody writes, one crowd at a time, and who of it writes first may write for all.

use super::shared::Shared;
use std::collections::{HashMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI32, Ordering::Relaxed};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};
use tokio::sync::Notify;
use tokio::time::timeout;

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
}

#[derive(Default)]
struct Line {
    /// Whether somebody has the turn, or was called to take it.
    taken: bool,
    /// The bells of those who wait, in their order: each wakes one alone.
    waiting: VecDeque<Arc<Condvar>>,
    /// The bell of the one who was called and has not come yet.
    called: Option<Arc<Condvar>>,
    /// What the crowds outside wait for, in their order, and which turn it was when they came.
    outside: VecDeque<(Arc<Lull>, u64)>,
    /// How many turns were given back.
    turns: u64,
    /// When a crowd was let go of which nobody has come to write yet.
    let_go: Option<Instant>,
}

/// So many others write before a crowd that waits outside. Where turns are short there is always somebody in the line.
const BEFORE: u64 = 8;

/// How long a crowd that was let go has to come before the next one is.
const TO_COME: Duration = Duration::from_millis(if cfg!(test) { 500 } else { 20 });

impl Line {
    /// Whether somebody writes, or is about to.
    fn is_busy(&self) -> bool {
        self.taken || self.let_go.is_some_and(|at| at.elapsed() < TO_COME)
    }

    fn leaves(&mut self, lull: &Arc<Lull>) {
        self.outside.retain(|(other, _)| !Arc::ptr_eq(other, lull));
    }

    fn let_go(&mut self, lull: &Lull) {
        self.let_go = Some(Instant::now());
        lull.begin();
    }
}

/// That nobody writes, and nobody waits for that in the line.
#[derive(Default)]
pub struct Lull {
    has_begun: AtomicBool,
    bell: Notify,
}

impl Lull {
    fn begin(&self) {
        self.has_begun.store(true, Relaxed);
        self.bell.notify_waiters();
    }
}

/// Those in one instance who are going to write.
pub struct Crowd {
    queue: Arc<Queue>,
    /// What they wait for, until one of them writes.
    lull: Mutex<Option<Arc<Lull>>>,
}

impl Crowd {
    pub fn new(queue: Arc<Queue>) -> Crowd {
        Crowd { queue, lull: Mutex::default() }
    }

    /// What one more of them waits for, to be taken when it says that it is going to write.
    pub fn join(&self) -> Arc<Lull> {
        let mut lull = self.lull();
        if let Some(lull) = lull.as_ref() {
            return lull.clone();
        }
        let first = lull.insert(Arc::default()).clone();
        let mut line = self.queue.line();
        match line.is_busy() {
            true => {
                let turn = line.turns;
                line.outside.push_back((first.clone(), turn));
            }
            false => line.let_go(&first),
        }
        first
    }

    /// Waits, so long at the most.
    pub async fn wait(&self, lull: &Arc<Lull>, longest: Duration) {
        let came = Instant::now();
        loop {
            let bell = lull.bell.notified();
            if lull.has_begun.load(Relaxed) || timeout(TO_COME, bell).await.is_ok() {
                return;
            }
            let mut line = self.queue.line();
            if !line.is_busy() || came.elapsed() >= longest {
                line.leaves(lull);
                return line.let_go(lull);
            }
        }
    }

    /// One of them has the turn: whoever waits goes on with it.
    pub fn comes(&self) {
        if let Some(lull) = self.lull().take() {
            self.queue.line().leaves(&lull);
            lull.begin();
        }
    }

    fn lull(&self) -> MutexGuard<'_, Option<Arc<Lull>>> {
        self.lull.lock().unwrap_or_else(PoisonError::into_inner)
    }
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
        line.let_go = None;
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
        line.turns += 1;
        let (called, turns) = (line.called.clone(), line.turns);
        let goes = |(_, came): &mut (Arc<Lull>, u64)| called.is_none() || turns - *came > BEFORE;
        if let Some((lull, _)) = line.outside.pop_front_if(goes) {
            line.let_go(&lull);
        }
        drop(line);
        if let Some(bell) = called {
            bell.notify_one();
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

    fn crowd(queue: &Arc<Queue>) -> Arc<Crowd> {
        Arc::new(Crowd::new(queue.clone()))
    }

    fn waits(crowd: &Arc<Crowd>) -> tokio::task::JoinHandle<()> {
        let (crowd, lull) = (crowd.clone(), crowd.join());
        tokio::spawn(async move { crowd.wait(&lull, LONG).await })
    }

    #[tokio::test]
    async fn a_crowd_goes_on_together_when_nobody_writes_and_the_next_when_it_has_written() {
        let queue = Arc::<Queue>::default();
        let [one, other] = [(); 2].map(|()| crowd(&queue));
        let turn = queue.wait(LONG).unwrap();
        let (first, second, third) = (waits(&one), waits(&one), waits(&other));
        tokio::time::sleep(TO_COME * 2).await;
        assert!(!first.is_finished() && !second.is_finished() && !third.is_finished());
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
        assert!(!first.is_finished() && !third.is_finished());
        drop(turn);
        first.await.unwrap();
        second.await.unwrap();
        // Whoever joins now goes on with them; the others wait until they have written.
        waits(&one).await.unwrap();
        assert!(!third.is_finished());
        let turn = queue.wait(LONG).unwrap();
        one.comes();
        let late = waits(&one);
        tokio::task::yield_now().await;
        assert!(!late.is_finished() && !third.is_finished());
        drop(turn);
        third.await.unwrap();
        let turn = queue.wait(LONG).unwrap();
        other.comes();
        drop(turn);
        late.await.unwrap();
    }

    #[tokio::test]
    async fn a_crowd_that_does_not_come_holds_nobody_up_and_who_is_answered_by_another_goes_on() {
        let queue = Arc::<Queue>::default();
        let [gone, next, last] = [(); 3].map(|()| crowd(&queue));
        waits(&gone).await.unwrap();
        let (waiting, third) = (waits(&next), waits(&last));
        tokio::task::yield_now().await;
        assert!(!waiting.is_finished());
        std::thread::sleep(TO_COME);
        waiting.await.unwrap();
        assert!(!third.is_finished());
        // Without having been let go: one of them wrote all the same.
        last.comes();
        third.await.unwrap();
        assert!(queue.line().outside.is_empty());
    }

    #[tokio::test]
    async fn a_crowd_goes_into_the_line_when_so_many_others_wrote_before_it() {
        let queue = Arc::<Queue>::default();
        let one = crowd(&queue);
        let mut turn = queue.wait(LONG).unwrap();
        let waiting = waits(&one);
        for nth in 0..=BEFORE {
            let next = std::thread::spawn({
                let queue = queue.clone();
                move || queue.wait(LONG).unwrap()
            });
            while queue.line().waiting.is_empty() {
                std::thread::yield_now();
            }
            tokio::task::yield_now().await;
            assert!(!waiting.is_finished(), "{nth}");
            drop(turn);
            turn = next.join().unwrap();
        }
        waiting.await.unwrap();
    }

    #[tokio::test]
    async fn a_crowd_waits_so_long_at_the_most() {
        let queue = Arc::<Queue>::default();
        let _turn = queue.wait(LONG).unwrap();
        let one = crowd(&queue);
        one.wait(&one.join(), Duration::ZERO).await;
        assert!(queue.line().outside.is_empty());
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
