use actix_web::HttpResponse;
use actix_web::http::header::{self, HeaderValue};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;
use tenantry_ports::{Digest, Scope, StoreError};
use tenantry_usecases::signing_keys;

use crate::call::{Answer, Call};
use crate::openapi::documented;
use crate::problem::{Internal, Problem};
use crate::routes::respond;

/// How long others may keep the keys, in seconds: much shorter than a key is published before it signs.
const CACHED: &str = "public, max-age=60";

/// Public keys, as RFC 7517 has them.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "JsonWebKeySet")]
pub(crate) struct KeySet {
    /// Newest first. Those that are not used yet or any more are among them for a while.
    #[schemars(with = "Vec<PublicKey>")]
    keys: Vec<Box<RawValue>>,
}

/// A public key of the curve P-256.
#[derive(JsonSchema)]
#[schemars(rename = "JsonWebKey")]
#[allow(dead_code, reason = "documents how signing keys are published")]
struct PublicKey {
    /// `EC`.
    kty: String,
    /// `P-256`.
    crv: String,
    /// base64url.
    x: String,
    /// base64url.
    y: String,
    /// Its name, which tokens have in their headers.
    kid: String,
    /// `ES256`.
    alg: String,
    /// `sig`.
    r#use: String,
}

/// The keys that access tokens are signed with
///
/// For back ends that check machines' tokens themselves: as long as the answer may be cached they need not ask again. A token
/// whose `kid` is not among the keys is none of ours, or the cached answer is older than a rotation: then ask once more.
#[utoipa::path(
    get,
    path = "/.well-known/jwks.json",
    operation_id = "getSigningKeys",
    tag = "auth",
    responses(
        (status = 200, description = "The keys", body = KeySet, content_type = "application/jwk-set+json", headers(
            ("ETag" = String, description = "Changes with the keys"),
            ("Cache-Control" = String, description = "How long they may be kept"),
        )),
        (status = 304, description = "As the caller has them (`If-None-Match`)")
    )
)]
pub(crate) async fn keys(call: Call) -> Answer {
    let keys = call.on_storage::<_, StoreError>(signing_keys::published).await?;
    let keys: Result<Vec<_>, _> = keys.into_iter().map(RawValue::from_string).collect();
    let keys = keys.map_err(|error| Problem::from(Internal).because(error))?;
    cached(&call, &KeySet { keys }, HeaderValue::from_static("application/jwk-set+json"))
}

/// What OAuth 2.0 clients need to know, as RFC 8414 has it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AuthorizationServer")]
pub(crate) struct MetadataView {
    /// The setting `server.public_url`; `iss` and `aud` of tokens.
    issuer: String,
    /// Where tokens are got.
    token_endpoint: String,
    /// Where the keys are that tokens are signed with.
    jwks_uri: String,
    /// What tokens can be good for.
    scopes_supported: Vec<&'static str>,
    /// None: nobody is sent to a page to agree to anything.
    response_types_supported: Vec<&'static str>,
    /// `client_credentials`.
    grant_types_supported: Vec<&'static str>,
    /// `client_secret_basic` and `client_secret_post`.
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    /// For people.
    service_documentation: String,
}

/// What OAuth 2.0 clients need to know
#[utoipa::path(
    get,
    path = "/.well-known/oauth-authorization-server",
    operation_id = "getAuthorizationServer",
    tag = "auth",
    responses(
        (status = 200, description = "Authorization server metadata", body = MetadataView, headers(
            ("ETag" = String, description = "Changes with what it says"),
            ("Cache-Control" = String, description = "How long it may be kept"),
        )),
        (status = 304, description = "As the caller has it (`If-None-Match`)")
    )
)]
pub(crate) async fn metadata(call: Call) -> Answer {
    let issuer = call.platform().policy.public_url.clone();
    let metadata = MetadataView {
        token_endpoint: format!("{issuer}/oauth/token"),
        jwks_uri: format!("{issuer}/.well-known/jwks.json"),
        scopes_supported: Scope::ALL.map(Scope::as_str).into(),
        response_types_supported: Vec::new(),
        grant_types_supported: vec!["client_credentials"],
        token_endpoint_auth_methods_supported: vec!["client_secret_basic", "client_secret_post"],
        service_documentation: format!("{issuer}/swagger"),
        issuer,
    };
    cached(&call, &metadata, HeaderValue::from_static("application/json"))
}

/// Something public that rarely changes.
fn cached(call: &Call, what: &impl Serialize, media_type: HeaderValue) -> Answer {
    let bytes = serde_json::to_vec(what).map_err(|error| Problem::from(Internal).because(error))?;
    let digest: &dyn Digest = call.platform().digest.as_ref();
    let etag = respond::etag(&digest.hex(&bytes)[..16]);
    let current = respond::is_current(call.headers(), &etag);
    let mut response = if current { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response.insert_header((header::CACHE_CONTROL, HeaderValue::from_static(CACHED)));
    response.insert_header((header::ETAG, etag));
    if current {
        return Ok(response.finish());
    }
    Ok(response.insert_header((header::CONTENT_TYPE, media_type)).body(bytes))
}

documented!(KeySet, MetadataView);
