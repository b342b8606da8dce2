//! Signed tokens: what they say (`claims`), and how they are signed and read (`kind`).

mod claims;
#[cfg(test)]
mod forgeries;
mod kind;
mod machine;
#[cfg(test)]
mod machine_forgeries;

use std::fmt;

use chrono::{DateTime, Duration, Utc};
use tenantry_ports::{AccessClaims, ConfirmClaims, Secret, TokenError, Tokens};

use self::claims::{AccessWire, ConfirmWire};
use self::kind::{Header, Kind};
use crate::MasterKey;

pub use self::machine::Es256Tokens;

/// Clocks of the machines that issue and check access tokens may differ by this.
const LEEWAY: Duration = Duration::seconds(30);

/// JSON Web Tokens signed with HMAC-SHA256 (HS256), each kind under a key of its own derived from the master key.
///
/// | | confirm | access |
/// |---|---|---|
/// | header | `{"alg":"HS256","typ":"JWT"}` | `{"alg":"HS256","typ":"tenantry-access+jwt","kid":…}` |
/// | `aud` | `tenantry:confirm` | `tenantry:access` |
/// | claims | `iss` `sub` `slug` `type` `jti` `iat` `exp` | `iss` `sub` `tenant_id` `role` `sid` `iat` `nbf` `exp` |
/// | leeway | none | 30 s |
///
/// All claims are required. A token must have been written exactly as this type writes its kind: another algorithm,
/// `typ`, `kid`, issuer or audience is refused even under the right key, and header members that would make a reader
/// look elsewhere (`jku`, `jwk`, `x5u`, `crit` …) are refused as such.
pub struct SignedTokens {
    confirm: Kind,
    access: Kind,
}

impl SignedTokens {
    /// Tokens under keys derived from `master`.
    pub fn new(master: &MasterKey) -> Self {
        Self {
            confirm: Kind::new(master, "token/confirm", "JWT", Header::Plain),
            // `at+jwt` is what machines' tokens are (RFC 9068). A release later those of people that say so have all expired.
            access: Kind::new(master, "token/access", "tenantry-access+jwt", Header::NamesKey)
                .formerly("at+jwt"),
        }
    }

    /// Also accepts what was signed under `former`, for as long as its tokens live after the master key was replaced.
    #[must_use]
    pub fn accepting(mut self, former: &MasterKey) -> Self {
        self.confirm.accept(former);
        self.access.accept(former);
        self
    }
}

impl Tokens for SignedTokens {
    fn confirm(&self, claims: &ConfirmClaims) -> Secret {
        self.confirm.sign(ConfirmWire::from(claims))
    }

    fn check_confirm(&self, token: &str, now: DateTime<Utc>) -> Result<ConfirmClaims, TokenError> {
        self.confirm.read::<ConfirmWire>(token)?.check(now, Duration::zero())
    }

    fn access(&self, claims: &AccessClaims) -> Secret {
        self.access.sign(AccessWire::from(claims))
    }

    fn check_access(&self, token: &str, now: DateTime<Utc>) -> Result<AccessClaims, TokenError> {
        self.access.read::<AccessWire>(token)?.check(now, LEEWAY)
    }
}

impl fmt::Debug for SignedTokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SignedTokens(…)")
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{access_claims, at, confirm_claims, master};

    fn tokens() -> SignedTokens {
        SignedTokens::new(&master(1))
    }

    fn segment(token: &Secret, index: usize) -> Value {
        let segment = token.expose().split('.').nth(index).unwrap();
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
    }

    #[test]
    fn tokens_are_read_back_by_every_replica() {
        let confirm = tokens().confirm(&confirm_claims());
        assert_eq!(tokens().check_confirm(confirm.expose(), at(1)), Ok(confirm_claims()));
        let access = tokens().access(&access_claims());
        assert_eq!(tokens().check_access(access.expose(), at(1)), Ok(access_claims()));
    }

    #[test]
    fn a_confirmation_token_is_as_documented() {
        let token = tokens().confirm(&confirm_claims());
        assert!(token.expose().starts_with("eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9."), "the documented header");
        assert_eq!(
            segment(&token, 1),
            json!({
                "iss": "tenantry", "aud": "tenantry:confirm", "sub": "0195c0de-0000-4000-8000-00000000000a",
                "slug": "acme", "type": "confirm_provisioning", "jti": "0195c0de-0000-4000-8000-00000000000d",
                "iat": 1_800_000_000, "exp": 1_800_000_900,
            })
        );
    }

    #[test]
    fn an_access_token_is_as_documented() {
        let token = tokens().access(&access_claims());
        let header = segment(&token, 0);
        assert_eq!((&header["alg"], &header["typ"]), (&json!("HS256"), &json!("tenantry-access+jwt")));
        assert_eq!(header["kid"].as_str().unwrap().len(), 16);
        assert_eq!(
            segment(&token, 1),
            json!({
                "iss": "tenantry", "aud": "tenantry:access", "sub": "usr_0195c0de00007000800000000000000b",
                "tenant_id": "ten_0195c0de00004000800000000000000a", "role": "ADMIN",
                "sid": "ses_0195c0de00007000800000000000000c",
                "iat": 1_800_000_000, "nbf": 1_800_000_000, "exp": 1_800_000_900,
            })
        );
    }

    #[test]
    fn a_confirmation_token_dies_on_the_second_and_an_access_token_half_a_minute_later() {
        let confirm = tokens().confirm(&confirm_claims());
        assert!(tokens().check_confirm(confirm.expose(), at(899)).is_ok());
        assert_eq!(tokens().check_confirm(confirm.expose(), at(900)), Err(TokenError));
        let access = tokens().access(&access_claims());
        assert!(tokens().check_access(access.expose(), at(929)).is_ok());
        assert_eq!(tokens().check_access(access.expose(), at(930)), Err(TokenError));
    }

    #[test]
    fn tokens_from_the_future_are_refused_beyond_the_leeway() {
        let confirm = tokens().confirm(&confirm_claims());
        assert!(tokens().check_confirm(confirm.expose(), at(0)).is_ok());
        assert_eq!(tokens().check_confirm(confirm.expose(), at(-1)), Err(TokenError));
        let access = tokens().access(&access_claims());
        assert!(tokens().check_access(access.expose(), at(-30)).is_ok());
        assert_eq!(tokens().check_access(access.expose(), at(-31)), Err(TokenError));
    }

    #[test]
    fn no_fraction_of_a_second_shortens_a_token() {
        let half = Duration::milliseconds(500);
        let claims =
            ConfirmClaims { issued_at: at(0) + half, expires_at: at(900) + half, ..confirm_claims() };
        let token = tokens().confirm(&claims);
        assert!(tokens().check_confirm(token.expose(), claims.issued_at).is_ok());
        assert!(tokens().check_confirm(token.expose(), at(900) + Duration::milliseconds(499)).is_ok());
        assert_eq!(tokens().check_confirm(token.expose(), at(901)), Err(TokenError));
    }

    #[test]
    fn a_replaced_master_key_is_honoured_only_where_it_was_named() {
        let confirm = tokens().confirm(&confirm_claims());
        let access = tokens().access(&access_claims());
        let replaced = SignedTokens::new(&master(2));
        assert_eq!(replaced.check_confirm(confirm.expose(), at(1)), Err(TokenError));
        assert_eq!(replaced.check_access(access.expose(), at(1)), Err(TokenError));
        let overlapping = replaced.accepting(&master(1));
        assert!(overlapping.check_confirm(confirm.expose(), at(1)).is_ok());
        assert!(overlapping.check_access(access.expose(), at(1)).is_ok());
        let new = overlapping.access(&access_claims());
        assert_eq!(
            tokens().check_access(new.expose(), at(1)),
            Err(TokenError),
            "signed under the new key alone"
        );
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", tokens()), "SignedTokens(…)");
    }

    proptest! {
        #[test]
        fn no_text_panics_or_passes(text in "([A-Za-z0-9_-]{0,60}\\.){0,3}\\PC{0,40}") {
            prop_assert_eq!(tokens().check_confirm(&text, at(1)), Err(TokenError));
            prop_assert_eq!(tokens().check_access(&text, at(1)), Err(TokenError));
        }

        #[test]
        fn no_altered_character_passes(place in 0_usize..600, to in any::<char>()) {
            let token = tokens().access(&access_claims()).expose().to_owned();
            let place = place % token.len();
            let altered: String = token.chars().enumerate().map(|(i, c)| if i == place { to } else { c }).collect();
            prop_assert_eq!(tokens().check_access(&altered, at(1)).is_ok(), altered == token);
        }
    }
}
