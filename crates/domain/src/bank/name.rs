//! How like two names are.
//!
//! Names are compared word by word: small letters, without accents and marks, without legal forms (GmbH, Ltd,
//! 有限公司). Words are the same when they are equal, when one begins with the other (three letters at least, because
//! banks cut names off), or when they differ in one letter out of five or more. The likeness is twice the words that
//! are the same over the words of both, in hundredths. Chinese names, which have no spaces, are compared by pairs of
//! characters instead.

/// Legal forms, and words that say no more than they do, in the order of the alphabet.
const FORMS: [&str; 49] = [
    "ab",
    "ag",
    "and",
    "aps",
    "as",
    "asa",
    "bv",
    "co",
    "company",
    "corp",
    "corporation",
    "de",
    "eg",
    "ek",
    "en",
    "et",
    "ev",
    "gbr",
    "gmbh",
    "haftungsbeschraenkt",
    "inc",
    "incorporated",
    "kg",
    "kgaa",
    "limited",
    "llc",
    "llp",
    "lp",
    "ltd",
    "mbh",
    "mr",
    "mrs",
    "nv",
    "ohg",
    "oy",
    "oyj",
    "plc",
    "pty",
    "sa",
    "sarl",
    "sas",
    "se",
    "sl",
    "spa",
    "srl",
    "the",
    "ug",
    "und",
    "vof",
];

/// The same of Chinese names, longest first.
const CHINESE_FORMS: [&str; 8] = [
    "股份有限公司",
    "有限责任公司",
    "集团有限公司",
    "有限公司",
    "集团公司",
    "公司",
    "集团",
    "商行",
];

/// The most words of a name that are compared.
const MOST_WORDS: usize = 12;

/// A name as it is compared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Name {
    words: Vec<String>,
}

impl Name {
    /// Reads a name.
    pub fn new(text: &str) -> Self {
        let mut plain = String::with_capacity(text.len());
        for c in text.chars().flat_map(char::to_lowercase) {
            match c {
                '.' | '\'' | '’' | '`' => {}
                'ä' => plain.push_str("ae"),
                'ö' | 'ø' => plain.push_str("oe"),
                'ü' => plain.push_str("ue"),
                'ß' => plain.push_str("ss"),
                'æ' => plain.push_str("ae"),
                'å' | 'à' | 'á' | 'â' | 'ã' => plain.push('a'),
                'ç' => plain.push('c'),
                'è' | 'é' | 'ê' | 'ë' => plain.push('e'),
                'ì' | 'í' | 'î' | 'ï' => plain.push('i'),
                'ñ' => plain.push('n'),
                'ò' | 'ó' | 'ô' | 'õ' => plain.push('o'),
                'ù' | 'ú' | 'û' => plain.push('u'),
                c if c.is_alphanumeric() => plain.push(c),
                _ => plain.push(' '),
            }
        }
        let words = plain.split_whitespace().map(without_chinese_form).filter(|w| !w.is_empty());
        let mut words: Vec<&str> = words.take(MOST_WORDS).collect();
        // A name that is nothing but a form keeps it.
        if words.iter().any(|word| !is_form(word)) {
            words.retain(|word| !is_form(word));
        }
        words.sort_unstable();
        Self { words: words.into_iter().map(str::to_string).collect() }
    }

    /// What it is looked up by: its words in alphabetical order.
    pub fn key(&self) -> String {
        self.words.join(" ")
    }

    /// How like the two are, in hundredths.
    pub fn likeness(&self, other: &Self) -> u32 {
        if self == other && !self.words.is_empty() {
            return 100;
        }
        let (a, b) = (self.units(), other.units());
        let all = a.len().saturating_add(b.len());
        if a.is_empty() || b.is_empty() {
            return 0;
        }
        let mut left: Vec<&str> = b.iter().map(String::as_str).collect();
        let mut same = 0usize;
        for word in &a {
            let place = left.iter().position(|other| other == word);
            let place = place.or_else(|| left.iter().position(|other| alike(word, other)));
            if let Some(at) = place {
                left.swap_remove(at);
                same = same.saturating_add(1);
            }
        }
        let likeness = same.saturating_mul(200).checked_div(all).unwrap_or(0);
        u32::try_from(likeness).unwrap_or(0)
    }

    /// Words, or pairs of characters of a name in one word of Chinese.
    fn units(&self) -> Vec<String> {
        match self.words.as_slice() {
            [word] if !word.is_ascii() && word.chars().count() > 2 => {
                let chars: Vec<char> = word.chars().collect();
                chars.windows(2).map(|pair| pair.iter().collect()).collect()
            }
            words => words.to_vec(),
        }
    }
}

/// What a name is looked up by: its words in alphabetical order.
pub fn key(text: &str) -> String {
    Name::new(text).key()
}

fn is_form(word: &str) -> bool {
    FORMS.binary_search(&word).is_ok()
}

fn without_chinese_form(word: &str) -> &str {
    let form = CHINESE_FORMS.iter().find_map(|form| word.strip_suffix(form));
    form.filter(|rest| !rest.is_empty()).unwrap_or(word)
}

fn alike(a: &str, b: &str) -> bool {
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    let letters = short.chars().count();
    letters >= 3 && long.starts_with(short) || letters >= 5 && one_apart(short, long)
}

/// Whether one letter changed, added or left out turns one into the other.
fn one_apart(short: &str, long: &str) -> bool {
    let same = |(a, b): &(char, char)| a == b;
    let begins = short.chars().zip(long.chars()).take_while(same).count();
    let ends = short.chars().rev().zip(long.chars().rev()).take_while(same).count();
    let (short, long) = (short.chars().count(), long.chars().count());
    long.saturating_sub(short) <= 1 && begins.saturating_add(ends).saturating_add(1) >= long
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_like_by_their_words() {
        for (a, b, likeness) in [
            ("Müller GmbH & Co. KG", "MUELLER GMBH", 100),
            ("Müller GmbH", "Müller, Maschinenbau", 66),
            ("First Street Bakery Ltd", "BAKERY FIRST STREET", 100),
            ("First Street Bakery", "First Street Baker", 100),
            ("Hansen B.V.", "Hanssen BV", 100),
            ("Meier GmbH", "Schulze GmbH", 0),
            ("上海晨光贸易有限公司", "上海晨光贸易有限责任公司", 100),
            ("上海晨光贸易有限公司", "北京晨光贸易有限公司", 60),
            ("上海晨光贸易有限公司", "深圳华强电子有限公司", 0),
            ("", "Meier", 0),
        ] {
            assert_eq!(Name::new(a).likeness(&Name::new(b)), likeness, "{a} / {b}");
        }
        assert_eq!(key("The Bakery Company, Ltd."), "bakery");
        assert_eq!(key("GmbH"), "gmbh");
        assert!(FORMS.is_sorted());
    }

    proptest! {
        #[test]
        fn likeness_is_the_same_both_ways_and_whole_for_itself(a in "[a-zA-Z]{3,8}( [a-zA-Z]{3,8}){0,3}", b in "\\PC{0,40}") {
            let (a, b) = (Name::new(&a), Name::new(&b));
            prop_assert_eq!(a.likeness(&a), 100);
            prop_assert!(a.likeness(&b) <= 100);
        }
    }
}
