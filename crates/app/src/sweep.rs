//! The work of a business date: stages in slices, each slice one transaction that also moves the cursor.

use crate::{audit::Author, default_record, interest, remind, report, retention, score, warn};
use dunlin_domain::{
    Date, Id, Instant, Refusal,
    ageing::Edges,
    contract::{
        ingest::Organisation,
        report::{AgeingBasis, Snapshot},
        sweep::Progress,
    },
    stage::{self, Stage},
};
use dunlin_store::{
    Db, Fault, alert,
    arrears::{self, Range},
    erasure, notice, organisation, policy,
    sweep::{self, State},
    write,
};

/// Customers in one slice: a transaction of some tens of milliseconds, so that others get their turn.
const SLICE: u32 = 2_000;

/// Customers in one slice of the reminders, whose open items are in memory together.
const REMIND_SLICE: u32 = 500;

/// Customers erased in one slice: of each a score of tables is looked through.
const ERASE_SLICE: u32 = 100;

/// Every slice renews the lease for so long, and handing over takes at most twenty seconds. A tick that died is taken
/// over after it.
const LEASE_SECONDS: i64 = 30;

/// What a step came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// There is more to do.
    More,
    /// The stage `deliver` has come: hand over what is due, then call [`Tick::delivered`].
    Deliver,
    /// The business date is finished.
    Done,
}

/// One tick: holds the lease from [`Tick::begin`] to [`Tick::end`].
#[derive(Debug)]
pub struct Tick {
    owner: Id,
    state: State,
    organisation: Organisation,
    ground: Option<warn::Ground>,
    slice: u32,
}

impl Tick {
    /// Takes the lease and begins or resumes the business date. `day` defaults to today and must have come.
    pub fn begin<D: Db>(db: &D, day: Option<Date>, owner: Id, now: Instant) -> Result<Self, Fault> {
        let organisation = organisation::get(db)?;
        let today = dunlin_domain::zone::day_in(now, &organisation.time_zone)?;
        let day = day.unwrap_or(today);
        if day > today {
            let detail =
                format!("{day} has not come yet: it is {today} in {}", organisation.time_zone);
            return Err(Fault::refused(Refusal::DateInFuture, detail));
        }
        let state = write(db, |db| {
            if !sweep::take_lease(db, owner.as_str(), now, now.plus_seconds(LEASE_SECONDS))? {
                return Err(Fault::refused(Refusal::SweepRunning, "another tick holds the lease"));
            }
            sweep::open(db, day, now)
        })?;
        Ok(Self { owner, state, organisation, ground: None, slice: SLICE })
    }

    /// Works in slices of so many customers where they would be larger, so that a test can cut between any two.
    #[must_use]
    pub fn in_slices_of(self, customers: u32) -> Self {
        Self { slice: customers, ..self }
    }

    /// The tick of this owner, which holds the lease: for the stage [`Tick::warn`] in another component.
    pub fn of_owner<D: Db>(db: &D, day: Date, owner: Id) -> Result<Self, Fault> {
        let held = sweep::holds_lease(db, owner.as_str())?;
        let state = sweep::get(db, day)?.filter(|_| held).ok_or_else(lease_lost)?;
        let organisation = organisation::get(db)?;
        Ok(Self { owner, state, organisation, ground: None, slice: SLICE })
    }

    /// Who holds the lease, and the business date.
    pub fn held(&self) -> (&Id, Date) {
        (&self.owner, self.state.day)
    }

    /// Looks how far the sweep has come, after somebody else did a stage of it.
    pub fn look<D: Db>(&mut self, db: &D) -> Result<(), Fault> {
        self.state = sweep::get(db, self.state.day)?.ok_or_else(lease_lost)?;
        Ok(())
    }

    /// Does the next slice, which is one transaction.
    pub fn step<D: Db>(&mut self, db: &D, now: Instant) -> Result<Step, Fault> {
        match self.step_apart(db, now)? {
            Some(step) => Ok(step),
            None => self.warn(db, now).map(|_| Step::More),
        }
    }

    /// The same without the stage `warn`: `None` when that has come. The rules of warnings and what they are judged by
    /// are half a megabyte, so that they are in a component of their own.
    pub fn step_apart<D: Db>(&mut self, db: &D, now: Instant) -> Result<Option<Step>, Fault> {
        if self.state.done {
            return Ok(Some(Step::Done));
        }
        match self.state.stage {
            Stage::Deliver => return Ok(Some(Step::Deliver)),
            Stage::Warn => return Ok(None),
            _ => {}
        }
        let erased = self.state.counts.erased;
        self.advance(db, now, Self::slice)?;
        if self.state.counts.erased != erased {
            erasure::empty_log(db);
        }
        Ok(Some(if self.state.done { Step::Done } else { Step::More }))
    }

    /// Does the next slice of the stage `warn`, and says whether there is more of it.
    pub fn warn<D: Db>(&mut self, db: &D, now: Instant) -> Result<bool, Fault> {
        if self.state.stage != Stage::Warn || self.state.done {
            return Ok(false);
        }
        if self.ground.is_none() {
            self.ground = Some(warn::Ground::read(db)?);
        }
        self.advance(db, now, Self::warn_slice)?;
        Ok(self.state.stage == Stage::Warn)
    }

    /// One slice in one transaction, with the cursor that it leaves.
    fn advance<D: Db>(
        &mut self,
        db: &D,
        now: Instant,
        slice: fn(&Self, &D, Instant) -> Result<State, Fault>,
    ) -> Result<(), Fault> {
        self.state = write(db, |db| {
            self.still_ours(db, now)?;
            let state = slice(self, db, now)?;
            sweep::advance(db, &state, now)?;
            Ok(state)
        })?;
        Ok(())
    }

    /// Adds what was handed over, and ends the stage `deliver` when nothing that is due is left.
    pub fn delivered<D: Db>(
        &mut self,
        db: &D,
        handed: remind::Handed,
        done: bool,
        now: Instant,
    ) -> Result<(), Fault> {
        self.state = write(db, |db| {
            self.still_ours(db, now)?;
            let mut state = if done { next_stage(self.state.clone()) } else { self.state.clone() };
            state.counts.sent = state.counts.sent.saturating_add(handed.sent.into());
            let undelivered = u64::from(handed.retried).saturating_add(handed.failed.into());
            state.counts.undelivered = state.counts.undelivered.saturating_add(undelivered);
            sweep::advance(db, &state, now)?;
            Ok(state)
        })?;
        Ok(())
    }

    /// Gives the lease back and says where the sweep stands.
    pub fn end<D: Db>(self, db: &D) -> Result<Progress, Fault> {
        write(db, |db| sweep::release(db, self.owner.as_str()))?;
        Ok(progress(&self.state))
    }

    /// Where the sweep stands.
    pub fn progress(&self) -> Progress {
        progress(&self.state)
    }

    /// Every slice renews the lease, so that only a tick that stands still loses it.
    fn still_ours<D: Db>(&self, db: &D, now: Instant) -> Result<(), Fault> {
        let ours = sweep::holds_lease(db, self.owner.as_str())?;
        if !ours
            || !sweep::take_lease(db, self.owner.as_str(), now, now.plus_seconds(LEASE_SECONDS))?
        {
            return Err(lease_lost());
        }
        Ok(())
    }

    fn warn_slice<D: Db>(&self, db: &D, now: Instant) -> Result<State, Fault> {
        let mut state = self.state.clone();
        // It is read before the first slice of the stage.
        let Some(ground) = &self.ground else { return Ok(state) };
        let Some(range) = Range::next(db, state.cursor, self.slice)? else {
            return Ok(next_stage(state));
        };
        state.cursor = range.upto;
        let (opened, closed) = warn::judge(db, range, state.day, ground, now)?;
        state.counts.alerts_opened = state.counts.alerts_opened.saturating_add(opened);
        state.counts.alerts_closed = state.counts.alerts_closed.saturating_add(closed);
        Ok(state)
    }

    fn author(&self, at: Instant) -> Author {
        Author { who: "sweep".into(), at, salt: self.owner.to_string() }
    }

    fn slice<D: Db>(&self, db: &D, now: Instant) -> Result<State, Fault> {
        let mut state = self.state.clone();
        if state.stage == Stage::Snapshot {
            snapshot(db, state.day)?;
            return Ok(next_stage(state));
        }
        if state.stage == Stage::Accrue && state.cursor == 0 && !interest::any_clause(db)? {
            interest::forget_all(db)?;
            return Ok(next_stage(state));
        }
        let customers =
            if state.stage == Stage::Remind { self.slice.min(REMIND_SLICE) } else { self.slice };
        let Some(range) = Range::next(db, state.cursor, customers)? else {
            return Ok(next_stage(state));
        };
        state.cursor = range.upto;
        let counts = &mut state.counts;
        match state.stage {
            Stage::Accrue => {
                let accrued = interest::accrue(db, range, state.day)?;
                counts.accrued = counts.accrued.saturating_add(accrued);
            }
            Stage::Age => {
                counts.aged = counts.aged.saturating_add(arrears::age(db, range, state.day)?)
            }
            Stage::Judge => {
                let policy = policy::current(db)?;
                // Without a rule nothing is looked at.
                let Some(rule) = &policy.default_rule else { return Ok(next_stage(state)) };
                default_record::judge(db, range, state.day, &policy, rule, &self.author(now))?;
            }
            Stage::Score => {
                let warned_on = sweep::warned_before(db, state.day)?;
                let cards = score::judge(db, range, state.day, warned_on, now)?;
                counts.scored = counts.scored.saturating_add(cards);
            }
            Stage::Remind => {
                let written = remind::remind(db, range, state.day, now, &self.organisation)?;
                counts.notices = counts.notices.saturating_add(written);
            }
            Stage::Erase => {
                let limit = self.slice.min(ERASE_SLICE);
                let slice = retention::erase(db, range, limit, state.day, &self.author(now))?;
                // Without a retention nobody is looked at.
                let Some(slice) = slice else { return Ok(next_stage(state)) };
                state.cursor = slice.upto;
                counts.erased = counts.erased.saturating_add(slice.erased);
            }
            Stage::Warn | Stage::Deliver | Stage::Snapshot => {}
        }
        Ok(state)
    }
}

fn lease_lost() -> Fault {
    Fault::refused(Refusal::SweepRunning, "the lease ran out and another tick took it")
}

fn next_stage(mut state: State) -> State {
    state.cursor = 0;
    match stage::next(state.stage) {
        Some(next) => state.stage = next,
        None => state.done = true,
    }
    state
}

fn snapshot<D: Db>(db: &D, day: Date) -> Result<(), Fault> {
    let question = report::Question {
        as_of: day,
        known: i64::MAX,
        aged_as_of: day,
        basis: AgeingBasis::Due,
        edges: Edges::default(),
    };
    let snapshot = Snapshot {
        day,
        totals: report::totals(db, &question)?,
        customers_overdue: arrears::customers_overdue(db)?,
        alerts_open: alert::count_open(db)?,
        notices: notice::count_of_day(db, day)?,
    };
    sweep::put_snapshot(db, &snapshot)
}

fn progress(state: &State) -> Progress {
    Progress {
        done: state.done,
        business_date: state.day,
        stage: state.stage,
        cursor: (state.cursor > 0).then(|| state.cursor.to_string()),
        counts: state.counts,
    }
}

/// Where the newest sweep stands. Refused when there was none.
pub fn latest<D: Db>(db: &D) -> Result<Progress, Fault> {
    let state = sweep::latest(db)?;
    let state = state.ok_or_else(|| Fault::refused(Refusal::NotFound, "nothing was swept yet"))?;
    Ok(progress(&state))
}
