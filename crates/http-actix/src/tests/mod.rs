//! The contract, request by request, over a platform in memory and the real schema check.

mod account_changes;
mod accounts;
mod api_key_changes;
mod api_keys;
mod audit;
mod authorisation;
mod bulk;
mod config_verdicts;
mod configs;
mod configuration;
mod conventions;
mod document;
mod doors;
mod events;
mod following;
mod leaves;
mod lifecycle;
mod limits;
mod login;
mod look_ups;
mod machine_tokens;
mod mappings;
mod marks;
mod once;
mod organisation;
mod people;
mod prefix;
mod provisioning;
mod rates;
mod reading;
mod server;
mod settings;
mod signed;
mod silence;
mod simulations;
mod states;
mod structured;
mod tenant_context;
mod tenants;
mod trades;
mod users;
mod walls;
mod webhooks;

use std::cell::OnceCell;
use std::collections::BTreeSet;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use actix_web::Error;
use actix_web::body::{BoxBody, MessageBody as _, to_bytes};
use actix_web::dev::{Service as _, ServiceResponse};
use actix_web::http::StatusCode;
use actix_web::http::header::HeaderMap;
use actix_web::test::{self, TestRequest};
use actix_web::web::{Bytes, Data};
use futures_util::future::{LocalBoxFuture, poll_fn};
use futures_util::{FutureExt as _, TryFutureExt};
use serde_json::{Value, json};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Plan, Slug, TenantName};
use tenantry_ports::{Clock as _, Nudge, Scope};
use tenantry_security::{Es256Tokens, MasterKey, SealingBox, SystemEntropy, ValicoCheck};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::api_keys::NewKey;
use tenantry_usecases::provisioning::{Worked, work_once};
use tenantry_usecases::tenants::{InitTenant, confirm, init};
use tenantry_usecases::{Platform, Policy};

use crate::limits::{Rates, TenantRates, Ticks};
use crate::{Doors, HttpSettings, HttpState, Readiness, Tails, Watch};

/// What tests write before the paths of the versioned routes, whichever prefix the server has.
const USUAL_PREFIX: &str = "/api/v1";

/// A server's application, without a socket.
pub(crate) struct World {
    pub(crate) test: Rc<TestPlatform>,
    pub(crate) state: Data<HttpState>,
    pub(crate) ready: Arc<Switch>,
    service: OnceCell<Service>,
}

type Service =
    Box<dyn Fn(TestRequest, &str) -> LocalBoxFuture<'static, Result<ServiceResponse<BoxBody>, Error>>>;

/// A readiness that a test turns on and off.
pub(crate) struct Switch(pub(crate) AtomicBool);

impl Readiness for Switch {
    fn checks(&self) -> Vec<(&'static str, bool)> {
        vec![("controlDatabase", self.0.load(Ordering::SeqCst))]
    }
}

/// What a request was answered with.
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl Reply {
    async fn of(response: ServiceResponse<BoxBody>) -> Self {
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body()).await.unwrap();
        Self { status, headers, bytes }
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| panic!("{error}: {:?}", self.bytes))
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body of a problem, which is one by every convention.
    #[track_caller]
    pub(crate) fn problem(&self, code: &str) -> Value {
        let body = self.json();
        assert_eq!(body["code"], code, "{body}");
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(body["status"], self.status.as_u16(), "{body}");
        assert_eq!(body["requestId"].as_str(), self.header("x-request-id"), "{body}");
        assert_eq!(body["help"], format!("/problems/{code}"));
        for member in ["type", "title", "detail", "instance"] {
            assert!(body[member].as_str().is_some_and(|text| !text.is_empty()), "{member} of {body}");
        }
        body
    }

    /// The pointers and codes of a problem's findings.
    #[track_caller]
    pub(crate) fn findings(&self, code: &str) -> Vec<(String, String)> {
        let body = self.problem(code);
        let text = |finding: &Value, member: &str| finding[member].as_str().unwrap().to_owned();
        let findings = body["errors"].as_array().unwrap();
        assert!(findings.iter().all(|finding| !text(finding, "message").is_empty()), "{body}");
        findings.iter().map(|finding| (text(finding, "pointer"), text(finding, "code"))).collect()
    }
}

/// Those who are told what happens in this process.
#[derive(Default)]
pub(crate) struct Heard {
    watch: Arc<Watch>,
    tails: Arc<Tails>,
}

impl Nudge for Heard {
    fn runs_are_due(&self) {}

    fn tenant_changed(&self, tenant: TenantId) {
        self.watch.tenant_changed(tenant);
    }

    fn log_moved(&self, tenant: TenantId) {
        self.tails.log_moved(tenant);
    }

    fn platform_log_moved(&self) {
        self.tails.platform_log_moved();
    }
}

/// A platform that checks account configs and signs machines' tokens as the real one does.
fn platform(policy: Policy) -> TestPlatform {
    let entropy = Arc::new(SystemEntropy);
    let sealing = SealingBox::new(&MasterKey::generate(&*entropy), entropy);
    let tokens = Arc::new(Es256Tokens::new(sealing));
    TestPlatform::issuing(policy, Arc::new(ValicoCheck), tokens)
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with(HttpSettings::default())
    }

    pub(crate) fn with(settings: HttpSettings) -> Self {
        Self::behind(Doors::Open, settings)
    }

    pub(crate) fn behind(doors: Doors, settings: HttpSettings) -> Self {
        Self::of(platform(Policy::default()), doors, settings)
    }

    /// One where the operator decided this.
    pub(crate) fn with_policy(policy: Policy) -> Self {
        Self::on(platform(policy))
    }

    /// On this platform, with open doors.
    pub(crate) fn on(test: TestPlatform) -> Self {
        Self::of(test, Doors::Open, HttpSettings::default())
    }

    fn of(test: TestPlatform, doors: Doors, settings: HttpSettings) -> Self {
        let heard = Arc::new(Heard::default());
        test.nudge_also(Arc::clone(&heard) as _);
        Self::over(Rc::new(test), &heard, doors, settings)
    }

    /// Another server over the same databases, which the workers of this one tell nothing.
    pub(crate) fn replica(&self) -> Self {
        let settings = self.state.settings.clone();
        Self::over(Rc::clone(&self.test), &Heard::default(), self.state.doors.clone(), settings)
    }

    fn over(test: Rc<TestPlatform>, heard: &Heard, doors: Doors, settings: HttpSettings) -> Self {
        let (watch, tails) = (Arc::clone(&heard.watch), Arc::clone(&heard.tails));
        let ready = Arc::new(Switch(AtomicBool::new(true)));
        let settings = HttpSettings { storage_threads: 2, ..settings };
        let readiness = Arc::clone(&ready) as _;
        let clock = Arc::clone(&test.clock);
        let ticks = Ticks::new(move || (clock.now() - sample::now()).to_std().unwrap_or_default());
        let tenant_rates = TenantRates::new(settings.caller_percent, ticks.clone());
        let rates = Rates::new(&settings, ticks);
        let mut state =
            HttpState::new(Arc::clone(&test.platform), settings, doors, watch, tails, readiness).unwrap();
        (state.rates, state.tenant_rates) = (rates, tenant_rates);
        Self { test, state: Data::new(state), ready, service: OnceCell::new() }
    }

    pub(crate) fn platform(&self) -> &Platform {
        &self.test.platform
    }

    /// Sends a request for what is at this URL if the prefix is the usual one; if it is another, for the same below that.
    pub(crate) async fn send(&self, request: TestRequest) -> Reply {
        Reply::of(self.open(request).await).await
    }

    /// The same, to the very URL.
    pub(crate) async fn send_as_is(&self, request: TestRequest) -> Reply {
        Reply::of(self.call(request, USUAL_PREFIX).await).await
    }

    /// The beginning of an answer, with as much of its body as there is at once.
    pub(crate) async fn begin(&self, request: TestRequest) -> Reply {
        let response = self.open(request).await;
        let (status, headers) = (response.status(), response.headers().clone());
        let (mut body, mut bytes) = (Box::pin(response.into_body()), Vec::new());
        while let Some(Some(piece)) = poll_fn(|context| body.as_mut().poll_next(context)).now_or_never() {
            bytes.extend_from_slice(&piece.unwrap());
        }
        Reply { status, headers, bytes: bytes.into() }
    }

    /// The beginning of an answer, whose body is still to come.
    pub(crate) async fn open(&self, request: TestRequest) -> ServiceResponse<BoxBody> {
        self.call(request, &self.state.prefix).await
    }

    /// Sends a request below this prefix instead of the usual one.
    async fn call(&self, request: TestRequest, prefix: &str) -> ServiceResponse<BoxBody> {
        let service = match self.service.get() {
            Some(service) => service,
            None => {
                let service = test::init_service(crate::server::app(Data::clone(&self.state))).await;
                let call: Service = Box::new(move |request, prefix| {
                    let mut request = request.to_request();
                    let uri = request.uri().to_string();
                    if let Some(rest) = uri.strip_prefix(USUAL_PREFIX) {
                        *request.uri_mut() = format!("{prefix}{rest}").parse().unwrap();
                    }
                    Box::pin(service.call(request).map_ok(ServiceResponse::map_into_boxed_body))
                });
                self.service.get_or_init(|| call)
            }
        };
        service(request, prefix).await.unwrap()
    }

    pub(crate) async fn post(&self, path: &str, credential: &str, body: &Value) -> Reply {
        self.send(post(path, credential).set_json(body)).await
    }

    pub(crate) async fn get(&self, path: &str, credential: &str) -> Reply {
        self.send(get(path, credential)).await
    }

    /// Lets a worker do everything there is to do.
    pub(crate) fn work(&self) {
        while !matches!(work_once(self.platform(), "worker-1").unwrap(), Worked::Idle) {}
    }

    /// A tenant that was announced, and its token.
    pub(crate) fn announced(&self, slug: &str) -> (TenantId, String) {
        let command = InitTenant {
            name: TenantName::new(format!("{slug} Ltd.")).unwrap(),
            slug: Slug::new(slug).unwrap(),
            plan: Plan::Premium,
            contact_email: None,
            cluster: None,
        };
        let announced = init(self.platform(), command).unwrap();
        (announced.tenant, announced.confirm_token.expose().to_owned())
    }

    /// A tenant in service.
    pub(crate) fn tenant(&self, slug: &str) -> TenantId {
        let (tenant, token) = self.announced(slug);
        confirm(self.platform(), &token).unwrap();
        self.work();
        tenant
    }

    /// A key of this tenant, or of the operator.
    pub(crate) fn key(&self, owner: Option<TenantId>, scopes: &[Scope]) -> String {
        let wish = NewKey {
            owner,
            name: "test".to_owned(),
            scopes: BTreeSet::from_iter(scopes.iter().copied()),
            expires_at: None,
            created_by: "test".to_owned(),
        };
        tenantry_usecases::api_keys::create(self.platform(), wish).unwrap().1.expose().to_owned()
    }

    pub(crate) fn operator(&self) -> String {
        self.key(None, &[])
    }

    /// A tenant in service, and a key of it that may do everything.
    pub(crate) fn tenant_and_key(&self, slug: &str) -> (TenantId, String) {
        let tenant = self.tenant(slug);
        (tenant, self.key(Some(tenant), &Scope::ALL))
    }
}

/// A POST without a body yet. An empty credential is none.
pub(crate) fn post(path: &str, credential: &str) -> TestRequest {
    authorised(TestRequest::post().uri(path), credential)
}

pub(crate) fn get(path: &str, credential: &str) -> TestRequest {
    authorised(TestRequest::get().uri(path), credential)
}

pub(crate) fn authorised(request: TestRequest, credential: &str) -> TestRequest {
    match credential {
        "" => request,
        credential => request.insert_header(("Authorization", format!("Bearer {credential}"))),
    }
}

/// A valid config with this id.
pub(crate) fn config(id: &str) -> Value {
    json!({
        "id": id,
        "displayName": "25K Evaluation",
        "baseCapital": 25000,
        "variant": "evaluation",
        "challengeDefinitions": [{
            "id": "phase-1",
            "name": "Phase 1",
            "rules": { "profitTarget": 0.08, "maxDrawdown": 0.08, "dailyLossLimit": 0.03 }
        }],
        "payoutRules": { "stagedPayouts": [{ "milestone": "funded", "payoutPercent": 100 }] }
    })
}

/// The pairs as the findings of a reply are given.
pub(crate) fn pairs(findings: &[(&str, &str)]) -> Vec<(String, String)> {
    findings.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
}
