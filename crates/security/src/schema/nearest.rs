/// The known name that `name` is most likely a misspelling of, if any is close enough to be worth suggesting.
pub(super) fn nearest<'k>(name: &str, known: impl IntoIterator<Item = &'k str>) -> Option<&'k str> {
    let given = plain(name);
    // Nobody misspells a name this long, and distances cost the product of the lengths.
    if given.len() > 64 {
        return None;
    }
    let allowed = (given.len() / 3).clamp(1, 3);
    known
        .into_iter()
        .map(|known| (distance(&given, &plain(known)), known))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, known)| known)
}

/// Letters and digits in lower case: how words are joined, and where they are capital, is what people mix up most.
fn plain(name: &str) -> Vec<char> {
    name.chars().take(100).filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// Insertions, deletions, substitutions and swaps of neighbours that turn `a` into `b` (optimal string alignment).
fn distance(a: &[char], b: &[char]) -> usize {
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let substituted = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = substituted.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(before[j - 2] + 1);
            }
            row.push(best);
        }
        before = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn misspellings_are_recognised_and_other_words_are_not() {
        let known = ["email", "firstName", "maxDrawdown", "dailyLossLimit", "id"];
        for (name, expected) in [
            ("emial", Some("email")),
            ("e-mail", Some("email")),
            ("EMAIL", Some("email")),
            ("first_name", Some("firstName")),
            ("max_drawdwn", Some("maxDrawdown")),
            ("dailyLosLimit", Some("dailyLossLimit")),
            ("ID", Some("id")),
            ("telephone", None),
            ("x", None),
            ("", None),
            ("xy", None),
        ] {
            assert_eq!(nearest(name, known), expected, "{name}");
        }
        assert_eq!(nearest(&"e".repeat(1_000_000), known), None);
    }

    #[test]
    fn distances_are_counted() {
        let chars = |text: &str| text.chars().collect::<Vec<_>>();
        for (a, b, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("kitten", "sitting", 3),
            ("ab", "ba", 1),
            ("abcd", "acbd", 1),
            ("é", "e", 1),
        ] {
            assert_eq!(distance(&chars(a), &chars(b)), expected, "{a} {b}");
            assert_eq!(distance(&chars(b), &chars(a)), expected, "{b} {a}");
        }
    }
}
