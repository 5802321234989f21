//! Notices: written in a sweep, handed over outside of any transaction, and what became of them.

use crate::score::made_id;
use dunlin_domain::{
    Currency, Date, Id, Instant, Refusal,
    calendar::{CALENDAR, tolerance_minor},
    contract::{
        events::EventData,
        ingest::Organisation,
        notifier::Outcome,
        remind::{Notice, NoticeLevel, NoticeState},
        types::Language,
    },
    dunning::{self, Draft},
    message::{self, Letter},
};
use dunlin_store::{
    Db, Fault,
    arrears::{self, Range},
    event,
    notice::{self, Before, Claimed, Filter, Settled},
    pause, write,
};
use std::collections::HashMap;

/// Waits between tries: a minute, then longer; after the last the notice has failed. Nine tries over two days outlast
/// a weekend's outage of most receivers without holding up the next notice for longer than that.
pub const BACKOFF_SECONDS: [i64; 8] = [60, 300, 900, 3_600, 10_800, 21_600, 43_200, 86_400];

/// How long whoever claimed a notice may take to settle it before it is claimed again.
const CLAIM_SECONDS: i64 = 120;

/// Notices handed over at a time.
pub const BATCH: u32 = 20;

/// Everything one slice writes.
#[derive(Default)]
struct Slice {
    notices: Vec<notice::New>,
    items: Vec<notice::NewItem>,
    reached: Vec<(i64, NoticeLevel)>,
    actions: Vec<arrears::Action>,
}

/// Writes the notices of the range and says how many. Runs inside a slice of the sweep.
pub(crate) fn remind<D: Db>(
    db: &D,
    range: Range,
    day: Date,
    at: Instant,
    organisation: &Organisation,
) -> Result<u64, Fault> {
    let mut items: HashMap<(i64, Currency), Vec<(i64, dunning::OpenItem)>> = HashMap::new();
    for (customer, currency, key, invoice_id, due_on, open_minor, disputed, reminded_level) in
        arrears::open_items(db, range, day)?
    {
        let item = dunning::OpenItem {
            invoice_id,
            due_on,
            open_minor,
            disputed: disputed != 0,
            reminded_level,
        };
        items.entry((customer, currency)).or_default().push((key, item));
    }
    let paused = pause::ends(db, range, day)?;
    let mut slice = Slice::default();
    for account in arrears::to_look_at(db, range, day)? {
        let items = items.remove(&(account.0, account.4)).unwrap_or_default();
        let customer = account.0;
        look_at(&mut slice, account, items, day, organisation)?;
        // What is paused now is looked at when its pause ends.
        if let (Some(ends_on), Some(action)) = (paused.get(&customer), slice.actions.last_mut()) {
            action.2 = Some(action.2.map_or(*ends_on, |next| next.min(*ends_on)));
        }
    }
    notice::insert_all(db, &slice.notices, &slice.items, &slice.reached, day, at)?;
    event::add_all(db, &written(&slice.notices, day), at)?;
    arrears::set_actions(db, &slice.actions)?;
    Ok(u64::try_from(slice.notices.len()).unwrap_or(0))
}

fn written(notices: &[notice::New], day: Date) -> Vec<(&'static str, i64, Id, EventData)> {
    let event = |(id, customer, currency, level, _, _, _, total, _): &notice::New| {
        let data = EventData {
            day: Some(day),
            minor: Some(*total),
            currency: Some(*currency),
            state: Some(level.name().into()),
            ..crate::event::nothing()
        };
        ("notice.created", *customer, id.clone(), data)
    };
    notices.iter().map(event).collect()
}

fn look_at(
    slice: &mut Slice,
    (customer, customer_id, name, language, currency, unapplied_minor, last_notice_on): arrears::Account,
    items: Vec<(i64, dunning::OpenItem)>,
    day: Date,
    organisation: &Organisation,
) -> Result<(), Fault> {
    let keys: HashMap<Id, i64> =
        items.iter().map(|(key, item)| (item.invoice_id.clone(), *key)).collect();
    let account = dunning::Account {
        items: items.into_iter().map(|(_, item)| item).collect(),
        unapplied_minor,
        tolerance_minor: tolerance_minor(currency),
        last_notice_on,
    };
    let decision = dunning::decide(&CALENDAR, &account, day);
    let written = decision.notice.is_some();
    slice.actions.push((customer, currency, decision.next_action_on, written.then_some(day)));
    let Some(draft) = decision.notice else { return Ok(()) };
    let language = language.unwrap_or(organisation.language);
    let letter = Letter {
        organisation: &organisation.name,
        customer: &name,
        language,
        currency,
        day,
        draft: &draft,
    };
    let words = message::write(&letter);
    let id = made_id(
        "N",
        &[customer_id.as_str(), currency.as_str(), draft.level.name(), &day.to_string()],
    )?;
    add_items(slice, &id, &draft, &keys)?;
    let because = decision.because;
    let (level, total) = (draft.level, draft.total_minor);
    slice.notices.push((
        id,
        customer,
        currency,
        level,
        language,
        words.subject,
        words.body,
        total,
        because,
    ));
    Ok(())
}

fn add_items(
    slice: &mut Slice,
    id: &Id,
    draft: &Draft,
    keys: &HashMap<Id, i64>,
) -> Result<(), Fault> {
    for item in &draft.items {
        let key = keys.get(&item.invoice_id).copied();
        let key =
            key.ok_or_else(|| Fault::Db("a notice names an item that was not asked about".into()))?;
        slice.items.push((id.clone(), key, item.due_on, item.open_minor));
        slice.reached.push((key, item.level));
    }
    Ok(())
}

/// Notices, newest day first.
pub fn notices<D: Db>(
    db: &D,
    before: &Before,
    limit: u32,
    filter: Filter<'_>,
) -> Result<Vec<(Notice, Before)>, Fault> {
    notice::page(db, before, limit, filter)
}

/// One notice.
pub fn notice<D: Db>(db: &D, id: &Id) -> Result<Notice, Fault> {
    let filter = Filter { id: Some(id), ..Filter::default() };
    let found = notice::page(db, &notice::last(), 1, filter)?.pop();
    found
        .map(|(notice, _)| notice)
        .ok_or_else(|| Fault::refused(Refusal::NotFound, "no notice has this id"))
}

/// Takes the next notices to hand over. Nobody else gets them meanwhile.
pub fn claim<D: Db>(db: &D, now: Instant) -> Result<Vec<Claimed>, Fault> {
    if !notice::any_due(db, now)? {
        return Ok(Vec::new());
    }
    write(db, |db| notice::claim(db, now, BATCH, now.plus_seconds(CLAIM_SECONDS)))
}

/// What a batch came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Handed {
    pub sent: u32,
    pub retried: u32,
    pub failed: u32,
}

/// Stores what became of a batch: one outcome for each notice, in the same order.
pub fn settle<D: Db>(
    db: &D,
    claimed: &[Claimed],
    outcomes: &[Outcome],
    now: Instant,
) -> Result<Handed, Fault> {
    let mut handed = Handed::default();
    let settled: Vec<Settled> = claimed
        .iter()
        .zip(outcomes)
        .map(|(of, outcome)| settled(of, outcome, now, &mut handed))
        .collect();
    let ended = |(key, state, _, _, _): &Settled| match state {
        NoticeState::Sent => Some((*key, "notice.sent")),
        NoticeState::Failed => Some((*key, "notice.failed")),
        _ => None,
    };
    let ended: Vec<(i64, &str)> = settled.iter().filter_map(ended).collect();
    write(db, |db| {
        notice::settle(db, &settled, now)?;
        event::add_settled_notices(db, &ended, now)
    })?;
    Ok(handed)
}

fn settled(of: &Claimed, outcome: &Outcome, now: Instant, handed: &mut Handed) -> Settled {
    let tried = usize::try_from(of.attempts).unwrap_or(usize::MAX).saturating_sub(1);
    match (outcome, BACKOFF_SECONDS.get(tried)) {
        (Outcome::Sent, _) => {
            handed.sent += 1;
            (of.key, NoticeState::Sent, None, "sent", None)
        }
        (Outcome::Later(why), Some(wait)) => {
            handed.retried += 1;
            (of.key, NoticeState::Queued, Some(now.plus_seconds(*wait)), "later", Some(why.clone()))
        }
        (Outcome::Later(why), None) => {
            handed.failed += 1;
            (of.key, NoticeState::Failed, None, "given-up", Some(why.clone()))
        }
        (Outcome::Never(why), _) => {
            handed.failed += 1;
            (of.key, NoticeState::Failed, None, "never", Some(why.clone()))
        }
    }
}

/// The language of the organisation's letters, for texts that are asked for without one.
pub fn language<D: Db>(db: &D) -> Result<Language, Fault> {
    Ok(dunlin_store::organisation::get(db)?.language)
}
