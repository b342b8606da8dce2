//! Access tokens of machines: signed with ES256, so that others can check them.

use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use biscuit::jwa::SignatureAlgorithm;
use biscuit::jws::{Compact, RegisteredHeader, Secret as Key};
use biscuit::{CompactJson, Empty};
use chrono::{DateTime, Utc};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_ports::{
    Algorithm, MachineClaims, MachineTokens, Secret, SigningKey, SigningPair, TokenError, Unopenable,
};
use uuid::Uuid;

use super::LEEWAY;
use super::claims::{lifetime, seconds_up};
use super::kind::well_formed;
use crate::{Place, SealingBox};

const TYP: &str = "at+jwt";

/// OAuth 2.0 access tokens of machines, as RFC 9068 has them.
///
/// Header `{"alg":"ES256","typ":"at+jwt","kid":…}`; claims `iss` `aud` `sub` `client_id` `tenant_id` `scope` `jti` `iat`
/// `exp`, all required. `iss` and `aud` are the URL of the API, `sub` and `client_id` the API key's id. As with
/// [`SignedTokens`](crate::SignedTokens), a token must have been written exactly as this type writes it. The private part
/// of a signing key is in the clear only while it signs.
pub struct Es256Tokens {
    sealing: SealingBox,
    random: SystemRandom,
}

impl Es256Tokens {
    /// Tokens whose signing keys are sealed in this box.
    pub fn new(sealing: SealingBox) -> Self {
        Self { sealing, random: SystemRandom::new() }
    }
}

/// Where a signing key's private part is kept.
fn place(kid: &str) -> Place<'_> {
    Place { table: "signing_keys", tenant: None, row: kid, field: "sealed_private" }
}

/// The members of a P-256 public key in the order that its thumbprint is made of.
#[derive(Serialize, Deserialize)]
struct Point {
    crv: String,
    kty: String,
    x: String,
    y: String,
}

/// A public key as the key set has it.
#[derive(Serialize, Deserialize)]
struct PublicKey {
    #[serde(flatten)]
    point: Point,
    kid: String,
    alg: String,
    r#use: String,
}

/// Of a header, what says whether it may be a machine's token.
#[derive(Deserialize)]
struct Hint {
    alg: String,
    typ: String,
    kid: String,
}

/// The claims as they are written. Times are Unix seconds.
#[derive(Serialize, Deserialize)]
struct Wire {
    iss: String,
    aud: String,
    sub: ApiKeyId,
    client_id: ApiKeyId,
    tenant_id: TenantId,
    scope: String,
    jti: String,
    iat: i64,
    exp: i64,
}

impl CompactJson for Wire {}

impl Wire {
    fn new(issuer: &str, claims: &MachineClaims) -> Self {
        let scopes: Vec<_> = claims.scopes.iter().map(|scope| scope.as_str()).collect();
        Self {
            iss: issuer.to_owned(),
            aud: issuer.to_owned(),
            sub: claims.key,
            client_id: claims.key,
            tenant_id: claims.tenant,
            scope: scopes.join(" "),
            jti: claims.token.hyphenated().to_string(),
            iat: claims.issued_at.timestamp(),
            exp: seconds_up(claims.expires_at),
        }
    }

    fn check(self, issuer: &str, now: DateTime<Utc>) -> Result<MachineClaims, TokenError> {
        if self.iss != issuer || self.aud != issuer || self.sub != self.client_id {
            return Err(TokenError);
        }
        let (issued_at, expires_at) = lifetime(self.iat, self.exp, now, LEEWAY)?;
        let scopes = self.scope.split(' ').filter(|scope| !scope.is_empty());
        Ok(MachineClaims {
            key: self.sub,
            tenant: self.tenant_id,
            scopes: scopes.map(str::parse).collect::<Result<_, _>>().map_err(|_| TokenError)?,
            token: Uuid::try_parse(&self.jti).map_err(|_| TokenError)?,
            issued_at,
            expires_at,
        })
    }
}

/// The one header that a token of this key has.
fn header(kid: &str) -> RegisteredHeader {
    RegisteredHeader {
        algorithm: SignatureAlgorithm::ES256,
        media_type: Some(TYP.to_owned()),
        key_id: Some(kid.to_owned()),
        ..RegisteredHeader::default()
    }
}

impl MachineTokens for Es256Tokens {
    fn generate(&self) -> SigningPair {
        let algorithm = &ECDSA_P256_SHA256_FIXED_SIGNING;
        let private = EcdsaKeyPair::generate_pkcs8(algorithm, &self.random)
            .expect("the system has randomness, or nothing here is safe");
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, private.as_ref(), &self.random)
            .expect("a key that was just made is one");
        // 4, and two coordinates of 32 bytes.
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let [x, y] = [x, y].map(|coordinate| URL_SAFE_NO_PAD.encode(coordinate));
        let point = Point { crv: "P-256".to_owned(), kty: "EC".to_owned(), x, y };
        let text = serde_json::to_string(&point).expect("texts are plain JSON");
        let kid = URL_SAFE_NO_PAD.encode(Sha256::digest(text));
        let sealed_private = self.sealing.seal(&place(&kid), private.as_ref());
        let public = PublicKey {
            point,
            kid: kid.clone(),
            alg: Algorithm::Es256.as_str().to_owned(),
            r#use: "sig".to_owned(),
        };
        let public_jwk = serde_json::to_string(&public).expect("texts are plain JSON");
        SigningPair { kid, algorithm: Algorithm::Es256, public_jwk, sealed_private }
    }

    fn sign(&self, key: &SigningKey, issuer: &str, claims: &MachineClaims) -> Result<Secret, Unopenable> {
        let sealed = key.sealed_private.as_deref().ok_or(Unopenable)?;
        let private = self.sealing.open(&place(&key.kid), sealed)?;
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &private, &self.random);
        let pair = Key::EcdsaKeyPair(Arc::new(pair.map_err(|_| Unopenable)?));
        let token = Compact::<Wire, Empty>::new_decoded(header(&key.kid).into(), Wire::new(issuer, claims))
            .into_encoded(&pair)
            .expect("ES256 signs with a key of its curve, and claims are plain JSON");
        Ok(Secret::new(token.unwrap_encoded().to_string()))
    }

    fn kid(&self, token: &str) -> Option<String> {
        if !well_formed(token) {
            return None;
        }
        let header = URL_SAFE_NO_PAD.decode(token.split('.').next()?).ok()?;
        let hint: Hint = serde_json::from_slice(&header).ok()?;
        (hint.alg == Algorithm::Es256.as_str() && hint.typ == TYP).then_some(hint.kid)
    }

    /// As with the other kinds, what is parsed after the signature was checked was written by a holder of the key.
    fn check(
        &self,
        key: &SigningKey,
        issuer: &str,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<MachineClaims, TokenError> {
        let Algorithm::Es256 = key.algorithm;
        if !well_formed(token) {
            return Err(TokenError);
        }
        let public = Key::PublicKey(point(&key.public_jwk).ok_or(TokenError)?);
        let decoded = Compact::<Wire, Empty>::new_encoded(token).decode(&public, SignatureAlgorithm::ES256);
        let (found, claims) = decoded.map_err(|_| TokenError)?.unwrap_decoded();
        if found.registered != header(&key.kid) {
            return Err(TokenError);
        }
        claims.check(issuer, now)
    }

    fn rewrap(&self, key: &SigningKey) -> Result<Option<String>, Unopenable> {
        match &key.sealed_private {
            Some(sealed) => self.sealing.rewrap(&place(&key.kid), sealed),
            None => Ok(None),
        }
    }
}

/// The point that a JSON Web Key of P-256 stands for, uncompressed.
fn point(jwk: &str) -> Option<Vec<u8>> {
    let Point { crv, kty, x, y } = serde_json::from_str(jwk).ok()?;
    let mut point = vec![4];
    point.extend(URL_SAFE_NO_PAD.decode(x).ok()?);
    point.extend(URL_SAFE_NO_PAD.decode(y).ok()?);
    (kty == "EC" && crv == "P-256" && point.len() == 65).then_some(point)
}

impl fmt::Debug for Es256Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Es256Tokens(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::testing::{ISSUER, at, machine_claims, machine_tokens, signing_key};

    #[test]
    fn a_token_is_read_back_by_every_replica() {
        let key = signing_key(&machine_tokens(1));
        let token = machine_tokens(1).sign(&key, ISSUER, &machine_claims()).unwrap();
        assert_eq!(machine_tokens(1).kid(token.expose()), Some(key.kid.clone()));
        assert_eq!(machine_tokens(1).check(&key, ISSUER, token.expose(), at(1)), Ok(machine_claims()));
        // Who only checks needs no master key at all.
        assert_eq!(machine_tokens(2).check(&key, ISSUER, token.expose(), at(1)), Ok(machine_claims()));
    }

    #[test]
    fn a_token_is_as_documented() {
        let key = signing_key(&machine_tokens(1));
        let token = machine_tokens(1).sign(&key, ISSUER, &machine_claims()).unwrap();
        let segment = |index: usize| -> Value {
            let segment = token.expose().split('.').nth(index).unwrap();
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
        };
        assert_eq!(segment(0), json!({ "alg": "ES256", "typ": "at+jwt", "kid": key.kid }));
        assert_eq!(
            segment(1),
            json!({
                "iss": ISSUER, "aud": ISSUER,
                "sub": "key_0195c0de00007000800000000000000e",
                "client_id": "key_0195c0de00007000800000000000000e",
                "tenant_id": "ten_0195c0de00004000800000000000000a",
                "scope": "accounts:read accounts:write",
                "jti": "0195c0de-0000-4000-8000-00000000000f",
                "iat": 1_800_000_000, "exp": 1_800_000_900,
            })
        );
    }

    #[test]
    fn the_public_key_is_a_json_web_key_named_by_its_thumbprint() {
        let key = signing_key(&machine_tokens(1));
        let jwk: Value = serde_json::from_str(&key.public_jwk).unwrap();
        let members = jwk.as_object().unwrap();
        assert_eq!(members.len(), 7, "and no private part: {jwk}");
        assert_eq!((&jwk["kty"], &jwk["crv"]), (&json!("EC"), &json!("P-256")));
        assert_eq!(
            (&jwk["alg"], &jwk["use"], &jwk["kid"]),
            (&json!("ES256"), &json!("sig"), &json!(key.kid))
        );
        let canonical = format!(
            r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
            jwk["x"].as_str().unwrap(),
            jwk["y"].as_str().unwrap()
        );
        assert_eq!(key.kid, URL_SAFE_NO_PAD.encode(Sha256::digest(canonical)));
        assert_ne!(signing_key(&machine_tokens(1)).kid, key.kid, "each is new");
    }

    #[test]
    fn the_private_part_opens_for_its_own_key_alone() {
        let tokens = machine_tokens(1);
        let (one, other) = (signing_key(&tokens), signing_key(&tokens));
        let sign = |key: &SigningKey| tokens.sign(key, ISSUER, &machine_claims()).map(drop);
        assert_eq!(sign(&one), Ok(()));
        assert_eq!(
            sign(&SigningKey { sealed_private: other.sealed_private, ..one.clone() }),
            Err(Unopenable)
        );
        assert_eq!(sign(&SigningKey { sealed_private: None, ..one.clone() }), Err(Unopenable));
        assert_eq!(machine_tokens(2).sign(&one, ISSUER, &machine_claims()), Err(Unopenable));
    }

    #[test]
    fn it_lives_as_long_as_it_says_and_half_a_minute() {
        let tokens = machine_tokens(1);
        let key = signing_key(&tokens);
        let token = tokens.sign(&key, ISSUER, &machine_claims()).unwrap();
        for (seconds, passes) in [(-31, false), (-30, true), (0, true), (929, true), (930, false)] {
            let checked = tokens.check(&key, ISSUER, token.expose(), at(seconds));
            assert_eq!(checked.is_ok(), passes, "{seconds}");
        }
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", machine_tokens(1)), "Es256Tokens(…)");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn no_text_panics_or_passes(text in "([A-Za-z0-9_-]{0,60}\\.){0,3}\\PC{0,40}") {
            let tokens = machine_tokens(1);
            let key = signing_key(&tokens);
            prop_assert_eq!(tokens.check(&key, ISSUER, &text, at(1)), Err(TokenError));
            prop_assert_eq!(tokens.kid(&text), None);
        }

        #[test]
        fn no_altered_character_passes(place in 0_usize..700, to in any::<char>()) {
            let tokens = machine_tokens(1);
            let key = signing_key(&tokens);
            let token = tokens.sign(&key, ISSUER, &machine_claims()).unwrap().expose().to_owned();
            let place = place % token.len();
            let altered: String = token.chars().enumerate().map(|(i, c)| if i == place { to } else { c }).collect();
            prop_assert_eq!(tokens.check(&key, ISSUER, &altered, at(1)).is_ok(), altered == token);
        }
    }
}
