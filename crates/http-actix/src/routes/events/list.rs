use actix_web::HttpResponse;
use tenantry_ports::Scope;
use tenantry_usecases::Log;
use tenantry_usecases::access::Need;
use tenantry_usecases::events::{self, Start};

use super::{EventPage, EventView, asked};
use crate::call::{Answer, Call};
use crate::cursor::List;
use crate::problem::{Code, Problem};
use crate::routes::respond;

/// List events
///
/// What happened in the tenant, the oldest first, from the beginning or after an event. There is always a `nextCursor`: a
/// page that is asked for with it has what came after, so a program that asks again and again misses nothing and sees
/// nothing twice. While `hasMore` is true it need not wait. With filters a page may be empty and there be more all the same.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/events",
    operation_id = "listEvents",
    tag = "events",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("eventType" = Option<String>, Query, description = "Only those of this type; with a `*` at the end, of all that begin like that, as in `account.*`", max_length = 100),
        ("accountId" = Option<String>, Query, description = "Only those of this account", max_length = 64),
        ("startTime" = Option<String>, Query, description = "Only those that happened then or later (RFC 3339)", max_length = 64),
        ("endTime" = Option<String>, Query, description = "Only those that happened before (RFC 3339)", max_length = 64),
        ("after" = Option<String>, Query, description = "Begin after the event of this id; not together with `cursor`", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many at most, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of events", body = EventPage, example = json!({
        "items": [{
            "id": "evt_0195c0de00007000800000000000000a",
            "eventType": "account.provisioned",
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "accountId": "acc_0195c0de00007000800000000000000b",
            "timestamp": "2025-01-10T15:00:00.123Z",
            "meta": {
                "sequence": 17,
                "configVersion": 1,
                "ruleEngineVersion": "1.0.0",
                "schemaVersion": "1.0",
                "traceId": "0195c0de000070008000000000000001"
            },
            "data": {
                "accountId": "acc_0195c0de00007000800000000000000b",
                "userId": "user-42",
                "configId": "25k-eval-v1",
                "configVersion": 1,
                "status": "provisioned",
                "balance": 25000
            }
        }],
        "nextCursor": "31370f1e2d3c4b5a6978",
        "hasMore": false
    })))
)]
pub(crate) async fn list(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::EventsRead)).await?;
    list_of(&call, Log::Tenant(scope)).await
}

pub(super) async fn list_of(call: &Call, log: Log) -> Answer {
    let mut query = call.query();
    let mut wanted = asked::wanted(&mut query, &log);
    wanted.until = query.value("endTime");
    let (start, limit, cursor) =
        (asked::begin(&mut query, Start::Beginning), query.limit(), query.text("cursor"));
    if cursor.is_some() && matches!(start, Start::AfterEvent(_)) {
        let message = "Give `after` or `cursor`, not both".to_owned();
        query.fault("after", "contradiction", message);
    }
    query.finish()?;
    let list = List::new(call.platform().digest.as_ref(), asked::list_name(&log, &wanted));
    let place = |cursor: String| {
        let place = list.position(&cursor)?.parse().map_err(|_| Problem::plain(Code::InvalidCursor))?;
        Ok::<_, Problem>(Start::After(place))
    };
    let start = cursor.map(place).transpose()?.unwrap_or(start);
    let page = call.on_storage(move |platform| events::page(platform, &log, &wanted, start, limit)).await?;
    let page = EventPage {
        next_cursor: list.cursor(&page.position.to_string()),
        has_more: page.more,
        items: page.events.into_iter().map(EventView).collect(),
    };
    respond::json(HttpResponse::Ok(), &page)
}
