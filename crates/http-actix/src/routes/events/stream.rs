use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::timeout;
use actix_web::web::{Bytes, BytesMut, Data};
use futures_util::{Stream, stream};
use tenantry_domain::id::EventId;
use tenantry_ports::Scope;
use tenantry_usecases::Log;
use tenantry_usecases::access::{self, Need, Principal};
use tenantry_usecases::events::{self, Start, Wanted};

use super::asked;
use crate::HttpState;
use crate::auth::Credential;
use crate::call::{Answer, Call};
use crate::fair::Party;
use crate::problem::{Code, Problem};
use crate::routes::respond::{self, LAST_SEEN, RETRY, stream_headers};
use crate::tail::{Closed, Listening, NoPlace, Tails, Told};

const NEED: Need = Need::Scope(Scope::EventsRead);
/// The longest stream. Whoever is still interested comes back, and goes on where it was.
const LONGEST: Duration = Duration::from_secs(15 * 60);
/// How often it is asked whether the caller still may listen. Twice within the second after which nothing that was
/// revoked works any more.
const CHECK: Duration = Duration::from_millis(500);
/// How old an answer to that may be.
const FRESH: Duration = Duration::from_millis(400);
/// How many events are sent in one piece.
const PIECE: usize = 64;

/// Follow events
///
/// The same events as they happen, as server-sent events: `event` is the type, `id` the event's id, `data` the event. Without
/// more it begins with what happens next; `Last-Event-ID`, which browsers send on their own when they come back, or
/// `after` has it go on after that event, on whichever server, without a gap and without anything twice; `startTime` has it
/// begin there. A comment comes every 15 seconds. The stream ends when the credential does, when the tenant is taken out
/// of service, and after a quarter of an hour: come back after `retry`.
#[utoipa::path(
    get,
    path = "/tenants/{tenantId}/events/stream",
    operation_id = "streamEvents",
    tag = "events",
    params(
        ("tenantId" = String, Path, description = "The tenant's slug or id", max_length = 64),
        ("eventType" = Option<String>, Query, description = "Only those of this type; with a `*` at the end, of all that begin like that, as in `account.*`", max_length = 100),
        ("accountId" = Option<String>, Query, description = "Only those of this account", max_length = 64),
        ("startTime" = Option<String>, Query, description = "Begin with those that happened then or later (RFC 3339)", max_length = 64),
        ("after" = Option<String>, Query, description = "Begin after the event of this id; `Last-Event-ID` goes before", max_length = 64),
        ("Last-Event-ID" = Option<String>, Header, description = "The `id` of the last event that was seen", max_length = 64),
    ),
    responses((
        status = 200,
        description = "Events whose `data` is an `Event`",
        content_type = "text/event-stream",
        body = String,
        example = "retry: 2000\n\nevent: config.uploaded\nid: evt_0195c0de00007000800000000000000a\ndata: {\"id\":\"evt_0195c0de00007000800000000000000a\",\"eventType\":\"config.uploaded\"}\n\n"
    ))
)]
pub(crate) async fn stream(call: Call) -> Answer {
    let (_, scope) = call.scope(NEED).await?;
    stream_of(&call, Log::Tenant(scope)).await
}

pub(super) async fn stream_of(call: &Call, log: Log) -> Answer {
    let mut query = call.query();
    let wanted = asked::wanted(&mut query, &log);
    let start = if wanted.from.is_some() { Start::Beginning } else { Start::End };
    let start = asked::begin(&mut query, start);
    query.finish()?;
    let start = last_seen(call)?.map_or(start, Start::AfterEvent);
    // Where to begin is found out before the first byte, so that what is wrong with it can still be said.
    let first = {
        let (log, wanted) = (log.clone(), wanted.clone());
        call.on_storage(move |platform| events::page(platform, &log, &wanted, start, PIECE)).await?
    };
    let mut response = respond::private(StatusCode::OK);
    stream_headers(&mut response);
    if call.request().method() == Method::HEAD {
        return Ok(response.finish());
    }
    let listening = Tails::listen(&call.state, &log, first.position).map_err(no_place)?;
    let telling = Telling {
        state: Data::clone(&call.state),
        credential: Credential::of(call.headers())?.0.to_owned(),
        named: log.owner().map(|_| call.segment("tenantId").to_owned()),
        log,
        wanted,
        listening,
        place: first.position,
        end: Instant::now() + LONGEST,
        beat: Instant::now() + call.state.settings.heartbeat,
        check: Instant::now() + CHECK,
    };
    let mut text = BytesMut::from(format!("retry: {RETRY}\n\n").as_bytes());
    first.events.into_iter().filter_map(Told::of).for_each(|told| text.extend_from_slice(&told.text));
    Ok(response.streaming(pieces(telling, text.freeze())))
}

fn last_seen(call: &Call) -> Result<Option<EventId>, Problem> {
    let Some(value) = call.headers().get(LAST_SEEN) else { return Ok(None) };
    let text = value.to_str().map_err(|_| asked::unknown())?.trim();
    // That is what browsers send when they have seen none.
    if text.is_empty() {
        return Ok(None);
    }
    text.parse().map(Some).map_err(|_| asked::unknown())
}

fn no_place(no_place: NoPlace) -> Problem {
    match no_place {
        NoPlace::Share(share) => Problem::new(
            Code::TooManyStreams,
            format!("{share} streams of these events are open on this server already"),
        ),
        NoPlace::Full => Problem::plain(Code::Overloaded),
    }
}

fn pieces(telling: Telling, first: Bytes) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((telling, Some(first)), |(mut telling, first)| async move {
        let piece = match first {
            Some(first) => first,
            None => telling.go_on().await?,
        };
        Some((Ok(piece), (telling, None)))
    })
}

/// A stream on its way. It is asked for the next piece when the one before is sent, so whoever reads slowly makes
/// nobody remember anything: they are caught up from the log.
struct Telling {
    state: Data<HttpState>,
    credential: String,
    /// What the caller calls the tenant whose log it is.
    named: Option<String>,
    log: Log,
    wanted: Wanted,
    listening: Listening,
    /// The place in the log up to which everything wanted was told.
    place: i64,
    end: Instant,
    beat: Instant,
    check: Instant,
}

impl Telling {
    /// What is said next; nothing at the end.
    async fn go_on(&mut self) -> Option<Bytes> {
        while Instant::now() < self.end {
            if self.check <= Instant::now() {
                if !self.may_listen().await {
                    return None;
                }
                self.check = Instant::now() + CHECK;
            }
            match self.next_piece().await? {
                Piece::Text(text) => {
                    self.beat = Instant::now() + self.state.settings.heartbeat;
                    return Some(text);
                }
                Piece::Skipped => continue,
                Piece::Nothing => {}
            }
            if self.beat <= Instant::now() {
                self.beat = Instant::now() + self.state.settings.heartbeat;
                return Some(Bytes::from_static(b":\n\n"));
            }
            let until = self.check.min(self.beat).min(self.end);
            let nap = until.saturating_duration_since(Instant::now());
            if let Ok(Err(Closed)) = timeout(nap, self.listening.news()).await {
                return None;
            }
        }
        None
    }

    /// What there is to say now; nothing at all if it cannot be found out.
    async fn next_piece(&mut self) -> Option<Piece> {
        let before = self.place;
        let recent = match self.listening.after(self.place, PIECE) {
            Some(recent) => recent,
            None => self.catch_up().await?,
        };
        self.place = recent.last().map_or(self.place, |last| self.place.max(last.place));
        if self.place == before {
            return Some(Piece::Nothing);
        }
        let mut text = BytesMut::new();
        for told in recent.iter().filter(|told| self.wanted.matches(&told.event)) {
            text.extend_from_slice(&told.text);
        }
        Some(if text.is_empty() { Piece::Skipped } else { Piece::Text(text.freeze()) })
    }

    /// What comes next in the log, for who is too far behind to be remembered.
    async fn catch_up(&mut self) -> Option<Vec<Arc<Told>>> {
        let (platform, log, wanted) =
            (Arc::clone(&self.state.platform), self.log.clone(), self.wanted.clone());
        let after = Start::After(self.place);
        let look = move || events::page(&platform, &log, &wanted, after, PIECE);
        // What is wrong with the store is in its log; the client comes back.
        let party = Party::from(&self.log);
        let page = self.state.storage().run_for(party, look).await.ok()?.ok()?;
        self.place = page.position;
        Some(page.events.into_iter().filter_map(Told::of).map(Arc::new).collect())
    }

    /// Whether the caller may still do what it may at the beginning. A busy moment is no reason to send it away.
    async fn may_listen(&self) -> bool {
        let gate = &self.state.gate;
        let asked = async {
            let caller = gate.principal_within(Credential(&self.credential), FRESH).await?;
            let Some(named) = &self.named else {
                return Ok::<_, Problem>(matches!(*caller, Principal::Operator { .. }));
            };
            let tenant = gate.tenant_within(named, FRESH).await?;
            let scope = access::authorize(&caller, tenant.as_deref(), NEED).map_err(Problem::from)?;
            Ok(Some(scope.tenant()) == self.log.owner())
        };
        match asked.await {
            Ok(may) => may,
            Err(problem) => matches!(problem.code(), Code::Overloaded | Code::Unavailable),
        }
    }
}

/// What comes next.
enum Piece {
    Text(Bytes),
    /// Events that are not wanted.
    Skipped,
    /// There is nothing new.
    Nothing,
}
