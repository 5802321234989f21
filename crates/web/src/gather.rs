//! Questions that come at the same time, answered together.
//!
//! Requests that share an instance run one at a time, and each pays for its own statements and its own transaction. A
//! handler may instead leave its question here and let the others come as far as that: whoever goes on first answers all
//! that were left by then. On a host that gives each of them an instance of its own, each answers itself.

use crate::{call::found_locked, env::Sleep};
use dunlin_store::Fault;
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
    thread::LocalKey,
};

/// Questions that wait to be answered. A component has one of each kind, in a `thread_local`.
pub struct Gathered<Q, A>(RefCell<Vec<Rc<Waiting<Q, A>>>>);

struct Waiting<Q, A> {
    question: Q,
    /// What came of it, once somebody asked.
    asked: Cell<bool>,
    answer: Cell<Option<A>>,
}

impl<Q, A> Gathered<Q, A> {
    /// Nobody waits.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }
}

impl<Q, A> Default for Gathered<Q, A> {
    fn default() -> Self {
        Self::new()
    }
}

/// Has a question answered with those that come until the `others` have been let in, see [`crate::Env::let_in`]. `answer`
/// takes them in their order and gives as many answers; `None` for those that are to be asked alone, which they are after a
/// failure as well: it may be of another one. That the database is locked is of all, see [`crate::Call::db_after_others`].
pub async fn together<Q: 'static, A: 'static>(
    all: &'static LocalKey<Gathered<Q, A>>,
    others: Sleep,
    question: Q,
    answer: impl FnOnce(&[&Q]) -> Result<Vec<Option<A>>, Fault>,
) -> Option<A> {
    let own = Rc::new(Waiting { question, asked: Cell::new(false), answer: Cell::new(None) });
    all.with(|all| all.0.borrow_mut().push(own.clone()));
    others.await;
    if !own.asked.get() {
        let waiting = all.with(|all| all.0.take());
        waiting.iter().for_each(|of| of.asked.set(true));
        let questions: Vec<&Q> = waiting.iter().map(|of| &of.question).collect();
        let answers = answer(&questions).unwrap_or_else(|fault| {
            if fault == Fault::Locked {
                found_locked();
            }
            Vec::new()
        });
        waiting.iter().zip(answers).for_each(|(of, answer)| of.answer.set(answer));
    }
    own.answer.take()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::call::Database;
    use std::{
        future::{poll_fn, ready},
        pin::{Pin, pin},
        task::{Context, Poll, Waker},
    };

    thread_local! {
        static ASKED: Gathered<i64, (i64, usize)> = const { Gathered::new() };
    }

    /// Lets in whoever comes before it is looked at again.
    fn busy() -> Sleep {
        let mut was_looked_at = false;
        Box::pin(poll_fn(move |_| match std::mem::replace(&mut was_looked_at, true) {
            true => Poll::Ready(()),
            false => Poll::Pending,
        }))
    }

    fn alone() -> Sleep {
        Box::pin(ready(()))
    }

    /// Twice each question with how many were asked at once; nothing for odd ones.
    fn twice(all: &[&i64]) -> Result<Vec<Option<(i64, usize)>>, Fault> {
        Ok(all.iter().map(|of| (**of % 2 == 0).then(|| (**of * 2, all.len()))).collect())
    }

    fn poll<F: Future>(future: Pin<&mut F>) -> Option<F::Output> {
        match future.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(done) => Some(done),
            Poll::Pending => None,
        }
    }

    #[test]
    fn those_who_come_before_one_goes_on_are_answered_with_it_and_each_gets_its_own() {
        let mut first = pin!(together(&ASKED, busy(), 2, twice));
        let mut second = pin!(together(&ASKED, busy(), 3, twice));
        let mut third = pin!(together(&ASKED, busy(), 4, twice));
        assert!(poll(first.as_mut()).is_none() && poll(second.as_mut()).is_none());
        assert!(poll(third.as_mut()).is_none());
        // Whoever goes on first asks for all, also if it came last.
        assert_eq!(poll(third), Some(Some((8, 3))));
        assert_eq!((poll(first), poll(second)), (Some(Some((4, 3))), Some(None)));
        assert_eq!(poll(pin!(together(&ASKED, alone(), 6, twice))), Some(Some((12, 1))));
    }

    #[test]
    fn whoever_was_there_when_the_database_was_locked_has_waited_and_who_comes_after_asks() {
        let open = || Ok(());
        let (of_one, of_all) = (Fault::Db("no".into()), Fault::Locked);
        for (fault, spared) in [(of_one, false), (of_all, true)] {
            let before = Database::new(&open);
            let fails = |_: &[&i64]| Err::<Vec<Option<(i64, usize)>>, _>(fault);
            assert_eq!(poll(pin!(together(&ASKED, alone(), 2, fails))), Some(None));
            let locked = before.get_after_others() == Err(Fault::Locked);
            assert_eq!((locked, before.was_spared.get()), (spared, spared));
            assert!(before.get().is_ok() && Database::new(&open).get_after_others().is_ok());
        }
    }

    #[test]
    fn after_a_failure_each_is_asked_alone_and_for_who_went_away_is_asked_all_the_same() {
        let fails = |_: &[&i64]| Err::<Vec<Option<(i64, usize)>>, _>(Fault::Db("no".into()));
        let mut first = pin!(together(&ASKED, busy(), 2, fails));
        let mut second = pin!(together(&ASKED, busy(), 4, twice));
        assert!(poll(first.as_mut()).is_none() && poll(second.as_mut()).is_none());
        assert_eq!((poll(first), poll(second)), (Some(None), Some(None)));
        let mut gone = Box::pin(together(&ASKED, busy(), 2, twice));
        assert!(poll(gone.as_mut()).is_none());
        drop(gone);
        assert_eq!(poll(pin!(together(&ASKED, alone(), 4, twice))), Some(Some((8, 2))));
    }
}
