//! Tiers: customers sorted by what is known of them, the first rule that holds. Other policies name tiers, not facts.

use crate::{
    Refused,
    card::{self, between, invalid},
    contract::{
        score::{FactRange, Facts, TierDocument, TierRule},
        types::Grade,
    },
};

/// The most rules.
const MAX_RULES: usize = 100;

/// The most entries of a list of a rule.
const MAX_ENTRIES: usize = 100;

/// What a customer is sorted by beside facts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Described<'a> {
    /// The segment of its record.
    pub segment: Option<&'a str>,
    /// The industry of its record.
    pub industry: Option<&'a str>,
    /// Its grade on the day.
    pub grade: Option<Grade>,
}

/// No tiers.
pub fn none() -> TierDocument {
    TierDocument { rules: Vec::new(), otherwise: None }
}

/// The tier of a customer. `None` when no rule holds and nothing is said of the others.
pub fn of<'t>(tiers: &'t TierDocument, facts: &Facts, who: Described<'_>) -> Option<&'t str> {
    let rule = tiers.rules.iter().find(|rule| holds(rule, facts, who));
    rule.map(|rule| rule.tier.as_str()).or(tiers.otherwise.as_deref())
}

fn holds(rule: &TierRule, facts: &Facts, who: Described<'_>) -> bool {
    let one_of = |list: &Option<Vec<String>>, text: Option<&str>| {
        list.as_ref().is_none_or(|list| list.iter().any(|of| Some(of.as_str()) == text))
    };
    let grades = rule.grades.as_ref();
    rule.facts.iter().flatten().all(|range| lies_in(range, facts))
        && one_of(&rule.segments, who.segment)
        && one_of(&rule.industries, who.industry)
        && grades.is_none_or(|grades| who.grade.is_some_and(|grade| grades.contains(&grade)))
}

fn lies_in(range: &FactRange, facts: &Facts) -> bool {
    facts.get(range.fact).is_some_and(|value| {
        range.at_least.is_none_or(|least| value >= least)
            && range.below.is_none_or(|most| value < most)
    })
}

/// Checks tiers that a client wrote, naming the first field at fault.
pub fn check(tiers: &TierDocument) -> Result<(), Refused> {
    between(tiers.rules.len(), 0, MAX_RULES, "rules")?;
    for (at, rule) in tiers.rules.iter().enumerate() {
        rule_of(rule).map_err(|refused| refused.within(&format!("rules[{at}]")))?;
    }
    tiers.otherwise.as_deref().map_or(Ok(()), |tier| card::slug(tier, "otherwise"))
}

fn rule_of(rule: &TierRule) -> Result<(), Refused> {
    card::slug(&rule.tier, "tier")?;
    let texts = [(&rule.segments, "segments"), (&rule.industries, "industries")];
    for (list, field) in texts {
        list.as_ref().map_or(Ok(()), |list| between(list.len(), 1, MAX_ENTRIES, field))?;
    }
    let grades = rule.grades.as_ref();
    grades.map_or(Ok(()), |grades| between(grades.len(), 1, Grade::ALL.len(), "grades"))?;
    let facts = rule.facts.as_deref();
    facts.map_or(Ok(()), |facts| between(facts.len(), 1, MAX_ENTRIES, "facts"))?;
    for (at, range) in facts.unwrap_or_default().iter().enumerate() {
        if range.at_least.zip(range.below).is_some_and(|(least, below)| least >= below) {
            return Err(invalid("nothing lies in this range", &format!("facts[{at}].below")));
        }
    }
    let empty = facts.is_none() && grades.is_none() && texts.iter().all(|(list, _)| list.is_none());
    if empty {
        return Err(invalid("a rule that asks for nothing belongs in otherwise", "tier"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::score::FactName;
    use serde_json::{Value, json};

    fn read(value: Value) -> TierDocument {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn the_first_rule_that_holds_decides() {
        let tiers = read(json!({
            "rules": [
                {"tier": "watch", "grades": ["D", "E"]},
                {"tier": "key", "facts": [{"fact": "items-12m", "at_least": "12"}], "segments": ["retail"]},
                {"tier": "rare", "facts": [{"fact": "items-12m", "below": "3"}]},
                {"tier": "ships", "industries": ["shipping", "rail"]}],
            "otherwise": "rest"}));
        check(&tiers).unwrap();
        for (items, segment, industry, grade, tier) in [
            (Some(20), Some("retail"), None, Some(Grade::E), "watch"),
            (Some(20), Some("retail"), None, Some(Grade::A), "key"),
            (Some(12), Some("retail"), None, None, "key"),
            (Some(11), Some("retail"), None, None, "rest"),
            (Some(20), Some("Retail"), None, None, "rest"),
            (Some(20), None, Some("rail"), None, "ships"),
            (Some(2), None, Some("rail"), None, "rare"),
            (Some(3), None, None, None, "rest"),
            (None, None, None, None, "rest"),
        ] {
            let mut facts = Facts::none(&"C".parse().unwrap(), "2024-01-01".parse().unwrap());
            facts.set(FactName::Items12m, items.map(Into::into));
            let who = Described { segment, industry, grade };
            assert_eq!(of(&tiers, &facts, who), Some(tier), "{items:?} {who:?}");
        }
        let nobody = Facts::none(&"C".parse().unwrap(), "2024-01-01".parse().unwrap());
        assert_eq!(of(&none(), &nobody, Described::default()), None);
    }

    #[test]
    fn tiers_are_refused_by_the_field_at_fault() {
        for (value, field) in [
            (json!({"rules": [], "otherwise": "The rest"}), "otherwise"),
            (json!({"rules": [{"tier": "", "grades": ["A"]}]}), "rules[0].tier"),
            (json!({"rules": [{"tier": "a"}]}), "rules[0].tier"),
            (json!({"rules": [{"tier": "a", "grades": []}]}), "rules[0].grades"),
            (json!({"rules": [{"tier": "a", "segments": []}]}), "rules[0].segments"),
            (json!({"rules": [{"tier": "a", "industries": []}]}), "rules[0].industries"),
            (json!({"rules": [{"tier": "a", "facts": []}]}), "rules[0].facts"),
            (
                json!({"rules": [{"tier": "a", "facts": [
                    {"fact": "items-12m", "at_least": "3", "below": "3"}]}]}),
                "rules[0].facts[0].below",
            ),
        ] {
            let refused = check(&read(value)).unwrap_err();
            assert_eq!(refused.field.as_deref(), Some(field), "{}", refused.detail);
        }
    }
}
