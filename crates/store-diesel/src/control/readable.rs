//! Lists in which a row that cannot be read stands in nobody's way.

use diesel::QueryResult;
use tenantry_ports::{StoreError, StoreResult, Unreadable};

use crate::error::Answer;

/// What was read, unless it makes no sense: whoever is listed does without.
pub(super) fn unless_corrupt<T>(id: &str, read: StoreResult<T>) -> StoreResult<Option<T>> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(error @ StoreError::Corrupt { .. }) => {
            tracing::warn!(
                "{id} is left out of a list, since it cannot be read ({error}); see `tenantry doctor`"
            );
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

/// The first so many that can be read. `load` answers so many rows after that many (limit, offset), and is asked once where
/// all of them can be read.
pub(super) fn readable<R, T>(
    most: usize,
    mut load: impl FnMut(usize, usize) -> QueryResult<Vec<R>>,
    read: impl Fn(R) -> StoreResult<Option<T>>,
) -> Answer<Vec<T>> {
    let (mut found, mut seen) = (Vec::new(), 0);
    loop {
        let wanted = most - found.len();
        let rows = load(wanted, seen)?;
        let is_last = rows.len() < wanted;
        seen += rows.len();
        for row in rows {
            found.extend(read(row)?);
        }
        if is_last || found.len() == most {
            return Ok(found);
        }
    }
}

/// The row, if it cannot be read.
pub(super) fn unreadable<T>(id: &str, read: StoreResult<T>) -> StoreResult<Option<Unreadable>> {
    match read {
        Ok(_) => Ok(None),
        Err(error @ StoreError::Corrupt { .. }) => {
            Ok(Some(Unreadable { id: id.to_owned(), reason: error.to_string() }))
        }
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows below `end`, of which the odd ones cannot be read; and how often they were asked for.
    fn even(end: usize, most: usize) -> (Vec<usize>, usize) {
        let mut asked = 0;
        let load = |limit, offset| {
            asked += 1;
            Ok((offset..end).take(limit).collect())
        };
        let read = |row: usize| Ok((row.is_multiple_of(2)).then_some(row));
        let found = readable(most, load, read).unwrap_or_else(|_| panic!("nothing fails"));
        (found, asked)
    }

    #[test]
    fn a_list_is_full_as_long_as_there_are_enough_to_read() {
        assert_eq!(even(100, 5).0, [0, 2, 4, 6, 8]);
        assert_eq!(even(9, 5).0, [0, 2, 4, 6, 8]);
        assert_eq!(even(8, 5).0, [0, 2, 4, 6]);
        assert_eq!(even(0, 5).0, [0_usize; 0]);
        assert_eq!(even(100, 0).0, [0_usize; 0]);
    }

    #[test]
    fn a_list_of_what_can_be_read_takes_one_question() {
        assert_eq!(even(1, 5), (vec![0], 1));
        assert_eq!(even(1, 1), (vec![0], 1));
    }

    #[test]
    fn only_what_is_corrupt_is_left_out() {
        let corrupt = || Err::<(), _>(StoreError::corrupt("tenant", "nonsense"));
        assert!(matches!(unless_corrupt("x", corrupt()), Ok(None)));
        assert!(matches!(unreadable("x", corrupt()), Ok(Some(row)) if row.id == "x"));
        let unavailable = || Err::<(), _>(StoreError::Unavailable("away".to_owned()));
        assert!(unless_corrupt("x", unavailable()).is_err() && unreadable("x", unavailable()).is_err());
    }
}
