use actix_web::HttpResponse;
use tenantry_domain::id::EventId;
use tenantry_ports::Scope;
use tenantry_usecases::access::Need;
use tenantry_usecases::{Log, events};

use super::{EventView, asked};
use crate::call::{Answer, Call};
use crate::routes::respond;

/// Read an event
///
/// One event, as the list has it. An event never changes.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/events/{eventId}",
    operation_id = "getEvent",
    tag = "events",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("eventId" = String, Path, description = "The event's id", max_length = 64),
    ),
    responses((status = 200, description = "The event", body = EventView, headers(("ETag" = String))))
)]
pub(crate) async fn read(call: Call) -> Answer {
    let (_, scope) = call.scope(Need::Scope(Scope::EventsRead)).await?;
    read_of(&call, Log::Tenant(scope)).await
}

pub(super) async fn read_of(call: &Call, log: Log) -> Answer {
    let id: EventId = call.segment("eventId").parse().map_err(|_| asked::unknown())?;
    let event = call.on_storage(move |platform| events::find(platform, &log, id)).await?;
    let etag = respond::etag(event.id);
    let mut response = HttpResponse::Ok();
    response.insert_header(("ETag", etag));
    respond::json(response, &EventView(event))
}
