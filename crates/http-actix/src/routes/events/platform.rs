//! What happened to tenants, keys and the installation: the platform's own log, for the operator.

use tenantry_usecases::Log;

use super::head::{HeadView, head_of};
use super::list::list_of;
use super::read::read_of;
use super::stream::stream_of;
use super::{EventPage, EventView};
use crate::call::{Answer, Call};

/// List the platform's events
///
/// What happened to tenants, API keys and the installation itself, the oldest first; what happened in tenants is in their own
/// lists. There is always a `nextCursor`: a page that is asked for with it has what came after. While `hasMore` is true it
/// need not wait. With filters a page may be empty and there be more all the same.
#[utoipa::path(
    get,
    path = "/events",
    operation_id = "listPlatformEvents",
    tag = "events",
    params(
        ("eventType" = Option<String>, Query, description = "Only those of this type; with a `*` at the end, of all that begin like that, as in `tenant.*`", max_length = 100),
        ("tenantId" = Option<String>, Query, description = "Only those about the tenant of this id", max_length = 64),
        ("startTime" = Option<String>, Query, description = "Only those that happened then or later (RFC 3339)", max_length = 64),
        ("endTime" = Option<String>, Query, description = "Only those that happened before (RFC 3339)", max_length = 64),
        ("after" = Option<String>, Query, description = "Begin after the event of this id; not together with `cursor`", max_length = 64),
        ("limit" = Option<u16>, Query, description = "How many at most, 50 if absent", minimum = 1, maximum = 200),
        ("cursor" = Option<String>, Query, description = "`nextCursor` of the page before", max_length = 512),
    ),
    responses((status = 200, description = "A page of events", body = EventPage, example = json!({
        "items": [{
            "id": "evt_0195c0de00007000800000000000000a",
            "eventType": "tenant.suspended",
            "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6",
            "timestamp": "2025-01-10T15:00:00.123Z",
            "meta": {
                "sequence": 17,
                "ruleEngineVersion": "1.0.0",
                "schemaVersion": "1.0",
                "traceId": "ten_3fa85f6457174562b3fc2c963f66afa6"
            },
            "data": {
                "slug": "acme", "name": "Acme Ltd.", "plan": "Premium", "status": "Suspended", "version": 5,
                "by": "key_0195c0de00007000800000000000000b"
            }
        }],
        "nextCursor": "31370f1e2d3c4b5a6978",
        "hasMore": false
    })))
)]
pub(crate) async fn list_platform(call: Call) -> Answer {
    call.operator().await?;
    list_of(&call, Log::Platform).await
}

/// Read one of the platform's events
///
/// One event, as the list has it. An event never changes.
#[utoipa::path(
    get,
    path = "/events/{eventId}",
    operation_id = "getPlatformEvent",
    tag = "events",
    params(("eventId" = String, Path, description = "The event's id", max_length = 64)),
    responses((status = 200, description = "The event", body = EventView, headers(("ETag" = String))))
)]
pub(crate) async fn read_platform(call: Call) -> Answer {
    call.operator().await?;
    read_of(&call, Log::Platform).await
}

/// Read how far the platform's log has come
///
/// A signed statement of the last place and hash of the platform's log, to be kept where nobody can change it.
#[utoipa::path(
    get,
    path = "/events/head",
    operation_id = "getPlatformEventHead",
    tag = "events",
    responses((status = 200, description = "How far it has come", body = HeadView))
)]
pub(crate) async fn head_platform(call: Call) -> Answer {
    call.operator().await?;
    head_of(&call, Log::Platform).await
}

/// Follow the platform's events
///
/// The platform's events as they happen, as server-sent events, in the way a tenant's are: `event` is the type, `id` the
/// event's id, `data` the event.
#[utoipa::path(
    get,
    path = "/events/stream",
    operation_id = "streamPlatformEvents",
    tag = "events",
    params(
        ("eventType" = Option<String>, Query, description = "Only those of this type; with a `*` at the end, of all that begin like that, as in `tenant.*`", max_length = 100),
        ("tenantId" = Option<String>, Query, description = "Only those about the tenant of this id", max_length = 64),
        ("startTime" = Option<String>, Query, description = "Begin with those that happened then or later (RFC 3339)", max_length = 64),
        ("after" = Option<String>, Query, description = "Begin after the event of this id; `Last-Event-ID` goes before", max_length = 64),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was seen", max_length = 64),
    ),
    responses((
        status = 200,
        description = "Events whose `data` is an `Event`",
        content_type = "text/event-stream",
        body = String,
        example = "retry: 2000\n\nevent: tenant.activated\nid: evt_0195c0de00007000800000000000000a\ndata: {\"id\":\"evt_0195c0de00007000800000000000000a\",\"eventType\":\"tenant.activated\"}\n\n"
    ))
)]
pub(crate) async fn stream_platform(call: Call) -> Answer {
    call.operator().await?;
    stream_of(&call, Log::Platform).await
}
