//! A camt.053 file through the component: parsed, matched and booked, beside the same flow in native code.

use crate::clock::{self, Took};
use crate::server::Server;
use crate::table::{Bar, Table};
use anyhow::{Result, anyhow, ensure};
use dunlin_app::audit::Author;
use dunlin_app::bank::{self, File, Intake};
use dunlin_domain::bank::Reader;
use dunlin_domain::contract::bank::BankFormat;
use dunlin_domain::contract::ingest::ImportResult;
use dunlin_store::{Db, native::NativeDb};
use std::fmt::Write as _;
use std::path::Path;

/// Entries a second, in thousands.
const BAR: Bar = Bar::AtLeast(20.0);

/// Invoices of one customer.
const EACH: u64 = 10;

/// Of each invoice one entry: nine of ten name it and pay it to the cent, the others give nothing away.
fn camt(entries: u64) -> Result<String> {
    let minor = |n: u64| 1_000 + n % 99_991;
    let total: u64 = (1..=entries).map(minor).sum();
    let amount = |minor: u64| format!("{}.{:02}", minor / 100, minor % 100);
    let balance = |code: &str, minor: u64| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd>\
             <Dt><Dt>2025-06-30</Dt></Dt></Bal>\n",
            amount(minor)
        )
    };
    let mut text = format!(
        "<Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt><Stmt><Id>S1</Id>\
         <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>\n{}{}",
        balance("OPBD", 0),
        balance("CLBD", total)
    );
    for n in 1..=entries {
        let remittance = if n % 10 == 0 {
            "vielen Dank".into()
        } else {
            format!("Rechnung INV-{n:07} vom 01.06.2025")
        };
        writeln!(
            text,
            "<Ntry><NtryRef>{n}</NtryRef><Amt Ccy=\"EUR\">{}</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2025-06-30</Dt></BookgDt><ValDt><Dt>2025-06-30</Dt></ValDt><AcctSvcrRef>B{n}</AcctSvcrRef>\
             <BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>RCDT</Cd><SubFmlyCd>ESCT</SubFmlyCd></Fmly></Domn></BkTxCd>\
             <NtryDtls><TxDtls><Refs><EndToEndId>E{n}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>Customer {} GmbH</Nm></Pty>\
             </Dbtr><DbtrAcct><Id><IBAN>DE{:020}</IBAN></Id></DbtrAcct></RltdPties>\
             <RmtInf><Ustrd>{remittance}</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>",
            amount(minor(n)),
            1 + n % (entries / EACH),
            n % (entries / EACH)
        )?;
    }
    Ok(text + "</Stmt></BkToCstmrStmt></Document>\n")
}

/// The book that the entries pay, of the same numbers.
fn book(file: &Path, invoices: u64) -> Result<NativeDb> {
    let db = NativeDb::open(file).map_err(|fault| anyhow!("{fault:?}"))?;
    db.connection().execute_batch(
        &"
        INSERT INTO customer (key, id, name)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1 / ?2)
        SELECT i, 'C' || i, 'Customer ' || i FROM n;
        INSERT INTO invoice
            (key, id, customer_key, kind, issued_on, due_on, amount_minor, currency, disputed, open_minor)
        WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
        SELECT
            i, printf('INV-%07d', i), 1 + i % (?1 / ?2), 'invoice', '2025-06-01', '2025-07-01', 1000 + i % 99991, 'EUR',
            0, 1000 + i % 99991
        FROM n"
            .replace("?1", &invoices.to_string())
            .replace("?2", &EACH.to_string()),
    )?;
    Ok(db)
}

pub fn measure(root: &Path, entries: u64, table: &mut Table) -> Result<()> {
    let text = camt(entries)?;
    eprintln!("bank {entries}: over HTTP, {} MB", text.len() / 1_000_000);
    let folder = tempfile::tempdir()?;
    drop(book(&folder.path().join("default.db"), entries)?);
    let server = Server::start(&root.join("spin.toml"), folder.path())?;
    let mut client = server.client()?;
    let path = "/v1/ingest/imports?kind=bank-statement&format=camt053";
    let (answer, took) = clock::time(server.process(), || {
        client.send("POST", path, "application/xml", text.as_bytes())
    })?;
    let answer: ImportResult = serde_json::from_slice(&answer)?;
    holds(&answer, entries)?;
    let memory = server.peak_memory()?;
    drop(client);
    server.stop()?;
    eprintln!("bank {entries}: natively");
    let db = book(&folder.path().join("floor.db"), entries)?;
    let (answer, floor) = clock::time(std::process::id(), || natively(&db, &text))?;
    holds(&answer, entries)?;
    let a_second = |took: Took| entries as f64 / took.seconds;
    let shown = |took: Took| format!("{:.0} entries/s", a_second(took));
    let name = format!("bank {entries}");
    table
        .add(&name, shown(took), shown(floor), a_second(took) / 1_000.0, Some(BAR))
        .cpu(entries as f64 / took.cpu / 1_000.0);
    table.memory(&name, memory);
    Ok(())
}

fn holds(answer: &ImportResult, entries: u64) -> Result<()> {
    let matches = answer.bank.as_ref().map(|bank| bank.matches);
    let automatic = matches.map_or(0, |matches| matches.automatic);
    ensure!(answer.accepted == entries && automatic >= entries / 10 * 9, "{answer:?}");
    Ok(())
}

/// What the component does, without it.
fn natively<D: Db>(db: &D, text: &str) -> Result<ImportResult> {
    let failed = |fault: dunlin_store::Fault| anyhow!("{fault:?}");
    let at = "2025-07-01T06:00:00Z".parse().map_err(|refused| anyhow!("{refused}"))?;
    let author = Author { who: "bench".into(), at, salt: "salt".into() };
    let id: dunlin_domain::Id = "floor".parse().map_err(|refused| anyhow!("{refused}"))?;
    let format = BankFormat::Camt053;
    let key = bank::start(db, &id, &author).map_err(failed)?;
    let mut file =
        File { id, key, format, intake: Intake::default(), staged: 0, last: String::new() };
    let (mut reader, mut pieces) = (Reader::new(format), Vec::new());
    for chunk in text.as_bytes().chunks(65_536) {
        reader.feed(chunk, &mut pieces)?;
        for piece in pieces.drain(..) {
            if let Some(full) = file.intake.take(&piece).map_err(failed)? {
                bank::stage(db, key, file.staged, &full).map_err(failed)?;
                file.staged += 1;
            }
        }
    }
    reader.finish(&mut pieces)?;
    file.last = file.intake.rest();
    bank::apply(db, &file, &author).map_err(failed)
}
