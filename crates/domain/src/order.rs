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

/// Fees, penalties, interest and principal: first of what is overdue, then of what is due, then of what is not yet due;
/// the oldest first within each.
pub const BY_DUE_STATE: &str = "fee-penalty-interest-principal";

/// An order that ships with Dunlin: its name, its keys, its components.
type Preset = (&'static str, &'static [OrderKey], &'static [Component]);

/// The orders that ship with Dunlin.
pub const PRESETS: [Preset; 6] = [
    (DEFAULT, &[OrderKey::OldestDue], &LAWFUL),
    ("newest-due-first", &[OrderKey::NewestDue], &LAWFUL),
    (
        "interest-first",
        &[OrderKey::Component, OrderKey::OldestDue],
        &[Component::Interest, Component::Costs, Component::Principal],
    ),
    (
        "principal-first",
        &[OrderKey::Component, OrderKey::OldestDue],
        &[Component::Principal, Component::Interest, Component::Costs],
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
        &LAWFUL,
    ),
    (
        BY_DUE_STATE,
        &[OrderKey::DueState, OrderKey::Component, OrderKey::OldestDue],
        &[Component::Costs, Component::Penalty, Component::Interest, Component::Principal],
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
        self.keys.contains(&OrderKey::DueFirst) || self.asks_overdue()
    }

    /// Whether the order of debts changes when one becomes overdue.
    pub fn asks_overdue(&self) -> bool {
        self.keys.contains(&OrderKey::DueState)
    }

    /// Whether the order of debts changes with what secures them.
    pub fn asks_security(&self) -> bool {
        self.keys.contains(&OrderKey::LeastSecured)
    }

    /// The place of a component, first ones first. Penalties that have none are costs.
    pub fn place(&self, component: Component) -> i64 {
        let at = |wanted: Component| self.components.iter().position(|known| *known == wanted);
        let place = match component {
            Component::Penalty => at(Component::Penalty).or_else(|| at(Component::Costs)),
            _ => at(component),
        };
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

/// The names of the orders that ask this of a debt.
pub fn asking(custom: &[AllocationOrder], key: OrderKey) -> Vec<&str> {
    let presets = PRESETS.iter().map(|(name, keys, _)| (*name, *keys));
    let own = custom.iter().map(|order| (order.name.as_str(), order.keys.as_slice()));
    presets.chain(own).filter(|(_, keys)| keys.contains(&key)).map(|(name, _)| name).collect()
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
        let times = |wanted: &Component| components.iter().filter(|of| *of == wanted).count();
        if !LAWFUL.iter().all(|component| times(component) == 1) || times(&Component::Penalty) > 1 {
            let detail = "costs, interest and principal stand here once, penalty at most once";
            return refused("orders.components", detail);
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
            assert_eq!((found.keys.as_slice(), found.components.as_slice()), (keys, components));
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
            (
                vec![OldestDue],
                Some([&LAWFUL[..], &[Component::Penalty; 2]].concat()),
                "orders.components",
            ),
        ] {
            let refused = check(&order(&keys, components)).unwrap_err();
            assert_eq!(
                (refused.code, refused.field.as_deref()),
                (Refusal::InvalidPolicy, Some(field))
            );
        }
        assert!(check(&order(&[OrderKey::NewestDue], None)).is_ok());
        let four = [&LAWFUL[..], &[Component::Penalty]].concat();
        assert!(check(&order(&[OrderKey::NewestDue], Some(four))).is_ok());
    }

    #[test]
    fn a_penalty_without_a_place_is_a_cost() {
        for (name, _, components) in PRESETS {
            let order = find(&name.parse().unwrap(), &[]).unwrap();
            let own = components.contains(&Component::Penalty);
            let (penalty, costs) = (order.place(Component::Penalty), order.place(Component::Costs));
            assert_eq!(penalty - costs, i64::from(own), "{name}");
        }
    }
}
