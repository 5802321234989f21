//! A route: how a function is called, by whom, with what, and what it answers.

use crate::{Answer, CURSOR, Call, LIMIT, Media, Problem, Query};
use dunlin_domain::contract::keys::Scope;
use http::Method;
use std::{future::Future, pin::Pin};

/// What an asynchronous handler gives back: `Box::pin(async move { … })`.
pub type Running<'a> = Pin<Box<dyn Future<Output = Result<Answer, Problem>> + 'a>>;

/// A handler: plain where one flow is all there is, asynchronous where a body is read as a stream or where calls go
/// out between flows.
pub(crate) enum Handler<D> {
    Plain(fn(&mut Call<'_, D>) -> Result<Answer, Problem>),
    Async(for<'a> fn(&'a mut Call<'_, D>) -> Running<'a>),
}

/// How a function takes its body.
#[derive(Clone, Debug, Default)]
pub enum Takes {
    /// No body. One that is sent all the same is read, up to the limit, and left alone.
    #[default]
    Nothing,
    /// A record of the contract.
    Json(TypeInfo),
    /// Bytes in any of these media types, read by the handler as they come.
    Stream(&'static [&'static str]),
}

/// A type of the contract, known to the OpenAPI document only.
#[derive(Clone, Debug)]
pub struct TypeInfo {
    #[cfg(feature = "schema")]
    pub(crate) schema: fn(&mut schemars::SchemaGenerator) -> schemars::Schema,
}

/// Types that can stand in the OpenAPI document. In components, where no document is made, any type can.
#[cfg(feature = "schema")]
pub trait Described: schemars::JsonSchema {}
#[cfg(feature = "schema")]
impl<T: schemars::JsonSchema> Described for T {}

/// Types that can stand in the OpenAPI document. In components, where no document is made, any type can.
#[cfg(not(feature = "schema"))]
pub trait Described {}
#[cfg(not(feature = "schema"))]
impl<T> Described for T {}

impl TypeInfo {
    // Without a document a type leaves no trace.
    #[cfg_attr(not(feature = "schema"), allow(clippy::extra_unused_type_parameters))]
    fn of<T: Described>() -> Self {
        Self {
            #[cfg(feature = "schema")]
            schema: |generator| generator.subschema_for::<T>(),
        }
    }
}

/// Everything about a route but its handler, built up call by call.
#[derive(Clone, Debug)]
pub struct RouteInfo {
    pub(crate) method: Method,
    pub(crate) path: &'static str,
    pub(crate) name: &'static str,
    pub(crate) about: &'static str,
    pub(crate) scope: Option<Scope>,
    pub(crate) query: Vec<Query>,
    pub(crate) takes: Takes,
    pub(crate) answers: Option<TypeInfo>,
    pub(crate) status: u16,
    pub(crate) formats: Vec<Media>,
    pub(crate) secret: bool,
    pub(crate) signed: bool,
}

/// A row of a component's table of contents.
pub struct Route<D> {
    pub(crate) info: RouteInfo,
    pub(crate) handler: Handler<D>,
}

impl Route<()> {
    /// A reading function. `name` is the operation id: verb and resource.
    pub fn get(path: &'static str, name: &'static str) -> RouteInfo {
        RouteInfo::new(Method::GET, path, name)
    }

    /// A function that makes or does something.
    pub fn post(path: &'static str, name: &'static str) -> RouteInfo {
        RouteInfo::new(Method::POST, path, name)
    }

    /// A function that makes a resource be as sent.
    pub fn put(path: &'static str, name: &'static str) -> RouteInfo {
        RouteInfo::new(Method::PUT, path, name)
    }

    /// A function that takes something away, or puts it out of use.
    pub fn delete(path: &'static str, name: &'static str) -> RouteInfo {
        RouteInfo::new(Method::DELETE, path, name)
    }
}

impl<D> Route<D> {
    /// What the router and the OpenAPI document know of it.
    pub fn info(&self) -> &RouteInfo {
        &self.info
    }

    /// Whether its handler is going to write without having asked the others of its instance.
    pub(crate) fn writes_alone(&self) -> bool {
        matches!(self.handler, Handler::Plain(_)) && self.info.method != Method::GET
    }
}

impl RouteInfo {
    fn new(method: Method, path: &'static str, name: &'static str) -> Self {
        Self {
            method,
            path,
            name,
            about: "",
            scope: Some(Scope::Admin),
            query: Vec::new(),
            takes: Takes::Nothing,
            answers: None,
            status: 200,
            formats: Vec::new(),
            secret: false,
            signed: false,
        }
    }

    /// What it does, in sentences: the first is the summary.
    #[must_use]
    pub fn about(self, about: &'static str) -> Self {
        Self { about, ..self }
    }

    /// The right a key needs. A route that names none needs `admin`.
    #[must_use]
    pub fn scope(self, scope: Scope) -> Self {
        Self { scope: Some(scope), ..self }
    }

    /// Lets anybody call it, without a key and before `admin_key` is set.
    #[must_use]
    pub fn open(self) -> Self {
        Self { scope: None, ..self }
    }

    /// Takes deliveries that are authorised by their signature and by no key: the handler checks it before anything
    /// else, because only it knows the source's secret. The one exception to keys besides what is open to everybody.
    #[must_use]
    pub fn signed(self) -> Self {
        Self { scope: None, signed: true, ..self }
    }

    /// The query parameters it takes; any other is refused.
    #[must_use]
    pub fn query(mut self, parameters: &[Query]) -> Self {
        self.query.extend_from_slice(parameters);
        self
    }

    /// Takes `limit` and `cursor`.
    #[must_use]
    pub fn pages(self) -> Self {
        self.query(&[LIMIT, CURSOR])
    }

    /// Takes a record of the contract as JSON, which the handler gets from [`Call::body`].
    #[must_use]
    pub fn takes<T: Described>(self) -> Self {
        Self { takes: Takes::Json(TypeInfo::of::<T>()), ..self }
    }

    /// Takes bytes of one of these media types, which the handler gets from [`Call::next`].
    #[must_use]
    pub fn streams(self, media: &'static [&'static str]) -> Self {
        Self { takes: Takes::Stream(media), ..self }
    }

    /// Answers with a record of the contract as JSON.
    #[must_use]
    pub fn answers<T: Described>(mut self) -> Self {
        self.formats.push(Media::Json);
        Self { answers: Some(TypeInfo::of::<T>()), ..self }
    }

    /// The status of its success, where that is not 200.
    #[must_use]
    pub fn status(self, status: u16) -> Self {
        Self { status, ..self }
    }

    /// Answers with a table to clients that prefer one.
    #[must_use]
    pub fn csv(mut self) -> Self {
        self.formats.push(Media::Csv);
        self
    }

    /// Answers with one record a line to clients that prefer that.
    #[must_use]
    pub fn ndjson(mut self) -> Self {
        self.formats.push(Media::Ndjson);
        self
    }

    /// Answers with a picture.
    #[must_use]
    pub fn svg(mut self) -> Self {
        self.formats.push(Media::Svg);
        self
    }

    /// Its answer holds a secret, and is not kept for an Idempotency-Key: a repetition is a new call.
    #[must_use]
    pub fn secret(self) -> Self {
        Self { secret: true, ..self }
    }

    /// Ends the row with a plain handler.
    pub fn run<D>(self, handler: fn(&mut Call<'_, D>) -> Result<Answer, Problem>) -> Route<D> {
        Route { info: self, handler: Handler::Plain(handler) }
    }

    /// Ends the row with an asynchronous handler.
    pub fn run_async<D>(self, handler: for<'a> fn(&'a mut Call<'_, D>) -> Running<'a>) -> Route<D> {
        Route { info: self, handler: Handler::Async(handler) }
    }

    /// The operation id.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The path with its parameters in braces.
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// What it does, in sentences.
    pub fn said(&self) -> &'static str {
        self.about
    }

    /// The right it needs; `None` for functions that anybody may call.
    pub fn needs(&self) -> Option<Scope> {
        self.scope
    }

    /// Whether a signature takes the place of the key.
    pub fn is_signed(&self) -> bool {
        self.signed
    }

    /// The query parameters it takes.
    pub fn parameters(&self) -> &[Query] {
        &self.query
    }

    /// The formats it answers in.
    pub fn formats(&self) -> &[Media] {
        &self.formats
    }

    /// The status of its success.
    pub fn success(&self) -> u16 {
        self.status
    }

    /// The record it answers with as JSON.
    pub fn record(&self) -> Option<&TypeInfo> {
        self.answers.as_ref()
    }

    /// How it takes its body.
    pub fn takes_what(&self) -> &Takes {
        &self.takes
    }

    /// The names of the parameters in its path.
    pub fn path_parameters(&self) -> impl Iterator<Item = &'static str> {
        self.path.split('{').skip(1).filter_map(|rest| rest.split_once('}').map(|(name, _)| name))
    }
}
