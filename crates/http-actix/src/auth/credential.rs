use actix_web::http::header::{self, HeaderMap, HeaderName, HeaderValue};

use crate::problem::{Code, Problem};

const API_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// What a caller presents: an API key or an access token, which one is for the use case to find out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Credential<'a>(pub(crate) &'a str);

impl<'a> Credential<'a> {
    /// From `Authorization: Bearer …` or, without that, from `X-API-Key`.
    pub(crate) fn of(headers: &'a HeaderMap) -> Result<Self, Problem> {
        let key = || headers.get(API_KEY).and_then(visible);
        bearer(headers).or_else(key).map(Self).ok_or_else(|| {
            let detail = "Authorization header with Bearer token (or X-API-Key with an API key) is required";
            Problem::new(Code::MissingAuthorization, detail)
        })
    }
}

/// The token of `Authorization: Bearer …`; the scheme's case does not matter.
pub(crate) fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = visible(headers.get(header::AUTHORIZATION)?)?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}

/// What a header says, if it says anything.
pub(crate) fn visible(value: &HeaderValue) -> Option<&str> {
    value.to_str().ok().map(str::trim).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(headers: &[(HeaderName, &'static str)]) -> Option<String> {
        let headers =
            headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect();
        Credential::of(&headers).ok().map(|credential| credential.0.to_owned())
    }

    #[test]
    fn bearer_and_api_key_headers_are_understood() {
        assert_eq!(of(&[(header::AUTHORIZATION, "Bearer abc")]).as_deref(), Some("abc"));
        assert_eq!(of(&[(header::AUTHORIZATION, "bearer  abc ")]).as_deref(), Some("abc"));
        assert_eq!(of(&[(API_KEY, "abc")]).as_deref(), Some("abc"));
        assert_eq!(of(&[(header::AUTHORIZATION, "Bearer abc"), (API_KEY, "def")]).as_deref(), Some("abc"));
    }

    #[test]
    fn anything_else_is_no_credential() {
        for value in ["", "Bearer", "Bearer ", "Basic abc", "abc", "Bearerabc"] {
            assert_eq!(of(&[(header::AUTHORIZATION, value)]), None, "{value:?}");
        }
        assert_eq!(of(&[(API_KEY, " ")]), None);
        assert_eq!(of(&[]), None);
    }
}
