//! A reservation keeps an amount free until it is committed, released, or runs out.
//!
//! | state | commit | release | the same again |
//! |---|---|---|---|
//! | held | committed | released | already so |
//! | committed | already so | refused: the order is cancelled instead | already so |
//! | released | refused | already so | refused: it keeps nothing free |
//! | expired | refused | already so | refused: it keeps nothing free |

use crate::{Instant, Refusal, Refused, contract::credit::ReservationState};

/// The longest that an amount is kept free: a year, for what is made to order.
pub const LONGEST_SECONDS: i64 = 366 * 24 * 3600;

/// How long an amount is kept free where nothing is said: as long as somebody stands at the till.
pub const USUAL_SECONDS: i64 = 15 * 60;

/// What is asked of a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    Commit,
    Release,
}

/// Whether something changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    To(ReservationState),
    AlreadySo,
}

/// When a reservation ends that is made now.
pub fn end(asked: Option<Instant>, now: Instant) -> Result<Instant, Refused> {
    let end = asked.unwrap_or_else(|| now.plus_seconds(USUAL_SECONDS));
    if end <= now || end > now.plus_seconds(LONGEST_SECONDS) {
        let detail = "a reservation ends after now and within 366 days";
        return Err(Refused::new(Refusal::DateOutOfRange, detail).at("expires_at"));
    }
    Ok(end)
}

/// The state at a moment: what is stored as held runs out by itself.
pub fn state(stored: ReservationState, expires_at: Instant, now: Instant) -> ReservationState {
    match stored {
        ReservationState::Held if expires_at <= now => ReservationState::Expired,
        other => other,
    }
}

/// Whether the same reservation again is one that keeps its amount: held, or an order by now.
pub fn again(state: ReservationState) -> Result<(), Refused> {
    match state {
        ReservationState::Held | ReservationState::Committed => Ok(()),
        ReservationState::Released | ReservationState::Expired => Err(ended(state)),
    }
}

fn ended(state: ReservationState) -> Refused {
    let detail = format!("the reservation is {state}: its amount is not kept any more");
    Refused::new(Refusal::WrongState, detail)
}

/// What becomes of a reservation.
pub fn step(state: ReservationState, ask: Ask) -> Result<Step, Refused> {
    use ReservationState as S;
    match (state, ask) {
        (S::Held, Ask::Commit) => Ok(Step::To(S::Committed)),
        (S::Held, Ask::Release) => Ok(Step::To(S::Released)),
        (S::Committed, Ask::Commit) | (S::Released | S::Expired, Ask::Release) => {
            Ok(Step::AlreadySo)
        }
        (S::Committed, Ask::Release) => {
            let detail = "the reservation is an order by now: cancel the order";
            Err(Refused::new(Refusal::WrongState, detail))
        }
        (S::Released | S::Expired, Ask::Commit) => Err(ended(state)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn steps_follow_the_table() {
        let table = "
            held      | committed  | released | already so
            committed | already so | wrong-state | already so
            released  | wrong-state | already so | wrong-state
            expired   | wrong-state | already so | wrong-state";
        for line in table.lines().filter(|line| !line.trim().is_empty()) {
            let cells: Vec<&str> = line.split('|').map(str::trim).collect();
            let state: ReservationState = cells[0].parse().unwrap();
            for (ask, wanted) in [(Ask::Commit, cells[1]), (Ask::Release, cells[2])] {
                let found = match step(state, ask) {
                    Ok(Step::To(state)) => state.to_string(),
                    Ok(Step::AlreadySo) => "already so".into(),
                    Err(refused) => refused.code.to_string(),
                };
                assert_eq!(found, wanted, "{state} {ask:?}");
            }
            let found = again(state)
                .map_or_else(|refused| refused.code.to_string(), |()| "already so".into());
            assert_eq!(found, cells[3], "{state} again");
        }
    }

    #[test]
    fn a_reservation_runs_out_in_its_last_second() {
        let end = at("2024-06-01T12:00:00Z");
        for (now, wanted) in [
            ("2024-06-01T11:59:59Z", ReservationState::Held),
            ("2024-06-01T12:00:00Z", ReservationState::Expired),
            ("2024-06-01T12:00:01Z", ReservationState::Expired),
        ] {
            assert_eq!(state(ReservationState::Held, end, at(now)), wanted, "{now}");
            let committed = state(ReservationState::Committed, end, at(now));
            assert_eq!(committed, ReservationState::Committed);
        }
    }

    #[test]
    fn a_reservation_ends_after_now_and_within_a_year() {
        let now = at("2024-06-01T12:00:00Z");
        assert_eq!(end(None, now), Ok(at("2024-06-01T12:15:00Z")));
        for (asked, good) in [
            ("2024-06-01T12:00:00Z", false),
            ("2024-06-01T12:00:01Z", true),
            ("2025-06-02T12:00:00Z", true),
            ("2025-06-02T12:00:01Z", false),
        ] {
            assert_eq!(end(Some(at(asked)), now).is_ok(), good, "{asked}");
        }
    }
}
