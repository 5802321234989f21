//! A call of a function: what the client sent, read and checked, and the world it runs in.

use crate::{
    AS_OF, CURSOR, Env, KNOWN_AT, LIMIT, Media, Problem, Query, RouteInfo, auth::scope_missing,
    body::Body, json, page, query, route::Takes,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use dunlin_app::audit::Author;
use dunlin_app::key::Caller;
use dunlin_app::{invoice, ledger};
use dunlin_domain::{Date, Id, Instant, Refusal, Refused, contract::keys::Scope};
use dunlin_store::{Db, Fault, When};
use http::HeaderMap;
use serde::de::DeserializeOwned;
use std::{
    cell::{Cell, OnceCell},
    str::FromStr,
};

/// What a handler works on. The caller is authorised, the query is checked, and a JSON body is read (not yet decoded)
/// by the time a handler gets this.
pub struct Call<'r, D> {
    pub(crate) database: &'r Database<'r, D>,
    pub(crate) env: &'r dyn Env,
    pub(crate) info: &'r RouteInfo,
    pub(crate) path: Vec<(String, String)>,
    pub(crate) query: Vec<(&'static str, String)>,
    pub(crate) wants: Media,
    pub(crate) caller: Option<Caller>,
    pub(crate) request_id: &'r str,
    pub(crate) media: Option<&'static str>,
    pub(crate) now: Instant,
    pub(crate) body: Body<'r>,
    pub(crate) headers: &'r HeaderMap,
}

thread_local! {
    /// How often somebody in this instance waited for the database in vain.
    static LOCKED: Cell<u64> = const { Cell::new(0) };
}

/// Somebody waited for the database in vain, and all who were in the instance with it.
pub(crate) fn found_locked() {
    LOCKED.set(LOCKED.get().wrapping_add(1));
}

/// The database of a request, opened when it is first asked for.
pub(crate) struct Database<'r, D> {
    open: &'r dyn Fn() -> Result<D, Fault>,
    opened: OnceCell<D>,
    /// As often as it had been found locked when the request came.
    locked_before: u64,
    /// Whether another one waited in its place.
    pub was_spared: Cell<bool>,
}

impl<'r, D> Database<'r, D> {
    pub fn new(open: &'r dyn Fn() -> Result<D, Fault>) -> Self {
        let locked_before = LOCKED.get();
        Self { open, opened: OnceCell::new(), locked_before, was_spared: Cell::new(false) }
    }

    pub fn get(&self) -> Result<&D, Fault> {
        if let Some(db) = self.opened.get() {
            return Ok(db);
        }
        let db = (self.open)()?;
        Ok(self.opened.get_or_init(|| db))
    }

    /// Refuses where somebody in this instance waited for the database in vain since the request came.
    pub fn has_waited(&self) -> Result<(), Fault> {
        if LOCKED.get() == self.locked_before {
            return Ok(());
        }
        self.was_spared.set(true);
        Err(Fault::Locked)
    }

    pub fn get_after_others(&self) -> Result<&D, Fault> {
        self.has_waited()?;
        self.get()
    }
}

impl<'r, D> Call<'r, D> {
    /// The database.
    pub fn db(&self) -> Result<&'r D, Problem> {
        Ok(self.database.get()?)
    }

    /// The database, to write, for a request that waited in its instance while others asked. Where one of these found it
    /// locked, which takes as long as anybody may wait, this one has waited as well.
    pub fn db_after_others(&self) -> Result<&'r D, Problem> {
        Ok(self.database.get_after_others()?)
    }

    /// The path parameter `{id}`.
    pub fn id(&self) -> Result<Id, Problem> {
        self.path("id")
    }

    /// A path parameter by its name in the route.
    pub fn path<T: FromStr<Err = Refused>>(&self, name: &str) -> Result<T, Problem> {
        let value = self.path.iter().find(|(known, _)| known == name).map(|(_, value)| value);
        let undeclared =
            || Problem::internal(format!("{}: the path has no {{{name}}}", self.info.name));
        value.ok_or_else(undeclared)?.parse().map_err(|refused: Refused| refused.at(name).into())
    }

    /// The text of a query parameter that the route declares.
    pub fn text(&self, parameter: &Query) -> Result<Option<&str>, Problem> {
        if !self.info.query.iter().any(|known| known.name == parameter.name) {
            return Err(Problem::internal(format!(
                "{} does not declare {}",
                self.info.name, parameter.name
            )));
        }
        let mut values = self.query.iter();
        Ok(values.find(|(name, _)| *name == parameter.name).map(|(_, value)| value.as_str()))
    }

    /// A query parameter as one of our types, such as a contract enum.
    pub fn query<T: FromStr<Err = Refused>>(
        &self,
        parameter: &Query,
    ) -> Result<Option<T>, Problem> {
        let value = self.text(parameter)?.map(str::parse).transpose();
        value.map_err(|refused| query::malformed(parameter.name, &refused))
    }

    /// A whole number of the query.
    pub fn whole(&self, parameter: &Query) -> Result<Option<u32>, Problem> {
        // The range was checked already, so that a value that is no number cannot be here.
        Ok(self.text(parameter)?.and_then(|value| value.parse().ok()))
    }

    /// A flag of the query; absent is no.
    pub fn flag(&self, parameter: &Query) -> Result<bool, Problem> {
        Ok(self.text(parameter)? == Some("true"))
    }

    /// The day to answer for; `None` is today in the organisation's zone, which the flow knows.
    pub fn as_of(&self) -> Result<Option<Date>, Problem> {
        self.query(&AS_OF)
    }

    /// The day to answer for: what the client said, or today in the organisation's zone.
    pub fn day(&self) -> Result<Date, Problem>
    where
        D: Db,
    {
        match self.as_of()? {
            Some(day) => Ok(day),
            None => Ok(ledger::today(self.db()?, self.now)?),
        }
    }

    /// The last audit entry that was known at the moment that the client said.
    pub fn known(&self) -> Result<i64, Problem>
    where
        D: Db,
    {
        Ok(invoice::known_at(self.db()?, self.query(&KNOWN_AT)?)?)
    }

    /// The day and the knowledge that the client asked for, or today with all that is known.
    pub fn when(&self) -> Result<When, Problem>
    where
        D: Db,
    {
        Ok(When { day: self.day()?, known: self.known()? })
    }

    /// The day and the knowledge that the client asked for, or all that is recorded.
    pub fn stood(&self) -> Result<When, Problem>
    where
        D: Db,
    {
        Ok(When { day: self.as_of()?.unwrap_or(Date::LAST), known: self.known()? })
    }

    /// The world the call runs in.
    pub fn env(&self) -> &dyn Env {
        self.env
    }

    /// The same, to keep while the call goes on, such as for its clock.
    pub fn clock(&self) -> &'r dyn Env {
        self.env
    }

    /// How many entries a page has.
    pub fn limit(&self) -> Result<u32, Problem> {
        Ok(self.whole(&LIMIT)?.unwrap_or(page::DEFAULT_LIMIT))
    }

    /// What [`page::encode`] was given for the last entry of the page before.
    pub fn cursor<T: DeserializeOwned>(&self) -> Result<Option<T>, Problem> {
        self.text(&CURSOR)?.map(page::decode).transpose()
    }

    /// The JSON body.
    pub fn body<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        match self.info.takes {
            Takes::Json(_) => json::decode(self.body.whole()),
            _ => Err(Problem::internal(format!("{} does not take JSON", self.info.name))),
        }
    }

    /// Refuses what a body says where none is taken, by its first field: it would not be done.
    pub fn no_body(&self) -> Result<(), Problem> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        match self.body.whole().trim_ascii() {
            [] => Ok(()),
            body => json::decode(body).map(|Nothing {}| ()),
        }
    }

    /// The JSON body as it was sent, for those who sign every byte of it.
    pub fn bytes(&self) -> &[u8] {
        self.body.whole()
    }

    /// A header that stands once; one that stands twice is none.
    pub fn header(&self, name: &str) -> Option<&'r str> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next()?;
        if values.next().is_some() { None } else { value.to_str().ok() }
    }

    /// The next bytes of a body that is read as a stream; `None` at its end.
    pub async fn next(&mut self) -> Option<Result<Bytes, Problem>> {
        self.body.next(self.env).await
    }

    /// The media type of the body, one of those the route streams.
    pub fn media(&self) -> Option<&'static str> {
        self.media
    }

    /// The format to answer in, one of those the route offers.
    pub fn wants(&self) -> Media {
        self.wants
    }

    /// The moment the request came.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// A new identifier: a UUIDv7, so that later ones sort later.
    pub fn new_id(&self) -> Result<Id, Problem> {
        let mut random = [0; 10];
        self.env.random(&mut random);
        let text = uuid(self.env.unix_millis(), random);
        text.parse().map_err(|refused| Problem::internal(format!("{text}: {refused}")))
    }

    /// A new secret: 32 random bytes as base64url.
    pub fn new_secret(&self) -> String {
        let mut random = [0; 32];
        self.env.random(&mut random);
        URL_SAFE_NO_PAD.encode(random)
    }

    /// The value of an application variable.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.env.variable(name)
    }

    /// A variable that the function cannot work without.
    pub fn needed_variable(&self, name: &str) -> Result<String, Problem> {
        let missing = || Problem::new(Refusal::NotConfigured, format!("set the variable {name}"));
        self.variable(name).ok_or_else(missing)
    }

    /// Who called: a key's id, or `admin`. Absent on open routes.
    pub fn key_id(&self) -> Option<&str> {
        self.caller.as_ref().map(|caller| caller.id.as_str())
    }

    /// Refuses who may call the function but not what it is asked for.
    pub fn needs(&self, scope: Scope) -> Result<(), Problem> {
        match self.caller.as_ref().is_some_and(|caller| caller.may(scope)) {
            true => Ok(()),
            false => Err(scope_missing(scope)),
        }
    }

    /// Who changes something, and when: what the audit chain keeps.
    pub fn author(&self) -> Author {
        let mut random = [0; 16];
        self.env.random(&mut random);
        let who = self.key_id().unwrap_or_default().to_string();
        Author { who, at: self.now, salt: URL_SAFE_NO_PAD.encode(random) }
    }

    /// The request's id, for what a handler logs or passes on.
    pub fn request_id(&self) -> &str {
        self.request_id
    }
}

/// A UUID of version 7 (RFC 9562 §5.7).
pub(crate) fn uuid(unix_millis: u64, random: [u8; 10]) -> String {
    let [a, b, c, d, e @ ..] = random;
    let version = 0x7000 | (u16::from_be_bytes([a, b]) & 0x0FFF);
    let variant = 0x8000 | (u16::from_be_bytes([c, d]) & 0x3FFF);
    let [f, g, h, i, j, k] = e;
    let tail = u64::from_be_bytes([0, 0, f, g, h, i, j, k]);
    let millis = unix_millis & 0xFFFF_FFFF_FFFF;
    format!("{:08x}-{:04x}-{version:04x}-{variant:04x}-{tail:012x}", millis >> 16, millis & 0xFFFF)
}
