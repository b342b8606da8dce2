//! The document, from the table of endpoints and the catalogue of problems.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use tenantry_ports::Scope;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::path::{HttpMethod, Operation, Paths, PathsBuilder};
use utoipa::openapi::schema::SchemaType;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, ClientCredentials, Flow, HttpAuthScheme, HttpBuilder, OAuth2, Scopes,
    SecurityRequirement, SecurityScheme,
};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, HeaderBuilder, InfoBuilder, LicenseBuilder, ObjectBuilder, OpenApi,
    OpenApiBuilder, PathItem, Ref, RefOr, Response, ResponseBuilder, Schema, Server, Type,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::{FindingView, ProblemView, doors, limits, people, webhooks};
use crate::endpoint::{Endpoint, Who};
use crate::problem::Code;
use crate::problem::catalogue::Entry;
use crate::{Access, HttpSettings, routes};

/// The OpenAPI 3.1 document of a server with these settings and these doors.
pub(crate) fn document(settings: &HttpSettings, access: Access) -> OpenApi {
    let endpoints = routes::endpoints();
    let mut schemas = problem_schemas().to_vec();
    for endpoint in &endpoints {
        (endpoint.schemas)(&mut schemas);
    }
    let mut components = ComponentsBuilder::new()
        .schemas_from_iter(schemas.into_iter().collect::<BTreeMap<_, _>>())
        .security_scheme("bearer", bearer())
        .security_scheme("confirmToken", confirm_token())
        .security_scheme("refreshToken", people::refresh_token())
        .security_scheme("client", client())
        .security_scheme("oauth2", oauth2())
        .security_scheme(
            "apiKey",
            SecurityScheme::ApiKey(ApiKey::Header(ApiKeyValue::with_description("X-API-Key", "An API key."))),
        );
    if let Some((name, scheme)) = doors::scheme(access) {
        components = components.security_scheme(name, scheme);
    }
    OpenApiBuilder::new()
        .info(info())
        .tags(Some(TAGS.map(|(name, about)| TagBuilder::new().name(name).description(Some(about)).build())))
        .servers(Some([Server::new("/")]))
        .paths(paths(&endpoints, settings, access))
        .webhooks(Some(webhooks::webhooks()))
        .components(Some(components.build()))
        .build()
}

const TAGS: [(&str, &str); 15] = [
    ("provisioning", "The first door to a tenant: announce, confirm, follow."),
    ("tenants", "The second door to a tenant, and what an operator does with tenants."),
    ("settings", "What a tenant sets for itself, and how much it may have and has."),
    ("auth", "Signing in, staying signed in, and signing out."),
    ("users", "A tenant's people, and where they are signed in."),
    (
        "organisation",
        "A tenant's company codes, plants, storage locations, purchasing organisations and who buys for whom.",
    ),
    ("api-keys", "Credentials of a tenant's machines."),
    ("configs", "Account configs: validated, versioned, immutable."),
    (
        "configuration",
        "What a tenant configures for its people's programs: basis and processes, with their history.",
    ),
    ("accounts", "Trading accounts of a website's users."),
    ("trades", "What accounts do, and what their rules say to it."),
    ("events", "What happened: the log that is webhooks, feed and audit trail at once."),
    ("webhooks", "Where a tenant is told of its events, and what was delivered there."),
    ("health", "For load balancers and supervisors."),
    ("documentation", "This document, and what the error codes mean."),
];

fn info() -> utoipa::openapi::Info {
    InfoBuilder::new()
        .title("tenantry")
        .version(env!("CARGO_PKG_VERSION"))
        .description(Some(
            "Provisions tenants, each with a database of its own, and trading accounts from versioned, validated \
             configs. Errors are RFC 9457 problems; every response carries `X-Request-Id`. `{tenantId}` takes a slug \
             or an id.",
        ))
        .license(Some(LicenseBuilder::new().name("Apache-2.0").identifier(Some("Apache-2.0")).build()))
        .build()
}

fn bearer() -> SecurityScheme {
    let about = "An API key, or the access token that signing in answers with (a JWT, RFC 8725 is followed). \
                 The operator's key may do everything; a tenant's admin may do what its keys may.";
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about)).build())
}

/// How a client says who it is at the token endpoint.
fn client() -> SecurityScheme {
    let about = "OAuth 2.0 client authentication: an API key's id as the user, the key as the password, both \
                 form-encoded first (RFC 6749, 2.3.1). Or both in the body.";
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Basic).description(Some(about)).build())
}

fn oauth2() -> SecurityScheme {
    let scopes = Scopes::from_iter(Scope::ALL.map(|scope| (scope.as_str(), about(scope))));
    let flow = Flow::ClientCredentials(ClientCredentials::new("/oauth/token", scopes));
    let about =
        "An access token that a machine got for its API key: a JWT (RFC 9068) that others can check, too.";
    SecurityScheme::OAuth2(OAuth2::with_description([flow], about))
}

/// What a scope is for.
const fn about(scope: Scope) -> &'static str {
    match scope {
        Scope::AccountsRead => "Read accounts",
        Scope::AccountsWrite => "Provision and change accounts",
        Scope::ConfigsRead => "Read and check account configs",
        Scope::ConfigsWrite => "Upload account configs",
        Scope::TradesWrite => "Report trades and prices",
        Scope::WebhooksRead => "Read webhook endpoints and deliveries",
        Scope::WebhooksWrite => "Change webhook endpoints",
        Scope::EventsRead => "Read events",
        Scope::SettingsRead => "Read settings",
        Scope::SettingsWrite => "Change settings",
    }
}

fn confirm_token() -> SecurityScheme {
    let about = "The confirmation token of a provisioning: works once, for 15 minutes.";
    SecurityScheme::Http(HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some(about)).build())
}

fn problem_schemas() -> [(String, RefOr<Schema>); 2] {
    [
        (ProblemView::name().into_owned(), ProblemView::schema()),
        ("Finding".to_owned(), super::schema_of::<FindingView>()),
    ]
}

fn paths(endpoints: &[Endpoint], settings: &HttpSettings, access: Access) -> Paths {
    let prefix = settings.prefix();
    let mut paths = PathsBuilder::new();
    for endpoint in endpoints {
        for (number, path) in endpoint.paths(&prefix).into_iter().enumerate() {
            let mut operation = describe(endpoint, settings, access);
            if number > 0 {
                // The same operation by the other spelling that the source documents use for its path.
                operation.operation_id = operation.operation_id.map(|id| format!("{id}AtRoot"));
            }
            let method = match endpoint.method {
                HttpMethod::Post => HttpMethod::Post,
                HttpMethod::Put => HttpMethod::Put,
                HttpMethod::Delete => HttpMethod::Delete,
                HttpMethod::Patch => HttpMethod::Patch,
                _ => HttpMethod::Get,
            };
            paths = paths.path(path, PathItem::new(method, operation));
        }
    }
    paths.build()
}

fn describe(endpoint: &Endpoint, settings: &HttpSettings, access: Access) -> Operation {
    let rate = endpoint.policy.map(|policy| (policy, settings.rate_limits.of(policy)));
    let rate = rate.filter(|(_, limit)| !limit.is_none());
    let mut operation = (endpoint.operation)();
    operation.security = Some(security(endpoint.who, access));
    if endpoint.who == Who::Orderer {
        for parameter in doors::parameters(access) {
            operation.parameters.get_or_insert_default().push(parameter.into());
        }
    }
    for parameter in operation.parameters.iter_mut().flatten() {
        if let RefOr::T(parameter) = parameter {
            parameter.schema = parameter.schema.take().map(without_null);
        }
    }
    for response in operation.responses.responses.values_mut() {
        if let RefOr::T(response) = response {
            response.headers.insert("X-Request-Id".to_owned(), RefOr::T(request_id()));
        }
    }
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    let by_caller =
        matches!(endpoint.who, Who::Admin | Who::Scope(_) | Who::Staff | Who::Person | Who::Client);
    let refusal = (rate.is_some() || by_caller).then_some(Code::RateLimited);
    let codes = problems(endpoint, access, operation.request_body.is_some());
    for code in codes.into_iter().chain(refusal) {
        let codes = by_status.entry(code.entry().status.as_u16()).or_default();
        if !codes.contains(&code) {
            codes.push(code);
        }
    }
    for (status, codes) in by_status {
        let mut problem = problem(&codes);
        if let Some(RefOr::T(known)) = operation.responses.responses.remove(&status.to_string()) {
            // The operation has a form of its own for some of it.
            problem.description = format!("{}; {}", known.description, problem.description);
            problem.content.extend(known.content);
        }
        operation.responses.responses.insert(status.to_string(), problem.into());
    }
    if let Some((policy, limit)) = rate {
        limits::tell(&mut operation, policy, limit);
    }
    if by_caller {
        limits::tell_callers(&mut operation);
    }
    operation
}

/// What may be left out is not therefore `null`, which a path, query or header cannot even say.
fn without_null(schema: RefOr<Schema>) -> RefOr<Schema> {
    match schema {
        RefOr::T(Schema::Object(mut object)) => {
            if let SchemaType::Array(types) = &mut object.schema_type {
                types.retain(|kind| *kind != Type::Null);
                if let [only] = types.as_slice() {
                    object.schema_type = SchemaType::Type(only.clone());
                }
            }
            object.into()
        }
        other => other,
    }
}

fn security(who: Who, access: Access) -> Vec<SecurityRequirement> {
    match who {
        Who::Public => Vec::new(),
        Who::Orderer => doors::security(access),
        Who::ConfirmToken => vec![SecurityRequirement::new::<_, [&str; 0], _>("confirmToken", [])],
        // Or in the body.
        Who::Client => {
            let none = SecurityRequirement::default();
            vec![SecurityRequirement::new::<_, [&str; 0], _>("client", []), none]
        }
        Who::Operator => doors::operator().into(),
        Who::Admin => {
            vec![
                SecurityRequirement::new("bearer", ["admin"]),
                SecurityRequirement::new("apiKey", ["operator"]),
            ]
        }
        Who::Staff => {
            vec![
                SecurityRequirement::new("bearer", ["user"]),
                SecurityRequirement::new("apiKey", ["operator"]),
            ]
        }
        Who::Person => vec![SecurityRequirement::new("bearer", ["user"])],
        Who::RefreshCookie => vec![SecurityRequirement::new::<_, [&str; 0], _>("refreshToken", [])],
        Who::Scope(scope) => {
            ["bearer", "apiKey", "oauth2"].map(|name| SecurityRequirement::new(name, [scope.as_str()])).into()
        }
    }
}

/// Everything that can go wrong at an endpoint.
fn problems(endpoint: &Endpoint, access: Access, with_body: bool) -> Vec<Code> {
    let mut codes: Vec<Code> = match endpoint.who {
        Who::Public | Who::Client => Vec::new(),
        Who::Orderer => doors::problems(access),
        Who::ConfirmToken => vec![Code::MissingAuthorization, Code::InvalidToken],
        Who::Operator => vec![Code::MissingAuthorization, Code::InvalidToken, Code::Forbidden],
        Who::Person | Who::Staff => people::PROBLEMS.to_vec(),
        Who::RefreshCookie => vec![Code::CrossSite],
        Who::Admin => {
            vec![
                Code::MissingAuthorization,
                Code::InvalidToken,
                Code::WrongTenant,
                Code::Forbidden,
                Code::TenantSuspended,
                Code::TenantNotFound,
                Code::TenantDeprovisioning,
            ]
        }
        Who::Scope(_) => vec![
            Code::MissingAuthorization,
            Code::InvalidToken,
            Code::WrongTenant,
            Code::MissingScope,
            Code::Forbidden,
            Code::TenantSuspended,
            Code::TenantNotFound,
            Code::TenantNotReady,
            Code::TenantFailed,
            Code::TenantDeprovisioning,
        ],
    };
    if with_body && endpoint.who != Who::Client {
        codes.extend([
            Code::MalformedJson,
            Code::ValidationFailed,
            Code::PayloadTooLarge,
            Code::UnsupportedMediaType,
        ]);
    }
    if endpoint.is_below_tenant() {
        codes.push(Code::MissingTenantContext);
    }
    codes.extend(endpoint.problems);
    codes.extend([Code::BadRequest, Code::InternalError, Code::Unavailable, Code::Overloaded]);
    codes
}

fn problem(codes: &[Code]) -> Response {
    let titles: Vec<&str> = codes.iter().map(|code| code.entry().title).collect();
    let mut content = ContentBuilder::new().schema(Some(Ref::from_schema_name(ProblemView::name())));
    for code in codes {
        let entry = code.entry();
        let example = ExampleBuilder::new().summary(entry.title).value(Some(example(entry)));
        content = content.examples_from_iter([(entry.code, example.build())]);
    }
    let mut response = ResponseBuilder::new()
        .description(titles.join("; "))
        .content("application/problem+json", content.build())
        .header("X-Request-Id", request_id());
    for (status, header, about) in HEADERS {
        if codes.iter().any(|code| code.entry().status.as_u16() == status) {
            response = response.header(header, text_header(about));
        }
    }
    if codes.contains(&Code::TenantNotReady) || codes.contains(&Code::IdempotencyInProgress) {
        response =
            response.header("Retry-After", text_header("After how many seconds to try again, if that helps"));
    }
    response.build()
}

const HEADERS: [(u16, &str, &str); 3] = [
    (401, "WWW-Authenticate", "How to authenticate"),
    (429, "Retry-After", "After how many seconds one more request is taken"),
    (503, "Retry-After", "After how many seconds to try again"),
];

fn example(entry: &Entry) -> Value {
    json!({
        "type": entry.link(),
        "title": entry.title,
        "status": entry.status.as_u16(),
        "detail": entry.cause,
        "instance": "/requested/path",
        "code": entry.code,
        "requestId": "0195c0de000070008000000000000001",
        "help": format!("/problems/{}", entry.code),
    })
}

fn request_id() -> utoipa::openapi::Header {
    text_header("Names the request in errors and in the log")
}

pub(super) fn text_header(about: &str) -> utoipa::openapi::Header {
    HeaderBuilder::new()
        .schema(Some(ObjectBuilder::new().schema_type(Type::String)))
        .description(Some(about))
        .build()
}
