//! One table of endpoints makes both the routing and the OpenAPI document, so neither can be without the other.

use actix_web::http::Method;
use actix_web::http::header::{self, HeaderValue};
use actix_web::middleware::from_fn;
use actix_web::web::{self, ServiceConfig};
use actix_web::{FromRequest, Handler, HttpRequest, HttpResponse, Resource, Responder, Route, guard};
use tenantry_ports::Scope;
use utoipa::__dev::{SchemaReferences, Tags};
use utoipa::openapi::path::{HttpMethod, Operation};
use utoipa::openapi::{RefOr, Schema};

use crate::limits::{self, Policy};
use crate::problem::{Code, Problem};
use crate::tenant_context::BelowTenant;

/// Below what an endpoint's path lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// The root.
    Root,
    /// The versioned prefix.
    Prefix,
    /// Both: some source documents write these paths without the prefix.
    Both,
}

/// Who may call an endpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    /// Everybody.
    Public,
    /// Whoever the [`Doors`](crate::Doors) let in.
    Orderer,
    /// Whoever has the confirmation token.
    ConfirmToken,
    /// An OAuth 2.0 client, which says so in a way of its own.
    Client,
    /// The operator.
    Operator,
    /// The operator, or an admin of the tenant in the path.
    Admin,
    /// The operator, an admin of the tenant in the path, and keys of that tenant that have the scope.
    Scope(Scope),
    /// The operator, or an admin or a user of the tenant in the path.
    Staff,
    /// Somebody who is signed in to the tenant in the path.
    Person,
    /// Whoever has the cookie `refreshToken`.
    RefreshCookie,
}

/// One method at one path.
pub(crate) struct Endpoint {
    pub(crate) method: HttpMethod,
    /// Without the prefix.
    pub(crate) path: String,
    pub(crate) place: Place,
    pub(crate) who: Who,
    /// How many requests a client may send, if that is limited.
    pub(crate) policy: Option<Policy>,
    /// What can go wrong besides what can always go wrong.
    pub(crate) problems: &'static [Code],
    /// Its description. Made when asked for, since routing does not need it.
    pub(crate) operation: fn() -> Operation,
    /// The schemas that the description refers to.
    pub(crate) schemas: fn(&mut Vec<(String, RefOr<Schema>)>),
    handler: Box<dyn Fn() -> Route>,
}

impl Endpoint {
    /// The endpoint that `P`, made by `#[utoipa::path]` of the handler, describes.
    pub(crate) fn new<P, F, Args>(handler: F, place: Place, who: Who, problems: &'static [Code]) -> Self
    where
        // The last two are not meant for everybody, but are what utoipa's own actix and axum bindings stand on.
        P: utoipa::Path + SchemaReferences + Tags<'static>,
        F: Handler<Args> + Clone,
        Args: FromRequest + 'static,
        F::Output: Responder + 'static,
    {
        Self {
            method: P::methods().into_iter().next().unwrap_or(HttpMethod::Get),
            path: P::path(),
            place,
            who,
            policy: None,
            problems,
            operation: || {
                let tags = P::tags().into_iter().map(str::to_owned).collect();
                let mut operation = P::operation();
                operation.tags = Some(tags);
                operation
            },
            schemas: P::schemas,
            handler: Box::new(move || web::to(handler.clone())),
        }
    }

    /// The same, limited by this policy.
    pub(crate) fn limited(self, policy: Policy) -> Self {
        Self { policy: Some(policy), ..self }
    }

    fn route(&self) -> Route {
        let route = (self.handler)();
        match self.policy {
            Some(policy) => route.wrap(from_fn(move |request, next| limits::guard(policy, request, next))),
            None => route,
        }
    }

    /// Where it is served, the documented spelling first.
    pub(crate) fn paths(&self, prefix: &str) -> Vec<String> {
        let prefixed = format!("{prefix}{}", self.path);
        match self.place {
            Place::Root => vec![self.path.clone()],
            Place::Prefix => vec![prefixed],
            Place::Both if prefix.is_empty() => vec![prefixed],
            Place::Both => vec![prefixed, self.path.clone()],
        }
    }
}

/// Routes every endpoint; other methods at their paths are answered with 405 and what is allowed.
pub(crate) fn register(config: &mut ServiceConfig, endpoints: &[Endpoint], prefix: &str) {
    let mut resources: Vec<(String, Vec<&Endpoint>)> = Vec::new();
    for endpoint in endpoints {
        for path in endpoint.paths(prefix) {
            match resources.iter_mut().find(|(known, _)| *known == path) {
                Some((_, methods)) => methods.push(endpoint),
                None => resources.push((path, vec![endpoint])),
            }
        }
    }
    for (path, endpoints) in resources {
        let routes = endpoints.iter().map(|endpoint| (method(&endpoint.method), endpoint.route()));
        let resource = resource(&path, routes.collect());
        let below = endpoints.iter().any(|endpoint| endpoint.is_below_tenant());
        config.service(if below { resource.app_data(BelowTenant) } else { resource });
    }
}

/// The pattern of the route that a request took, for the log. Kept beside the route, since actix-web would find it out
/// by matching the path a second time.
pub(crate) struct Pattern(String);

impl Pattern {
    /// The pattern that matched, if one did.
    pub(crate) fn of(request: &HttpRequest) -> Option<&str> {
        request.app_data::<Self>().map(|pattern| pattern.0.as_str())
    }
}

/// The resource at a path: these methods, and for all others what is allowed.
pub(crate) fn resource(path: &str, routes: Vec<(Method, Route)>) -> Resource {
    let allow = allowed(&routes);
    let mut resource = web::resource(path)
        .app_data(Pattern(path.to_owned()))
        .default_service(web::to(move || refuse(allow.clone())));
    for (method, route) in routes {
        resource = resource.route(match method {
            // A body that nobody asked for is left out by the server.
            Method::GET => route.guard(guard::Any(guard::Get()).or(guard::Head())),
            method => route.guard(guard::Method(method)),
        });
    }
    resource
}

fn allowed(routes: &[(Method, Route)]) -> HeaderValue {
    let mut methods: Vec<&str> = Vec::new();
    for (method, _) in routes {
        methods.push(method.as_str());
        if method == Method::GET {
            methods.push(Method::HEAD.as_str());
        }
    }
    HeaderValue::from_str(&methods.join(", ")).unwrap_or(HeaderValue::from_static("GET"))
}

async fn refuse(allow: HeaderValue) -> Result<HttpResponse, Problem> {
    let methods = allow.to_str().unwrap_or_default();
    let detail = format!("This URL understands only {methods}");
    Err(Problem::new(Code::MethodNotAllowed, detail).with_header(header::ALLOW, allow))
}

fn method(method: &HttpMethod) -> Method {
    match method {
        HttpMethod::Get => Method::GET,
        HttpMethod::Post => Method::POST,
        HttpMethod::Put => Method::PUT,
        HttpMethod::Delete => Method::DELETE,
        HttpMethod::Options => Method::OPTIONS,
        HttpMethod::Head => Method::HEAD,
        HttpMethod::Patch => Method::PATCH,
        HttpMethod::Trace => Method::TRACE,
    }
}
