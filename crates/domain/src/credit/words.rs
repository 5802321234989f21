//! A check in plain words, for those who sell.

use super::{
    check::{Judged, Reason, Seen},
    limit::{Decided, Limits},
};
use crate::{
    Date, Decimal, Id, Money,
    contract::{
        credit::{
            CheckReason, Contribution, ExposureComponent, Hold, LimitKind, MemberPayment,
            NeededLimit, PassCondition, RuleKind, TermsAdvice, Verdict,
        },
        types::{CustomerStatus, Grade, Language},
    },
    message,
    text::counted,
};

/// The most invoices that a sentence names.
const MAX_NAMED: usize = 5;

/// A reason as clients get it.
pub fn reason(of: &Reason, language: Language) -> CheckReason {
    let (value, threshold) = match &of.seen {
        Seen::Plain | Seen::Waiting => (String::new(), String::new()),
        Seen::Status(status) => (status.to_string(), String::new()),
        Seen::Count(seen, most) => (seen.to_string(), most.normalize().to_string()),
        Seen::Grade(grade, before) => {
            (grade.to_string(), before.map(|before| before.to_string()).unwrap_or_default())
        }
        Seen::Amount(seen, most) | Seen::Component(_, seen, most) => (plain(*seen), plain(*most)),
        Seen::Used { after, most, .. } => (plain(*after), plain(*most)),
        Seen::Hold(id) => (id.to_string(), String::new()),
    };
    CheckReason {
        rule: of.rule.clone(),
        kind: of.kind,
        level: of.level,
        verdict: of.verdict,
        detail: match language {
            Language::En => english(of),
            Language::ZhCn => chinese(of),
        },
        value,
        threshold,
    }
}

/// What a limit is proposed from.
#[derive(Clone, Debug)]
pub struct Grounds {
    /// Of the limit policy.
    pub version: u32,
    pub tier: Option<String>,
    pub grade: Option<Grade>,
    pub turnover: Money,
    pub guaranteed: Money,
    /// The day of the alert that led to it, and whether it is serious or critical; else the grade worsened.
    pub after: Option<(Date, bool)>,
}

/// Why a limit is proposed.
pub fn proposed(of: &Grounds, language: Language) -> String {
    let after = match (of.after, language) {
        (None, _) => String::new(),
        (Some((on, true)), Language::En) => format!("After a serious or critical alert of {on}. "),
        (Some((on, false)), Language::En) => format!("After the grade worsened on {on}. "),
        (Some((on, true)), Language::ZhCn) => format!("{on} 出现严重或紧急预警。"),
        (Some((on, false)), Language::ZhCn) => format!("{on} 信用等级下降。"),
    };
    let (turnover, guaranteed) = (amount(&of.turnover, language), amount(&of.guaranteed, language));
    let (version, grade) = (of.version, of.grade.map(|grade| grade.to_string()));
    let tier = of.tier.as_ref();
    match language {
        Language::En => {
            let tier = tier.map(|tier| format!("tier {tier}, ")).unwrap_or_default();
            let grade = grade.map_or("no grade".into(), |grade| format!("grade {grade}"));
            format!(
                "{after}Limit policy {version}: {tier}{grade}, turnover of 12 months {turnover}, guaranteed {guaranteed}."
            )
        }
        Language::ZhCn => {
            let tier = tier.map(|tier| format!("分层 {tier}，")).unwrap_or_default();
            let grade = grade.map_or("无信用等级".into(), |grade| format!("信用等级 {grade}"));
            format!(
                "{after}额度政策第 {version} 版：{tier}{grade}，近 12 个月营业额 {turnover}，担保 {guaranteed}。"
            )
        }
    }
}

fn plain(money: Money) -> String {
    format!("{} {}", money.currency, money.to_decimal())
}

fn amount(money: &Money, language: Language) -> String {
    message::amount(money.minor, money.currency, language)
}

fn english(of: &Reason) -> String {
    let money = |money: &Money| amount(money, Language::En);
    // What merely warns allows more.
    let bound = |most: String| match of.verdict {
        Verdict::Warn => format!("a warning is given above {most}"),
        _ => format!("{most} is allowed"),
    };
    let count = |most: &Decimal| match of.verdict {
        Verdict::Warn => bound(most.normalize().to_string()),
        _ if *most == Decimal::ONE => "1 is allowed".into(),
        _ => format!("{} are allowed", most.normalize()),
    };
    match (&of.kind, &of.seen) {
        (RuleKind::DaysOverdue, Seen::Count(seen, most)) => {
            format!("The oldest item is {} overdue; {}.", counted(*seen, "day"), count(most))
        }
        (RuleKind::WorsenedTerms, Seen::Count(seen, most)) => {
            let longer = counted(*seen, "day");
            format!("The terms asked for are {longer} longer than usual; {}.", count(most))
        }
        (RuleKind::BrokenPromise, Seen::Count(seen, most)) => {
            format!("Broken promises to pay: {seen}; {}.", count(most))
        }
        (_, Seen::Status(status)) => format!("The account is {}.", account(*status)),
        (RuleKind::ExpiredLimit, _) => "The credit limit has expired.".into(),
        (_, Seen::Waiting) => "The first credit limit waits for a second key.".into(),
        (RuleKind::LimitMissing, _) => "No credit limit was set.".into(),
        (RuleKind::LegalStage, _) => "A debt is in the legal stage.".into(),
        (_, Seen::Grade(grade, Some(before))) if before < grade => {
            format!("The grade fell from {before} to {grade}.")
        }
        (_, Seen::Grade(grade, _)) => format!("The grade is {grade}."),
        (RuleKind::OrderAmount, Seen::Amount(seen, most)) => match of.verdict {
            Verdict::Warn => format!("{} is asked for; {}.", money(seen), bound(money(most))),
            _ => format!("{} is asked for; one order may have {}.", money(seen), money(most)),
        },
        (_, Seen::Amount(seen, most)) => {
            format!("{} is overdue; {}.", money(seen), bound(money(most)))
        }
        (_, Seen::Used { after, most, group: false }) => {
            format!("The exposure would be {}; {}.", money(after), bound(money(most)))
        }
        (_, Seen::Used { after, most, group: true }) => {
            format!("The exposure of the group would be {}; {}.", money(after), bound(money(most)))
        }
        (_, Seen::Component(component, seen, most)) => {
            let component = component.name().replace('-', " ");
            format!("Of {component} there is {}; {}.", money(seen), bound(money(most)))
        }
        (_, Seen::Hold(id)) => format!("A forced hold stands: {id}."),
        (kind, _) => format!("{kind}."),
    }
}

/// A forced hold that stands: why somebody placed it, or that a rule did.
pub fn standing(hold: &Hold, language: Language) -> String {
    let rules: Vec<&str> = hold.rules.iter().map(Id::as_str).collect();
    match (&hold.reason, language) {
        (Some(reason), Language::En) => format!("Somebody placed a hold: {reason}"),
        (Some(reason), Language::ZhCn) => format!("有人工冻结：{reason}"),
        (None, Language::En) => {
            format!("It waits until somebody releases it, because of {}.", rules.join(", "))
        }
        (None, Language::ZhCn) => format!("须由人工放行，原因：{}。", rules.join("、")),
    }
}

fn account(status: CustomerStatus) -> &'static str {
    match status {
        CustomerStatus::Prospect => "that of a prospect",
        CustomerStatus::Active => "active",
        CustomerStatus::OnHold => "on hold",
        CustomerStatus::Suspended => "suspended",
        CustomerStatus::Closed => "closed",
    }
}

fn chinese(of: &Reason) -> String {
    let money = |money: &Money| amount(money, Language::ZhCn);
    let bound = |most: String| match of.verdict {
        Verdict::Warn => format!("超过 {most} 即提示"),
        _ => format!("允许 {most}"),
    };
    match (&of.kind, &of.seen) {
        (RuleKind::DaysOverdue, Seen::Count(seen, most)) => {
            format!(
                "最早的未付款项已逾期 {seen} 天，{}。",
                bound(format!("{} 天", most.normalize()))
            )
        }
        (RuleKind::WorsenedTerms, Seen::Count(seen, most)) => {
            format!(
                "所要求的账期比平时长 {seen} 天，{}。",
                bound(format!("{} 天", most.normalize()))
            )
        }
        (RuleKind::BrokenPromise, Seen::Count(seen, most)) => {
            format!("未兑现的付款承诺 {seen} 次，{}。", bound(format!("{} 次", most.normalize())))
        }
        (_, Seen::Status(status)) => format!(
            "客户账户状态：{}。",
            match status {
                CustomerStatus::Prospect => "潜在客户",
                CustomerStatus::Active => "正常",
                CustomerStatus::OnHold => "暂缓交易",
                CustomerStatus::Suspended => "已停止供货",
                CustomerStatus::Closed => "已关闭",
            }
        ),
        (RuleKind::ExpiredLimit, _) => "信用额度已过期。".into(),
        (_, Seen::Waiting) => "首个信用额度尚待第二把密钥批准。".into(),
        (RuleKind::LimitMissing, _) => "尚未设定信用额度。".into(),
        (RuleKind::LegalStage, _) => "有欠款已进入法律程序。".into(),
        (_, Seen::Grade(grade, Some(before))) if before < grade => {
            format!("信用等级由 {before} 降至 {grade}。")
        }
        (_, Seen::Grade(grade, _)) => format!("信用等级为 {grade}。"),
        (RuleKind::OrderAmount, Seen::Amount(seen, most)) => match of.verdict {
            Verdict::Warn => format!("本次金额 {}，{}。", money(seen), bound(money(most))),
            _ => format!("本次金额 {}，单笔上限 {}。", money(seen), money(most)),
        },
        (_, Seen::Amount(seen, most)) => {
            format!("逾期金额 {}，{}。", money(seen), bound(money(most)))
        }
        (_, Seen::Used { after, most, group: false }) => {
            format!("信用占用将达 {}，{}。", money(after), bound(money(most)))
        }
        (_, Seen::Used { after, most, group: true }) => {
            format!("集团信用占用将达 {}，{}。", money(after), bound(money(most)))
        }
        (_, Seen::Component(component, seen, most)) => {
            let component = match component {
                ExposureComponent::OpenInvoices => "未到期应收款",
                ExposureComponent::OverdueInvoices => "逾期应收款",
                ExposureComponent::OrdersReserved => "已预留金额",
                ExposureComponent::Undelivered => "未发货订单",
                ExposureComponent::Unbilled => "已发货未开票",
                ExposureComponent::Unapplied => "未核销款项",
                ExposureComponent::Secured => "担保覆盖金额",
            };
            format!("{component}为 {}，{}。", money(seen), bound(money(most)))
        }
        (_, Seen::Hold(id)) => format!("存在强制冻结：{id}。"),
        (kind, _) => format!("{kind}。"),
    }
}

/// Terms to offer.
pub fn offer(
    advice: TermsAdvice,
    of: Option<&Money>,
    days: Option<u32>,
    language: Language,
) -> String {
    use TermsAdvice as T;
    let of = of.map(|money| amount(money, language));
    let english = language == Language::En;
    match (advice, of, days, english) {
        (T::ShorterTerms, _, Some(days), true) => {
            format!("Offer terms of {}.", counted(days.into(), "day"))
        }
        (T::ShorterTerms, _, Some(days), false) => format!("建议账期缩短为 {days} 天。"),
        (T::ShorterTerms, _, None, true) => "Offer shorter terms.".into(),
        (T::ShorterTerms, _, None, false) => "建议缩短账期。".into(),
        (T::Deposit, Some(of), _, true) => format!("Ask for {of} in advance."),
        (T::Deposit, Some(of), _, false) => format!("要求预付 {of}。"),
        (T::Deposit, None, _, true) => "Ask for a part in advance.".into(),
        (T::Deposit, None, _, false) => "要求预付部分款项。".into(),
        (T::Guarantee, Some(of), _, true) => format!("Ask for a guarantee of {of}."),
        (T::Guarantee, Some(of), _, false) => format!("要求提供 {of} 的担保。"),
        (T::Guarantee, None, _, true) => "Ask for a guarantee.".into(),
        (T::Guarantee, None, _, false) => "要求提供担保。".into(),
        (T::LargerLimit, Some(of), _, true) => format!("A limit of {of} may be applied for."),
        (T::LargerLimit, Some(of), _, false) => format!("可申请将额度提高到 {of}。"),
        (T::LargerLimit, None, _, true) => "A larger limit may be applied for.".into(),
        (T::LargerLimit, None, _, false) => "可申请提高额度。".into(),
        (T::Prepay, Some(of), _, true) => format!("Sell against {of} in advance."),
        (T::Prepay, Some(of), _, false) => format!("先付款 {of} 后发货。"),
        (T::Prepay, None, _, true) => "Sell against payment in advance.".into(),
        (T::Prepay, None, _, false) => "先付款后发货。".into(),
    }
}

/// What would make it pass, in one paragraph.
pub fn would_pass_if(of: &PassCondition, judged: &Judged, language: Language) -> String {
    let money = |money: &Money| amount(money, language);
    let english = language == Language::En;
    let mut ways: Vec<String> = Vec::new();
    let mut way = |en: String, zh: String| ways.push(if english { en } else { zh });
    if let Some(most) = &of.amount {
        way(format!("order at most {}", money(most)), format!("订单不超过 {}", money(most)));
    }
    if let Some(least) = &of.prepayment {
        way(format!("pay {} in advance", money(least)), format!("预付 {}", money(least)));
    }
    if let Some(least) = &of.guarantee {
        way(
            format!("bring a guarantee of {}", money(least)),
            format!("提供 {} 的担保", money(least)),
        );
    }
    if !of.invoices.is_empty() {
        let (named, more) = names(&of.invoices);
        way(
            match more {
                0 if named.len() == 1 => format!("pay invoice {}", named.join(", ")),
                0 => format!("pay invoices {}", named.join(", ")),
                more => format!("pay invoices {} and {more} more", named.join(", ")),
            },
            match more {
                0 => format!("付清账单 {}", named.join("、")),
                more => format!("付清账单 {} 及另外 {more} 张", named.join("、")),
            },
        );
    }
    if !of.members.is_empty() {
        let each = |of: &MemberPayment| {
            let most = money(&Money::new(of.minor, of.currency));
            if english {
                format!("{} {most}", of.customer)
            } else {
                format!("{} 付 {most}", of.customer)
            }
        };
        let all: Vec<String> = of.members.iter().take(MAX_NAMED).map(each).collect();
        let more = of.members.len().saturating_sub(all.len());
        let (en, zh) = (all.join(" and "), all.join("、"));
        way(
            match more {
                0 => format!("have its group pay what it owes: {en}"),
                more => format!("have its group pay what it owes: {en} and {more} more"),
            },
            match more {
                0 => format!("由集团成员付款：{zh}"),
                more => format!("由集团成员付款：{zh} 及另外 {more} 家"),
            },
        );
    }
    let figure = |of: &NeededLimit| money(&Money::new(of.minor, of.currency));
    match (&of.limit, &of.group_limit) {
        (None, None) => {}
        (Some(own), None) => {
            let most = figure(own);
            match (own.kind, judged.limit.is_some()) {
                (LimitKind::Temporary, _) => way(
                    format!("have the temporary limit raised to {most}"),
                    format!("将临时额度提高到 {most}"),
                ),
                (_, true) => {
                    way(format!("have the limit raised to {most}"), format!("将额度提高到 {most}"))
                }
                (_, false) => {
                    way(format!("have a limit of {most} set"), format!("设定 {most} 的额度"));
                }
            }
        }
        (None, Some(group)) => {
            let (most, head) = (figure(group), &group.customer);
            way(
                format!("have the limit of the group {head} raised to {most}"),
                format!("将集团 {head} 的额度提高到 {most}"),
            );
        }
        (Some(own), Some(group)) => {
            let (own, most, head) = (figure(own), figure(group), &group.customer);
            way(
                format!("have the limit raised to {own} and that of the group {head} to {most}"),
                format!("将额度提高到 {own}，并将集团 {head} 的额度提高到 {most}"),
            );
        }
    }
    let forced = judged.reasons.iter().any(|of| of.verdict > Verdict::Hold);
    match (ways.is_empty(), forced, english) {
        (true, false, true) => {
            "No payment or guarantee would do: the reasons above have to clear, or somebody has to release it.".into()
        }
        (true, false, false) => "付款或担保均不能解除：须待上述原因消除，或由人工放行。".into(),
        (true, true, true) => "Only somebody who releases it lets it pass.".into(),
        (true, true, false) => "只能由人工放行。".into(),
        (false, _, true) => format!("It passes with any one of these: {}.", ways.join("; ")),
        (false, _, false) => format!("满足以下任一条件即可通过：{}。", ways.join("；")),
    }
}

fn names(of: &[Contribution]) -> (Vec<String>, usize) {
    let named: Vec<String> = of.iter().take(MAX_NAMED).map(|of| of.id.to_string()).collect();
    let more = of.len().saturating_sub(named.len());
    (named, more)
}

/// Why not all of the limit of a record counts.
pub fn capped(language: Language) -> String {
    match language {
        Language::En => {
            "The limit of the record needs a second key: of it counts what is below the threshold."
                .into()
        }
        Language::ZhCn => "客户资料中的额度须经第二人批准：仅计入低于审批门槛的部分。".into(),
    }
}

/// Which limit decided, in one sentence.
pub fn why(decided: Decided, temporary: bool, limits: &Limits, language: Language) -> String {
    let english = language == Language::En;
    let text = match (decided, limits.expired(), temporary) {
        (Decided::None, true, _) => ("The limit has expired.", "额度已过期。"),
        (Decided::None, false, _) => ("No limit is set.", "尚未设定额度。"),
        (Decided::Unlimited, _, _) => {
            ("The customer's own limit is unlimited.", "客户自身额度不设上限。")
        }
        (Decided::Individual, _, true) => {
            ("A temporary limit holds on the day.", "当日适用临时额度。")
        }
        (Decided::Individual, _, false) => match limits.group.is_some() {
            true => (
                "The customer's own limit is not above that of its group.",
                "客户自身额度不高于集团额度。",
            ),
            false => ("The customer's own limit.", "客户自身额度。"),
        },
        (Decided::Group, _, _) => match limits.individual.as_ref().map(|own| own.minor > 0) {
            Some(true) => ("The group's limit is the lower one.", "集团额度较低。"),
            Some(false) => (
                "The customer's own limit is zero and not mandatory: the group's counts.",
                "客户自身额度为零且非强制：适用集团额度。",
            ),
            None => (
                "The customer has none of its own: the group's counts.",
                "客户无自身额度：适用集团额度。",
            ),
        },
    };
    if english { text.0.into() } else { text.1.into() }
}
