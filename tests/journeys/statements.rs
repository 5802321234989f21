//! Files of bank statements that nobody should send, and two senders of one file.

use dunlin_tests::{Answer, App, Client, Request};
use std::{fmt::Write as _, thread};

/// Mutations of each of the valid files.
const MUTATIONS: u64 = 150;

/// Entries of the file that is sent twice at once: more than a slice.
const ENTRIES: u32 = 5_000;

const MT940: &str = "\
{1:F01INGBNL2ABXXX0000000000}{2:I940INGBNL2AXXXN}{4:\r
:20:P261016000000001\r
:25:NL91ABNA0417164300EUR\r
:28C:00198/1\r
:60F:C261015EUR662,23\r
:61:2610161016C1234,56NTRFEREF//00000000001005\r
/TRCD/00100/\r
:86:/EREF/NOTPROVIDED//CNTP/NL69INGB0123456789/INGBNL2A/JANSEN LOGISTIEK\r
///REMI/USTD//factuur 2026-00815/\r
:62M:C261016EUR1896,79\r
-}\r
{1:F01INGBNL2ABXXX0000000000}{2:I940INGBNL2AXXXN}{4:\r
:20:P261016000000001\r
:25:NL91ABNA0417164300EUR\r
:28C:00198/2\r
:60M:C261016EUR1896,79\r
:61:2610161016RC99,00NTRFNONREF\r
:86:166?00GUTSCHRIFT?20EREF+E1?21SVWZ+RE-1?31DE02120300000000202051?32MUELLER\r
:62F:C261016EUR1797,79\r
-}\r
";

fn camt(entries: u32) -> String {
    let balance = |code: &str, minor: u32| {
        format!(
            "<Bal><Tp><CdOrPrtry><Cd>{code}</Cd></CdOrPrtry></Tp><Amt Ccy=\"EUR\">{minor}.00</Amt>\
             <CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-10-31</Dt></Dt></Bal>\n"
        )
    };
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <Document xmlns=\"urn:iso:std:iso:20022:tech:xsd:camt.053.001.08\"><BkToCstmrStmt>\
         <GrpHdr><MsgId>M1</MsgId></GrpHdr><Stmt><Id>S1</Id><ElctrncSeqNb>7</ElctrncSeqNb>\
         <Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>\n{}{}",
        balance("OPBD", 0),
        balance("CLBD", (1..=entries).sum())
    );
    for n in 1..=entries {
        writeln!(
            text,
            "<Ntry><Amt Ccy=\"EUR\">{n}.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts><Cd>BOOK</Cd></Sts>\
             <BookgDt><Dt>2026-10-31</Dt></BookgDt><AcctSvcrRef>B{n}</AcctSvcrRef><NtryDtls><TxDtls>\
             <Refs><EndToEndId>E{n}</EndToEndId></Refs><RltdPties><Dbtr><Pty><Nm>M&amp;M &#252;</Nm></Pty></Dbtr>\
             <DbtrAcct><Id><IBAN>DE02120300000000202051</IBAN></Id></DbtrAcct></RltdPties>\
             <RmtInf><Ustrd><![CDATA[INV-{n}]]></Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>"
        )
        .unwrap();
    }
    text + "</Stmt></BkToCstmrStmt></Document>"
}

fn file(client: &Client, format: &str, body: impl Into<Vec<u8>>) -> Request {
    let media = if format == "mt940" { "text/plain" } else { "application/xml" };
    let path = format!("/v1/ingest/imports?kind=bank-statement&format={format}");
    client.request("POST", &path).body(media, body)
}

/// Random numbers that are the same in every run.
pub(crate) struct Seeded(pub u64);

impl Seeded {
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % bound
    }

    /// The file with a few bytes that are others, more, fewer, or in another place.
    pub(crate) fn mutated(&mut self, file: &[u8]) -> Vec<u8> {
        let mut bytes = file.to_vec();
        for _ in 0..=self.below(4) {
            let (at, length) = (self.below(bytes.len()), 1 + self.below(40));
            let end = (at + length).min(bytes.len());
            match self.below(6) {
                0 => bytes[at] = u8::try_from(self.below(256)).unwrap(),
                1 => drop(bytes.drain(at..end)),
                2 => {
                    let piece = bytes[at..end].to_vec();
                    let to = self.below(bytes.len());
                    bytes.splice(to..to, piece);
                }
                3 => bytes.truncate(at.max(1)),
                4 => bytes[at] ^= 1 << self.below(8),
                _ => {
                    let marks = b"<>&:/,0?-{}\r\n\xC3\x00";
                    bytes.insert(at, marks[self.below(marks.len())]);
                }
            }
            if bytes.is_empty() {
                bytes.push(b'<');
            }
        }
        bytes
    }
}

#[test]
fn a_file_with_bytes_changed_at_random_is_taken_in_or_refused_by_name() {
    let app = App::start();
    let (xml, mut random, mut refused) = (camt(3), Seeded(940), 0);
    for (format, whole) in [("camt053", xml.as_str()), ("mt940", MT940)] {
        for number in 0..MUTATIONS {
            let bytes = random.mutated(whole.as_bytes());
            let answer = file(&app, format, bytes.clone()).send();
            let shown = String::from_utf8_lossy(&bytes);
            assert!(answer.status < 500, "{format} {number}: {}\n{shown}", answer.text());
            if answer.status != 200 {
                refused += 1;
                assert!(answer.json()["code"].is_string(), "{}", answer.text());
            }
        }
    }
    assert!(refused > MUTATIONS, "only {refused} were refused");
    let statements = app.all("/v1/ingest/statements", 500);
    let entries: u64 = statements.iter().map(|of| of["entries"].as_u64().unwrap()).sum();
    assert_eq!(app.all("/v1/ingest/matches", 500).len() as u64, entries);
    assert_eq!(app.get("/v1/ingest/verification").ok()["ok"], true);
}

#[test]
fn a_text_of_a_hundred_megabytes_is_refused_and_not_kept() {
    let app = App::start();
    let text = "x".repeat(100 << 20);
    for (format, body) in
        [("camt053", camt(1).replace("INV-1", &text)), ("mt940", MT940.replace("JANSEN", &text))]
    {
        file(&app, format, body).chunked(1 << 20).send().refused("text-too-long");
        assert_eq!(app.all("/v1/ingest/statements", 10).len(), 0);
    }
}

#[test]
fn one_file_of_statements_sent_twice_at_once_is_booked_once() {
    let app = App::start();
    let rows = |n: u32| format!("INV-{n},C1,2026-09-10,2026-10-10,{n}.00,EUR\n");
    let header = "id,customer_id,issued_on,due_on,amount,currency\n".to_owned();
    let invoices = header + &(1..=ENTRIES).map(rows).collect::<String>();
    app.import_with("kind=invoices&create_missing=customers", invoices).ok();
    let text = camt(ENTRIES);
    let answers: Vec<Answer> = thread::scope(|scope| {
        let send = || scope.spawn(|| file(&app, "camt053", text.clone()).send());
        [send(), send()].into_iter().map(|one| one.join().unwrap()).collect()
    });
    let sum = |field: &str| -> u64 {
        answers.iter().map(|answer| answer.ok()[field].as_u64().unwrap()).sum()
    };
    let all = u64::from(ENTRIES);
    assert_eq!((sum("accepted"), sum("unchanged")), (all, all));
    assert_eq!(app.all("/v1/ingest/statements", 10).len(), 1);
    assert_eq!(app.get("/v1/ingest/verification").ok()["ok"], true);
}
