//! Tokens that somebody else made, or altered. Each case starts from a token that is accepted, so that what refuses it
//! is the one thing that was changed.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::{Sha256, Sha384, Sha512};
use tenantry_ports::{TokenError, Tokens as _};

use super::SignedTokens;
use crate::testing::{access_claims, at, confirm_claims, master};

/// Everything that a token is made of, to be changed before it is put together.
#[derive(Clone)]
struct Forge {
    header: String,
    payload: String,
    key: Vec<u8>,
}

/// The first signature is the genuine kind's; the others are what a confused reader might accept.
enum Signature {
    Hs256,
    Hs384,
    Hs512,
    Empty,
    Text(&'static str),
}

impl Forge {
    /// The parts of a genuine token.
    fn from(token: &str, label: &str) -> Self {
        let text = |segment: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap();
        let mut segments = token.split('.');
        Self {
            header: text(segments.next().unwrap()),
            payload: text(segments.next().unwrap()),
            key: master(1).derive(label).to_vec(),
        }
    }

    fn header(&self, member: &str, value: Value) -> Self {
        Self { header: with(&self.header, member, Some(value)), ..self.clone() }
    }

    fn without_header(&self, member: &str) -> Self {
        Self { header: with(&self.header, member, None), ..self.clone() }
    }

    fn claim(&self, member: &str, value: Value) -> Self {
        Self { payload: with(&self.payload, member, Some(value)), ..self.clone() }
    }

    fn without_claim(&self, member: &str) -> Self {
        Self { payload: with(&self.payload, member, None), ..self.clone() }
    }

    fn payload(&self, payload: &str) -> Self {
        Self { payload: payload.to_owned(), ..self.clone() }
    }

    fn raw_header(&self, header: &str) -> Self {
        Self { header: header.to_owned(), ..self.clone() }
    }

    fn key(&self, key: &[u8]) -> Self {
        Self { key: key.to_vec(), ..self.clone() }
    }

    fn token(&self) -> String {
        self.signed(&Signature::Hs256)
    }

    fn signed(&self, signature: &Signature) -> String {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(&self.header), URL_SAFE_NO_PAD.encode(&self.payload));
        macro_rules! hmac {
            ($hash:ty) => {{
                let mut mac = Hmac::<$hash>::new_from_slice(&self.key).unwrap();
                mac.update(message.as_bytes());
                URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
            }};
        }
        let signature = match signature {
            Signature::Hs256 => hmac!(Sha256),
            Signature::Hs384 => hmac!(Sha384),
            Signature::Hs512 => hmac!(Sha512),
            Signature::Empty => String::new(),
            Signature::Text(text) => (*text).to_owned(),
        };
        format!("{message}.{signature}")
    }
}

fn with(object: &str, member: &str, value: Option<Value>) -> String {
    let mut object: Value = serde_json::from_str(object).unwrap();
    let members = object.as_object_mut().unwrap();
    match value {
        Some(value) => drop(members.insert(member.to_owned(), value)),
        None => assert!(members.remove(member).is_some(), "{member} was there"),
    }
    object.to_string()
}

fn tokens() -> SignedTokens {
    SignedTokens::new(&master(1))
}

fn confirm() -> Forge {
    Forge::from(tokens().confirm(&confirm_claims()).expose(), "token/confirm")
}

fn access() -> Forge {
    Forge::from(tokens().access(&access_claims()).expose(), "token/access")
}

/// What holds for every kind of token.
fn common(genuine: &Forge) -> Vec<(&'static str, String)> {
    let good = genuine.token();
    let [header, payload, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let none = |spelling: &str| genuine.header("alg", json!(spelling));
    let mut last = signature.to_owned();
    let end = if last.pop() == Some('A') { 'B' } else { 'A' };
    last.push(end);
    let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    vec![
        ("alg none, no signature", none("none").signed(&Signature::Empty)),
        ("alg None, no signature", none("None").signed(&Signature::Empty)),
        ("alg NONE, no signature", none("NONE").signed(&Signature::Empty)),
        ("alg nOnE, no signature", none("nOnE").signed(&Signature::Empty)),
        ("alg none, genuine signature", none("none").token()),
        ("alg none, two segments", none("none").signed(&Signature::Empty).trim_end_matches('.').to_owned()),
        ("alg empty", none("").token()),
        ("alg null", genuine.header("alg", Value::Null).token()),
        ("alg missing", genuine.without_header("alg").token()),
        ("alg RS256 over the shared key", none("RS256").token()),
        ("alg ES256 over the shared key", none("ES256").token()),
        ("alg PS256 over the shared key", none("PS256").token()),
        ("alg HS384 as signed", none("HS384").signed(&Signature::Hs384)),
        ("alg HS512 as signed", none("HS512").signed(&Signature::Hs512)),
        ("alg HS384, signed HS256", none("HS384").token()),
        ("alg hs256", none("hs256").token()),
        ("alg twice", genuine.raw_header(&genuine.header.replacen('{', r#"{"alg":"none","#, 1)).token()),
        ("foreign key", genuine.key(&master(2).derive("token/confirm")).token()),
        ("foreign key of this kind", genuine.key(&master(2).derive("token/access")).token()),
        ("empty key", genuine.key(b"").token()),
        ("guessed key", genuine.key(b"secret").token()),
        ("zero key", genuine.key(&[0; 32]).token()),
        ("foreign kid", genuine.header("kid", json!("0000000000000000")).token()),
        ("kid is a path", genuine.header("kid", json!("../../../../dev/null")).key(b"").token()),
        ("kid is SQL", genuine.header("kid", json!("' UNION SELECT 'secret' --")).key(b"secret").token()),
        ("jku", genuine.header("jku", json!("https://evil.example/jwks.json")).token()),
        ("x5u", genuine.header("x5u", json!("https://evil.example/cert")).token()),
        (
            "embedded jwk",
            genuine.header("jwk", json!({ "kty": "oct", "k": "c2VjcmV0" })).key(b"secret").token(),
        ),
        ("unknown critical header", genuine.header("crit", json!(["exp"])).token()),
        ("nested content", genuine.header("cty", json!("JWT")).token()),
        ("typ missing", genuine.without_header("typ").token()),
        ("typ of a refresh token", genuine.header("typ", json!("rt+jwt")).token()),
        ("typ of a machine's token in full", genuine.header("typ", json!("application/at+jwt")).token()),
        ("typ in full", genuine.header("typ", json!("application/tenantry-access+jwt")).token()),
        ("typ in capitals", genuine.header("typ", json!("TENANTRY-ACCESS+JWT")).token()),
        ("types in a list", genuine.header("typ", json!(["tenantry-access+jwt"])).token()),
        ("typ in other letters", genuine.header("typ", json!("jwt")).token()),
        ("foreign iss", genuine.claim("iss", json!("https://evil.example")).token()),
        ("iss missing", genuine.without_claim("iss").token()),
        ("foreign aud", genuine.claim("aud", json!("someone-else")).token()),
        ("aud missing", genuine.without_claim("aud").token()),
        ("aud empty", genuine.claim("aud", json!([])).token()),
        ("sub missing", genuine.without_claim("sub").token()),
        ("sub of another kind", genuine.claim("sub", json!("key_0195c0de00007000800000000000000b")).token()),
        ("sub a number", genuine.claim("sub", json!(1)).token()),
        ("exp missing", genuine.without_claim("exp").token()),
        ("exp null", genuine.claim("exp", Value::Null).token()),
        ("exp a text", genuine.claim("exp", json!("1900000000")).token()),
        ("exp a fraction", genuine.claim("exp", json!(1_900_000_000.5)).token()),
        ("exp negative", genuine.claim("exp", json!(-1)).token()),
        ("exp zero", genuine.claim("exp", json!(0)).token()),
        ("exp least", genuine.claim("exp", json!(i64::MIN)).token()),
        ("exp beyond every calendar", genuine.claim("exp", json!(i64::MAX)).token()),
        ("exp beyond chrono", genuine.claim("exp", json!(8_210_266_876_800_i64)).token()),
        ("exp beyond i64", genuine.claim("exp", json!(u64::MAX)).token()),
        ("exp as a float", genuine.payload(&genuine.payload.replace("1800000900", "1e300")).token()),
        ("exp twice", genuine.payload(&genuine.payload.replacen('{', r#"{"exp":1900000000,"#, 1)).token()),
        ("expired", genuine.claim("exp", json!(1_799_999_000)).claim("iat", json!(1_799_998_000)).token()),
        (
            "ends as it begins",
            genuine.claim("iat", json!(1_800_000_010)).claim("exp", json!(1_800_000_010)).token(),
        ),
        ("iat missing", genuine.without_claim("iat").token()),
        ("iat in the future", genuine.claim("iat", json!(1_800_000_100)).token()),
        ("iat beyond chrono", genuine.claim("iat", json!(i64::MIN)).token()),
        ("claims of an array", genuine.payload("[]").token()),
        ("claims of null", genuine.payload("null").token()),
        ("claims empty", genuine.payload("{}").token()),
        ("claims broken off", genuine.payload(&genuine.payload[..genuine.payload.len() - 1]).token()),
        ("claims a thousand levels deep", genuine.payload(&deep).token()),
        ("header empty", genuine.raw_header("{}").token()),
        ("header no object", genuine.raw_header("\"HS256\"").token()),
        ("header a thousand levels deep", genuine.raw_header(&deep).token()),
        ("payload of another token", format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("{\"a\":1}"))),
        ("signature empty", genuine.signed(&Signature::Empty)),
        ("signature short", good[..good.len() - 1].to_owned()),
        ("signature of one byte", genuine.signed(&Signature::Text("AA"))),
        ("signature altered at its end", format!("{header}.{payload}.{last}")),
        ("signature padded", format!("{good}=")),
        ("signature twice as long", format!("{good}{signature}")),
        ("signature of text", genuine.signed(&Signature::Text("c2lnbmF0dXJl"))),
        ("no dots", good.replace('.', "")),
        ("one segment", header.to_owned()),
        ("two segments", format!("{header}.{payload}")),
        ("four segments", format!("{good}.{signature}")),
        ("five segments, as an encrypted token", format!("{good}.{header}.{payload}")),
        ("trailing dot", format!("{good}.")),
        ("leading dot", format!(".{good}")),
        ("only dots", "..".to_owned()),
        ("empty", String::new()),
        ("garbage", "garbage".to_owned()),
        ("three segments of garbage", "a.b.c".to_owned()),
        ("unicode", "ключ.🔑.подпись".to_owned()),
        ("unicode in front", format!("é{good}")),
        ("fullwidth dots", good.replace('.', "．")),
        ("nul byte", format!("{good}\0")),
        ("white space around", format!(" {good} ")),
        ("line break at the end", format!("{good}\n")),
        ("scheme left on", format!("Bearer {good}")),
        ("standard base64", format!("{header}.{payload}.++//")),
        ("huge", "A".repeat(10_000_000)),
        ("huge in three", [&*"A".repeat(100_000); 3].join(".")),
        ("genuine with a huge claim", genuine.claim("x", json!("x".repeat(4_096))).token()),
        ("dots without end", ".".repeat(1_000_000)),
    ]
}

#[test]
fn what_the_forge_makes_unchanged_is_accepted() {
    assert!(tokens().check_confirm(&confirm().token(), at(1)).is_ok());
    assert!(tokens().check_access(&access().token(), at(1)).is_ok());
    let unread = confirm().claim("later", json!("a claim we may add one day")).token();
    assert!(tokens().check_confirm(&unread, at(1)).is_ok());
    let former = access().header("typ", json!("at+jwt")).token();
    assert!(tokens().check_access(&former, at(1)).is_ok(), "as the version before made it");
}

#[test]
fn forged_confirmation_tokens_are_refused() {
    let genuine = confirm();
    let mut cases = common(&genuine);
    cases.extend([
        ("an access token", access().token()),
        ("typ of an access token", genuine.header("typ", json!("tenantry-access+jwt")).token()),
        ("typ of a machine's token", genuine.header("typ", json!("at+jwt")).token()),
        ("an access token's claims", genuine.payload(&access().payload).token()),
        ("an access token's header", genuine.raw_header(&access().header).token()),
        ("signed with the access key", genuine.key(&access().key).token()),
        ("for the other audience", genuine.claim("aud", json!("tenantry:access")).token()),
        ("for both audiences", genuine.claim("aud", json!(["tenantry:confirm", "tenantry:access"])).token()),
        ("type missing", genuine.without_claim("type").token()),
        ("another type", genuine.claim("type", json!("reset_password")).token()),
        ("slug missing", genuine.without_claim("slug").token()),
        ("slug invalid", genuine.claim("slug", json!("../etc")).token()),
        ("jti missing", genuine.without_claim("jti").token()),
        ("jti no UUID", genuine.claim("jti", json!("1")).token()),
        ("expired this second", genuine.claim("exp", json!(1_800_000_001)).token()),
    ]);
    for (forgery, token) in cases {
        assert_eq!(tokens().check_confirm(&token, at(1)), Err(TokenError), "{forgery}: {token:.300}");
    }
}

#[test]
fn forged_access_tokens_are_refused() {
    let genuine = access();
    let mut cases = common(&genuine);
    cases.extend([
        ("a confirmation token", confirm().token()),
        ("a confirmation token's claims", genuine.payload(&confirm().payload).token()),
        ("a confirmation token's header", genuine.raw_header(&confirm().header).token()),
        ("typ of a confirmation token", genuine.header("typ", json!("JWT")).token()),
        ("signed with the confirmation key", genuine.key(&confirm().key).token()),
        ("for the other audience", genuine.claim("aud", json!("tenantry:confirm")).token()),
        ("kid missing", genuine.without_header("kid").token()),
        ("tenant missing", genuine.without_claim("tenant_id").token()),
        (
            "tenant of another kind",
            genuine.claim("tenant_id", json!("usr_0195c0de00007000800000000000000b")).token(),
        ),
        ("role missing", genuine.without_claim("role").token()),
        ("role made up", genuine.claim("role", json!("root")).token()),
        ("role in other letters", genuine.claim("role", json!("admin")).token()),
        ("roles in a list", genuine.claim("role", json!(["ADMIN"])).token()),
        ("sid missing", genuine.without_claim("sid").token()),
        ("nbf missing", genuine.without_claim("nbf").token()),
        ("not yet valid", genuine.claim("nbf", json!(1_800_000_100)).token()),
        ("nbf beyond chrono", genuine.claim("nbf", json!(i64::MAX)).token()),
    ]);
    for (forgery, token) in cases {
        assert_eq!(tokens().check_access(&token, at(1)), Err(TokenError), "{forgery}: {token:.300}");
    }
}
