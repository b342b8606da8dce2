use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap, HeaderValue};
use actix_web::web;
use schemars::JsonSchema;
use serde::Serialize;
use tenantry_domain::id::ApiKeyId;
use tenantry_ports::{Scope, TenantScope};
use tenantry_usecases::machine_tokens::{IssueError, Issued, issue};

use crate::auth::{Credential, visible};
use crate::body;
use crate::call::{Answer, Call};
use crate::observe::OwnForm;
use crate::openapi::documented;
use crate::problem::{Code, Internal, Problem};
use crate::query::Query;
use crate::routes::respond;

/// What a client asks the token endpoint for, as a form.
#[derive(JsonSchema)]
#[schemars(rename = "TokenRequest")]
#[allow(dead_code, reason = "documents the form's fields, which are read one by one")]
pub(crate) struct TokenRequest {
    /// `client_credentials`.
    grant_type: String,
    /// Some of the key's scopes, separated by spaces; all of them if absent.
    #[serde(default)]
    scope: Option<String>,
    /// The API key's id, unless it is in `Authorization`.
    #[serde(default)]
    client_id: Option<String>,
    /// The API key, unless it is in `Authorization`.
    #[serde(default)]
    client_secret: Option<String>,
}

/// An access token.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "AccessToken")]
pub(crate) struct TokenView {
    /// Send it as `Authorization: Bearer …`.
    access_token: String,
    /// `Bearer`.
    token_type: &'static str,
    /// For how many seconds it works.
    expires_in: i64,
    /// What it may do.
    scope: String,
}

/// Why there is no token, as RFC 6749 has it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "OAuthError")]
pub(crate) struct OAuthError<'a> {
    /// `invalid_request`, `invalid_client`, `unauthorized_client`, `unsupported_grant_type` or `invalid_scope`.
    error: &'a str,
    /// One sentence about this occurrence.
    error_description: &'a str,
}

/// A refusal in OAuth's format, or a problem that has nothing to do with OAuth.
enum Refusal {
    OAuth { error: &'static str, description: String, by_header: bool },
    Problem(Problem),
}

impl Refusal {
    fn new(error: &'static str, description: impl Into<String>) -> Self {
        Self::OAuth { error, description: description.into(), by_header: false }
    }

    fn request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }
}

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self::Problem(problem)
    }
}

/// Who a client says it is.
struct Client {
    id: String,
    secret: String,
    /// Whether it said so in `Authorization`.
    by_header: bool,
}

impl Client {
    fn refused(&self) -> Refusal {
        let description = "The client is unknown or its secret is wrong: client_id is the id of an API key, client_secret the key";
        Refusal::OAuth {
            error: "invalid_client",
            description: description.to_owned(),
            by_header: self.by_header,
        }
    }
}

/// Get an access token for an API key
///
/// OAuth 2.0 client credentials (RFC 6749, 4.4): `client_id` is the key's id, `client_secret` the key, in the form or as HTTP
/// Basic. The token is accepted wherever the key is, for as long as `expires_in` says and the key works; it can be checked by
/// others with the keys at `/.well-known/jwks.json`.
#[utoipa::path(
    post,
    path = "/oauth/token",
    operation_id = "issueAccessToken",
    tag = "auth",
    request_body(
        content = TokenRequest,
        content_type = "application/x-www-form-urlencoded",
        example = json!({ "grant_type": "client_credentials", "scope": "accounts:read accounts:write" })
    ),
    responses(
        (status = 200, description = "The token", body = TokenView, example = json!({
            "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCIsImtpZCI6Ii4uLiJ9...",
            "token_type": "Bearer",
            "expires_in": 600,
            "scope": "accounts:read accounts:write"
        })),
        (status = 400, description = "The request is no such request", body = OAuthError, example = json!({
            "error": "invalid_scope",
            "error_description": "The key lacks the scope 'configs:write'"
        })),
        (status = 401, description = "The client is unknown, or its secret is wrong", body = OAuthError, example = json!({
            "error": "invalid_client",
            "error_description": "The client is unknown or its secret is wrong"
        }))
    )
)]
pub(crate) async fn token(mut call: Call) -> Answer {
    match grant(&mut call).await {
        Ok(issued) => {
            let view = TokenView {
                access_token: issued.token.expose().to_owned(),
                token_type: "Bearer",
                expires_in: issued.lives.num_seconds(),
                scope: issued.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(" "),
            };
            let mut response = respond::private(StatusCode::OK);
            response.insert_header((header::PRAGMA, HeaderValue::from_static("no-cache")));
            respond::json(response, &view)
        }
        Err(Refusal::OAuth { error, description, by_header }) => refuse(error, &description, by_header),
        Err(Refusal::Problem(problem)) => Err(problem),
    }
}

fn refuse(error: &str, description: &str, by_header: bool) -> Answer {
    let status = if error == "invalid_client" { StatusCode::UNAUTHORIZED } else { StatusCode::BAD_REQUEST };
    let mut response = respond::private(status);
    response.insert_header((header::PRAGMA, HeaderValue::from_static("no-cache")));
    if by_header {
        let challenge = HeaderValue::from_static("Basic realm=\"tenantry\", charset=\"UTF-8\"");
        response.insert_header((header::WWW_AUTHENTICATE, challenge));
    }
    let mut response = respond::json(response, &OAuthError { error, error_description: description })?;
    response.extensions_mut().insert(OwnForm);
    Ok(response)
}

async fn grant(call: &mut Call) -> Result<Issued, Refusal> {
    if !body::is_form(call.request()) {
        return Err(Refusal::request("The body has to be a form: application/x-www-form-urlencoded"));
    }
    let Some(mut form) = call.form().await? else {
        return Err(Refusal::request("The body is not UTF-8"));
    };
    let grant_type = form.text("grant_type");
    let scope = form.text("scope");
    let client = client(call.headers(), &mut form)?;
    if form.has_faults() {
        return Err(Refusal::request("The form cannot be decoded, or has a field twice"));
    }
    match grant_type.as_deref() {
        Some("client_credentials") => {}
        None | Some("") => return Err(Refusal::request("grant_type is missing")),
        Some(_) => {
            let description = "The only grant_type here is client_credentials";
            return Err(Refusal::new("unsupported_grant_type", description));
        }
    }
    let id: ApiKeyId = client.id.parse().map_err(|_| client.refused())?;
    // A token is no secret to get another token with.
    if call.platform().keys.parse(&client.secret).is_none() {
        return Err(client.refused());
    }
    let caller = match call.caller(Credential(&client.secret)).await {
        Err(problem) if problem.code() == Code::InvalidToken => return Err(client.refused()),
        caller => caller?,
    };
    let wanted = scope.as_deref().filter(|scope| !scope.is_empty()).map(scopes).transpose()?;
    if let Some(tenant) = caller.tenant() {
        let tenant = call.state.gate.tenant(&tenant.to_string()).await?.ok_or_else(|| client.refused())?;
        call.note(|trace| trace.tenant = Some(tenant.id));
        TenantScope::serving(&tenant).map_err(|not_ready| {
            Refusal::new("unauthorized_client", format!("The tenant is {}; it has to be Active", not_ready.0))
        })?;
    }
    let issued = call.on_storage::<_, Problem>(move |platform| Ok(issue(platform, &caller, id, wanted)));
    issued.await?.map_err(|error| match error {
        IssueError::InvalidClient => client.refused(),
        IssueError::Unauthorized => Refusal::new(
            "unauthorized_client",
            "The operator's keys get no tokens: use the key itself, or a key of a tenant",
        ),
        IssueError::MissingScope(scope) => {
            Refusal::new("invalid_scope", format!("The key lacks the scope '{scope}'"))
        }
        IssueError::NoSigningKey => {
            Problem::new(Code::Unavailable, "No signing key is in force yet; try again").into()
        }
        IssueError::Unopenable(error) => Problem::from(Internal).because(error).into(),
        IssueError::Store(error) => Problem::from(error).into(),
    })
}

/// Who the client says it is, in exactly one way.
fn client(headers: &HeaderMap, form: &mut Query) -> Result<Client, Refusal> {
    let (id, secret) = (form.text("client_id"), form.text("client_secret"));
    match (basic(headers)?, id, secret) {
        (None, Some(id), Some(secret)) => Ok(Client { id, secret, by_header: false }),
        (Some((basic, secret)), id, None) if id.as_ref().is_none_or(|id| *id == basic) => {
            Ok(Client { id: basic, secret, by_header: true })
        }
        (Some(_), ..) => {
            Err(Refusal::request("The client authenticates in Authorization and in the form; use one"))
        }
        (None, ..) => Err(Refusal::OAuth {
            error: "invalid_client",
            description: "client_id and client_secret are needed, in the form or as HTTP Basic".to_owned(),
            by_header: true,
        }),
    }
}

/// Id and secret of `Authorization: Basic …`, if there is one.
fn basic(headers: &HeaderMap) -> Result<Option<(String, String)>, Refusal> {
    let Some(value) = headers.get(header::AUTHORIZATION).and_then(visible) else { return Ok(None) };
    let parts = || {
        let (scheme, encoded) = value.split_once(' ')?;
        let decoded = base64_decode(encoded.trim())?;
        let (id, secret) = decoded.split_once(':')?;
        scheme.eq_ignore_ascii_case("basic").then(|| Some((unescape(id)?, unescape(secret)?)))?
    };
    let malformed = || Refusal::OAuth {
        error: "invalid_client",
        description: "Authorization has to be Basic, with client_id and client_secret".to_owned(),
        by_header: true,
    };
    parts().map(Some).ok_or_else(malformed)
}

/// A text as forms encode it.
fn unescape(text: &str) -> Option<String> {
    let pairs = web::Query::<Vec<(String, String)>>::from_query(&format!("x={text}")).ok()?.into_inner();
    match <[_; 1]>::try_from(pairs) {
        Ok([(_, text)]) => Some(text),
        Err(_) => None,
    }
}

fn base64_decode(text: &str) -> Option<String> {
    use base64::Engine as _;
    String::from_utf8(base64::engine::general_purpose::STANDARD.decode(text).ok()?).ok()
}

fn scopes(text: &str) -> Result<BTreeSet<Scope>, Refusal> {
    let known = |name: &str| name.parse::<Scope>();
    let scopes: Result<BTreeSet<_>, _> = text.split(' ').filter(|name| !name.is_empty()).map(known).collect();
    scopes.map_err(|unknown| Refusal::new("invalid_scope", unknown.to_string()))
}

documented!(TokenRequest, TokenView, OAuthError<'static>);
