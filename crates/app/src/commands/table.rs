//! Tables for people.

use std::iter::once;

use chrono::{DateTime, SecondsFormat, Utc};

/// The rows under their heads, in columns as wide as what is in them; nothing, if there are no rows.
pub(crate) fn table<const N: usize>(heads: [&str; N], rows: impl IntoIterator<Item = [String; N]>) -> String {
    let rows: Vec<_> = once(heads.map(str::to_owned)).chain(rows).collect();
    if rows.len() == 1 {
        return String::new();
    }
    let widths: [usize; N] = std::array::from_fn(|column| {
        rows.iter().map(|row| row[column].chars().count()).max().unwrap_or_default()
    });
    let line = |row: &[String; N]| {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned() + "\n"
    };
    rows.iter().map(line).collect()
}

/// To the second.
pub(crate) fn time(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let rows = [["ä".to_owned(), "b".to_owned()], ["ccc".to_owned(), String::new()]];
        assert_eq!(table(["A", "LONG"], rows), "A    LONG\nä    b\nccc\n");
        assert_eq!(table(["A"], Vec::<[String; 1]>::new()), "");
    }
}
