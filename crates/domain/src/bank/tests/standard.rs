//! The samples of these tests and of the journeys are such as a bank would send: the elements of the message as the
//! public schema has them, in its order, and those that it asks for.
//!
//! The tables are written down from the message definition reports of ISO 20022. They have every element of the types
//! that the samples use; `!` marks one that must be there.

use super::*;
use std::{collections::BTreeMap, fs, path::Path};

/// What both versions have in common: the element that has them, as the end of its path, and what may stand in it.
const COMMON: &[(&str, &str)] = &[
    ("Document", "BkToCstmrStmt!"),
    ("BkToCstmrStmt", "GrpHdr! Stmt!"),
    ("MsgPgntn", "PgNb! LastPgInd!"),
    ("FrToDt", "FrDtTm! ToDtTm!"),
    ("Acct/Id", "IBAN Othr"),
    ("DbtrAcct/Id", "IBAN Othr"),
    ("Othr", "Id! SchmeNm Issr"),
    ("Ownr", "Nm PstlAdr Id CtryOfRes CtctDtls"),
    ("Bal", "Tp! CdtLine Amt! CdtDbtInd! Dt! Avlbty"),
    ("Bal/Tp", "CdOrPrtry! SubTp"),
    ("CdOrPrtry", "Cd Prtry"),
    ("Bal/Dt", "Dt DtTm"),
    ("BookgDt", "Dt DtTm"),
    ("ValDt", "Dt DtTm"),
    ("BkTxCd", "Domn Prtry"),
    ("BkTxCd/Prtry", "Cd! Issr"),
    ("Domn", "Cd! Fmly!"),
    ("Fmly", "Cd! SubFmlyCd!"),
    ("NtryDtls", "Btch TxDtls"),
    ("Btch", "MsgId PmtInfId NbOfTxs TtlAmt CdtDbtInd"),
    ("AmtDtls", "InstdAmt TxAmt CntrValAmt AnncdPstngAmt PrtryAmt"),
    ("TxAmt", "Amt! CcyXchg"),
    ("RltdPties", "InitgPty Dbtr DbtrAcct UltmtDbtr Cdtr CdtrAcct UltmtCdtr TradgPty Prtry"),
    ("RmtInf", "Ustrd Strd"),
    ("CdtrRefInf", "Tp Ref"),
    ("CdtrRefInf/Tp", "CdOrPrtry! Issr"),
    ("RtrInf", "OrgnlBkTxCd Orgtr Rsn AddtlInf"),
    ("Rsn", "Cd Prtry"),
];

const VERSION_2: &[(&str, &str)] = &[
    ("GrpHdr", "MsgId! CreDtTm! MsgRcpt MsgPgntn AddtlInf"),
    (
        "Stmt",
        "Id! ElctrncSeqNb LglSeqNb CreDtTm! FrToDt CpyDplctInd RptgSrc Acct! RltdAcct Intrst Bal! TxsSummry Ntry \
         AddtlStmtInf",
    ),
    ("Acct", "Id! Tp Ccy Nm Ownr Svcr"),
    ("DbtrAcct", "Id! Tp Ccy Nm"),
    (
        "Ntry",
        "NtryRef Amt! CdtDbtInd! RvslInd Sts! BookgDt ValDt AcctSvcrRef Avlbty BkTxCd! ComssnWvrInd AddtlInfInd \
         AmtDtls Chrgs TechInptChanl Intrst NtryDtls AddtlNtryInf",
    ),
    (
        "TxDtls",
        "Refs AmtDtls Avlbty BkTxCd Chrgs Intrst RltdPties RltdAgts Purp RltdRmtInf RmtInf RltdDts RltdPric \
         RltdQties FinInstrmId Tax RtrInf CorpActn SfkpgAcct AddtlTxInf",
    ),
    ("Refs", "MsgId AcctSvcrRef PmtInfId InstrId EndToEndId TxId MndtId ChqNb ClrSysRef Prtry"),
    ("Dbtr", "Nm PstlAdr Id CtryOfRes CtctDtls"),
    ("Strd", "RfrdDocInf RfrdDocAmt CdtrRefInf Invcr Invcee AddtlRmtInf"),
];

const VERSION_8: &[(&str, &str)] = &[
    ("GrpHdr", "MsgId! CreDtTm! MsgRcpt MsgPgntn OrgnlBizQry AddtlInf"),
    (
        "Stmt",
        "Id! StmtPgntn ElctrncSeqNb RptgSeq LglSeqNb CreDtTm FrToDt CpyDplctInd RptgSrc Acct! RltdAcct Intrst Bal! \
         TxsSummry Ntry AddtlStmtInf",
    ),
    ("StmtPgntn", "PgNb! LastPgInd!"),
    ("Acct", "Id! Tp Ccy Nm Prxy Ownr Svcr"),
    ("DbtrAcct", "Id! Tp Ccy Nm Prxy"),
    (
        "Ntry",
        "NtryRef Amt! CdtDbtInd! RvslInd Sts! BookgDt ValDt AcctSvcrRef Avlbty BkTxCd! ComssnWvrInd AddtlInfInd \
         AmtDtls Chrgs TechInptChanl Intrst CardTx NtryDtls AddtlNtryInf",
    ),
    ("Sts", "Cd Prtry"),
    (
        "TxDtls",
        "Refs Amt CdtDbtInd AmtDtls Avlbty BkTxCd Chrgs Intrst RltdPties RltdAgts LclInstrm Purp RltdRmtInf RmtInf \
         RltdDts RltdPric RltdQties FinInstrmId Tax RtrInf CorpActn SfkpgAcct CshDpst CardTx AddtlTxInf",
    ),
    (
        "Refs",
        "MsgId AcctSvcrRef PmtInfId InstrId EndToEndId UETR TxId MndtId ChqNb ClrSysRef AcctOwnrTxId AcctSvcrTxId \
         MktInfrstrctrTxId PrcgId Prtry",
    ),
    ("Dbtr", "Pty Agt"),
    ("Pty", "Nm PstlAdr Id CtryOfRes CtctDtls"),
    ("Strd", "RfrdDocInf RfrdDocAmt CdtrRefInf Invcr Invcee TaxRmt GrnshmtRmt AddtlRmtInf"),
];

/// An element: its name without a prefix, and what it has.
struct Element {
    name: String,
    children: Vec<Element>,
}

/// The elements of a sample, whatever stands in them. Samples have no comments.
fn parse(text: &str) -> Element {
    let text = text.split("<![CDATA[").enumerate().map(|(n, part)| match n {
        0 => part,
        _ => part.split_once("]]>").unwrap().1,
    });
    let text: String = text.collect();
    let mut open = vec![Element { name: String::new(), children: Vec::new() }];
    for tag in text.split('<').skip(1).map(|tag| tag.split_once('>').unwrap().0) {
        if tag.starts_with('?') {
            continue;
        }
        if !tag.starts_with('/') {
            let name = tag.split([' ', '/']).next().unwrap();
            let name = name.rsplit(':').next().unwrap().to_string();
            open.push(Element { name, children: Vec::new() });
        }
        if tag.starts_with('/') || tag.ends_with('/') {
            let closed = open.pop().unwrap();
            open.last_mut().unwrap().children.push(closed);
        }
    }
    assert_eq!(open.len(), 1, "an element is open");
    open.remove(0).children.remove(0)
}

/// What is wrong with an element, and with those in it.
fn wrong(of: &Element, path: &str, schema: &BTreeMap<&str, &str>, found: &mut Vec<String>) {
    let path = format!("{path}/{}", of.name);
    let known = |path: &str| {
        let parent = path.rsplit('/').nth(1).unwrap_or_default();
        schema.get(format!("{parent}/{}", of.name).as_str()).or(schema.get(of.name.as_str()))
    };
    if of.children.is_empty() {
        return;
    }
    let Some(allowed) = known(&path) else {
        found.push(format!("{path}: the table has no such element"));
        return;
    };
    let allowed: Vec<&str> = allowed.split_whitespace().collect();
    let name = |allowed: &str| allowed.trim_end_matches('!').to_string();
    let mut last = 0;
    for child in &of.children {
        match allowed.iter().position(|allowed| name(allowed) == child.name) {
            None => found.push(format!("{path}: {} does not belong here", child.name)),
            Some(at) if at < last => found.push(format!("{path}: {} is too late", child.name)),
            Some(at) => last = at,
        }
        wrong(child, &path, schema, found);
    }
    for needed in allowed.iter().filter(|allowed| allowed.ends_with('!')) {
        if of.children.iter().all(|child| child.name != name(needed)) {
            found.push(format!("{path}: {} is missing", name(needed)));
        }
    }
}

/// What is wrong with a sample, and `None` of one in a version that has no table here.
fn check(text: &str) -> Option<Vec<String>> {
    let of_version = [("053.001.02\"", VERSION_2), ("053.001.08\"", VERSION_8)];
    let (_, special) = of_version.into_iter().find(|(name, _)| text.contains(name))?;
    let schema = COMMON.iter().chain(special).copied().collect();
    let mut found = Vec::new();
    wrong(&parse(text), "", &schema, &mut found);
    Some(found)
}

/// The documents of a journey, without what fills them at run time.
fn documents(journey: &str) -> Vec<String> {
    let mut found = Vec::new();
    for prefix in ["", "ns2:"] {
        let (from, to) = (format!("<{prefix}Document "), format!("</{prefix}Document>"));
        let ends = journey.split(&to).filter_map(|text| Some(text.split_once(&from)?.1));
        found.extend(ends.map(|inner| format!("{from}{inner}{to}")));
    }
    found
}

#[test]
fn the_samples_are_what_the_schema_asks_for() {
    assert_eq!(check(&camt()), Some(Vec::new()));
    assert_eq!(check(&later()), Some(Vec::new()));
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/journeys/bank");
    let mut checked = 0;
    for name in ["connect_a_bank.http", "formats.http", "again.http"] {
        let journey = fs::read_to_string(folder.join(name)).unwrap();
        for document in documents(&journey) {
            let Some(found) = check(&document) else { continue };
            assert_eq!(found, Vec::<String>::new(), "{name}");
            checked += 1;
        }
    }
    assert!(checked >= 4, "only {checked} documents were found");
}

#[test]
fn what_the_schema_does_not_have_is_found() {
    for (from, to, wanted) in [
        ("<Sts>BOOK</Sts>", "", "Sts is missing"),
        (
            "<CdtDbtInd>CRDT</CdtDbtInd><Sts>BOOK</Sts>",
            "<Sts>BOOK</Sts><CdtDbtInd>CRDT</CdtDbtInd>",
            "is too late",
        ),
        ("<Refs>", "<Amt Ccy=\"EUR\">1.00</Amt><Refs>", "Amt does not belong here"),
        ("<Dbtr><Nm>", "<Dbtr><Pty><Nm>", "Pty does not belong here"),
    ] {
        let broken = camt().replacen(from, to, 1);
        let broken = if to.contains("<Pty>") {
            broken.replacen("</Nm></Dbtr>", "</Nm></Pty></Dbtr>", 1)
        } else {
            broken
        };
        let found = check(&broken).unwrap();
        assert!(found.iter().any(|of| of.contains(wanted)), "{wanted}: {found:?}");
    }
}
