//! The same five operations for every kind of unit.

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use tenantry_domain::id::TenantId;
use tenantry_domain::organisation::{OrgId, OrgKind};
use tenantry_ports::{OrgFilter, StoreError};
use tenantry_usecases::access::Need;
use tenantry_usecases::idempotency::keep_refusal;
use tenantry_usecases::organisation::{self, Change, Create, OrgError};

use super::units::{Unit, wire};
use super::view::{self, UnitView};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::idempotency::{self, REPLAYED};
use crate::precondition::IfMatch;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::routes::respond::{self, Page};

/// The longest text to look for: that of the longest name.
pub(crate) const LONGEST_TEXT: usize = 120;

pub(super) async fn create<B: Unit>(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let received = call.body::<B>().await?;
    let (tenant, operation) = (scope.tenant(), format!("create{}", wire(B::KIND).name));
    let idempotency = call.idempotency(&caller, tenant, &operation, &received.bytes)?;
    let (actor, trace) = (caller.actor(), call.request_id());
    let (key, refusals) = (idempotency.clone(), call.refusals());
    let wish = Create { content: received.value.content()?, actor, idempotency, trace };
    let created = call.on_storage::<_, Problem>(move |platform| {
        let refusal = match organisation::create(platform, &scope, wish) {
            Ok(created) => return Ok(Ok(created)),
            Err(OrgError::RefusedBefore(answer)) => return Ok(Err((answer, true))),
            Err(refusal) => Problem::from(refusal),
        };
        match key.zip(refusals.kept(&refusal)) {
            Some((key, answer)) if keep_refusal(platform, &scope, &key, &answer)? => Ok(Err((answer, false))),
            _ => Err(refusal),
        }
    });
    let created = match created.await? {
        Ok(created) => created,
        Err((refusal, replayed)) => return Ok(idempotency::answer(refusal, replayed)),
    };
    let mut response = respond::private(StatusCode::CREATED);
    if created.replayed {
        response.insert_header((REPLAYED, HeaderValue::from_static("true")));
    }
    response.insert_header((header::LOCATION, format!("{}/{}", call.path(), created.unit.id)));
    view::answer::<B>(response, created.unit, tenant)
}

pub(super) async fn list<B: Unit>(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    let mut query = call.query();
    let filter = filter(B::KIND, &mut query);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let tenant = scope.tenant();
    let list = List::new(call.platform().digest.as_ref(), list_name(tenant, &filter));
    let after = cursor.map(|cursor| position(B::KIND, &list.position(&cursor)?)).transpose()?;
    let found = call.on_storage::<_, StoreError>(move |platform| {
        organisation::list(platform, &scope, &filter, after, limit + 1)
    });
    let page = Page::of(
        found.await?,
        limit,
        |unit| list.cursor(&unit.id.to_string()),
        |unit| UnitView::<B>::of(unit, tenant),
    );
    let items = page.items.into_iter().collect::<Result<_, _>>()?;
    respond::json(respond::private(StatusCode::OK), &Page { items, next_cursor: page.next_cursor })
}

pub(super) async fn read<B: Unit>(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Staff).await?;
    let (unit, tenant) = (unit_in_path::<B>(&call)?, scope.tenant());
    let found = call.on_storage::<_, StoreError>(move |platform| organisation::find(platform, &scope, unit));
    let unit = found.await?.ok_or(OrgError::NoSuchUnit)?;
    let etag = respond::etag(unit.version);
    if respond::is_current(call.headers(), &etag) {
        return Ok(respond::private(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    view::found::<B>(unit, tenant)
}

pub(super) async fn replace<B: Unit>(mut call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let unit = unit_in_path::<B>(&call)?;
    let content = call.body::<B>().await?.value.content()?;
    let (meant, tenant) = (IfMatch::of(call.headers()), scope.tenant());
    let change = Change { unit, actor: caller.actor(), trace: call.request_id() };
    let replaced = call.on_storage::<_, OrgError>(move |platform| {
        organisation::replace(platform, &scope, change, content, |version| meant.means(&version.to_string()))
    });
    view::found::<B>(replaced.await?, tenant)
}

pub(super) async fn remove<B: Unit>(call: Call) -> Answer {
    let (caller, scope) = call.scope(Need::Admin).await?;
    let (unit, meant) = (unit_in_path::<B>(&call)?, IfMatch::of(call.headers()));
    let change = Change { unit, actor: caller.actor(), trace: call.request_id() };
    let removed = call.on_storage::<_, OrgError>(move |platform| {
        organisation::remove(platform, &scope, change, |version| meant.means(&version.to_string()))
    });
    removed.await?;
    Ok(respond::private(StatusCode::NO_CONTENT).finish())
}

/// The kinds that a list of this kind can be filtered by: what its units belong to, and what they are assigned to.
pub(crate) fn filters(kind: OrgKind) -> impl Iterator<Item = OrgKind> {
    let targets: &[OrgKind] = match kind {
        OrgKind::PorgAssignment => &[OrgKind::CompanyCode, OrgKind::Plant],
        _ => &[],
    };
    kind.parent().into_iter().chain(targets.iter().copied())
}

fn filter(kind: OrgKind, query: &mut Query) -> OrgFilter {
    let mut filter = OrgFilter::all(kind);
    for of in filters(kind) {
        let name = wire(of).id;
        let Some(id) = query.value::<OrgId>(name) else { continue };
        let place = if kind.parent() == Some(of) { &mut filter.parent } else { &mut filter.target };
        if id.kind() != of {
            let message = format!("Expected the id of a {}, as in `{}_…`", of.noun(), of.prefix());
            query.fault(name, "invalid_value", message);
        } else if place.replace(id).is_some() {
            query.fault(name, "exactly_one", "Give one of companyCodeId and plantId at most".to_owned());
        }
    }
    if kind != OrgKind::PorgAssignment {
        filter.text = query.text("q").filter(|text| !text.is_empty());
    }
    if filter.text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        query.fault("q", "too_long", format!("The text may have at most {LONGEST_TEXT} characters"));
    }
    filter
}

/// A cursor is good for the same filters alone. The text may contain anything, so it comes last.
fn list_name(tenant: TenantId, OrgFilter { kind, parent, target, text }: &OrgFilter) -> String {
    format!("organisation {tenant} {kind} {parent:?} {target:?} {}", text.as_deref().unwrap_or_default())
}

fn position(kind: OrgKind, text: &str) -> Result<OrgId, Problem> {
    let id = text.parse::<OrgId>().ok().filter(|id| id.kind() == kind);
    id.ok_or_else(|| Problem::plain(Code::InvalidCursor))
}

/// The unit that the path names.
fn unit_in_path<B: Unit>(call: &Call) -> Result<OrgId, Problem> {
    let id = call.segment(wire(B::KIND).id).parse::<OrgId>().ok().filter(|id| id.kind() == B::KIND);
    Ok(id.ok_or(OrgError::NoSuchUnit)?)
}
