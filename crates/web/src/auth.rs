//! Who calls, and whether that is enough.

use crate::{Env, Problem, RouteInfo, call::Database};
use dunlin_app::key::{self, Caller};
use dunlin_domain::{Instant, Refusal, contract::keys::Scope};
use dunlin_store::Db;
use http::{HeaderMap, header::AUTHORIZATION};

/// The variable with the first key, which may do everything.
pub const ADMIN_KEY: &str = "admin_key";

/// The fewest characters of `admin_key`. Shorter ones can be guessed.
pub const MIN_ADMIN_KEY: usize = 8;

/// The admin key, or what keeps everything but health from working.
pub fn admin_key(env: &dyn Env) -> Result<String, Problem> {
    let refused = |detail: String| Err(Problem::new(Refusal::NotConfigured, detail));
    match env.variable(ADMIN_KEY) {
        None => refused(format!(
            "set the variable {ADMIN_KEY} to a secret of at least {MIN_ADMIN_KEY} characters"
        )),
        Some(key) if key.chars().count() < MIN_ADMIN_KEY => {
            refused(format!("the variable {ADMIN_KEY} has fewer than {MIN_ADMIN_KEY} characters"))
        }
        Some(key) => Ok(key),
    }
}

/// The caller of a function; `None` for functions that anybody may call, and for deliveries whose signature the handler
/// checks. The `Authorization` header decides and
/// nothing else: addresses and other headers can be made up by whoever sends them.
pub(crate) fn authorise<D: Db>(
    info: &RouteInfo,
    env: &dyn Env,
    headers: &HeaderMap,
    database: &Database<'_, D>,
    now: Instant,
) -> Result<Option<Caller>, Problem> {
    if info.signed {
        // Nothing works before there is somebody who may set it up.
        return admin_key(env).map(|_| None);
    }
    let Some(scope) = info.scope else { return Ok(None) };
    let admin = admin_key(env)?;
    let token = bearer(headers)?;
    let caller = if key::same_secret(token, &admin) {
        Caller::admin()
    } else {
        key::authenticate(database.get()?, token, now)?
    };
    if caller.may(scope) {
        return Ok(Some(caller));
    }
    Err(scope_missing(scope))
}

/// What somebody is told whose key does not have the scope.
pub(crate) fn scope_missing(scope: Scope) -> Problem {
    let detail = format!("this function needs a key with the scope {scope}");
    Problem::new(Refusal::ScopeMissing, detail)
}

fn bearer(headers: &HeaderMap) -> Result<&str, Problem> {
    let missing = || Problem::new(Refusal::KeyMissing, "send `Authorization: Bearer <key>`");
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let value = values.next().ok_or_else(missing)?.to_str().map_err(|_| missing())?;
    if values.next().is_some() {
        return Err(Problem::new(Refusal::KeyRefused, "two Authorization headers were sent"));
    }
    let (scheme, token) = value.split_once(' ').ok_or_else(missing)?;
    if scheme.eq_ignore_ascii_case("bearer") { Ok(token.trim()) } else { Err(missing()) }
}
