//! Files of banks, whole and broken.

mod standard;

use super::*;
use proptest::prelude::*;

fn read(format: BankFormat, bytes: &[u8], chunk: usize) -> Result<Vec<Piece>, Refused> {
    let (mut reader, mut out) = (Reader::new(format), Vec::new());
    for piece in bytes.chunks(chunk.max(1)) {
        reader.feed(piece, &mut out)?;
    }
    reader.finish(&mut out)?;
    Ok(out)
}

fn entries(pieces: &[Piece]) -> Vec<&Entry> {
    let mut found = Vec::new();
    for piece in pieces {
        if let Piece::Entry(entry) = piece {
            found.push(entry);
        }
    }
    found
}

fn statements(pieces: &[Piece]) -> Vec<&Statement> {
    let mut found = Vec::new();
    for piece in pieces {
        if let Piece::Statement(statement) = piece {
            found.push(statement);
        }
    }
    found
}

const HEAD: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:camt.053.001.02"><BkToCstmrStmt>
<GrpHdr><MsgId>M1</MsgId><CreDtTm>2026-10-31T20:00:00+01:00</CreDtTm></GrpHdr>
<Stmt><Id>S1</Id><ElctrncSeqNb>210</ElctrncSeqNb><CreDtTm>2026-10-31T20:00:00+01:00</CreDtTm><Acct><Id><IBAN>DE89370400440532013000</IBAN></Id><Ccy>EUR</Ccy></Acct>
<Bal><Tp><CdOrPrtry><Cd>PRCD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">100.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-10-30</Dt></Dt></Bal>
"#;
const CLOSING: &str = r#"<Bal><Tp><CdOrPrtry><Cd>CLBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">350.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2026-10-31</Dt></Dt></Bal>
"#;
const ENTRY: &str = r#"<Ntry><Amt Ccy="EUR">250.00</Amt><CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts><BookgDt><Dt>2026-10-31</Dt></BookgDt>
<BkTxCd><Prtry><Cd>NTRF+166</Cd></Prtry></BkTxCd>
<NtryDtls><TxDtls><Refs><EndToEndId>NOTPROVIDED</EndToEndId></Refs><RltdPties><Dbtr><Nm>M&amp;K <![CDATA[<Bau>]]></Nm></Dbtr>
<DbtrAcct><Id><IBAN>DE02 1203 0000 0000 2020 51</IBAN></Id></DbtrAcct></RltdPties>
<RmtInf><Ustrd>Rechnung INV-1</Ustrd><Ustrd>Danke &#x4F60;&#22909;</Ustrd></RmtInf></TxDtls></NtryDtls></Ntry>
"#;
const TAIL: &str = "</Stmt></BkToCstmrStmt></Document>\n";

fn camt() -> String {
    [HEAD, CLOSING, ENTRY, TAIL].concat()
}

const MT940: &str = ":20:STARTUMS\r\n:25:37040044/0532013000\r\n:28C:00210/001\r\n:60F:C261030EUR100,00\r\n\
    :61:2610311031CR250,00NTRFNONREF//B7\r\n\
    :86:166?00GUTSCHRIFT?20EREF+E2E-7?21SVWZ+Rechnung INV-1001 vom?22 12.10.?30COBADEFF?31DE02120300000000202051\r\n\
    ?32MUELLER GMBH?33 UND CO\r\n:62F:C261031EUR350,00\r\n:64:C261031EUR350,00\r\n-\r\n";

#[test]
fn a_statement_of_the_first_version_is_read() {
    let found = read(BankFormat::Camt053, camt().as_bytes(), 7).unwrap();
    let [entry] = entries(&found)[..] else { panic!("{found:?}") };
    assert_eq!(entry.minor, 25_000);
    assert_eq!(entry.name.as_deref(), Some("M&K <Bau>"));
    assert_eq!(entry.account.as_deref(), Some("DE02120300000000202051"));
    assert_eq!(entry.remittance, "Rechnung INV-1 Danke 你好");
    assert_eq!(entry.end_to_end, None);
    let [statement] = statements(&found)[..] else { panic!("{found:?}") };
    assert_eq!((statement.opening_minor, statement.closing_minor), (10_000, 35_000));
    assert_eq!((statement.id.as_str(), statement.entries), ("S1", 1));
}

#[test]
fn a_batch_is_cut_into_its_transactions_when_their_amounts_sum_to_it() {
    let part = |minor: u32, text: &str| {
        format!(
            r#"<TxDtls><Amt Ccy="EUR">{minor}.00</Amt><RmtInf><Ustrd>{text}</Ustrd></RmtInf></TxDtls>"#
        )
    };
    let batch = |parts: String| {
        let from = ENTRY.find("<NtryDtls>").unwrap();
        let entry = format!("{}<NtryDtls>{parts}</NtryDtls></Ntry>", &ENTRY[..from]);
        read(BankFormat::Camt053, [HEAD, CLOSING, &entry, TAIL].concat().as_bytes(), 4096).unwrap()
    };
    let found = batch(part(100, "INV-1") + &part(150, "INV-2"));
    let amounts: Vec<(i64, &str)> =
        entries(&found).iter().map(|entry| (entry.minor, entry.remittance.as_str())).collect();
    assert_eq!(amounts, [(10_000, "INV-1"), (15_000, "INV-2")]);
    assert_eq!(statements(&found)[0].entries, 2);
    let found = batch(part(100, "INV-1") + &part(151, "INV-2"));
    assert_eq!(entries(&found)[0].minor, 25_000);
    assert_eq!(entries(&found)[0].remittance, "INV-1 INV-2");
}

/// The statement as a later version has it.
fn later() -> String {
    camt()
        .replace("053.001.02", "053.001.08")
        .replace("<Sts>BOOK</Sts>", "<Sts><Cd>BOOK</Cd></Sts>")
        .replace("<Dbtr><Nm>", "<Dbtr><Pty><Nm>")
        .replace("</Nm></Dbtr>", "</Nm></Pty></Dbtr>")
}

#[test]
fn later_versions_have_parties_and_status_one_deeper() {
    let found = read(BankFormat::Camt053, later().as_bytes(), 1000).unwrap();
    assert_eq!(entries(&found)[0].name.as_deref(), Some("M&K <Bau>"));
    let prefixed = camt().replace("</", "</n:").replace("xmlns=", "xmlns:n=");
    let mut out = String::new();
    let mut rest = prefixed.as_str();
    while let Some(at) = rest.find('<') {
        let (before, after) = rest.split_at(at + 1);
        out.push_str(before);
        if after.starts_with(|c: char| c.is_ascii_alphabetic()) {
            out.push_str("n:");
        }
        rest = after;
    }
    out.push_str(rest);
    assert_eq!(entries(&read(BankFormat::Camt053, out.as_bytes(), 50).unwrap()).len(), 1);
}

#[test]
fn pending_entries_are_counted_and_left_out() {
    let pending = ENTRY.replace("BOOK<", "PDNG<");
    let text = [HEAD, CLOSING, ENTRY, &pending, TAIL].concat();
    let found = read(BankFormat::Camt053, text.as_bytes(), 100).unwrap();
    assert_eq!((entries(&found).len(), statements(&found)[0].pending), (1, 1));
}

#[test]
fn broken_camt_files_are_refused_by_name() {
    use Refusal::*;
    let nested: String = "<a>".repeat(40);
    let previous = HEAD[HEAD.find("<Bal>").unwrap()..].to_string();
    let opening = previous.replace("PRCD", "OPBD");
    let many: String = (0..40).map(|n| format!(" a{n}=\"x\"")).collect();
    for (from, to, refusal) in [
        ("350.00", "350.01", BalanceMismatch),
        ("<Amt Ccy=\"EUR\">250.00", "<Amt Ccy=\"USD\">250.00", CurrencyMismatch),
        ("<Amt Ccy=\"EUR\">250.00", "<Amt Ccy=\"XXX\">250.00", UnknownCurrency),
        ("<Amt Ccy=\"EUR\">250.00", "<Amt>250.00", MissingField),
        ("250.00", "250,00", MalformedAmount),
        ("250.00", "-250.00", AmountNotPositive),
        ("250.00", "250.001", TooManyDecimals),
        ("250.00", "99999999999999999999.00", AmountTooLarge),
        (CLOSING, "", MissingField),
        ("<Id>S1</Id>", "", MissingField),
        ("<Acct><Id><IBAN>DE89370400440532013000</IBAN></Id>", "<Acct>", MissingField),
        ("<BookgDt><Dt>2026-10-31", "<BookgDt><Dt>2026-02-30", MalformedDate),
        ("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<Sts>", MissingField),
        ("<CdtDbtInd>CRDT</CdtDbtInd><Sts>", "<CdtDbtInd>IN</CdtDbtInd><Sts>", MalformedStatement),
        ("053.001.02", "054.001.02", MalformedStatement),
        ("053.001.02", "053.001.99", MalformedStatement),
        ("<Document xmlns", "<Envelope xmlns", MalformedStatement),
        ("</Ntry>", "</Entry>", MalformedStatement),
        ("</Document>", "", MalformedStatement),
        ("</Document>", "</Document><Document/>", MalformedStatement),
        ("<Stmt>", "<!DOCTYPE a [<!ENTITY b \"c\">]><Stmt>", ForbiddenMarkup),
        ("Danke", "&danke;", ForbiddenMarkup),
        ("Danke", "Danke & mehr", MalformedStatement),
        ("Danke", "&#0;", MalformedStatement),
        ("Danke", "\u{1}", MalformedText),
        ("<Ustrd>", "<Ustrd a=b>", MalformedStatement),
        ("<Ustrd>", "<Ustrd a=\"b>", MalformedStatement),
        ("<Ustrd>", &format!("<Ustrd{many}>"), MalformedStatement),
        ("<Ustrd>", &nested, MalformedStatement),
        ("UTF-8", "ISO-8859-1", WrongEncoding),
        (CLOSING, &[CLOSING, CLOSING].concat(), MalformedStatement),
        ("<Bal>", &[&previous, "<Bal>"].concat(), MalformedStatement),
        ("<Bal>", &[&opening, &opening, "<Bal>"].concat(), MalformedStatement),
        ("<Bal>", &[&opening.replace("100.00", "101.00"), "<Bal>"].concat(), BalanceMismatch),
        ("<Ntry>", "<Ntry><Amt Ccy=\"EUR\">250.00</Amt>", MalformedStatement),
        ("<Amt Ccy=\"EUR\">250", "<Amt Ccy=\"EUR\" Ccy=\"EUR\">250", MalformedStatement),
        ("<Ccy>EUR</Ccy>", "<Ccy>EUR</Ccy><Ccy>EUR</Ccy>", MalformedStatement),
        ("<Sts>BOOK</Sts>", "<a:Sts>BOOK</b:Sts>", MalformedStatement),
        ("<Sts>BOOK</Sts>", "<a:Sts>BOOK</Sts>", MalformedStatement),
        ("<Sts>BOOK</Sts>", "<Sts>BOOKED</Sts>", MalformedStatement),
        ("<Sts>BOOK</Sts>", "<Sts>BOOK</Sts><Sts>PDNG</Sts>", MalformedStatement),
        ("<Sts>BOOK</Sts>", "<Sts></Sts>", MissingField),
        ("<Sts>BOOK</Sts>", "", MissingField),
        ("<Id>S1</Id>", "<Id>S1</Id><Id>S2</Id>", MalformedStatement),
        (
            "</Acct>",
            "</Acct><Acct><Id><IBAN>DE02120300000000202051</IBAN></Id></Acct>",
            MalformedStatement,
        ),
        ("</IBAN></Id><Ccy>", "</IBAN><Othr><Id>7</Id></Othr></Id><Ccy>", MalformedStatement),
    ] {
        let text = camt();
        assert!(text.contains(from), "{from}");
        let text = text.replacen(from, to, 1);
        for chunk in [1, 64, 1 << 20] {
            let found = read(BankFormat::Camt053, text.as_bytes(), chunk).map_err(|r| r.code);
            // An attribute without its end swallows what follows it.
            assert_eq!(found.map(|_| ()), Err(refusal), "{from} -> {to} by {chunk}");
        }
    }
    let refused = |bytes: &[u8]| read(BankFormat::Camt053, bytes, 100).map_err(|r| r.code).err();
    assert_eq!(refused(b""), Some(EmptyBody));
    assert_eq!(refused(b" \n"), Some(EmptyBody));
    assert_eq!(refused(b"<Document>\xFF</Document>"), Some(WrongEncoding));
    assert_eq!(refused(b"<\0D\0o\0c\0"), Some(WrongEncoding));
    assert_eq!(refused(b":20:STARTUMS\r\n"), Some(MalformedStatement));
}

#[test]
fn entities_do_not_grow() {
    let bomb = r#"<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY lol "lol"><!ENTITY lol2 "&lol;&lol;">]><lolz>&lol2;</lolz>"#;
    let refused = read(BankFormat::Camt053, bomb.as_bytes(), 10).unwrap_err();
    assert_eq!(refused.code, Refusal::ForbiddenMarkup);
}

#[test]
fn a_text_of_100_megabytes_is_refused_before_it_is_held() {
    for (format, head) in [
        (BankFormat::Camt053, HEAD.to_string() + "<Ntry><AddtlNtryInf>"),
        (BankFormat::Mt940, ":20:A\r\n:25:1\r\n:28C:1\r\n:60F:C261030EUR1,\r\n:86:".to_string()),
    ] {
        let (mut reader, mut out, mut fed) = (Reader::new(format), Vec::new(), 0usize);
        reader.feed(head.as_bytes(), &mut out).unwrap();
        let chunk = [b'a'; 1024];
        let refused = (0..100 << 10).find_map(|_| {
            fed += chunk.len();
            reader.feed(&chunk, &mut out).err()
        });
        assert_eq!(refused.map(|r| r.code), Some(Refusal::TextTooLong), "{format}");
        assert!(fed <= MAX_TEXT + chunk.len(), "{format}: {fed}");
    }
}

#[test]
fn a_german_mt940_is_read() {
    let found = read(BankFormat::Mt940, MT940.as_bytes(), 9).unwrap();
    let [entry] = entries(&found)[..] else { panic!("{found:?}") };
    assert_eq!(entry.minor, 25_000);
    assert_eq!(entry.name.as_deref(), Some("MUELLER GMBH UND CO"));
    assert_eq!(entry.account.as_deref(), Some("DE02120300000000202051"));
    assert_eq!(entry.end_to_end.as_deref(), Some("E2E-7"));
    assert_eq!(entry.remittance, "Rechnung INV-1001 vom 12.10.");
    assert_eq!(entry.bank_reference.as_deref(), Some("B7"));
    let [statement] = statements(&found)[..] else { panic!("{found:?}") };
    assert_eq!(statement.id, "STARTUMS/00210/001/2026-10-31");
    assert_eq!((statement.opening_minor, statement.closing_minor), (10_000, 35_000));
}

#[test]
fn the_forms_of_86_are_read() {
    for (text, name, account, remittance, reference) in [
        (
            "/ORDP//NAME/J. Jansen/REMI/Factuur 2026-7/IBAN/NL91ABNA0417164300",
            Some("J. Jansen"),
            Some("NL91ABNA0417164300"),
            "Factuur 2026-7",
            None,
        ),
        (
            "/CNTP/NL91ABNA0417164300/ABNANL2A/J. Jansen///REMI/STRD/CUR/9001234567890123/",
            Some("J. Jansen"),
            Some("NL91ABNA0417164300"),
            "",
            Some("9001234567890123"),
        ),
        ("/EREF/X1/REMI/USTD//Order 4/5/", None, None, "Order 4/5", None),
        ("上海晨光贸易有限公司 INV-1001", None, None, "上海晨光贸易有限公司 INV-1001", None),
        ("166 no fields", None, None, "166 no fields", None),
        (
            "166?20SVWZ+Rechnung mit?21Nummer INV-1?32Meier",
            Some("Meier"),
            None,
            "Rechnung mit Nummer INV-1",
            None,
        ),
        (
            "166?20SVWZ+Rechnung mit Nummer IN?21V-1001",
            None,
            None,
            "Rechnung mit Nummer INV-1001",
            None,
        ),
    ] {
        let from = MT940.find(":86:").unwrap() + 4;
        let to = MT940.find("\r\n:62F").unwrap();
        let file = format!("{}{text}{}", &MT940[..from], &MT940[to..]);
        let found = read(BankFormat::Mt940, file.as_bytes(), 33).unwrap();
        let entry = entries(&found)[0];
        assert_eq!(
            (entry.name.as_deref(), entry.account.as_deref(), entry.remittance.as_str()),
            (name, account, remittance),
            "{text}"
        );
        assert_eq!(entry.references.first().map(String::as_str), reference, "{text}");
    }
}

#[test]
fn a_statement_goes_on_in_the_next_message() {
    let page = |number: &str, open: (&str, u32), minor: u32, close: (&str, u32)| {
        format!(
            ":20:R\n:25:NL91ABNA0417164300\n:28C:7/{number}\n:{}:C261030EUR{},\n:61:261031C{minor},NTRFNONREF\n:{}:C261031EUR{},\n-\n",
            open.0, open.1, close.0, close.1
        )
    };
    let file = |carried| {
        page("1", ("60F", 100), 50, ("62M", 150))
            + &page("2", ("60M", carried), 25, ("62F", carried + 25))
    };
    let found = read(BankFormat::Mt940, file(150).as_bytes(), 1000).unwrap();
    let whole = statements(&found);
    assert_eq!((whole.len(), whole[0].entries), (1, 2));
    assert_eq!((whole[0].opening_minor, whole[0].closing_minor), (10_000, 17_500));
    assert_eq!(whole[0].sequence.as_deref(), Some("7/1"));
    let alone = [
        page("1", ("60F", 100), 50, ("62M", 150)),
        page("2", ("60M", 150), 25, ("62F", 175)),
        page("1", ("60F", 100), 50, ("62M", 150)) + &page("2", ("60F", 150), 25, ("62F", 175)),
        file(150).replace(":28C:7/2", ":28C:8/2"),
    ];
    for file in alone {
        let refused = read(BankFormat::Mt940, file.as_bytes(), 1000).unwrap_err();
        assert_eq!(refused.code, Refusal::IncompleteStatement, "{file}");
    }
    let refused = read(BankFormat::Mt940, file(151).as_bytes(), 1000).unwrap_err();
    assert_eq!(refused.code, Refusal::BalanceMismatch);
}

#[test]
fn marks_days_and_reversals_of_mt940_are_read() {
    for (line, minor, reversal, booked_on) in [
        ("2612310102C250,00NTRFX", 25_000, false, "2027-01-02"),
        ("2701021231C250,00NTRFX", 25_000, false, "2026-12-31"),
        ("261031RD250,00NTRFX", 25_000, true, "2026-10-31"),
        ("261031CR250,NMSCX//Y", 25_000, false, "2026-10-31"),
        ("261031C250,00NRTIX", 25_000, true, "2026-10-31"),
    ] {
        let file = MT940.replace("2610311031CR250,00NTRFNONREF//B7", line);
        let found = read(BankFormat::Mt940, file.as_bytes(), 1000).unwrap();
        let entry = entries(&found)[0];
        let on = entry.booked_on.unwrap().to_string();
        assert_eq!(
            (entry.minor, entry.reversal, on.as_str()),
            (minor, reversal, booked_on),
            "{line}"
        );
    }
}

#[test]
fn broken_mt940_files_are_refused_by_name() {
    use Refusal::*;
    for (from, to, refusal) in [
        (":62F:C261031EUR350,00", ":62F:C261031EUR350,01", BalanceMismatch),
        (":62F:C261031EUR", ":62F:C261031USD", CurrencyMismatch),
        (":62F:C261031EUR350,00", ":62F:X261031EUR350,00", MalformedStatement),
        ("CR250,00", "CR250.00", MalformedAmount),
        ("CR250,00", "CR250,001", TooManyDecimals),
        ("CR250,00", "XX250,00", MalformedStatement),
        ("2610311031CR", "2613311031CR", MalformedDate),
        ("2610311031CR", "26103110CR", MalformedStatement),
        (":60F:C261030EUR100,00\r\n", "", MalformedStatement),
        (":62F:C261031EUR350,00\r\n", "", MalformedStatement),
        (":25:37040044/0532013000\r\n", "", MalformedStatement),
        (":64:", ":77:", MalformedStatement),
        (":20:", "hello\r\n:20:", MalformedStatement),
        ("GUTSCHRIFT", "GUT\u{2}SCHRIFT", MalformedText),
    ] {
        assert!(MT940.contains(from), "{from}");
        let file = MT940.replacen(from, to, 1);
        let found = read(BankFormat::Mt940, file.as_bytes(), 11).map_err(|r| r.code);
        assert_eq!(found.map(|_| ()), Err(refusal), "{from} -> {to}");
    }
    let cut = &MT940[..MT940.find(":62F").unwrap()];
    let refused = |bytes: &[u8]| read(BankFormat::Mt940, bytes, 100).map_err(|r| r.code).err();
    assert_eq!(refused(cut.as_bytes()), Some(MalformedStatement));
    assert_eq!(refused(b""), Some(EmptyBody));
    assert_eq!(refused(b":20:\xFF\r\n"), Some(WrongEncoding));
    assert_eq!(refused(camt().as_bytes()), Some(MalformedStatement));
}

#[test]
fn an_opening_balance_may_stand_beside_the_closing_one_before_it() {
    let previous = HEAD[HEAD.find("<Bal>").unwrap()..].to_string();
    let opening = previous.replace("PRCD", "OPBD");
    let text = camt().replacen("<Bal>", &[&opening, "<Bal>"].concat(), 1);
    let found = read(BankFormat::Camt053, text.as_bytes(), 100).unwrap();
    assert_eq!(statements(&found)[0].opening_minor, 10_000);
}

#[test]
fn what_is_refused_in_mt940_is_named_by_its_line_and_entry() {
    let two = MT940
        .replace(
            ":62F:C261031EUR350",
            ":61:2610311031CR10,00NTRFX\r\n:86:more\r\nand more\r\n:62F:C261031EUR360",
        )
        .replace(":64:C261031EUR350", ":64:C261031EUR360");
    for (from, to, line, entry) in [
        (":60F:C261030EUR100,00", ":60F:C261030EUR100.00", 4, 0),
        ("CR250,00", "CR250.00", 5, 1),
        ("CR10,00", "CR10.00", 8, 2),
        ("C261031EUR360", "C261331EUR360", 11, 2),
        ("C261031EUR360", "C261031EUR361", 11, 2),
        (":25:37040044/0532013000", ":25:/", 2, 0),
        (":64:", ":77:", 12, 2),
    ] {
        assert!(two.contains(from), "{from}");
        let file = two.replacen(from, to, 1);
        // The last line may end without a mark.
        for file in [file.as_str(), file.trim_end_matches("\r\n-\r\n")] {
            let (mut reader, mut out) = (Reader::new(BankFormat::Mt940), Vec::new());
            let read =
                reader.feed(file.as_bytes(), &mut out).and_then(|()| reader.finish(&mut out));
            let refused = read.unwrap_err();
            let named = refused.detail.starts_with(&format!("line {line}: "));
            assert!(named, "{from} -> {to}: {refused:?}");
            assert_eq!(reader.entry(), entry, "{from} -> {to}");
        }
    }
}

/// A file with some of its bytes put in another place, changed, or left out.
fn damaged(whole: &str, damage: &[(prop::sample::Index, u8, u8)]) -> Vec<u8> {
    let mut bytes = whole.as_bytes().to_vec();
    for (at, what, byte) in damage {
        if bytes.is_empty() {
            break;
        }
        let at = at.index(bytes.len());
        match what % 4 {
            0 => bytes[at] = *byte,
            1 => bytes.insert(at, *byte),
            2 => drop(bytes.remove(at)),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

proptest! {
    #[test]
    fn how_a_file_is_cut_makes_no_difference(chunk in 1usize..300) {
        for (format, text) in [(BankFormat::Camt053, camt()), (BankFormat::Mt940, MT940.into())] {
            let whole = read(format, text.as_bytes(), usize::MAX).unwrap();
            prop_assert_eq!(&read(format, text.as_bytes(), chunk).unwrap(), &whole);
        }
    }

    #[test]
    fn a_damaged_file_is_read_or_refused_and_never_misread(
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), any::<u8>()), 1..6),
        chunk in 1usize..200,
    ) {
        for (format, text) in [(BankFormat::Camt053, camt()), (BankFormat::Mt940, MT940.into())] {
            let bytes = damaged(&text, &damage);
            match read(format, &bytes, chunk) {
                Ok(pieces) => {
                    let sum: i64 = entries(&pieces).iter().map(|entry| entry.minor).sum();
                    let of = statements(&pieces);
                    let moved: i64 = of.iter().map(|s| s.closing_minor - s.opening_minor).sum();
                    prop_assert_eq!(sum, moved);
                }
                Err(refused) => prop_assert!(!refused.detail.is_empty()),
            }
        }
    }

    #[test]
    fn any_bytes_are_read_without_a_fault(bytes in prop::collection::vec(any::<u8>(), 0..600), chunk in 1usize..50) {
        for format in BankFormat::ALL {
            let _ = read(*format, &bytes, chunk);
        }
    }

    #[test]
    fn any_markup_is_read_without_a_fault(parts in prop::collection::vec("<[/!?]?[A-Za-z:]{0,9}( [a-z]=\"x\")?/?>|&[#a-z0-9]{0,6};|[ -~]{0,9}|<!\\[CDATA\\[|\\]\\]>|<!--|-->", 0..60)) {
        let _ = read(BankFormat::Camt053, (HEAD.to_string() + &parts.concat()).as_bytes(), 13);
    }

    #[test]
    fn any_field_of_mt940_is_read_without_a_fault(
        parts in prop::collection::vec((prop::sample::select(vec!["20", "25", "28C", "60F", "61", "86", "62F", "62M", "60M", "64"]), "\\PC{0,60}"), 0..12),
        line in "[0-9CDRN,]{0,30}", text in "[0-9?+/A-Z]{0,80}",
    ) {
        let mut file = String::from(":20:A\n:25:1\n:28C:1\n:60F:C261030EUR1,\n:61:");
        file += &format!("{line}\n:86:{text}\n");
        file.extend(parts.iter().map(|(tag, value)| format!(":{tag}:{value}\n")));
        let _ = read(BankFormat::Mt940, file.as_bytes(), 17);
    }
}
