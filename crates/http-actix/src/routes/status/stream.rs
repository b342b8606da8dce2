use std::convert::Infallible;
use std::fmt::Write as _;
use std::time::{Duration, Instant};

use actix_web::http::header::HeaderMap;
use actix_web::http::{Method, StatusCode};
use actix_web::web::Bytes;
use futures_util::{Stream, stream};
use tenantry_usecases::tenants::{self, Progress};

use super::view::StatusView;
use super::{named, under_way, unknown};
use crate::call::{Answer, Call};
use crate::follow::{Follower, Pause};
use crate::routes::respond::{self, LAST_SEEN, RETRY, stream_headers};

/// The longest stream. Whoever is still interested comes back, and goes on where it was.
const LONGEST: Duration = Duration::from_secs(15 * 60);

/// Follow a provisioning
///
/// The same as the status, as server-sent events: one at once, and one whenever anything has happened, the last of which
/// tells how it ended. Every event has an `id`, which only grows; sent back as `Last-Event-ID`, by which browsers do on
/// their own, it has the stream go on after that event, on whichever server. Nothing comes twice; what happened in between
/// comes as one event, since every event has all the steps. There is a comment every 15 seconds. A stream may end
/// before the provisioning does: come back after `retry`. When there is nothing left to say the answer is 204, and
/// browsers stop.
#[utoipa::path(
    get,
    path = "/provision/tenants/{provisioningId}/status/stream",
    operation_id = "streamProvisioningStatus",
    tag = "provisioning",
    params(
        ("provisioningId" = String, Path, description = "The id that init answered with, a UUID", max_length = 64),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was seen"),
    ),
    responses(
        (
            status = 200,
            description = "Events named `status`, whose `data` is a `ProvisioningStatus`",
            content_type = "text/event-stream",
            body = String,
            example = "retry: 2000\n\nevent: status\nid: 9\ndata: {\"status\":\"Active\",\"tenantSlug\":\"acme\",\"dbName\":\"ecom_tenant_acme\",\"steps\":[]}\n\n"
        ),
        (status = 204, description = "The provisioning has ended, and `Last-Event-ID` is that of its last event"),
    )
)]
pub(crate) async fn stream(call: Call) -> Answer {
    let id = named(&call)?;
    call.query().finish()?;
    let follower = Follower::of(&call, id);
    let progress =
        call.on_storage(move |platform| tenants::progress(platform, id)).await?.ok_or_else(unknown)?;
    let seen = last_seen(call.headers());
    if !under_way(&progress) && seen == Some(progress.revision()) {
        return Ok(respond::private(StatusCode::NO_CONTENT).finish());
    }
    let mut response = respond::private(StatusCode::OK);
    stream_headers(&mut response);
    if call.request().method() == Method::HEAD {
        return Ok(response.finish());
    }
    let heartbeat = call.state.settings.heartbeat;
    Ok(response.streaming(events(Telling::new(follower, seen, heartbeat), progress)))
}

fn last_seen(headers: &HeaderMap) -> Option<u64> {
    headers.get(LAST_SEEN)?.to_str().ok()?.trim().parse().ok()
}

fn events(telling: Telling, first: Progress) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((telling, Some(first)), |(mut telling, first)| async move {
        let text = match first {
            Some(first) => telling.begin(first),
            None => telling.go_on().await?,
        };
        Some((Ok(text.into()), (telling, None)))
    })
}

/// A stream on its way.
struct Telling {
    follower: Follower,
    /// The revision that the client has.
    seen: Option<u64>,
    heartbeat: Duration,
    beat: Instant,
    end: Instant,
    ended: bool,
}

impl Telling {
    fn new(follower: Follower, seen: Option<u64>, heartbeat: Duration) -> Self {
        let now = Instant::now();
        Self { follower, seen, heartbeat, beat: now + heartbeat, end: now + LONGEST, ended: false }
    }

    /// What is said first. Without a place to wait it is all.
    fn begin(&mut self, first: Progress) -> String {
        let mut text = format!("retry: {RETRY}\n\n");
        text.extend(self.event(first));
        self.ended |= !self.follower.may_wait();
        text
    }

    /// What is said next; nothing at the end.
    async fn go_on(&mut self) -> Option<String> {
        while !self.ended && Instant::now() < self.end {
            if self.follower.pause(self.beat.min(self.end)).await == Pause::Stopping {
                return None;
            }
            // What is wrong with the store is in its log; the client comes back.
            let found = self.follower.look(tenants::progress).await.ok()?;
            if let Some(event) = found.and_then(|found| self.event(found)) {
                return Some(event);
            }
            if self.beat <= Instant::now() {
                self.beat = Instant::now() + self.heartbeat;
                return Some(":\n\n".to_owned());
            }
        }
        None
    }

    /// The event of this, unless the client has it.
    fn event(&mut self, progress: Progress) -> Option<String> {
        let revision = progress.revision();
        self.ended = !under_way(&progress);
        if self.seen == Some(revision) {
            return None;
        }
        // One line, as an event's data has to be: JSON has line breaks only where they are asked for.
        let data = serde_json::to_string(&StatusView::of(progress)).ok()?;
        self.seen = Some(revision);
        let mut text = String::with_capacity(data.len() + 64);
        let _ = write!(text, "event: status\nid: {revision}\ndata: {data}\n\n");
        Some(text)
    }
}
