//! Which HTTP status a refusal has. The only table of its kind.

use dunlin_domain::Refusal;

/// The status of every refusal. Malformed input is 400, well-formed input that cannot be true is 422, what the state
/// of the world forbids for now is 409, and what only our side can mend is 5xx.
pub const fn of(code: Refusal) -> u16 {
    use Refusal as R;
    match code {
        R::MalformedJson | R::BrokenQuote | R::WrongEncoding | R::EmptyBody => 400,
        R::DuplicateColumn
        | R::UnknownColumn
        | R::MissingColumn
        | R::TooManyColumns
        | R::WrongFieldCount => 400,
        R::MissingField
        | R::UnknownField
        | R::MalformedField
        | R::MalformedId
        | R::MalformedText => 400,
        R::MalformedAmount | R::MalformedDate | R::BodyIncomplete => 400,
        R::MalformedStatement | R::ForbiddenMarkup => 400,
        R::UnknownParameter | R::MalformedParameter | R::CursorUnknown | R::MissingParameter => 400,
        R::KeyMissing | R::KeyRefused | R::SignatureRefused => 401,
        R::ScopeMissing => 403,
        R::NotFound => 404,
        R::MethodNotAllowed => 405,
        R::NotAcceptable => 406,
        R::DifferentContent | R::IdempotencyRunning | R::SweepRunning | R::DateAlreadySwept => 409,
        R::ImportRunning | R::CancelledThere | R::PerhapsBooked => 409,
        R::WrongState
        | R::SecondKeyNeeded
        | R::CreditHeld
        | R::CustomerMerged
        | R::MoreThanOpen => 409,
        R::BodyTooLarge => 413,
        R::UnsupportedMediaType => 415,
        R::TextTooLong | R::TooManyDecimals | R::AmountNotPositive | R::AmountTooLarge => 422,
        R::DateOutOfRange | R::DueBeforeIssued | R::DateInFuture => 422,
        R::UnknownCurrency
        | R::UnknownTimeZone
        | R::UnknownCustomer
        | R::UnknownInvoice
        | R::UnknownProfile => 422,
        R::InvoiceOfAnotherCustomer
        | R::CurrencyMismatch
        | R::NotPayable
        | R::InvalidProfile
        | R::ImportRejected => 422,
        R::IdempotencyMismatch | R::BalanceMismatch | R::IncompleteStatement => 422,
        R::UnknownContract
        | R::UnknownPayment
        | R::UnknownOrder
        | R::UnknownPreset
        | R::RateMissing => 422,
        R::PartsExceedAmount
        | R::NotAPartition
        | R::InvalidPolicy
        | R::InvalidCard
        | R::GroupNested => 422,
        R::Internal => 500,
        R::NotConfigured | R::DatabaseBusy | R::DatabaseNewer => 503,
    }
}

/// After how many seconds the same request may succeed, for refusals that pass by themselves.
pub const fn retry_after(code: Refusal) -> Option<u32> {
    match code {
        Refusal::DatabaseBusy | Refusal::IdempotencyRunning => Some(2),
        // A tick runs for at most twenty seconds, so that the next one finds the lease free.
        Refusal::SweepRunning => Some(20),
        // The lease of a request that died is over after a minute.
        Refusal::ImportRunning => Some(20),
        _ => None,
    }
}

/// Whether the same request may have another answer later, so that the answer must not be remembered for its
/// Idempotency-Key.
pub const fn is_passing(code: Refusal) -> bool {
    of(code) >= 500 || retry_after(code).is_some() || matches!(code, Refusal::BodyIncomplete)
}

/// The words that HTTP has for a status we use.
pub const fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        406 => "Not Acceptable",
        409 => "Conflict",
        413 => "Content Too Large",
        415 => "Unsupported Media Type",
        422 => "Unprocessable Content",
        500 => "Internal Server Error",
        503 => "Service Unavailable",
        _ => "",
    }
}
