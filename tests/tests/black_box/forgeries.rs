//! Forged tokens of people and of machines, over HTTP: each starts from a token that is accepted.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use sha2::Sha256;
use tenantry_tests::{Client, Installation, for_each_backend};

use crate::machines;

const PASSWORD: &str = "a long pass phrase";
const ACCOUNTS: &str = "/api/v1/tenants/acme/accounts";

/// The parts of a token in the clear, to be changed and put together again.
#[derive(Clone)]
struct Forge {
    header: Value,
    claims: Value,
    signature: String,
}

impl Forge {
    fn from(token: &str) -> Self {
        let json = |segment: &str| -> Value {
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(segment).unwrap()).unwrap()
        };
        let mut segments = token.split('.');
        Self {
            header: json(segments.next().unwrap()),
            claims: json(segments.next().unwrap()),
            signature: segments.next().unwrap().to_owned(),
        }
    }

    fn header(&self, member: &str, value: Value) -> Self {
        let mut forged = self.clone();
        forged.header[member] = value;
        forged
    }

    fn claim(&self, member: &str, value: Value) -> Self {
        let mut forged = self.clone();
        forged.claims[member] = value;
        forged
    }

    fn message(&self) -> String {
        let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        format!("{}.{}", encode(&self.header), encode(&self.claims))
    }

    /// With the signature there was.
    fn token(&self) -> String {
        format!("{}.{}", self.message(), self.signature)
    }

    /// Without any.
    fn unsigned(&self) -> String {
        format!("{}.", self.message())
    }

    /// With a shared secret of the forger's.
    fn hmac(&self, secret: &[u8]) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).unwrap();
        mac.update(self.message().as_bytes());
        format!("{}.{}", self.message(), URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
    }
}

/// What a forger makes of a genuine token, another genuine one of the other kind, and the public keys.
fn forged(genuine: &str, other: &str, jwk: &Value) -> Vec<(String, String)> {
    let forge = Forge::from(genuine);
    let [header, claims, signature]: [&str; 3] = genuine.split('.').collect::<Vec<_>>().try_into().unwrap();
    let [other_header, other_claims, other_signature]: [&str; 3] =
        other.split('.').collect::<Vec<_>>().try_into().unwrap();
    let foreign = json!("ten_0195c0de00004000800000000000000a");
    let mut cases = vec![
        ("alg none", forge.header("alg", json!("none")).unsigned()),
        ("alg None", forge.header("alg", json!("None")).unsigned()),
        ("alg none, signed", forge.header("alg", json!("none")).token()),
        ("alg none, two segments", format!("{header}.{claims}")),
        ("alg RS256", forge.header("alg", json!("RS256")).token()),
        ("alg ES256", forge.header("alg", json!("ES256")).hmac(b"secret")),
        ("alg HS512", forge.header("alg", json!("HS512")).token()),
        ("guessed secret", forge.header("alg", json!("HS256")).hmac(b"secret")),
        ("empty secret", forge.header("alg", json!("HS256")).hmac(b"")),
        ("public key as the secret", forge.header("alg", json!("HS256")).hmac(jwk.to_string().as_bytes())),
        ("kid is a path", forge.header("kid", json!("../../../dev/null")).hmac(b"")),
        ("kid is SQL", forge.header("kid", json!("' OR '1'='1")).hmac(b"")),
        ("kid of nobody", forge.header("kid", json!("nobody")).token()),
        ("kid of the published key", forge.header("kid", jwk["kid"].clone()).hmac(b"secret")),
        ("jku", forge.header("jku", json!("https://evil.example/jwks.json")).token()),
        ("x5u", forge.header("x5u", json!("https://evil.example/cert")).token()),
        ("jwk", forge.header("jwk", jwk.clone()).hmac(b"secret")),
        ("typ of another kind", forge.header("typ", json!("JWT")).token()),
        ("typ of the other kind", forge.header("typ", Forge::from(other).header["typ"].clone()).token()),
        ("crit", forge.header("crit", json!(["exp"])).token()),
        ("later exp", forge.claim("exp", json!(4_000_000_000_u64)).token()),
        ("foreign tenant", forge.claim("tenant_id", foreign).token()),
        ("foreign iss", forge.claim("iss", json!("https://evil.example")).token()),
        ("foreign aud", forge.claim("aud", json!("https://evil.example")).token()),
        ("more scopes", forge.claim("scope", json!("accounts:read accounts:write")).token()),
        ("higher role", forge.claim("role", json!("SUPERADMIN")).token()),
        ("no signature", format!("{header}.{claims}.")),
        ("no claims", format!("{header}..{signature}")),
        ("no header", format!(".{claims}.{signature}")),
        ("short signature", genuine[..genuine.len() - 4].to_owned()),
        ("long signature", format!("{genuine}AAAA")),
        ("padded", format!("{genuine}==")),
        ("trailing dot", format!("{genuine}.")),
        ("four segments", format!("{genuine}.{signature}")),
        ("five segments", format!("{genuine}.{header}.{claims}")),
        ("other header", format!("{other_header}.{claims}.{signature}")),
        ("other claims", format!("{header}.{other_claims}.{signature}")),
        ("other signature", format!("{header}.{claims}.{other_signature}")),
        ("other header and signature", format!("{other_header}.{claims}.{other_signature}")),
        ("huge", "A".repeat(6_000)),
        ("huge in three", [&*"A".repeat(2_000); 3].join(".")),
    ];
    // Each of the signed parts altered in the middle.
    for (name, at) in [("header", header.len() / 2), ("claims", header.len() + 1 + claims.len() / 2)] {
        let new = if genuine.as_bytes()[at] == b'A' { 'B' } else { 'A' };
        cases.push((name, format!("{}{new}{}", &genuine[..at], &genuine[at + 1..])));
    }
    cases.into_iter().map(|(name, token)| (name.to_owned(), token)).collect()
}

fn status(client: &mut Client, token: &str) -> u16 {
    client.request("GET", ACCOUNTS).bearer(token).send().status
}

#[test]
fn forged_tokens_of_both_kinds_are_refused() {
    for_each_backend(|backend| {
        let tenantry = Installation::with(backend, &[]).start();
        let mut operator = tenantry.operator();
        let admin = json!({ "email": "admin@acme.example", "password": PASSWORD });
        let wish = json!({ "name": "Acme Corp", "subdomain": "acme", "admin": admin });
        operator.post("/api/v1/tenants", &wish).expect(201);
        let (id, key) = machines::key(&mut operator);
        let mut client = tenantry.client();
        let machine = machines::token(&mut client, &id, &key);
        let login = json!({ "email": "admin@acme.example", "password": PASSWORD });
        let person = client.post("/api/v1/acme/auth/login", &login).expect(200).json();
        let person = ["accessToken", "access_token"].iter().find_map(|name| person[*name].as_str());
        let person = person.unwrap().to_owned();
        let jwk = client.get("/.well-known/jwks.json").expect(200).json()["keys"][0].clone();
        for (kind, genuine, other) in [("machine", &machine, &person), ("person", &person, &machine)] {
            assert_ne!(Forge::from(genuine).header["typ"], Forge::from(other).header["typ"], "{kind}");
            assert_eq!(status(&mut client, genuine), 200, "{kind}");
            let cases = forged(genuine, other, &jwk);
            assert!(cases.len() > 40);
            for (forgery, token) in cases {
                assert_eq!(status(&mut client, &token), 401, "{kind}: {forgery}");
            }
            assert_eq!(status(&mut client, genuine), 200, "{kind}: and it is still good");
        }
    });
}
