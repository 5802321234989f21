//! Alerts of grades that fell.

use super::*;

#[test]
fn a_worse_grade_stays_open_until_the_grade_it_fell_from_is_back() {
    let mut before = None;
    walk(
        &the_four(),
        "
        - |
        B |
        B |
        A |
        C | open grade-worse - C > A
        C |
        B |
        D | open grade-worse - D > A; close grade-worse
        A | close grade-worse
        B | open grade-worse - B > A
        - | close grade-worse
        E |
        D |
        E | open grade-worse - E > D
        C | close grade-worse",
        |grade| {
            let now = grade.parse().ok();
            let position = Position { grade_before: before, grade_now: now, ..somewhere() };
            before = now;
            position
        },
    );
}

#[test]
fn parts_of_grades_are_counted_over_letters_and_a_fall_lasts_until_it_is_made_good() {
    // `before now, parts` of one sweep after another.
    let table = "
        B1 B2 3 | -
        A3 B2 3 | open B2 > A3
        B2 B3 3 |
        B3 A3 3 | close
        A1 B1 1 | -
        A1 C1 1 | open C1 > A1
        C1 A2 3 | 
        -  A1 3 | close
        -  E3 3 | -";
    let rules = [rule(json!({"terms": [{"kind": "notch-worse", "bound": "2"}]}))];
    let (mut live, mut waiting) = (Vec::new(), Vec::new());
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (script, expected) = line.split_once('|').unwrap();
        let words: Vec<&str> = script.split_whitespace().collect();
        let part = |word: &str| {
            (
                word.get(..1).and_then(|of| of.parse().ok()),
                word.get(1..).and_then(|of| of.parse().ok()),
            )
        };
        let ((grade_before, notch_before), (grade_now, notch_now)) =
            (part(words[0]), part(words[1]));
        let notches = words[2].parse().ok();
        let position =
            Position { grade_before, notch_before, grade_now, notch_now, notches, ..somewhere() };
        let step = judge(&rules, &position, &live, &waiting);
        let opened = shown(&step.to_open).into_iter().map(|of| of.replace("rule -", "open"));
        let found: Vec<String> =
            opened.chain(step.to_end.iter().map(|_| "close".to_string())).collect();
        let expected = expected.trim().trim_matches('-');
        assert_eq!(found.join(" "), expected, "{line}");
        after(&step, position.day, &mut live, &mut waiting);
    }
}

#[test]
fn a_grade_that_fell_is_told_anew_when_it_falls_again_and_not_when_another_card_judges() {
    // `before now` of one sweep after another; where another card judges there is nothing before.
    let table = "
        A1 C1 | open C open C1
        -  E3 |
        E3 E3 |
        E2 E3 | close open E3
        D3 E3 | close open E
        E3 B1 |
        B1 C1 |
        C1 E1 |
        E1 A1 | close close";
    let rules = ["grade-worse", "notch-worse"].map(|kind| {
        let of = rule(json!({"terms": [{"kind": kind, "bound": "1"}]}));
        AlertRule { name: kind.into(), ..of }
    });
    let (mut live, mut waiting) = (Vec::new(), Vec::new());
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (script, expected) = line.split_once('|').unwrap();
        let part = |word: &str| {
            (
                word.get(..1).and_then(|of| of.parse().ok()),
                word.get(1..).and_then(|of| of.parse().ok()),
            )
        };
        let parts: Vec<_> = script.split_whitespace().map(part).collect();
        let [(grade_before, notch_before), (grade_now, notch_now)] = parts[..] else { panic!() };
        let notches = Some(3);
        let position =
            Position { grade_before, notch_before, grade_now, notch_now, notches, ..somewhere() };
        let step = judge(&rules, &position, &live, &waiting);
        let ends = step.to_end.iter().map(|_| "close".to_string());
        let opens = step.to_open.iter().map(|of| format!("open {}", of.evidence.value));
        let found: Vec<String> = ends.chain(opens).collect();
        assert_eq!(found.join(" "), expected.trim(), "{line}");
        after(&step, position.day, &mut live, &mut waiting);
    }
}
