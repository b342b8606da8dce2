use std::future::{Ready, ready};
use std::sync::Arc;

use actix_web::dev::Payload;
use actix_web::http::header::{self, HeaderMap};
use actix_web::web::{Bytes, Data};
use actix_web::{Error, FromRequest, HttpMessage, HttpRequest, HttpResponse};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Tenant;
use tenantry_ports::{AccessClaims, IdempotencyKey, MacPurpose, TenantScope};
use tenantry_usecases::Platform;
use tenantry_usecases::access::{self, Need, Principal};
use uuid::Uuid;

use crate::HttpState;
use crate::auth::Credential;
use crate::body::{self, Body, Received};
use crate::client_address::Client;
use crate::fair::Party;
use crate::idempotency::{self, Refusals};
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::request_id::Trace;
use crate::tenant_context;

/// How many times as large as another one a body of many things may be.
const BULK: usize = 8;

/// What a handler answers.
pub(crate) type Answer = Result<HttpResponse, Problem>;

/// A request in a handler's hands, which asks it for one thing after the other: who calls, for which tenant, with
/// what query and body. So a caller without the right credential learns nothing about the rest.
pub(crate) struct Call {
    pub(crate) state: Data<HttpState>,
    request: HttpRequest,
    payload: Payload,
}

impl FromRequest for Call {
    type Error = Error;
    type Future = Ready<Result<Self, Error>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        if let Err(problem) = tenant_context::check(request) {
            return ready(Err(problem.into()));
        }
        let state = request.app_data::<Data<HttpState>>().cloned();
        let call = |state| Self { state, request: request.clone(), payload: payload.take() };
        let missing =
            || Problem::new(Code::InternalError, "The server is not set up").because("no HttpState");
        ready(state.map(call).ok_or_else(|| missing().into()))
    }
}

impl Call {
    /// What the use cases stand on.
    pub(crate) fn platform(&self) -> &Platform {
        &self.state.platform
    }

    /// The request itself.
    pub(crate) fn request(&self) -> &HttpRequest {
        &self.request
    }

    /// The request's headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.request.headers()
    }

    /// The request's path.
    pub(crate) fn path(&self) -> &str {
        self.request.path()
    }

    /// The variable part of the path that has this name.
    pub(crate) fn segment(&self, name: &str) -> &str {
        self.request.match_info().get(name).unwrap_or_default()
    }

    /// The query, to be read.
    pub(crate) fn query(&self) -> Query {
        Query::new(self.request.query_string())
    }

    /// The query as it was sent.
    pub(crate) fn query_text(&self) -> &str {
        self.request.query_string()
    }

    /// The request's id.
    pub(crate) fn request_id(&self) -> String {
        let extensions = self.request.extensions();
        extensions.get::<Trace>().map(|trace| trace.id.as_str().to_owned()).unwrap_or_default()
    }

    /// The scope of the tenant in the path, if the caller may do there what needs `need`.
    pub(crate) async fn scope(&self, need: Need) -> Result<(Arc<Principal>, TenantScope), Problem> {
        let (caller, _, scope) = self.served(need).await?;
        Ok((caller, scope))
    }

    /// The tenant in the path in whatever state it is, if the caller may do to it what needs `need`.
    pub(crate) async fn tenant(&self, need: Need) -> Result<(Arc<Principal>, Arc<Tenant>), Problem> {
        let (caller, tenant) = self.parties().await?;
        access::admit(&caller, tenant.as_deref(), need).map_err(|denied| self.refusal(denied))?;
        let tenant = tenant.ok_or_else(|| Problem::from(access::Denied::NoSuchTenant))?;
        Ok((caller, tenant))
    }

    /// The tenant in the path, in service, and its scope, if the caller may do there what needs `need`.
    pub(crate) async fn served(
        &self,
        need: Need,
    ) -> Result<(Arc<Principal>, Arc<Tenant>, TenantScope), Problem> {
        let (caller, tenant) = self.parties().await?;
        let scope = access::authorize(&caller, tenant.as_deref(), need);
        let scope = scope.map_err(|denied| self.refusal(denied))?;
        let tenant = tenant.ok_or_else(|| Problem::from(access::Denied::NoSuchTenant))?;
        Ok((caller, tenant, scope))
    }

    /// Why the caller may not, in the words of the route.
    fn refusal(&self, denied: access::Denied) -> Problem {
        match denied {
            access::Denied::NoSuchTenant if tenant_context::is_below_tenant(&self.request) => {
                tenant_context::unknown()
            }
            denied => denied.into(),
        }
    }

    /// Who is signed in to the tenant in the path, that tenant and its scope; a problem if the caller is nobody there.
    pub(crate) async fn person(&self) -> Result<(AccessClaims, Arc<Tenant>, TenantScope), Problem> {
        let (caller, tenant, scope) = self.served(Need::Person).await?;
        match &*caller {
            Principal::Person(claims) => Ok((claims.clone(), tenant, scope)),
            _ => Err(access::Denied::NotAPerson.into()),
        }
    }

    async fn parties(&self) -> Result<(Arc<Principal>, Option<Arc<Tenant>>), Problem> {
        let caller = self.caller(Credential::of(self.headers())?).await?;
        let named = self.segment("tenantId");
        let tenant = match *caller {
            Principal::Person(_) if self.changes() => self.state.gate.tenant_anew(named).await?,
            _ => self.state.gate.tenant(named).await?,
        };
        self.note(|trace| trace.tenant = tenant.as_ref().map(|tenant| tenant.id));
        Ok((caller, tenant))
    }

    /// Whether it is there to change something.
    fn changes(&self) -> bool {
        !self.request.method().is_safe()
    }

    /// Who presents this credential; a problem if it does not work.
    pub(crate) async fn caller(&self, credential: Credential<'_>) -> Result<Arc<Principal>, Problem> {
        let caller = self.state.gate.principal(credential, self.changes()).await?;
        self.note(|trace| trace.caller = Some(Arc::clone(&caller)));
        self.count(&caller).await?;
        Ok(caller)
    }

    /// Counts the request for its caller and their tenant; a problem if it is one too many. By whose limit is not what the
    /// path says: whoever knocks at foreign doors does so on their own account.
    async fn count(&self, caller: &Principal) -> Result<(), Problem> {
        let rates = &self.state.tenant_rates;
        if let Some(tenant) = rates.unknown(caller) {
            let state = Data::clone(&self.state);

            self.state
                .storage()
                .run_for(Party::Tenant(tenant), move || state.tenant_rates.agree(&state.platform, tenant))
                .await?;
        }
        let (counted, refusal) = match rates.count(caller) {
            None => return Ok(()),
            Some(Ok(standings)) => (standings, None),
            Some(Err((exhausted, standings))) => (standings, Some(exhausted)),
        };
        self.note(|trace| trace.standings = Some(counted));
        refusal.map_or(Ok(()), |exhausted| Err(exhausted.problem(counted)))
    }

    /// The operator, if it is they who call; a problem otherwise.
    pub(crate) async fn operator(&self) -> Result<Arc<Principal>, Problem> {
        let caller = self.caller(Credential::of(self.headers())?).await?;
        match *caller {
            Principal::Operator { .. } => Ok(caller),
            _ => Err(Problem::new(Code::Forbidden, "Only the operator may do this")),
        }
    }

    /// Notes something for the log.
    pub(crate) fn note(&self, note: impl FnOnce(&mut Trace)) {
        if let Some(trace) = self.request.extensions_mut().get_mut::<Trace>() {
            note(trace);
        }
    }

    /// The body, read and checked.
    pub(crate) async fn body<T: Body>(&mut self) -> Result<Received<T>, Problem> {
        let bytes = self.bytes().await?;
        self.parsed(bytes)
    }

    /// The same, of many things at once: it may be several times as large.
    pub(crate) async fn bulk_body<T: Body>(&mut self) -> Result<Received<T>, Problem> {
        body::content_type(&self.request)?;
        let limit = self.state.settings.body_limit.saturating_mul(BULK);
        let bytes = body::read(&self.request, &mut self.payload, limit).await?;
        self.parsed(bytes)
    }

    /// The body's very bytes, of JSON as its sender says.
    pub(crate) async fn bytes(&mut self) -> Result<Bytes, Problem> {
        self.bytes_up_to(self.state.settings.body_limit).await
    }

    /// The same for a body that may have so many bytes.
    pub(crate) async fn bytes_up_to(&mut self, limit: usize) -> Result<Bytes, Problem> {
        body::content_type(&self.request)?;
        body::read(&self.request, &mut self.payload, limit).await
    }

    /// The body's very bytes of whatever kind, of which there may be more than usual.
    pub(crate) async fn any_bytes_up_to(&mut self, limit: usize) -> Result<Bytes, Problem> {
        let limit = limit.max(self.state.settings.body_limit);
        body::read(&self.request, &mut self.payload, limit).await
    }

    /// The body that came as these bytes, checked.
    pub(crate) fn parsed<T: Body>(&self, bytes: Bytes) -> Result<Received<T>, Problem> {
        body::parse(bytes, self.state.platform.schemas.as_ref())
    }

    /// The body, read and checked; without one, what is meant by saying nothing.
    pub(crate) async fn body_or_default<T: Body + Default>(&mut self) -> Result<Received<T>, Problem> {
        if self.headers().contains_key(header::CONTENT_TYPE) {
            return self.body().await;
        }
        let bytes = body::read(&self.request, &mut self.payload, self.state.settings.body_limit).await?;
        if bytes.is_empty() {
            return Ok(Received { value: T::default(), bytes });
        }
        body::content_type(&self.request)?;
        self.parsed(bytes)
    }

    /// The body of a form: its fields, to be taken out one by one; none if it is no form.
    pub(crate) async fn form(&mut self) -> Result<Option<Query>, Problem> {
        if !body::is_form(&self.request) {
            return Ok(None);
        }
        let bytes = body::read(&self.request, &mut self.payload, self.state.settings.body_limit).await?;
        Ok(std::str::from_utf8(&bytes).ok().map(Query::new))
    }

    /// What makes this request the same request, if it may be repeated.
    pub(crate) fn idempotency(
        &self,
        caller: &Principal,
        tenant: TenantId,
        operation: &str,
        body: &[u8],
    ) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(key) = idempotency::key(self.headers())? else { return Ok(None) };
        let content_type = body::content_type(&self.request).unwrap_or_default();
        let request =
            idempotency::Request { operation, tenant, query: self.query_text(), content_type, body };
        Ok(Some(request.keyed(caller, &key, self.state.platform.digest.as_ref())))
    }

    /// The same for an order of a tenant, which may come from anybody: who presents no credential is told apart by address.
    /// There may be a password in it, and a plain hash of the request could be searched for that.
    pub(crate) fn order_idempotency(
        &self,
        operation: &str,
        body: &[u8],
    ) -> Result<Option<IdempotencyKey>, Problem> {
        let Some(key) = idempotency::key(self.headers())? else { return Ok(None) };
        let content_type = body::content_type(&self.request).unwrap_or_default();
        let tenant = TenantId::new(Uuid::nil());
        let request =
            idempotency::Request { operation, tenant, query: self.query_text(), content_type, body };
        let caller = self.request.extensions().get::<Trace>().and_then(|trace| trace.caller.clone());
        let platform = self.platform();
        let keyed = match caller {
            Some(caller) => request.keyed(&caller, &key, platform.digest.as_ref()),
            None => {
                let proxies = &self.state.settings.trusted_proxies;
                let client = Client::of(self.request.peer_addr(), self.headers(), proxies);
                request.keyed_by(&format!("public:{client}"), &key, platform.digest.as_ref())
            }
        };
        let fingerprint = platform.macs.make(MacPurpose::Fingerprint, &[&keyed.fingerprint]);
        Ok(Some(IdempotencyKey { fingerprint, ..keyed }))
    }

    /// How refusals of this request are written down for its repetitions.
    pub(crate) fn refusals(&self) -> Refusals {
        Refusals::new(self.request_id(), self.path().to_owned())
    }

    /// On whose account the call is worked on: the tenant's that the caller belongs to.
    fn party(&self) -> Party {
        let extensions = self.request.extensions();
        let caller = extensions.get::<Trace>().and_then(|trace| trace.caller.as_ref());
        caller.and_then(|caller| caller.tenant()).map_or(Party::Common, Party::Tenant)
    }

    /// Runs a use case on a storage thread.
    pub(crate) async fn on_storage<T, E>(
        &self,
        job: impl FnOnce(&Platform) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        let platform = Arc::clone(&self.state.platform);
        Ok(self.state.storage().run_for(self.party(), move || job(&platform)).await??)
    }

    /// Runs a use case that hashes a password on a thread for that.
    pub(crate) async fn on_hashing<T, E>(
        &self,
        job: impl FnOnce(&Platform) -> Result<T, E> + Send + 'static,
    ) -> Result<T, Problem>
    where
        T: Send + 'static,
        E: Send + 'static,
        Problem: From<E>,
    {
        let platform = Arc::clone(&self.state.platform);
        Ok(self.state.hashing().run_for(self.party(), move || job(&platform)).await??)
    }
}
