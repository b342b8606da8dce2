//! `If-Match`: changes of what the caller has seen, and of nothing newer.

use actix_web::http::header::{self, HeaderMap};

use crate::problem::{Code, Problem};

/// Which versions of a thing the caller means.
#[derive(Debug)]
pub(crate) enum IfMatch {
    /// It does not say, or means any.
    Any,
    /// Those with one of these entity tags.
    Tags(String),
}

impl IfMatch {
    /// As the headers say.
    pub(crate) fn of(headers: &HeaderMap) -> Self {
        let tags: Vec<&str> =
            headers.get_all(header::IF_MATCH).map(|value| value.to_str().unwrap_or_default()).collect();
        let tags = tags.join(",");
        if tags.is_empty() || tags.trim() == "*" { Self::Any } else { Self::Tags(tags) }
    }

    /// Whether a thing with this entity tag (without quotes) is meant.
    pub(crate) fn means(&self, tag: &str) -> bool {
        match self {
            Self::Any => true,
            // A weak tag never matches here (RFC 9110, 13.1.1).
            Self::Tags(tags) => {
                let quoted =
                    |meant: &str| meant.trim().strip_prefix('"')?.strip_suffix('"').map(|it| it == tag);
                tags.split(',').any(|meant| quoted(meant) == Some(true))
            }
        }
    }

    /// Whether a thing in this version, which is its entity tag, is meant.
    pub(crate) fn means_version(&self, version: i64) -> bool {
        matches!(self, Self::Any) || self.means(&version.to_string())
    }

    /// The version to insist on, where the thing has this one; a problem if the caller means another.
    pub(crate) fn check(&self, version: i64) -> Result<Option<i64>, Problem> {
        let Self::Tags(_) = self else { return Ok(None) };
        if self.means(&version.to_string()) { Ok(Some(version)) } else { Err(stale(version)) }
    }

    /// What to say when a change came in between: with a precondition, that it no longer holds.
    pub(crate) fn blame(&self, problem: Problem) -> Problem {
        match (self, problem.code()) {
            (Self::Tags(_), Code::Conflict) => Problem::plain(Code::PreconditionFailed),
            _ => problem,
        }
    }
}

/// What to say to whoever means another version than the one there is.
pub(crate) fn stale(version: i64) -> Problem {
    Problem::new(
        Code::PreconditionFailed,
        format!("It has changed: its version is {version} by now, and its entity tag \"{version}\""),
    )
}

#[cfg(test)]
mod tests {
    use actix_web::http::header::HeaderValue;

    use super::*;

    fn check(values: &[&'static str]) -> Result<Option<i64>, Code> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::IF_MATCH, HeaderValue::from_static(value));
        }
        IfMatch::of(&headers).check(7).map_err(|problem| problem.code())
    }

    #[test]
    fn without_a_tag_any_version_is_meant() {
        for any in [&[][..], &["*"], &[" * "], &[""]] {
            assert_eq!(check(any), Ok(None), "{any:?}");
        }
    }

    #[test]
    fn one_of_the_tags_has_to_be_the_current_one() {
        for right in [&["\"7\""][..], &["\"6\", \"7\""], &["\"6\"", "\"7\""]] {
            assert_eq!(check(right), Ok(Some(7)), "{right:?}");
        }
        for wrong in [&["\"6\""][..], &["W/\"7\""], &["7"], &["\"77\""], &["x"]] {
            assert_eq!(check(wrong), Err(Code::PreconditionFailed), "{wrong:?}");
        }
    }

    #[test]
    fn a_change_in_between_is_blamed_on_the_precondition_if_there_is_one() {
        let code = |meant: IfMatch| meant.blame(Problem::plain(Code::Conflict)).code();
        assert_eq!(code(IfMatch::Any), Code::Conflict);
        assert_eq!(code(IfMatch::Tags("\"7\"".to_owned())), Code::PreconditionFailed);
    }
}
