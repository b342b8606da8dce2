use actix_web::http::StatusCode;
use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{Plan, Status, Tenant};
use tenantry_ports::TenantFilter;
use tenantry_usecases::tenants;

use super::view::SummaryView;
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::routes::respond::{self, Page};

/// The longest text to look for: that of the longest name.
const LONGEST_TEXT: usize = 200;

/// List tenants
///
/// Newest first, in every state: also those that have failed, expired or been deleted.
#[utoipa::path(
    get,
    path = "/tenants",
    operation_id = "listTenants",
    tag = "tenants",
    params(
        ("status" = Option<String>, Query, description = "Only those with this status", max_length = 20),
        ("plan" = Option<String>, Query, description = "Only those with this plan", max_length = 20),
        ("text" = Option<String>, Query, description = "Only those whose name or slug contains this, in upper or lower case", max_length = 200),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of tenants", body = TenantPage, example = json!({
        "items": [{
            "id": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "provisioningId": "3fa85f64-5717-4562-b3fc-2c963f66afa6",
            "slug": "acme",
            "name": "Acme Corp",
            "plan": "Basic",
            "status": "Active",
            "contactEmail": "admin@acme.com",
            "cluster": "main",
            "createdAt": "2025-01-10T10:00:00.000Z",
            "updatedAt": "2025-01-10T10:00:01.000Z",
            "version": 3
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    call.operator().await?;
    let mut query = call.query();
    let filter = filter(&mut query);
    let (limit, cursor) = (query.limit(), query.text("cursor"));
    query.finish()?;
    let list = List::new(call.platform().digest.as_ref(), list_name(&filter));
    let after = cursor.map(|cursor| after(&list.position(&cursor)?)).transpose()?;
    let found = call.on_storage(move |platform| tenants::list(platform, &filter, after, limit + 1)).await?;
    let page = Page::of(found, limit, |tenant| list.cursor(&position(tenant)), SummaryView::of);
    respond::json(respond::private(StatusCode::OK), &page)
}

fn filter(query: &mut Query) -> TenantFilter {
    let status = query.text("status").and_then(|text| {
        let status = Status::parse(&text);
        if status.is_none() {
            let all = Status::ALL.map(Status::as_str).join(", ");
            query.fault("status", "invalid_value", format!("There is no status '{text}'; there are {all}"));
        }
        status
    });
    let plan = query.value::<Plan>("plan");
    let text = query.text("text").filter(|text| !text.is_empty());
    if text.as_ref().is_some_and(|text| text.chars().count() > LONGEST_TEXT) {
        let message = format!("The text may have at most {LONGEST_TEXT} characters");
        query.fault("text", "too_long", message);
    }
    TenantFilter { status, plan, text }
}

/// A cursor is good for the same filters alone. The text may contain anything, so it comes last.
fn list_name(filter: &TenantFilter) -> String {
    let status = filter.status.map_or("", Status::as_str);
    let plan = filter.plan.map_or("", Plan::as_str);
    let text = filter.text.as_deref().unwrap_or_default();
    format!("tenants {status} {plan} {text}")
}

fn position(tenant: &Tenant) -> String {
    format!("{} {}", tenant.created_at.timestamp_micros(), tenant.id)
}

fn after(position: &str) -> Result<(DateTime<Utc>, TenantId), Problem> {
    let parts = position.split_once(' ').and_then(|(micros, id)| {
        let created_at = DateTime::from_timestamp_micros(micros.parse().ok()?)?;
        Some((created_at, id.parse().ok()?))
    });
    parts.ok_or_else(|| Problem::plain(Code::InvalidCursor))
}

pub(crate) type TenantPage = Page<SummaryView>;

documented!(TenantPage);
