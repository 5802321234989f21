//! A book and files of statements.

use dunlin_app::{
    audit::Author,
    bank::{self, File, Intake},
    customer as customers, invoice as documents, verify,
};
use dunlin_domain::{
    Date, Id, Refusal, Refused,
    bank::Reader,
    contract::{bank::*, ingest::ImportResult},
};
use dunlin_store::{Fault, native::NativeDb};
use serde_json::json;
use std::fmt::Write as _;

pub fn db() -> (tempfile::TempDir, NativeDb) {
    let folder = tempfile::tempdir().unwrap();
    let db = NativeDb::open(&folder.path().join("test.db")).unwrap();
    (folder, db)
}

pub fn id(text: &str) -> Id {
    text.parse().unwrap()
}

pub fn author() -> Author {
    let at = "2026-11-02T06:00:00Z".parse().unwrap();
    Author { who: "tester".into(), at, salt: "salt".into() }
}

pub fn from<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> T {
    serde_json::from_value(value).unwrap()
}

pub fn customer(db: &NativeDb, name: &str, called: &str, account: Option<&str>) {
    let accounts = account.map(|account| vec![json!({"account": account})]);
    let new =
        from(json!({"id": name, "name": called, "currency": "EUR", "bank_accounts": accounts}));
    customers::add(db, &new, id("made"), &author()).unwrap();
}

pub fn invoice(db: &NativeDb, name: &str, of: &str, due: &str, minor: i64) {
    invoice_in(db, name, of, due, minor, "EUR");
}

pub fn invoice_in(db: &NativeDb, name: &str, of: &str, due: &str, minor: i64, currency: &str) {
    let new = from(json!({
        "id": name, "customer_id": of, "issued_on": "2026-09-01", "due_on": due,
        "amount": {"minor": minor, "currency": currency},
    }));
    documents::add(db, &new, id("made"), &author()).unwrap();
}

pub fn open(db: &NativeDb, name: &str) -> i64 {
    documents::get(db, &id(name), Date::LAST, i64::MAX).unwrap().open.minor
}

/// An entry of a statement that a test writes.
#[derive(Clone, Debug, Default)]
pub struct Line {
    pub minor: i64,
    pub text: String,
    pub name: String,
    pub account: String,
    pub end_to_end: String,
    pub reference: String,
    pub returned: bool,
    /// The reference of the bank.
    pub bank: String,
}

pub fn pays(minor: i64, text: &str, name: &str, account: &str) -> Line {
    Line { minor, text: text.into(), name: name.into(), account: account.into(), ..Line::default() }
}

pub fn amount(minor: i64) -> String {
    format!("{}.{:02}", minor.abs() / 100, minor.abs() % 100)
}

pub fn side(minor: i64) -> &'static str {
    if minor < 0 { "DBIT" } else { "CRDT" }
}

pub fn camt(name: &str, lines: &[Line]) -> String {
    camt_from(name, 0, lines)
}

/// A statement that opens with this balance.
pub fn camt_from(name: &str, opening: i64, lines: &[Line]) -> String {
    let balance = |code: &str, minor: i64| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt>\
             <CdtDbtInd>{}</CdtDbtInd><Dt><Dt>2026-10-31</Dt></Dt></Bal>",
            amount(minor),
            side(minor)
        )
    };
    let total: i64 = lines.iter().map(|line| line.minor).sum();
    let mut text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>{name}</Id>\
         <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>{}{}",
        balance("OPBD", opening),
        balance("CLBD", opening + total)
    );
    let tag = |name: &str, value: &str| {
        let value = value.replace('&', "&amp;");
        if value.is_empty() { String::new() } else { format!("<{name}>{value}</{name}>") }
    };
    for line in lines {
        let (party, of) = if line.minor < 0 { ("Cdtr", "CdtrAcct") } else { ("Dbtr", "DbtrAcct") };
        write!(
            text,
            "<Ntry><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>{}</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2026-10-31</Dt></BookgDt>{}<NtryDtls><TxDtls><Refs>{}</Refs><RltdPties><{party}><Pty>{}</Pty></{party}>\
             <{of}><Id>{}</Id></{of}></RltdPties><RmtInf>{}{}</RmtInf>{}</TxDtls></NtryDtls></Ntry>",
            amount(line.minor),
            side(line.minor),
            tag("AcctSvcrRef", &line.bank),
            tag("EndToEndId", &line.end_to_end),
            tag("Nm", &line.name),
            tag("IBAN", &line.account),
            tag("Ustrd", &line.text),
            if line.reference.is_empty() {
                String::new()
            } else {
                format!("<Strd><CdtrRefInf><Ref>{}</Ref></CdtrRefInf></Strd>", line.reference)
            },
            if line.returned { "<RtrInf><Rsn><Cd>MD06</Cd></Rsn></RtrInf>" } else { "" },
        )
        .unwrap();
    }
    text + "</Stmt></BkToCstmrStmt></Document>"
}

/// Takes a file in as the component does.
pub fn take_in(db: &NativeDb, name: &str, text: &str) -> Result<ImportResult, Fault> {
    take_in_as(db, name, text, BankFormat::Camt053)
}

pub fn take_in_as(
    db: &NativeDb,
    name: &str,
    text: &str,
    format: BankFormat,
) -> Result<ImportResult, Fault> {
    let id = id(name);
    let key = bank::start(db, &id, &author())?;
    let mut file =
        File { id, key, format, intake: Intake::default(), staged: 0, last: String::new() };
    let (mut reader, mut pieces) = (Reader::new(format), Vec::new());
    for chunk in text.as_bytes().chunks(65_536) {
        reader.feed(chunk, &mut pieces).map_err(Fault::from)?;
        for piece in pieces.drain(..) {
            if let Some(full) = file.intake.take(&piece)? {
                bank::stage(db, key, file.staged, &full)?;
                file.staged += 1;
            }
        }
    }
    reader.finish(&mut pieces).map_err(Fault::from)?;
    for piece in pieces.drain(..) {
        file.intake.take(&piece)?;
    }
    file.last = file.intake.rest();
    bank::apply(db, &file, &author())
}

pub fn take(db: &NativeDb, name: &str, lines: &[Line]) -> MatchCounts {
    take_in(db, name, &camt(name, lines)).unwrap().bank.unwrap().matches
}

pub fn matches(db: &NativeDb, state: Option<MatchState>) -> Vec<BankMatch> {
    matches_of(db, (state, false))
}

/// Matches in a state, or of them those alone of which some is booked nowhere.
pub fn matches_of(db: &NativeDb, of: (Option<MatchState>, bool)) -> Vec<BankMatch> {
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        let page = bank::matches(db, after, 500, of).unwrap();
        let Some((last, _)) = page.last() else { return found };
        after = *last;
        found.extend(page.into_iter().map(|(_, of)| of));
    }
}

pub fn code<T: std::fmt::Debug>(result: Result<T, Fault>) -> Refusal {
    match result {
        Err(Fault::Refused(Refused { code, .. })) => code,
        other => panic!("{other:?}"),
    }
}

pub fn holds(db: &NativeDb) {
    let found = verify::books(db).unwrap();
    assert!(found.ok, "{found:?}");
    let found = verify::replayed(db, 0, 500).unwrap().0;
    assert!(found.ok, "{found:?}");
}

pub const KNOWN: &str = "DE02120300000000202051";
pub const STRANGE: &str = "DE75512108001245126199";
