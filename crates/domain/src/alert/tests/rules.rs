//! Rules: which can be sent, and what they say.

use super::*;

#[test]
fn a_rule_names_the_field_that_is_wrong() {
    let good = json!({
        "severity": "serious", "terms": [{"kind": "above", "fact": "irregularity", "bound": "20"}],
        "text": {"en": "{value}", "zh_cn": "{value%}"}, "advice": {"en": "a", "zh_cn": "a"},
    });
    let terms = |term: Value| json!({"terms": [term]});
    let above = good["terms"][0].clone();
    let cases = [
        (json!({}), None),
        (json!({"owner": ""}), Some((Refusal::MissingField, "owner"))),
        (json!({"dedupe_key": "paying"}), None),
        (json!({"dedupe_key": ""}), Some((Refusal::MalformedField, "dedupe_key"))),
        (json!({"dedupe_key": "Paying late"}), Some((Refusal::MalformedField, "dedupe_key"))),
        (json!({"terms": []}), Some((Refusal::MissingField, "terms"))),
        (
            terms(json!({"kind": "above", "bound": "1"})),
            Some((Refusal::MissingField, "terms[0].fact")),
        ),
        (
            terms(json!({"kind": "above", "fact": "irregularity"})),
            Some((Refusal::MissingField, "terms[0].bound")),
        ),
        (
            terms(json!({"kind": "newly-overdue", "bound": "1"})),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (terms(json!({"kind": "event"})), Some((Refusal::MissingField, "terms[0].event"))),
        (
            terms(json!({"kind": "event", "event": "dispute-opened", "days": 0})),
            Some((Refusal::MalformedField, "terms[0].days")),
        ),
        (
            terms(
                json!({"kind": "above", "fact": "irregularity", "bound": "1", "closing_bound": "2"}),
            ),
            Some((Refusal::MalformedField, "terms[0].closing_bound")),
        ),
        (
            terms(
                json!({"kind": "below", "fact": "irregularity", "bound": "1", "closing_bound": "2"}),
            ),
            None,
        ),
        (
            terms(json!({"kind": "anomaly", "fact": "irregularity", "bound": "3", "spread": "0"})),
            Some((Refusal::MalformedField, "terms[0].spread")),
        ),
        (
            terms(json!({"kind": "limit-used", "bound": "-1"})),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (
            json!({"terms": [{"kind": "limit-used", "bound": "1"}, {"kind": "book-share", "bound": "1"}]}),
            Some((Refusal::MalformedField, "terms")),
        ),
        (json!({"holds_days": 366}), Some((Refusal::MalformedField, "holds_days"))),
        (
            json!({"holds_days": 1, "terms": [above.clone(), {"kind": "newly-overdue"}]}),
            Some((Refusal::MalformedField, "holds_days")),
        ),
        (
            json!({"holds_days": 1, "term_match": "any", "terms": [above, {"kind": "grade-worse"}]}),
            None,
        ),
        (
            json!({"terms": [{"kind": "grade-worse", "bound": "0"}]}),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (
            json!({"terms": [{"kind": "grade-worse", "bound": "5"}]}),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (
            json!({"terms": [{"kind": "notch-worse", "bound": "1.5"}]}),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (json!({"terms": [{"kind": "notch-worse", "bound": "14"}]}), None),
        (
            json!({"terms": [{"kind": "limit-used", "bound": "1", "closing_bound": "-0.1"}]}),
            Some((Refusal::MalformedField, "terms[0].closing_bound")),
        ),
        (
            json!({"terms": [{"kind": "anomaly", "fact": "irregularity", "bound": "-1"}]}),
            Some((Refusal::MalformedField, "terms[0].bound")),
        ),
        (
            json!({"escalation": {"after_days": 0}}),
            Some((Refusal::MalformedField, "escalation.after_days")),
        ),
        (json!({"escalation": {"after_days": 1}}), Some((Refusal::MalformedField, "escalation"))),
        (
            json!({"escalation": {"after_days": 1, "severity": "info"}}),
            Some((Refusal::MalformedField, "escalation.severity")),
        ),
        (
            json!({"text": {"en": "{name}", "zh_cn": "a"}}),
            Some((Refusal::MalformedField, "text.en")),
        ),
        (
            json!({"advice": {"en": "a", "zh_cn": ""}}),
            Some((Refusal::MissingField, "advice.zh_cn")),
        ),
    ];
    for (change, expected) in cases {
        let mut document = good.clone();
        document.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let rule: NewAlertRule = serde_json::from_value(document).unwrap();
        let refused = check("rule", &rule).err();
        let found = refused.as_ref().map(|of| (of.code, of.field.as_deref().unwrap_or_default()));
        assert_eq!(found, expected, "{change}");
    }
    let rule: NewAlertRule = serde_json::from_value(good).unwrap();
    for name in ["", "Rule", "a b", &"a".repeat(65)] {
        assert_eq!(check(name, &rule).unwrap_err().code, Refusal::MalformedId, "{name}");
    }
}

#[test]
fn every_shipped_rule_is_one_that_could_be_sent() {
    let text = include_str!("../shipped.json");
    let all: Vec<AlertRule> = serde_json::from_str(text).unwrap();
    for of in &all {
        check(&of.name, &of.rule).unwrap();
        assert!(of.shipped && of.rule.kind.is_some(), "{}", of.name);
        assert_eq!(shipped_version(&of.name, of.version).as_ref(), Some(of));
        for words in [&of.rule.text, &of.rule.advice] {
            assert!(!words.zh_cn.is_ascii() && words.en.is_ascii(), "{}", of.name);
        }
    }
    let in_force = shipped();
    assert!(in_force.windows(2).all(|pair| pair[0].name < pair[1].name));
    for kind in AlertKind::ALL {
        let none_yet = *kind == AlertKind::Other;
        let found = in_force.iter().any(|of| of.rule.kind == Some(*kind));
        assert_eq!(found, !none_yet, "{kind}");
    }
}

#[test]
fn one_day_is_not_many_in_whatever_rule_says_so() {
    let said = |of: &AlertRule, value: &str, language| {
        let before = TermSeen {
            term: 1,
            name: "of".into(),
            value: value.into(),
            bound: "9".into(),
            closes_at: "9".into(),
            before: Some("5".into()),
            before_on: None,
            distance: None,
            last: None,
        };
        let evidence = Evidence {
            rule: "r@1".into(),
            value: value.into(),
            threshold: "9".into(),
            terms: Some(vec![before]),
        };
        text(&of.rule, &evidence, None, language)
    };
    let mut seen = 0;
    for of in shipped() {
        let words = of.rule.text.en.replace("{before}", "5");
        if !words.contains("{value} days") && !words.contains("{value} more days") {
            continue;
        }
        seen += 1;
        for value in ["2", "11", "21"] {
            assert_eq!(said(&of, value, Language::En), words.replace("{value}", value));
        }
        let one = words
            .replace("{value}", "1")
            .replace("1 days", "1 day")
            .replace("more days", "more day");
        for value in ["1", "1.4", "0.6"] {
            assert_eq!(said(&of, value, Language::En), one, "{}", of.name);
        }
        let chinese = of.rule.text.zh_cn.replace("{before}", "5").replace("{value}", "1");
        assert_eq!(said(&of, "1", Language::ZhCn), chinese);
    }
    assert!(seen > 5, "{seen}");
    let own = |words: &str| {
        let terms = json!([{"kind": "above", "fact": "items-12m", "bound": "0"}]);
        said(
            &rule(json!({"terms": terms, "text": {"en": words, "zh_cn": "无"}})),
            "1",
            Language::En,
        )
    };
    assert_eq!(own("{value} days."), "1 day.");
    assert_eq!(own("{value} daystars, {value} items"), "1 daystars, 1 items");
    assert_eq!(own("{value}1 days"), "11 days");
}

/// At each bound of the words: below zero, none, one and many, and where nothing before is known.
#[test]
fn days_are_told_in_words_whatever_their_number() {
    let said = |name: &str, value: &str, before: &str, language| {
        let seen = TermSeen {
            term: 1,
            name: "of".into(),
            value: value.into(),
            bound: "9".into(),
            closes_at: "9".into(),
            before: (before != "-").then(|| before.into()),
            before_on: None,
            distance: None,
            last: None,
        };
        let evidence = Evidence {
            rule: "r@1".into(),
            value: value.into(),
            threshold: "9".into(),
            terms: Some(vec![seen]),
        };
        let rule = shipped().into_iter().find(|of| of.name == name).unwrap().rule;
        text(&rule, &evidence, None, language)
    };
    let table = "
        late-after-prompt | 9.4 | - | In the last 3 months it paid 9 days late on average, counting what is unpaid and overdue; in the 9 before it was less than 10. | 近 3 个月平均晚付 9 天（含逾期未付款项），此前 9 个月平均晚付不到 10 天。
        late-after-prompt | 1 | - | In the last 3 months it paid 1 day late on average, counting what is unpaid and overdue; in the 9 before it was less than 10. | 近 3 个月平均晚付 1 天（含逾期未付款项），此前 9 个月平均晚付不到 10 天。
        trend-worse | -321.6 | - | In the last 3 months it paid 322 days earlier on average than in the 9 before, counting what is unpaid and overdue. | 近 3 个月平均比此前 9 个月早付 322 天（含逾期未付款项）。
        trend-worse | -0.4 | - | In the last 3 months it paid 0 days later on average than in the 9 before, counting what is unpaid and overdue. | 近 3 个月平均比此前 9 个月晚付 0 天（含逾期未付款项）。
        trend-worse | 6.5001 | - | In the last 3 months it paid 7 days later on average than in the 9 before, counting what is unpaid and overdue. | 近 3 个月平均比此前 9 个月晚付 7 天（含逾期未付款项）。
        trend-slope | -1 | - | Each month it pays 1 day earlier than the month before. | 付款每月比上月约早 1 天。
        trend-slope | 4.4 | - | Each month it pays 4 days later than the month before. | 付款每月比上月约晚 4 天。
        irregular | 1 | - | Pays irregularly: how late items are varies by 1 day. | 付款不规律：迟付天数的波动为 1 天。
        unlike-before | 24 | 14 | The last three payments were 24 days late on average; with this customer they are 14 days late as a rule. | 最近三笔付款平均晚 24 天，而该客户平时晚 14 天。
        unlike-before | 24 | -5.2 | The last three payments were 24 days late on average; with this customer they are 5 days early as a rule. | 最近三笔付款平均晚 24 天，而该客户平时早 5 天。
        unlike-before | 1 | -1 | The last three payments were 1 day late on average; with this customer they are 1 day early as a rule. | 最近三笔付款平均晚 1 天，而该客户平时早 1 天。
        unlike-before | 11 | 0 | The last three payments were 11 days late on average; with this customer they are 0 days late as a rule. | 最近三笔付款平均晚 11 天，而该客户平时晚 0 天。
        unlike-before | 11 | - | The last three payments were 11 days late on average; with this customer they are unknown days late as a rule. | 最近三笔付款平均晚 11 天，而该客户平时晚 不详 天。
        dormancy-then-order | 181 | - | Orders again after 181 days without an invoice. | 在 181 天没有账单之后再次下单。
        guarantee-ending | 0 | - | A guarantee can be claimed for the last time today. | 一项担保今天到期。
        guarantee-ending | 1 | - | A guarantee can be claimed for 1 more day. | 一项担保还有 1 天到期。
        guarantee-ending | 30 | - | A guarantee can be claimed for 30 more days. | 一项担保还有 30 天到期。
        insurance-ending | 0 | - | The credit insurance ends today. | 信用保险今天到期。
        insurance-ending | 1 | - | The credit insurance ends in 1 day. | 信用保险还有 1 天到期。
        contract-ending | 0 | - | A contract ends today. | 一份合同今天到期。
        milestone-near | 0 | - | A milestone of a contract comes today. | 一份合同的里程碑今天到来。
        milestone-near | 14 | - | A milestone of a contract comes in 14 days. | 一份合同的里程碑还有 14 天到来。
        in-default | 1 | - | Open defaults: 1. | 该客户有 1 项违约未了结。
        promise-broken | 2 | - | Broken promises to pay that are not made good: 2. | 有 2 项未履行的付款承诺尚未补付。
        external-score-fell | 40 | - | The score that others give fell from unknown to 40. | 外部评分由 不详 降至 40。
        overdue-very-long | 0.1001 | - | More than 90 days past due and not contested: 10 % of what it has not paid, or of a twentieth of what it pays in a year where that is more. | 逾期 90 天以上且无争议的款项占未付金额的 10%（未付金额不足一年付款额二十分之一时，按后者计）。";
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split('|').map(str::trim).collect();
        let [name, value, before, en, zh] = words[..] else { panic!("{line}") };
        assert_eq!(said(name, value, before, Language::En), en);
        assert_eq!(said(name, value, before, Language::ZhCn), zh);
    }
    // Every rule that says days says them so: no sign, and no place left, at whatever number.
    for of in shipped() {
        for value in ["-321.6", "-1", "0", "1", "2"] {
            for language in [Language::En, Language::ZhCn] {
                let told = said(&of.name, value, "-1", language);
                let days = told.contains(" day") || told.contains(" 天");
                assert!(!told.contains('{') && !told.contains("1 days"), "{told}");
                let relative = told.contains("earl") || told.contains('早');
                assert!(!days || !relative || !told.contains('-'), "{told}");
            }
        }
    }
}

#[test]
fn each_alert_says_why_and_what_to_do_in_both_languages() {
    let told = |name: &str, value: &str, threshold: &str, language| {
        let evidence = Evidence {
            rule: "r@1".into(),
            value: value.into(),
            threshold: threshold.into(),
            terms: None,
        };
        let rule = shipped().into_iter().find(|of| of.name == name).unwrap().rule;
        let currency = "CNY".parse().ok();
        let text = text(&rule, &evidence, currency, language);
        format!("{text} / {}", advice(&rule, &evidence, currency, language))
    };
    let table = "
        first-overdue | CNY 1250.00, EUR 3.05 | 0 | Newly past due: CNY 1,250.00, EUR 3.05. Nothing was past due before. / Ask the customer now whether the invoice is in order and when it will be paid.
        grade-worse | D | B | The grade fell from B to D. / See the reasons of the score, and review limit and terms before taking new orders.
        grade-slipped | B2 | A3 | The grade slipped from A3 to B2. / See the reasons of the score: what moved stands in its history.
        trend-worse | 12.1414 | 12 | In the last 3 months it paid 12 days later on average than in the 9 before, counting what is unpaid and overdue. / Agree on a date for what is overdue, and review the terms.
        trend-worse | 12.1414 | 12 | 近 3 个月平均比此前 9 个月晚付 12 天（含逾期未付款项）。 / 请就逾期款项约定付款日，并复核账期。
        sudden-demand | 3.2658 | 3 | The largest invoice of the last 30 days is 3.27 times the usual one. / Ask what the order is for, and check the limit before delivering more.
        accounts-in-distress | 1.2283 | 1.23 | By its latest accounts it is in distress: Altman's Z' is 1.228, the bound is 1.23. / Ask for newer accounts or for security.
        contact-changed | 2024-03-01 | 2024-02-01 | The contacts changed on 2024-03-01. / Confirm the new contact by a way that was known before.
        overdue-long | 0.666666 | 0.25 | More than 30 days past due and not contested: 66.7 % of what it has not paid, or of a twentieth of what it pays in a year where that is more. / Escalate the reminders and hold new orders. What is contested waits for its answer.
        limit-near | 0.9001 | 0.9 | 90.01 % of the limit in CNY is used; the bound is 90 %. / Ask for payment, or review the limit before the next order.
        limit-near | 0.9051 | 0.9 | 90.5 % of the limit in CNY is used; the bound is 90 %. / Ask for payment, or review the limit before the next order.
        first-overdue | CNY 1250.00, EUR 3.05 | 0 | 新出现逾期：人民币 1,250.00 元、3.05 欧元，此前没有逾期款项。 / 请立即联系客户，确认账单是否无误以及何时付款。
        limit-exceeded | 1.25 | 1 | CNY 信用额度已超限，使用 125%。额度为零时按十倍计。 / 请暂停新订单，或催收、调整额度。";
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let words: Vec<&str> = line.split('|').map(str::trim).collect();
        let language = if words[3].is_ascii() { Language::En } else { Language::ZhCn };
        assert_eq!(told(words[0], words[1], words[2], language), words[3]);
    }
}
