//! The words of a notice: subject and body in the debtor's language.
//!
//! Courteous at every level, and never more than what is known: a notice asks, names every item and says whom to
//! answer when it is wrong. Amounts carry their currency, dates cannot be misread.

use crate::{
    Currency, Date, Money,
    contract::{remind::NoticeLevel, types::Language},
    dunning::{Draft, DraftItem},
};
use chrono::Datelike as _;
use std::fmt::Write as _;

/// The most items that a body lists. A page of a letter holds about fifty lines; the rest is counted and summed, and
/// the notice's own list of items stays complete.
pub const MAX_LISTED: usize = 50;

/// What a letter is made of.
#[derive(Clone, Copy, Debug)]
pub struct Letter<'a> {
    /// The organisation that is owed, as it stands in letters.
    pub organisation: &'a str,
    /// The customer that owes, as it stands in letters.
    pub customer: &'a str,
    /// The language to write in.
    pub language: Language,
    /// The currency of all amounts.
    pub currency: Currency,
    /// The business date.
    pub day: Date,
    /// Level, items and total.
    pub draft: &'a Draft,
}

/// A notice in words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// One line.
    pub subject: String,
    /// Plain text, lines ended by `\n`.
    pub body: String,
}

/// Writes the letter.
pub fn write(letter: &Letter) -> Message {
    let total = amount(letter.draft.total_minor, letter.currency, letter.language);
    match letter.language {
        Language::En => english(letter, &total),
        Language::ZhCn => chinese(letter, &total),
    }
}

/// `CNY 1,250.00` in English; `人民币 1,250.00 元` and `1,250.00 欧元` in Chinese. What has no common name there keeps its
/// code.
pub fn amount(minor: i64, currency: Currency, language: Language) -> String {
    let number = grouped(&Money::new(minor, currency).to_decimal());
    let name = match (language, currency.as_str()) {
        (Language::ZhCn, "CNY") => return format!("人民币 {number} 元"),
        (Language::ZhCn, "USD") => "美元",
        (Language::ZhCn, "EUR") => "欧元",
        (Language::ZhCn, "JPY") => "日元",
        (Language::ZhCn, "HKD") => "港元",
        (Language::ZhCn, "GBP") => "英镑",
        (Language::ZhCn, "AUD") => "澳元",
        (Language::ZhCn, "CAD") => "加元",
        (Language::ZhCn, "SGD") => "新加坡元",
        (Language::ZhCn, "KRW") => "韩元",
        (Language::ZhCn, "CHF") => "瑞士法郎",
        _ => return format!("{currency} {number}"),
    };
    format!("{number} {name}")
}

/// `2024-03-31` in English, `2024年3月31日` in Chinese.
pub fn date(day: Date, language: Language) -> String {
    match language {
        Language::En => day.to_string(),
        Language::ZhCn => {
            let day = day.naive();
            format!("{}年{}月{}日", day.year(), day.month(), day.day())
        }
    }
}

/// `1250.00` is `1,250.00`.
pub(crate) fn grouped(number: &str) -> String {
    let (whole, fraction) = number.split_once('.').map_or((number, None), |(w, f)| (w, Some(f)));
    let (sign, digits) = whole.strip_prefix('-').map_or(("", whole), |digits| ("-", digits));
    let mut text = String::from(sign);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && digits.len().saturating_sub(at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if let Some(fraction) = fraction {
        text.push('.');
        text.push_str(fraction);
    }
    text
}

fn english(letter: &Letter, total: &str) -> Message {
    let Letter { organisation, customer, day, draft, .. } = letter;
    let (subject, opening) = match draft.level {
        NoticeLevel::Upcoming => (
            format!("Upcoming payment to {organisation}"),
            "a friendly note that these items will soon be due.",
        ),
        NoticeLevel::Due => (
            format!("Payment due to {organisation}"),
            "these items are now due. Please arrange payment if you have not done so already.",
        ),
        NoticeLevel::First => (
            format!("Payment reminder from {organisation}"),
            "our records do not show payment of these items yet. Perhaps it was overlooked; please arrange it now.",
        ),
        NoticeLevel::Second => (
            format!("Second payment reminder from {organisation}"),
            "we wrote to you before and payment is still outstanding. Please pay these items without further \
             delay, or tell us today when payment will be made.",
        ),
    };
    let items = listed(letter, |item| {
        let due = date(item.due_on, Language::En);
        let open = amount(item.open_minor, letter.currency, Language::En);
        format!("- {}: {open}, due {due} ({})", item.invoice_id, days_english(item.days_past_due))
    });
    let more = more(letter).map_or(String::new(), |(count, minor)| {
        let items = if count == 1 { "item" } else { "items" };
        format!("- and {count} more {items}: {}\n", amount(minor, letter.currency, Language::En))
    });
    let body = format!(
        "Dear {customer},\n\n{opening}\n\n{items}{more}\nTotal: {total}\nAs of {}\n\nIf you have paid in the \
         meantime, please disregard this message. If an item is not in order, please let us know.\n\nKind \
         regards\n{organisation}\n",
        date(*day, Language::En)
    );
    Message { subject: format!("{subject}: {total}"), body }
}

fn days_english(days: i32) -> String {
    match days {
        0 => "due today".to_string(),
        1 => "1 day past due".to_string(),
        -1 => "due tomorrow".to_string(),
        2.. => format!("{days} days past due"),
        _ => format!("due in {} days", days.unsigned_abs()),
    }
}

fn chinese(letter: &Letter, total: &str) -> Message {
    let Letter { organisation, customer, day, draft, .. } = letter;
    let (subject, opening) = match draft.level {
        NoticeLevel::Upcoming => ("付款即将到期", "以下款项即将到期，谨此提前告知。"),
        NoticeLevel::Due => ("付款到期", "以下款项现已到期，如尚未付款，请予安排。"),
        NoticeLevel::First => ("付款提醒", "我们尚未收到以下款项，或有疏漏，请尽快安排付款。"),
        NoticeLevel::Second => (
            "第二次付款提醒",
            "我们此前已致函提醒，但仍有款项未结清。请立即支付以下款项，或于今日告知付款时间。",
        ),
    };
    let items = listed(letter, |item| {
        let due = date(item.due_on, Language::ZhCn);
        let open = amount(item.open_minor, letter.currency, Language::ZhCn);
        format!(
            "- {}：{open}，到期日 {due}（{}）",
            item.invoice_id,
            days_chinese(item.days_past_due)
        )
    });
    let more = more(letter).map_or(String::new(), |(count, minor)| {
        format!("- 另有 {count} 笔：{}\n", amount(minor, letter.currency, Language::ZhCn))
    });
    let body = format!(
        "尊敬的{customer}：\n\n您好！{opening}\n\n{items}{more}\n合计：{total}\n截至 {}\n\n如您已付款，请忽略本通知。\
         如对上述款项有疑问，请与我们联系。\n\n此致\n{organisation}\n",
        date(*day, Language::ZhCn)
    );
    Message { subject: format!("【{organisation}】{subject}：{total}"), body }
}

fn days_chinese(days: i32) -> String {
    match days {
        0 => "今日到期".to_string(),
        1.. => format!("已逾期 {days} 天"),
        _ => format!("{} 天后到期", days.unsigned_abs()),
    }
}

/// One line for each item up to the bound.
fn listed(letter: &Letter, line: impl Fn(&DraftItem) -> String) -> String {
    let mut lines = String::new();
    for item in letter.draft.items.iter().take(MAX_LISTED) {
        let _ = writeln!(lines, "{}", line(item));
    }
    lines
}

/// How many items are beyond the bound, and what they sum to.
fn more(letter: &Letter) -> Option<(usize, i64)> {
    let beyond = letter.draft.items.get(MAX_LISTED..).filter(|beyond| !beyond.is_empty())?;
    let sum = beyond.iter().fold(0i64, |sum, item| sum.saturating_add(item.open_minor));
    Some((beyond.len(), sum))
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn items(count: usize) -> Vec<DraftItem> {
        let item = |at: usize| DraftItem {
            invoice_id: format!("INV-{at}").parse().unwrap(),
            due_on: "2024-03-31".parse().unwrap(),
            open_minor: 125_000,
            days_past_due: 3,
            level: NoticeLevel::First,
        };
        (0..count).map(item).collect()
    }

    fn draft(level: NoticeLevel, items: Vec<DraftItem>) -> Draft {
        let total_minor = items.iter().map(|item| item.open_minor).sum();
        Draft { level, items, total_minor }
    }

    fn letter(draft: &Draft, language: Language) -> Letter<'_> {
        let (organisation, customer) = match language {
            Language::En => ("Dunlin Trading Ltd", "Heron & Sons"),
            Language::ZhCn => ("滨鹬贸易有限公司", "苍鹭实业有限公司"),
        };
        let (currency, day) = ("CNY".parse().unwrap(), "2024-04-03".parse().unwrap());
        Letter { organisation, customer, language, currency, day, draft }
    }

    /// Three items: 3 days past due, due today and due in 2 days.
    fn three(level: NoticeLevel) -> Draft {
        let mut items = items(3);
        for (item, (due, days)) in
            items.iter_mut().zip([("2024-03-31", 3), ("2024-04-03", 0), ("2024-04-05", -2)])
        {
            (item.due_on, item.days_past_due) = (due.parse().unwrap(), days);
        }
        items[1].open_minor = 5;
        draft(level, items)
    }

    #[test]
    fn amounts_and_dates_are_written_as_the_language_does() {
        for (minor, code, en, zh) in [
            (125_000, "CNY", "CNY 1,250.00", "人民币 1,250.00 元"),
            (5, "CNY", "CNY 0.05", "人民币 0.05 元"),
            (99_999, "USD", "USD 999.99", "999.99 美元"),
            (100_000_000, "USD", "USD 1,000,000.00", "1,000,000.00 美元"),
            (1_234_567, "JPY", "JPY 1,234,567", "1,234,567 日元"),
            (1_234_567, "KWD", "KWD 1,234.567", "KWD 1,234.567"),
            (-123_456, "EUR", "EUR -1,234.56", "-1,234.56 欧元"),
        ] {
            let currency = code.parse().unwrap();
            assert_eq!(amount(minor, currency, Language::En), en);
            assert_eq!(amount(minor, currency, Language::ZhCn), zh);
        }
        let day = "2024-03-01".parse().unwrap();
        assert_eq!(date(day, Language::En), "2024-03-01");
        assert_eq!(date(day, Language::ZhCn), "2024年3月1日");
    }

    #[test]
    fn a_first_reminder_reads_like_this_in_english() {
        let draft = three(NoticeLevel::First);
        let message = write(&letter(&draft, Language::En));
        assert_eq!(message.subject, "Payment reminder from Dunlin Trading Ltd: CNY 2,500.05");
        assert_eq!(
            message.body,
            "Dear Heron & Sons,\n\
             \n\
             our records do not show payment of these items yet. Perhaps it was overlooked; please arrange it now.\n\
             \n\
             - INV-0: CNY 1,250.00, due 2024-03-31 (3 days past due)\n\
             - INV-1: CNY 0.05, due 2024-04-03 (due today)\n\
             - INV-2: CNY 1,250.00, due 2024-04-05 (due in 2 days)\n\
             \n\
             Total: CNY 2,500.05\n\
             As of 2024-04-03\n\
             \n\
             If you have paid in the meantime, please disregard this message. If an item is not in order, please let us know.\n\
             \n\
             Kind regards\n\
             Dunlin Trading Ltd\n"
        );
    }

    #[test]
    fn a_first_reminder_reads_like_this_in_chinese() {
        let draft = three(NoticeLevel::First);
        let message = write(&letter(&draft, Language::ZhCn));
        assert_eq!(message.subject, "【滨鹬贸易有限公司】付款提醒：人民币 2,500.05 元");
        assert_eq!(
            message.body,
            "尊敬的苍鹭实业有限公司：\n\
             \n\
             您好！我们尚未收到以下款项，或有疏漏，请尽快安排付款。\n\
             \n\
             - INV-0：人民币 1,250.00 元，到期日 2024年3月31日（已逾期 3 天）\n\
             - INV-1：人民币 0.05 元，到期日 2024年4月3日（今日到期）\n\
             - INV-2：人民币 1,250.00 元，到期日 2024年4月5日（2 天后到期）\n\
             \n\
             合计：人民币 2,500.05 元\n\
             截至 2024年4月3日\n\
             \n\
             如您已付款，请忽略本通知。如对上述款项有疑问，请与我们联系。\n\
             \n\
             此致\n\
             滨鹬贸易有限公司\n"
        );
    }

    #[test]
    fn each_level_has_its_subject_and_tone() {
        let table = "
            upcoming | Upcoming payment to Dunlin Trading Ltd: CNY 1,250.00 | a friendly note that these items will soon be due.
            due | Payment due to Dunlin Trading Ltd: CNY 1,250.00 | these items are now due. Please arrange payment if you have not done so already.
            first | Payment reminder from Dunlin Trading Ltd: CNY 1,250.00 | our records do not show payment of these items yet. Perhaps it was overlooked; please arrange it now.
            second | Second payment reminder from Dunlin Trading Ltd: CNY 1,250.00 | we wrote to you before and payment is still outstanding. Please pay these items without further delay, or tell us today when payment will be made.
            upcoming | 【滨鹬贸易有限公司】付款即将到期：人民币 1,250.00 元 | 您好！以下款项即将到期，谨此提前告知。
            due | 【滨鹬贸易有限公司】付款到期：人民币 1,250.00 元 | 您好！以下款项现已到期，如尚未付款，请予安排。
            first | 【滨鹬贸易有限公司】付款提醒：人民币 1,250.00 元 | 您好！我们尚未收到以下款项，或有疏漏，请尽快安排付款。
            second | 【滨鹬贸易有限公司】第二次付款提醒：人民币 1,250.00 元 | 您好！我们此前已致函提醒，但仍有款项未结清。请立即支付以下款项，或于今日告知付款时间。";
        let lines: Vec<&str> = table.lines().filter(|line| !line.trim().is_empty()).collect();
        assert_eq!(lines.len(), NoticeLevel::ALL.len() * Language::ALL.len());
        for line in lines {
            let words: Vec<&str> = line.split('|').map(str::trim).collect();
            let language = if words[1].is_ascii() { Language::En } else { Language::ZhCn };
            let draft = draft(words[0].parse().unwrap(), items(1));
            let message = write(&letter(&draft, language));
            assert_eq!(message.subject, words[1]);
            assert_eq!(message.body.lines().nth(2), Some(words[2]));
        }
    }

    #[test]
    fn days_are_counted_in_words() {
        for (days, en, zh) in [
            (-3, "due in 3 days", "3 天后到期"),
            (-1, "due tomorrow", "1 天后到期"),
            (0, "due today", "今日到期"),
            (1, "1 day past due", "已逾期 1 天"),
            (2, "2 days past due", "已逾期 2 天"),
        ] {
            assert_eq!((days_english(days).as_str(), days_chinese(days).as_str()), (en, zh));
        }
    }

    #[test]
    fn a_long_list_ends_at_its_bound_and_says_how_much_more() {
        let text = |count, language| {
            let draft = draft(NoticeLevel::First, items(count));
            write(&letter(&draft, language)).body
        };
        assert!(!text(MAX_LISTED, Language::En).contains("more item"));
        assert!(text(MAX_LISTED + 1, Language::En).contains("\n- and 1 more item: CNY 1,250.00\n"));
        assert!(
            text(MAX_LISTED + 2, Language::En).contains("\n- and 2 more items: CNY 2,500.00\n")
        );
        assert!(
            text(MAX_LISTED + 2, Language::ZhCn).contains("\n- 另有 2 笔：人民币 2,500.00 元\n")
        );
    }

    proptest! {
        #[test]
        fn every_item_up_to_the_bound_is_named_with_the_total(
            count in 1usize..80, level in 0usize..4, language in 0usize..2, minor in 1i64..9_000_000_000_000,
        ) {
            let mut items = items(count);
            items[0].open_minor = minor;
            let draft = draft(NoticeLevel::ALL[level], items);
            let letter = letter(&draft, Language::ALL[language]);
            let message = write(&letter);
            for (at, item) in draft.items.iter().enumerate() {
                let named = [": ", "："].map(|mark| format!("- {}{mark}", item.invoice_id));
                let named = named.iter().any(|line| message.body.contains(line.as_str()));
                prop_assert_eq!(named, at < MAX_LISTED, "{}", item.invoice_id);
            }
            let total = amount(draft.total_minor, letter.currency, letter.language);
            prop_assert!(message.body.contains(&total) && message.subject.contains(&total));
            prop_assert!(message.body.contains(letter.customer) && message.body.contains(letter.organisation));
            prop_assert!(!message.subject.contains('\n'));
        }
    }
}
