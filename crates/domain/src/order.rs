//! In which order debts are served when the payer does not say: presets by name, and orders of the policy's own.

use crate::{
    Id, Refusal, Refused,
    contract::ledger::{AllocationOrder, Component, OrderKey},
};

/// The order where nothing else is said.
pub const DEFAULT: &str = "oldest-due-first";

/// PRC Civil Code 560 and 561: what the payer named, then debts that are due, the least secured, the heaviest burden,
/// the earliest due, and in proportion; inside one debt costs, interest, principal.
pub const PRC: &str = "prc-civil-code-560-561";

/// Costs before interest before principal.
const LAWFUL: [Component; 3] = [Component::Costs, Component::Interest, Component::Principal];

/// An order that ships with Dunlin: its name, its keys, its components.
type Preset = (&'static str, &'static [OrderKey], [Component; 3]);

/// The orders that ship with Dunlin.
pub const PRESETS: [Preset; 5] = [
    (DEFAULT, &[OrderKey::OldestDue], LAWFUL),
    ("newest-due-first", &[OrderKey::NewestDue], LAWFUL),
    (
        "interest-first",
        &[OrderKey::Component, OrderKey::OldestDue],
        [Component::Interest, Component::Costs, Component::Principal],
    ),
    (
        "principal-first",
        &[OrderKey::Component, OrderKey::OldestDue],
        [Component::Principal, Component::Interest, Component::Costs],
    ),
    (
        PRC,
        &[
            OrderKey::DueFirst,
            OrderKey::LeastSecured,
            OrderKey::HeaviestBurden,
            OrderKey::OldestDue,
            OrderKey::ProRata,
            OrderKey::Component,
        ],
        LAWFUL,
    ),
];

/// What decides which debt is served first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order {
    /// First things first.
    pub keys: Vec<OrderKey>,
    /// The order of components.
    pub components: Vec<Component>,
}

impl Default for Order {
    fn default() -> Self {
        Self { keys: vec![OrderKey::OldestDue], components: LAWFUL.to_vec() }
    }
}

impl Order {
    /// Where debts begin to be looked at as a whole: the place of `by-debt` or `pro-rata`.
    pub fn debt_at(&self) -> Option<usize> {
        self.keys.iter().position(|key| matches!(key, OrderKey::ByDebt | OrderKey::ProRata))
    }

    /// Whether debts that are equal so far share.
    pub fn shares(&self) -> bool {
        self.keys.contains(&OrderKey::ProRata)
    }

    /// Whether the order of debts changes when one becomes due.
    pub fn asks_due(&self) -> bool {
        self.keys.contains(&OrderKey::DueFirst)
    }

    /// The place of a component, first ones first.
    pub fn place(&self, component: Component) -> i64 {
        let place = self.components.iter().position(|known| *known == component);
        place.and_then(|place| i64::try_from(place).ok()).unwrap_or(0)
    }
}

/// The order of this name: one of the policy's own, or a preset.
pub fn find(name: &Id, custom: &[AllocationOrder]) -> Option<Order> {
    if let Some(own) = custom.iter().find(|order| order.name == *name) {
        let components = own.components.clone().unwrap_or_else(|| LAWFUL.to_vec());
        return Some(Order { keys: own.keys.clone(), components });
    }
    let preset = PRESETS.iter().find(|(known, _, _)| *known == name.as_str());
    preset
        .map(|(_, keys, components)| Order { keys: keys.to_vec(), components: components.to_vec() })
}

/// The same, refused when there is none of that name.
pub fn named(name: &Id, custom: &[AllocationOrder]) -> Result<Order, Refused> {
    find(name, custom).ok_or_else(|| {
        let presets: Vec<&str> = PRESETS.iter().map(|(name, _, _)| *name).collect();
        let detail = format!("`{name}` is neither in the policy nor one of {}", presets.join(", "));
        Refused::new(Refusal::UnknownOrder, detail).at("order")
    })
}

/// Checks an order of the policy's own.
pub fn check(order: &AllocationOrder) -> Result<(), Refused> {
    let refused = |field: &str, detail: &str| {
        Err(Refused::new(Refusal::InvalidPolicy, format!("order {}: {detail}", order.name))
            .at(field))
    };
    if PRESETS.iter().any(|(name, _, _)| *name == order.name.as_str()) {
        return refused("orders.name", "a preset has this name");
    }
    if order.keys.is_empty() {
        return refused("orders.keys", "at least one key decides");
    }
    let mut seen: Vec<OrderKey> = Vec::new();
    for key in &order.keys {
        if seen.contains(key) {
            return refused("orders.keys", &format!("{} stands twice", key.name()));
        }
        seen.push(*key);
    }
    if seen.contains(&OrderKey::ByDebt) && seen.contains(&OrderKey::ProRata) {
        return refused("orders.keys", "by-debt and pro-rata exclude each other");
    }
    if seen.contains(&OrderKey::OldestDue) && seen.contains(&OrderKey::NewestDue) {
        return refused("orders.keys", "oldest-due and newest-due exclude each other");
    }
    if let Some(components) = &order.components {
        let all = Component::ALL.iter().all(|component| components.contains(component));
        if !all || components.len() != Component::ALL.len() {
            return refused("orders.components", "all three components stand here once");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn order(keys: &[OrderKey], components: Option<Vec<Component>>) -> AllocationOrder {
        AllocationOrder { name: "own".parse().unwrap(), keys: keys.to_vec(), components }
    }

    #[test]
    fn presets_are_found_by_name_and_hold_the_rule() {
        for (name, keys, components) in PRESETS {
            let found = find(&name.parse().unwrap(), &[]).unwrap();
            assert_eq!(
                (found.keys.as_slice(), found.components.as_slice()),
                (keys, &components[..])
            );
            let own = AllocationOrder {
                name: "copy".parse().unwrap(),
                keys: keys.to_vec(),
                components: Some(components.to_vec()),
            };
            assert_eq!(check(&own), Ok(()));
        }
        assert_eq!(named(&"none".parse().unwrap(), &[]).unwrap_err().code, Refusal::UnknownOrder);
    }

    #[test]
    fn an_order_that_cannot_decide_is_refused() {
        use OrderKey::{ByDebt, NewestDue, OldestDue, ProRata};
        for (keys, components, field) in [
            (vec![], None, "orders.keys"),
            (vec![OldestDue, OldestDue], None, "orders.keys"),
            (vec![ByDebt, ProRata], None, "orders.keys"),
            (vec![OldestDue, NewestDue], None, "orders.keys"),
            (vec![OldestDue], Some(vec![Component::Costs]), "orders.components"),
            (vec![OldestDue], Some(vec![Component::Costs; 3]), "orders.components"),
        ] {
            let refused = check(&order(&keys, components)).unwrap_err();
            assert_eq!(
                (refused.code, refused.field.as_deref()),
                (Refusal::InvalidPolicy, Some(field))
            );
        }
        assert!(check(&order(&[OrderKey::NewestDue], None)).is_ok());
    }
}
