//! Machines' tokens that somebody else made, or altered. As with the other kinds, each case starts from a token that is
//! accepted, so that what refuses it is the one thing that was changed. And the matrix of all kinds: none passes for another.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use ring::rand::SystemRandom;
use ring::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    EcdsaKeyPair, EcdsaSigningAlgorithm,
};
use serde_json::{Value, json};
use sha2::Sha256;
use tenantry_ports::{MachineTokens as _, SigningKey, TokenError, Tokens as _};

use crate::testing::{
    ISSUER, access_claims, at, confirm_claims, machine_claims, machine_tokens, master, signing_key,
};
use crate::{Place, SealingBox, SignedTokens, SystemEntropy};

/// The key that genuine tokens are signed with, and its private part in the clear.
static KEY: LazyLock<(SigningKey, Vec<u8>)> = LazyLock::new(|| {
    let key = signing_key(&machine_tokens(1));
    let sealing = SealingBox::new(&master(1), std::sync::Arc::new(SystemEntropy));
    let place = Place { table: "signing_keys", tenant: None, row: &key.kid, field: "sealed_private" };
    let private = sealing.open(&place, key.sealed_private.as_deref().unwrap()).unwrap().to_vec();
    (key, private)
});

/// Another key of ours, in force at the same time.
static OTHER: LazyLock<SigningKey> = LazyLock::new(|| signing_key(&machine_tokens(1)));

/// Everything that a token is made of, to be changed before it is put together.
#[derive(Clone)]
struct Forge {
    header: String,
    payload: String,
}

enum Signer<'a> {
    /// The genuine key, by this algorithm.
    Genuine(&'static EcdsaSigningAlgorithm),
    /// A key of the forger's own.
    Own(&'static EcdsaSigningAlgorithm),
    /// HMAC-SHA256 with something public as the secret.
    Hmac(&'a [u8]),
    Bytes(&'a [u8]),
}

const GENUINE: Signer<'static> = Signer::Genuine(&ECDSA_P256_SHA256_FIXED_SIGNING);
const OWN: Signer<'static> = Signer::Own(&ECDSA_P256_SHA256_FIXED_SIGNING);

impl Forge {
    fn genuine() -> Self {
        let token = machine_tokens(1).sign(&KEY.0, ISSUER, &machine_claims()).unwrap();
        let text = |segment: &str| String::from_utf8(URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap();
        let mut segments = token.expose().split('.');
        Self { header: text(segments.next().unwrap()), payload: text(segments.next().unwrap()) }
    }

    fn header(&self, member: &str, value: Value) -> Self {
        Self { header: with(&self.header, member, Some(value)), ..self.clone() }
    }

    fn without_header(&self, member: &str) -> Self {
        Self { header: with(&self.header, member, None), ..self.clone() }
    }

    fn raw_header(&self, header: &str) -> Self {
        Self { header: header.to_owned(), ..self.clone() }
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

    /// Signed with the genuine key: what refuses it is what it says.
    fn token(&self) -> String {
        self.signed(&GENUINE)
    }

    fn signed(&self, signer: &Signer<'_>) -> String {
        let message =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(&self.header), URL_SAFE_NO_PAD.encode(&self.payload));
        let random = SystemRandom::new();
        let ecdsa = |algorithm, private: &[u8]| {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, private, &random).unwrap();
            pair.sign(&random, message.as_bytes()).unwrap().as_ref().to_vec()
        };
        let signature = match signer {
            Signer::Genuine(algorithm) => ecdsa(algorithm, &KEY.1),
            Signer::Own(algorithm) => {
                let own = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
                ecdsa(algorithm, own.as_ref())
            }
            Signer::Hmac(secret) => {
                let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
                mac.update(message.as_bytes());
                mac.finalize().into_bytes().to_vec()
            }
            Signer::Bytes(bytes) => bytes.to_vec(),
        };
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
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

/// The public key in every form that a confused reader may take for a shared secret.
fn public_forms() -> Vec<(&'static str, Vec<u8>)> {
    let jwk: Value = serde_json::from_str(&KEY.0.public_jwk).unwrap();
    let coordinate = |name: &str| URL_SAFE_NO_PAD.decode(jwk[name].as_str().unwrap()).unwrap();
    let point = [vec![4], coordinate("x"), coordinate("y")].concat();
    // SubjectPublicKeyInfo of P-256.
    let prefix = "3059301306072a8648ce3d020106082a8648ce3d030107034200";
    let prefix: Vec<u8> =
        (0..prefix.len()).step_by(2).map(|i| u8::from_str_radix(&prefix[i..i + 2], 16).unwrap()).collect();
    let der = [prefix, point.clone()].concat();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
    vec![
        ("the JWK", KEY.0.public_jwk.clone().into_bytes()),
        ("the point", point),
        ("DER", der),
        ("PEM", pem.into_bytes()),
        ("the kid", KEY.0.kid.clone().into_bytes()),
        ("nothing", Vec::new()),
    ]
}

fn forged() -> Vec<(String, String)> {
    let genuine = Forge::genuine();
    let good = genuine.token();
    let [header, payload, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let alg = |alg: &str| genuine.header("alg", json!(alg));
    let mut last = signature.to_owned();
    let end = if last.pop() == Some('A') { 'Q' } else { 'A' };
    last.push(end);
    let deep = format!("{}1{}", "[".repeat(1_000), "]".repeat(1_000));
    let twice = |object: &str, member: &str| object.replacen('{', &format!("{{{member},"), 1);
    let own_jwk = json!({ "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" });
    let mut cases: Vec<(&str, String)> = vec![
        ("alg none, no signature", alg("none").signed(&Signer::Bytes(b""))),
        ("alg NoNe, no signature", alg("NoNe").signed(&Signer::Bytes(b""))),
        ("alg none, genuine signature", alg("none").token()),
        ("alg empty", alg("").token()),
        ("alg null", genuine.header("alg", Value::Null).token()),
        ("alg missing", genuine.without_header("alg").token()),
        ("alg es256", alg("es256").token()),
        ("alg ES384 over the genuine key", alg("ES384").token()),
        ("alg ES384 as signed", alg("ES384").signed(&Signer::Own(&ECDSA_P384_SHA384_FIXED_SIGNING))),
        ("alg ES512", alg("ES512").token()),
        ("alg RS256 over the genuine key", alg("RS256").token()),
        ("alg PS256 over the genuine key", alg("PS256").token()),
        ("alg EdDSA", alg("EdDSA").token()),
        ("alg twice", genuine.raw_header(&twice(&genuine.header, r#""alg":"none""#)).token()),
        ("foreign key", genuine.signed(&OWN)),
        ("foreign key that comes along", genuine.header("jwk", own_jwk).signed(&OWN)),
        ("foreign key set", genuine.header("jku", json!("https://evil.example/jwks.json")).signed(&OWN)),
        ("foreign certificate", genuine.header("x5u", json!("https://evil.example/cert")).signed(&OWN)),
        ("certificate in the token", genuine.header("x5c", json!(["MIIB"])).signed(&OWN)),
        ("jku under the genuine key", genuine.header("jku", json!("https://evil.example/")).token()),
        ("kid missing", genuine.without_header("kid").token()),
        ("kid null", genuine.header("kid", Value::Null).token()),
        ("kid of another key of ours", genuine.header("kid", json!(OTHER.kid)).token()),
        ("kid made up", genuine.header("kid", json!("0000")).token()),
        ("kid is a path", genuine.header("kid", json!("../../../../dev/null")).signed(&Signer::Hmac(b""))),
        ("kid is SQL", genuine.header("kid", json!("' UNION SELECT 'x' --")).signed(&Signer::Hmac(b"x"))),
        ("kid is a URL", genuine.header("kid", json!("https://evil.example/key")).signed(&OWN)),
        ("kid twice", genuine.raw_header(&twice(&genuine.header, r#""kid":"x""#)).token()),
        ("typ missing", genuine.without_header("typ").token()),
        ("typ JWT", genuine.header("typ", json!("JWT")).token()),
        ("typ of a person's token", genuine.header("typ", json!("tenantry-access+jwt")).token()),
        ("typ application/at+jwt", genuine.header("typ", json!("application/at+jwt")).token()),
        ("unknown critical header", genuine.header("crit", json!(["exp"])).token()),
        ("content not encoded", genuine.header("b64", json!(false)).header("crit", json!(["b64"])).token()),
        ("nested content", genuine.header("cty", json!("JWT")).token()),
        ("foreign iss", genuine.claim("iss", json!("https://evil.example")).token()),
        ("iss with a slash more", genuine.claim("iss", json!(format!("{ISSUER}/"))).token()),
        ("iss missing", genuine.without_claim("iss").token()),
        ("foreign aud", genuine.claim("aud", json!("https://other.example")).token()),
        ("aud in a list", genuine.claim("aud", json!([ISSUER])).token()),
        ("aud of people's tokens", genuine.claim("aud", json!("tenantry:access")).token()),
        ("aud missing", genuine.without_claim("aud").token()),
        ("sub missing", genuine.without_claim("sub").token()),
        ("sub of another kind", genuine.claim("sub", json!("usr_0195c0de00007000800000000000000b")).token()),
        (
            "sub of another client",
            genuine.claim("sub", json!("key_0195c0de00007000800000000000000f")).token(),
        ),
        ("client_id missing", genuine.without_claim("client_id").token()),
        ("tenant missing", genuine.without_claim("tenant_id").token()),
        (
            "tenant of another kind",
            genuine.claim("tenant_id", json!("usr_0195c0de00007000800000000000000b")).token(),
        ),
        ("scope missing", genuine.without_claim("scope").token()),
        ("scope in a list", genuine.claim("scope", json!(["accounts:read"])).token()),
        ("scope made up", genuine.claim("scope", json!("everything")).token()),
        ("jti missing", genuine.without_claim("jti").token()),
        ("jti no UUID", genuine.claim("jti", json!("1")).token()),
        ("exp missing", genuine.without_claim("exp").token()),
        ("exp a text", genuine.claim("exp", json!("1900000000")).token()),
        ("exp a fraction", genuine.claim("exp", json!(1_900_000_000.5)).token()),
        ("exp beyond every calendar", genuine.claim("exp", json!(i64::MAX)).token()),
        ("exp beyond i64", genuine.claim("exp", json!(u64::MAX)).token()),
        ("exp twice", genuine.payload(&twice(&genuine.payload, r#""exp":1900000000"#)).token()),
        ("tenant twice", genuine.payload(&twice(&genuine.payload, r#""tenant_id":"x""#)).token()),
        ("expired", genuine.claim("exp", json!(1_799_999_900)).claim("iat", json!(1_799_999_000)).token()),
        ("ends as it begins", genuine.claim("exp", json!(1_800_000_000)).token()),
        ("iat missing", genuine.without_claim("iat").token()),
        ("iat in the future", genuine.claim("iat", json!(1_800_000_100)).token()),
        ("iat beyond chrono", genuine.claim("iat", json!(i64::MIN)).token()),
        ("claims of an array", genuine.payload("[]").token()),
        ("claims empty", genuine.payload("{}").token()),
        ("claims a thousand levels deep", genuine.payload(&deep).token()),
        ("header empty", genuine.raw_header("{}").token()),
        ("header a thousand levels deep", genuine.raw_header(&deep).token()),
        ("payload of another token", format!("{header}.{}.{signature}", URL_SAFE_NO_PAD.encode("{\"a\":1}"))),
        ("signature empty", genuine.signed(&Signer::Bytes(b""))),
        ("signature of zeros", genuine.signed(&Signer::Bytes(&[0; 64]))),
        ("signature in ASN.1", genuine.signed(&Signer::Genuine(&ECDSA_P256_SHA256_ASN1_SIGNING))),
        ("signature short", good[..good.len() - 2].to_owned()),
        ("signature altered at its end", format!("{header}.{payload}.{last}")),
        ("signature padded", format!("{good}==")),
        ("signature twice", format!("{good}{signature}")),
        ("trailing bytes", format!("{good}AAAA")),
        ("trailing dot", format!("{good}.")),
        ("two segments", format!("{header}.{payload}")),
        ("four segments", format!("{good}.{signature}")),
        ("five segments, as an encrypted token", format!("{good}.{header}.{payload}")),
        ("white space around", format!(" {good} ")),
        ("line break at the end", format!("{good}\n")),
        ("nul byte", format!("{good}\0")),
        ("fullwidth dots", good.replace('.', "．")),
        ("standard base64", format!("{header}.{payload}.++//")),
        ("scheme left on", format!("Bearer {good}")),
        ("empty", String::new()),
        ("only dots", "..".to_owned()),
        ("huge", "A".repeat(10_000_000)),
        ("huge in three", [&*"A".repeat(100_000); 3].join(".")),
        ("genuine with a huge claim", genuine.claim("x", json!("x".repeat(4_096))).token()),
    ];
    let mut all: Vec<_> = cases.drain(..).map(|(name, token)| (name.to_owned(), token)).collect();
    for (form, secret) in public_forms() {
        for (header, name) in [(alg("HS256"), "alg HS256"), (genuine.clone(), "alg ES256 and HMAC")] {
            all.push((format!("{name} with {form} as the secret"), header.signed(&Signer::Hmac(&secret))));
        }
    }
    all
}

#[test]
fn what_the_forge_makes_unchanged_is_accepted() {
    let tokens = machine_tokens(1);
    let check = |token: &str| tokens.check(&KEY.0, ISSUER, token, at(1));
    assert_eq!(check(&Forge::genuine().token()), Ok(machine_claims()));
    assert!(check(&Forge::genuine().claim("later", json!("a claim we may add one day")).token()).is_ok());
    let fewer = Forge::genuine().claim("scope", json!("")).token();
    assert!(check(&fewer).unwrap().scopes.is_empty());
}

#[test]
fn forged_machine_tokens_are_refused() {
    let (tokens, cases) = (machine_tokens(1), forged());
    assert!(cases.len() > 90, "{}", cases.len());
    for (forgery, token) in cases {
        assert_eq!(tokens.check(&KEY.0, ISSUER, &token, at(1)), Err(TokenError), "{forgery}: {token:.300}");
        // Whatever it claims about its key, asking for that is safe.
        let _ = tokens.kid(&token);
        let people = SignedTokens::new(&master(1));
        assert_eq!(people.check_access(&token, at(1)), Err(TokenError), "{forgery} as a person's");
        assert_eq!(people.check_confirm(&token, at(1)), Err(TokenError), "{forgery} as a confirmation");
    }
}

#[test]
fn a_genuine_token_is_refused_under_another_key_or_issuer() {
    let (tokens, token) = (machine_tokens(1), Forge::genuine().token());
    assert_eq!(tokens.check(&OTHER, ISSUER, &token, at(1)), Err(TokenError));
    assert_eq!(tokens.check(&KEY.0, "https://other.example.com", &token, at(1)), Err(TokenError));
    let broken = SigningKey { public_jwk: "{}".to_owned(), ..KEY.0.clone() };
    assert_eq!(tokens.check(&broken, ISSUER, &token, at(1)), Err(TokenError));
}

/// Four kinds of credential by four ways of reading them: each is read as what it is, and as nothing else.
#[test]
fn no_kind_passes_for_another() {
    use tenantry_ports::{KeyAudience, KeyMint as _};
    let (people, machines) = (SignedTokens::new(&master(1)), machine_tokens(1));
    let mint = crate::ApiKeyMint::new(std::sync::Arc::new(SystemEntropy));
    let presented = [
        people.confirm(&confirm_claims()),
        people.access(&access_claims()),
        machines.sign(&KEY.0, ISSUER, &machine_claims()).unwrap(),
        mint.mint(KeyAudience::Tenant).text,
    ];
    for (kind, credential) in presented.iter().enumerate() {
        let text = credential.expose();
        let read = [
            people.check_confirm(text, at(1)).is_ok(),
            people.check_access(text, at(1)).is_ok(),
            machines.kid(text).is_some() && machines.check(&KEY.0, ISSUER, text, at(1)).is_ok(),
            mint.parse(text).is_some(),
        ];
        let expected: [bool; 4] = std::array::from_fn(|reader| reader == kind);
        assert_eq!(read, expected, "{kind}");
        assert_eq!(machines.kid(text).is_some(), kind == 2, "only its own kind is taken for it");
    }
}
