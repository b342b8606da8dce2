//! Structured fields (RFC 9651), as far as rate limits use them: a list of strings with integer parameters. Whatever is
//! anything else fails.

use std::collections::BTreeMap;
use std::iter::Peekable;
use std::str::Chars;

/// A string with parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) parameters: BTreeMap<String, i64>,
}

/// Parses a list (section 4.2.1).
#[track_caller]
pub(crate) fn list(field: &str) -> Vec<Item> {
    let mut input = field.trim_matches(' ').chars().peekable();
    let mut members = Vec::new();
    while input.peek().is_some() {
        members.push(item(&mut input));
        white_space(&mut input);
        match input.next() {
            None => return members,
            Some(',') => white_space(&mut input),
            Some(other) => panic!("{other:?} after an item of {field:?}"),
        }
        assert!(input.peek().is_some(), "a comma at the end of {field:?}");
    }
    members
}

fn white_space(input: &mut Peekable<Chars<'_>>) {
    while input.next_if(|c| [' ', '\t'].contains(c)).is_some() {}
}

fn item(input: &mut Peekable<Chars<'_>>) -> Item {
    let name = string(input);
    let mut parameters = BTreeMap::new();
    while input.next_if_eq(&';').is_some() {
        while input.next_if_eq(&' ').is_some() {}
        let key = key(input);
        assert_eq!(input.next(), Some('='), "{key} is no flag");
        parameters.insert(key, integer(input));
    }
    Item { name, parameters }
}

/// Section 4.2.5.
fn string(input: &mut Peekable<Chars<'_>>) -> String {
    assert_eq!(input.next(), Some('"'), "a name is a string");
    let mut text = String::new();
    loop {
        match input.next() {
            Some('"') => return text,
            Some('\\') => match input.next() {
                Some(escaped @ ('"' | '\\')) => text.push(escaped),
                other => panic!("\\{other:?}"),
            },
            Some(plain @ ' '..='~') => text.push(plain),
            other => panic!("{other:?} in a string"),
        }
    }
}

/// Section 4.2.3.3.
fn key(input: &mut Peekable<Chars<'_>>) -> String {
    let first = input.next_if(|c| c.is_ascii_lowercase() || *c == '*').expect("a key");
    let mut key = first.to_string();
    while let Some(c) =
        input.next_if(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || ['_', '-', '.', '*'].contains(c))
    {
        key.push(c);
    }
    key
}

/// Section 4.2.4.
fn integer(input: &mut Peekable<Chars<'_>>) -> i64 {
    let negative = input.next_if_eq(&'-').is_some();
    let mut digits = String::new();
    while let Some(digit) = input.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    assert!((1..=15).contains(&digits.len()) && input.peek() != Some(&'.'), "an integer");
    let number: i64 = digits.parse().unwrap();
    if negative { -number } else { number }
}

#[test]
fn what_is_no_such_list_is_noticed() {
    assert_eq!(list(""), []);
    assert_eq!(list("\"a\\\"b\";q=-1; w=2 ,\t\"c\"").len(), 2);
    for wrong in
        ["a", "\"a\",", "\"a\" \"b\"", "\"a\";q", "\"a\";q=1.5", "\"a\";Q=1", "\"a", "\"a\\n\"", "\"é\""]
    {
        assert!(std::panic::catch_unwind(|| list(wrong)).is_err(), "{wrong}");
    }
}
