use std::time::{Duration, Instant};

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderValue};
use tenantry_usecases::tenants::{self, Progress};

use super::view::StatusView;
use super::{named, under_way, unknown};
use crate::call::{Answer, Call};
use crate::follow::{Follower, Pause};
use crate::problem::Problem;
use crate::query::Query;
use crate::routes::respond;

/// See how far a provisioning is
///
/// Poll it until `status` is `Active` or `Failed`, or have the answer wait for something new: with `wait` it comes as soon
/// as anything has happened (since what `If-None-Match` names, if that is sent), and after so many seconds in any case.
/// When too many wait already it comes at once. Slug and database name are shown only once the tenant is Active.
#[utoipa::path(
    get,
    path = "/provision/tenants/{provisioningId}/status",
    operation_id = "getProvisioningStatus",
    tag = "provisioning",
    params(
        ("provisioningId" = String, Path, description = "The id that init answered with, a UUID", max_length = 64),
        ("wait" = Option<u8>, Query, description = "For how many seconds to wait for something new", minimum = 1, maximum = 60),
    ),
    responses(
        (status = 200, description = "How far it is", body = StatusView, headers(("ETag" = String)), example = json!({
            "status": "Provisioning",
            "tenantSlug": null,
            "dbName": null,
            "steps": [{
                "step": "Init",
                "status": "Success",
                "startedAt": "2025-01-10T10:00:00.000Z",
                "completedAt": "2025-01-10T10:00:01.000Z",
                "log": "Provisioning initialized, waiting for confirmation",
                "errorMessage": null,
                "errorCode": null,
                "attempt": 1
            }]
        })),
        (status = 304, description = "It is what `If-None-Match` says"),
    )
)]
pub(crate) async fn status(call: Call) -> Answer {
    let id = named(&call)?;
    let mut query = call.query();
    let wait = wait(&mut query);
    query.finish()?;
    let mut follower = wait.map(|_| Follower::of(&call, id));
    let mut progress =
        call.on_storage(move |platform| tenants::progress(platform, id)).await?.ok_or_else(unknown)?;
    let headers = call.headers();
    let has_this =
        !headers.contains_key(header::IF_NONE_MATCH) || respond::is_current(headers, &etag(&progress));
    if let (Some(follower), Some(wait), true) = (&mut follower, wait, has_this) {
        progress = news(follower, progress, Instant::now() + wait).await?;
    }
    let etag = etag(&progress);
    if respond::is_current(call.headers(), &etag) {
        return Ok(respond::private(StatusCode::NOT_MODIFIED).insert_header((header::ETAG, etag)).finish());
    }
    let mut response = respond::private(StatusCode::OK);
    response.insert_header((header::ETAG, etag));
    if under_way(&progress) {
        response.insert_header((header::RETRY_AFTER, HeaderValue::from_static("1")));
    }
    respond::json(response, &StatusView::of(progress))
}

fn wait(query: &mut Query) -> Option<Duration> {
    let seconds = query.text("wait")?.parse().ok().filter(|seconds| (1..=60).contains(seconds));
    if seconds.is_none() {
        let message = "The wait must be a whole number of seconds from 1 to 60".to_owned();
        query.fault("wait", "out_of_range", message);
    }
    seconds.map(Duration::from_secs)
}

/// The first thing that is newer than `seen`; or `seen`, if nothing more will happen, or has by then.
async fn news(follower: &mut Follower, seen: Progress, end: Instant) -> Result<Progress, Problem> {
    while follower.may_wait() && under_way(&seen) && Instant::now() < end {
        if follower.pause(end).await == Pause::Stopping {
            break;
        }
        let found = follower.look(tenants::progress).await?;
        if let Some(newer) = found.filter(|found| found.revision() != seen.revision()) {
            return Ok(newer);
        }
    }
    Ok(seen)
}

fn etag(progress: &Progress) -> HeaderValue {
    respond::etag(progress.revision())
}
