//! What everybody tries first: some hundred words and, since nobody uses those bare, what people make of them. Thousands of the
//! passwords that are found in every leak come down to these.

/// The best-known passwords and the words that most others are made of, lower-case, one a line.
const COMMON: &str = include_str!("common_passwords.txt");

/// What is typed by going along the keys.
const KEYS: [&str; 5] = [
    "qwertyuiopasdfghjklzxcvbnm",
    "qwertzuiopasdfghjklyxcvbnm",
    "1234567890",
    "abcdefghijklmnopqrstuvwxyz",
    "qazwsxedcrfvtgbyhnujmikolp",
];

/// Most digits that are looked through at either end of a word.
const MOST_DIGITS: usize = 4;
/// Fewest characters of a word that digits make no better.
const SHORTEST: usize = 4;

/// Whether this password, in lower case, is one that everybody tries: a well-known one, also with a few digits around it or
/// with the usual digits and signs for letters; a few characters over and over; or a walk along the keys.
pub(super) fn is_common(folded: &str) -> bool {
    is_listed(folded) || is_listed(&plain(folded)) || repeats(folded) || is_walk(folded)
}

/// Whether this password is that word, also with a few digits around it; both in lower case.
pub(super) fn is_made_of(folded: &str, word: &str) -> bool {
    let (folded, word) = (folded.trim(), word.trim());
    folded == word || (word.chars().count() >= SHORTEST && bare(folded) == Some(word))
}

fn is_listed(text: &str) -> bool {
    let bare = bare(text).filter(|bare| bare.chars().count() >= SHORTEST);
    COMMON.lines().any(|common| common == text || Some(common) == bare)
}

/// The text without digits at its ends, if there are few of them.
fn bare(text: &str) -> Option<&str> {
    let digit = |c: char| c.is_ascii_digit();
    let tail = text.trim_end_matches(digit);
    let bare = tail.trim_start_matches(digit);
    let few = text.len() - tail.len() <= MOST_DIGITS && tail.len() - bare.len() <= MOST_DIGITS;
    few.then_some(bare)
}

/// The text with letters in the place of the digits and signs that people write for them, but for digits at its end.
fn plain(text: &str) -> String {
    let word = text.trim_end_matches(|c: char| c.is_ascii_digit());
    let letters = word.chars().map(|c| match c {
        '@' | '4' => 'a',
        '3' => 'e',
        '1' | '!' => 'i',
        '0' => 'o',
        '5' | '$' => 's',
        '7' => 't',
        other => other,
    });
    letters.chain(text[word.len()..].chars()).collect()
}

/// Whether it is up to four characters over and over.
fn repeats(text: &str) -> bool {
    let chars: Vec<char> = text.chars().collect();
    (1..=4).any(|period| chars.len() >= 2 * period && chars.iter().zip(&chars[period..]).all(|(a, b)| a == b))
}

/// Whether it goes along the keys, up or down.
fn is_walk(text: &str) -> bool {
    let back: String = text.chars().rev().collect();
    let along = |text: &str| KEYS.iter().any(|keys| keys.contains(text));
    text.chars().count() > SHORTEST && (along(text) || along(&back))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn the_list_is_long_lower_case_and_without_repetition() {
        let listed: Vec<&str> = COMMON.lines().collect();
        assert!(listed.len() >= 700, "{}", listed.len());
        let sound = |word: &&str| !word.is_empty() && word.trim() == *word && word.to_lowercase() == **word;
        assert!(listed.iter().all(sound));
        assert_eq!(listed.iter().collect::<BTreeSet<_>>().len(), listed.len());
    }

    /// Of the best-known passwords those that are long enough to be allowed at all.
    #[test]
    fn what_is_in_every_leak_is_common() {
        for password in [
            "password",
            "password1",
            "password12",
            "password123",
            "passw0rd",
            "p@ssword",
            "p@ssw0rd",
            "p4ssw0rd1",
            "12345678",
            "123456789",
            "1234567890",
            "987654321",
            "11111111",
            "00000000",
            "88888888",
            "12121212",
            "11223344",
            "123123123",
            "qwertyuiop",
            "qwerty123",
            "qwerty1234",
            "1q2w3e4r",
            "1qaz2wsx",
            "asdfghjkl",
            "zxcvbnm1",
            "zxcvbnm123",
            "qazwsxedc",
            "abcdefgh",
            "abcd1234",
            "abc12345",
            "iloveyou",
            "iloveyou1",
            "ilov3you",
            "princess",
            "princess1",
            "sunshine",
            "sunshine1",
            "football",
            "football1",
            "baseball1",
            "superman",
            "superman1",
            "michael1",
            "jennifer",
            "jessica1",
            "michelle1",
            "charlie1",
            "liverpool1",
            "chocolate",
            "butterfly",
            "computer1",
            "internet",
            "starwars",
            "starwars1",
            "whatever",
            "whatever1",
            "trustno1",
            "welcome1",
            "welcome123",
            "letmein1",
            "letmein123",
            "monkey12",
            "dragon123",
            "shadow123",
            "master123",
            "summer2024",
            "winter2025",
            "spring2026",
            "autumn2023",
            "january1",
            "monday123",
            "samsung1",
            "pokemon123",
            "naruto123",
            "minecraft1",
            "batman123",
            "spiderman",
            "victoria1",
            "alexander",
            "alexandra1",
            "elizabeth",
            "christopher",
            "barcelona",
            "manchester",
            "chelsea123",
            "arsenal1",
            "juventus",
            "asdfasdf",
            "asdf1234",
            "aaaaaaaa",
            "abababab",
            "abcabcabc",
            "hahahaha",
            "qwerqwer",
            "hgfedcba",
            "0987654321",
            "2000princess",
            "secret123",
            "admin123",
            "administrator",
            "changeme",
            "changeme1",
            "default1",
            "testing123",
            "security",
            "freedom1",
            "jordan23",
            "mustang1",
        ] {
            assert!(is_common(password), "{password}");
        }
    }

    #[test]
    fn thousands_are_common_and_each_digit_counts() {
        let words = COMMON
            .lines()
            .filter(|word| word.len() >= SHORTEST && word.bytes().all(|b| b.is_ascii_lowercase()));
        let found: BTreeSet<String> = words
            .flat_map(|word| ["1", "12", "123", "1234", "2024", "99"].map(|tail| format!("{word}{tail}")))
            .collect();
        assert!(found.len() > 3000 && found.iter().all(|password| is_common(password)), "{}", found.len());
        assert!(!is_common("princess12345"), "five digits are no longer a few");
    }

    #[test]
    fn what_nobody_tries_first_is_not_common() {
        for password in [
            "changeme123!",
            "securepassword123!",
            "correct horse battery staple",
            "xk7#mq2p",
            "acmeadmin",
            "пароль-из-слов",
            "tr0ub4dor&3",
            "qwertyandmore",
            "",
            "abc",
            "zebra-cactus",
        ] {
            assert!(!is_common(password), "{password}");
        }
    }

    #[test]
    fn a_word_is_no_better_with_a_few_digits() {
        for (password, made) in [
            ("acme-corp", true),
            ("acme-corp1990", true),
            ("1acme-corp", true),
            ("acme-corp12345", false),
            ("acme-corp!", false),
            ("my acme-corp", false),
        ] {
            assert_eq!(is_made_of(password, "acme-corp"), made, "{password}");
        }
        assert!(is_made_of("abc", "abc") && !is_made_of("abc12345", "abc"), "a short word says little");
    }
}
