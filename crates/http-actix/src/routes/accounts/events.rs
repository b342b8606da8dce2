use actix_web::HttpResponse;
use chrono::{DateTime, Datelike, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};
use tenantry_domain::config::ConfigVersion;
use tenantry_domain::event::{Event, EventTypePattern};
use tenantry_domain::id::{AccountId, EventId};
use tenantry_domain::timestamp;
use tenantry_ports::{AccountEvents, LogEntry, Scope, StoreError, TenantScope};
use tenantry_usecases::access::Need;
use tenantry_usecases::accounts;

use super::no_such_account;
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::openapi::documented;
use crate::problem::{Code, Problem};
use crate::query::Query;
use crate::routes::respond::{self, Page};

/// What the types of violations begin with; the rule comes after it.
const VIOLATION: &str = "rule.violation.";

/// A rule that an account, or a trade for it, has broken.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "AccountViolation")]
pub(crate) struct ViolationView {
    /// The event that tells of it.
    event_id: EventId,
    account_id: Option<AccountId>,
    /// Which rule, as in `ruleStatuses`.
    rule: String,
    #[serde(with = "timestamp")]
    #[schemars(schema_with = "timestamp::schema")]
    timestamp: DateTime<Utc>,
    /// The version of the config whose rule it is.
    config_version: Option<ConfigVersion>,
    /// The event's `data`: value, limit and details.
    #[schemars(with = "Map<String, Value>")]
    data: Value,
}

impl From<LogEntry> for ViolationView {
    fn from(LogEntry { event, .. }: LogEntry) -> Self {
        let rule = event.event_type.as_str().strip_prefix(VIOLATION).unwrap_or_default().to_owned();
        Self {
            event_id: event.id,
            account_id: event.account_id,
            rule,
            timestamp: event.timestamp,
            config_version: event.meta.config_version,
            data: event.data,
        }
    }
}

pub(crate) type ViolationPage = Page<ViolationView>;
pub(crate) type EventPage = Page<Event>;

/// List an account's violations
///
/// Newest first: loss rules that ended the account, and trades that were refused because of a rule.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/accounts/{accountId}/violations",
    operation_id = "listViolations",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("startTime" = Option<String>, Query, description = "Only those of this time or later: RFC 3339, with `+` as `%2B`", max_length = 64),
        ("endTime" = Option<String>, Query, description = "Only those before this time", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of violations", body = ViolationPage, example = json!({
        "items": [{
            "eventId": "evt_0195c0de00007000800000000000000c",
            "accountId": "acc_0195c0de00007000800000000000000a",
            "rule": "daily_loss",
            "timestamp": "2025-01-10T15:04:05.678Z",
            "configVersion": 1,
            "data": { "value": 751, "limit": 750 }
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn violations(call: Call) -> Answer {
    let asked =
        Asked::of(&call, "violations", Some(EventTypePattern::Beginning(VIOLATION.to_owned()))).await?;
    asked.answer(&call, ViolationView::from).await
}

/// Read an account's audit log
///
/// Everything that happened to the account, newest first, as it is in the tenant's event log: in the same form as webhooks tell
/// it. The order is that of the log, in which nothing is ever changed or inserted.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/accounts/{accountId}/audit-logs",
    operation_id = "listAccountEvents",
    tag = "accounts",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("accountId" = String, Path, description = "The account's id", max_length = 64),
        ("startTime" = Option<String>, Query, description = "Only what happened at this time or later: RFC 3339, with `+` as `%2B`", max_length = 64),
        ("endTime" = Option<String>, Query, description = "Only what happened before this time", max_length = 64),
        ("eventType" = Option<String>, Query, description = "Only events of this type, or with a `*` at its end of all types that begin like it, as in `rule.violation.*`", max_length = 100),
        ("limit" = Option<u16>, Query, description = "How many, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of events", body = EventPage, example = json!({
        "items": [{
            "id": "evt_0195c0de00007000800000000000000c",
            "eventType": "account.provisioned",
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "accountId": "acc_0195c0de00007000800000000000000a",
            "timestamp": "2025-01-10T10:00:00.000Z",
            "meta": {
                "configVersion": 1,
                "ruleEngineVersion": "1.0.0",
                "schemaVersion": "1.0",
                "traceId": "0195c0de000070008000000000000001"
            },
            "data": {
                "accountId": "acc_0195c0de00007000800000000000000a",
                "userId": "user-42",
                "configId": "25k-eval-v1",
                "configVersion": 1,
                "status": "provisioned",
                "balance": 25000,
                "by": "key_0195c0de00007000800000000000000d"
            }
        }],
        "nextCursor": null
    })))
)]
pub(crate) async fn audit_logs(call: Call) -> Answer {
    let asked = Asked::of(&call, "audit-logs", None).await?;
    asked.answer(&call, |entry| entry.event).await
}

/// Which events are asked for.
struct Asked {
    scope: TenantScope,
    filter: AccountEvents,
    limit: usize,
    cursor: Option<String>,
    name: String,
}

impl Asked {
    /// What `call` asks for in the list of this name: all of these types or, if it may choose, those it says.
    async fn of(call: &Call, list: &str, types: Option<EventTypePattern>) -> Result<Self, Problem> {
        let (_, scope) = call.scope(Need::Scope(Scope::AccountsRead)).await?;
        let account: AccountId = call.segment("accountId").parse().map_err(|_| no_such_account())?;
        let mut query = call.query();
        let (from, until) = (moment(&mut query, "startTime"), moment(&mut query, "endTime"));
        let types = types.or_else(|| query.value("eventType"));
        let (limit, cursor) = (query.limit(), query.text("cursor"));
        query.finish()?;
        // A cursor is good for the same filters alone.
        let asked = call.query_text().split('&');
        let mut filters: Vec<_> = asked.filter(|part| !part.starts_with("cursor=")).collect();
        filters.retain(|part| !part.starts_with("limit="));
        let name = format!("{list} {} {account} {}", scope.tenant(), filters.join("&"));
        Ok(Self { scope, filter: AccountEvents { account, from, until, types }, limit, cursor, name })
    }

    async fn answer<T: Serialize>(self, call: &Call, view: impl Fn(LogEntry) -> T) -> Answer {
        let Self { scope, filter, limit, cursor, name } = self;
        let list = List::new(call.platform().digest.as_ref(), name);
        let before = cursor.map(|cursor| list.position(&cursor)).transpose()?;
        let before: Option<i64> = before
            .map(|sequence| sequence.parse())
            .transpose()
            .map_err(|_| Problem::plain(Code::InvalidCursor))?;
        let found = call.on_storage::<_, StoreError>(move |platform| {
            accounts::events(platform, &scope, &filter, before, limit + 1)
        });
        let found = found.await?.ok_or_else(no_such_account)?;
        let page = Page::of(found, limit, |entry| list.cursor(&entry.sequence.to_string()), view);
        respond::json(HttpResponse::Ok(), &page)
    }
}

fn moment(query: &mut Query, name: &str) -> Option<DateTime<Utc>> {
    let text = query.text(name)?;
    let moment = timestamp::from_text(&text).ok().filter(|at| (0..=9999).contains(&at.year()));
    if moment.is_none() {
        let message = format!(
            "'{name}' has to be a time as in 2025-01-10T10:00:00Z (RFC 3339), with '+' written as '%2B'"
        );
        query.fault(name, "invalid_value", message);
    }
    moment
}

documented!(ViolationPage, EventPage);
