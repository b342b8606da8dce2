//! Following a provisioning: long polls and streams.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody};
use actix_web::http::{Method, StatusCode};
use actix_web::test::TestRequest;
use futures_util::future::{join, poll_fn};
use serde_json::Value;
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::Status;
use tenantry_ports::{DatabaseFault, Nudge as _};
use tenantry_testkit::DatabaseCall;
use tenantry_usecases::provisioning::work_once;
use tenantry_usecases::tenants;

use super::{Reply, World};
use crate::{HttpSettings, serve};

fn path(tenant: TenantId) -> String {
    format!("/provision/tenants/{}/status", tenant.uuid())
}

/// Yields until this many wait for a tenant.
async fn until_waiting(world: &World, number: usize) {
    let since = Instant::now();
    while world.state.watch.waiting() != number {
        assert!(since.elapsed() < Duration::from_secs(10), "{} wait", world.state.watch.waiting());
        actix_web::rt::task::yield_now().await;
    }
}

/// Has a worker elsewhere do everything there is to do.
async fn work(world: &World) {
    let platform = Arc::clone(&world.test.platform);
    let worked = actix_web::rt::task::spawn_blocking(move || work_once(&platform, "worker-1").unwrap());
    worked.await.unwrap();
}

async fn confirm(world: &World, token: &str) {
    tenants::confirm(world.platform(), token).unwrap();
}

/// The answer to a poll that waits, while this happens.
async fn waiting(world: &World, request: TestRequest, meanwhile: impl Future<Output = ()>) -> Reply {
    let happening = async {
        until_waiting(world, 1).await;
        meanwhile.await;
    };
    let (reply, ()) = join(world.send(request), happening).await;
    assert_eq!(world.state.watch.waiting(), 0, "the place is given back");
    reply
}

fn poll(tenant: TenantId, wait: &str) -> TestRequest {
    TestRequest::get().uri(&format!("{}?wait={wait}", path(tenant)))
}

/// A poll for what is newer than that reply.
fn poll_beyond(tenant: TenantId, reply: &Reply) -> TestRequest {
    poll(tenant, "60").insert_header(("If-None-Match", reply.header("etag").unwrap()))
}

#[actix_web::test]
async fn a_poll_that_waits_is_answered_when_something_happens() {
    let world = World::new();
    let (tenant, token) = world.announced("acme");
    let before = world.get(&path(tenant), "").await;
    let mut reply = waiting(&world, poll_beyond(tenant, &before), confirm(&world, &token)).await;
    assert_eq!((reply.status, &reply.json()["status"]), (StatusCode::OK, &"QUEUED".into()));
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let following = async {
        let since = Instant::now();
        while reply.json()["status"] != "Active" {
            assert!(since.elapsed() < Duration::from_secs(30));
            reply = world.send(poll_beyond(tenant, &reply)).await;
            assert_eq!(reply.status, StatusCode::OK);
        }
    };
    join(following, work(&world)).await;
    assert_eq!(reply.json(), world.get(&path(tenant), "").await.json());
}

#[actix_web::test]
async fn a_poll_that_waits_sees_what_happens_on_another_replica() {
    let world = World::new();
    let (tenant, token) = world.announced("acme");
    let replica = world.replica();
    let before = world.get(&path(tenant), "").await;
    let reply = waiting(&replica, poll_beyond(tenant, &before), confirm(&world, &token)).await;
    assert_eq!(reply.json()["status"], "QUEUED");
}

#[actix_web::test]
async fn a_poll_does_not_wait_where_there_is_news_already_or_none_to_come() {
    let world = World::new();
    let (tenant, _) = world.announced("acme");
    let old = poll(tenant, "60").insert_header(("If-None-Match", "\"0\""));
    assert_eq!(world.send(old).await.status, StatusCode::OK);
    for status in [Status::Active, Status::Suspended, Status::Failed, Status::Expired, Status::Deprovisioning]
    {
        let world = World::new();
        let tenant = world.tenant_in(status);
        let reply = world.send(poll(tenant, "60")).await;
        assert_eq!(reply.json()["status"], status.as_str());
        assert_eq!(reply.header("retry-after"), None, "{status}");
        let seen = reply.header("etag").unwrap();
        let again = world.send(poll(tenant, "60").insert_header(("If-None-Match", seen))).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED, "{status}");
    }
}

#[actix_web::test]
async fn a_poll_for_nothing_ends_with_the_state_as_it_is() {
    let world = World::new();
    let (tenant, _) = world.announced("acme");
    let since = Instant::now();
    let reply = world.send(poll(tenant, "1")).await;
    assert!(since.elapsed() >= Duration::from_secs(1));
    assert_eq!(reply.json()["status"], "PENDING_VALIDATION");
    let seen = reply.header("etag").unwrap();
    let again = world.send(poll(tenant, "1").insert_header(("If-None-Match", seen))).await;
    assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, Some(seen)));
}

#[actix_web::test]
async fn a_wait_that_is_none_is_refused() {
    let world = World::new();
    let (tenant, _) = world.announced("acme");
    for wrong in ["0", "61", "-1", "1.5", "x", ""] {
        let reply = world.send(poll(tenant, wrong)).await;
        assert_eq!(
            reply.findings("invalid_parameter"),
            super::pairs(&[("/wait", "out_of_range")]),
            "{wrong}"
        );
    }
}

/// A stream on its way, and what of it was not read yet.
struct Events {
    body: Pin<Box<BoxBody>>,
    text: String,
}

/// An event of a stream.
#[derive(Debug, PartialEq)]
struct Event {
    id: u64,
    data: Value,
}

impl Events {
    async fn open(world: &World, tenant: TenantId, seen: Option<u64>) -> Self {
        let mut request = TestRequest::get().uri(&format!("{}/stream", path(tenant)));
        if let Some(seen) = seen {
            request = request.insert_header(("Last-Event-ID", seen.to_string()));
        }
        let response = world.open(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!(header("cache-control"), "no-store");
        Self { body: Box::pin(response.into_body()), text: String::new() }
    }

    /// What comes next, as a block of lines; none at the end.
    async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let block = block.to_owned();
                self.text = rest.to_owned();
                return Some(block);
            }
            let body = &mut self.body;
            let chunk = poll_fn(|context| body.as_mut().poll_next(context)).await?.unwrap();
            self.text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Event> {
        loop {
            let block = self.block().await?;
            let lines: Vec<_> = block.lines().collect();
            match lines.as_slice() {
                [":"] | ["retry: 2000"] => {}
                ["event: status", id, data] => {
                    let id = id.strip_prefix("id: ").unwrap().parse().unwrap();
                    let data = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                    return Some(Event { id, data });
                }
                other => panic!("{other:?}"),
            }
        }
    }

    async fn rest(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await {
            events.push(event);
        }
        events
    }
}

#[actix_web::test]
async fn a_stream_tells_what_is_and_what_happens_and_ends_with_the_provisioning() {
    let world = World::new();
    let (tenant, token) = world.announced("acme");
    let mut events = Events::open(&world, tenant, None).await;
    assert_eq!(events.block().await.as_deref(), Some("retry: 2000"));
    let first = events.next().await.unwrap();
    assert_eq!(first.data, world.get(&path(tenant), "").await.json(), "the same as the status");
    tenants::confirm(world.platform(), &token).unwrap();
    assert_eq!(events.next().await.unwrap().data["status"], "QUEUED");
    let (rest, ()) = join(events.rest(), work(&world)).await;
    let last = rest.last().unwrap();
    assert_eq!(last.data["status"], "Active");
    assert_eq!(last.data, world.get(&path(tenant), "").await.json());
    assert!(rest.is_sorted_by(|a, b| a.id < b.id), "ids only grow: {rest:?}");
    assert_eq!(world.state.watch.waiting(), 0);

    let again = TestRequest::get().uri(&format!("{}/stream", path(tenant)));
    let again = world.send(again.insert_header(("Last-Event-ID", last.id.to_string()))).await;
    assert_eq!(again.status, StatusCode::NO_CONTENT, "there is nothing left to say");
}

#[actix_web::test]
async fn a_stream_goes_on_after_what_was_seen_on_any_replica() {
    let world = World::new();
    let (tenant, token) = world.announced("acme");
    let mut events = Events::open(&world, tenant, None).await;
    let seen = events.next().await.unwrap();
    drop(events);
    assert_eq!(world.state.watch.waiting(), 0, "who goes away leaves nothing behind");

    // What happens while nobody listens is told to whoever comes back, wherever.
    let replica = world.replica();
    world.fail(DatabaseCall::Migrate, DatabaseFault::Passing);
    tenants::confirm(world.platform(), &token).unwrap();
    world.work();
    let mut events = Events::open(&replica, tenant, Some(seen.id)).await;
    let missed = events.next().await.unwrap();
    assert!(missed.id > seen.id);
    let steps: Vec<_> = missed.data["steps"].as_array().unwrap().iter().map(|step| &step["status"]).collect();
    assert_eq!(steps, ["Success", "Success", "Failed"]);

    // What was seen does not come again: the next thing that does is news.
    let mut events = Events::open(&replica, tenant, Some(missed.id)).await;
    world.test.clock.advance(chrono::TimeDelta::minutes(1));
    world.work();
    let news = events.next().await.unwrap();
    assert!(news.id > missed.id);
    assert_eq!(news.data["status"], "Active");
    assert_eq!(events.next().await, None);
}

#[actix_web::test]
async fn an_id_that_is_none_of_ours_is_as_good_as_none() {
    let world = World::new();
    let tenant = world.tenant("acme");
    for id in ["x", "", "-1", "99999999999999999999999"] {
        let request = TestRequest::get().uri(&format!("{}/stream", path(tenant)));
        let reply = world.send(request.insert_header(("Last-Event-ID", id))).await;
        assert_eq!(reply.status, StatusCode::OK, "{id}");
        let text = String::from_utf8(reply.bytes.to_vec()).unwrap();
        assert_eq!(text.matches("event: status\n").count(), 1, "{id}: {text}");
    }
}

#[actix_web::test]
async fn a_quiet_stream_says_that_it_is_alive() {
    let settings = HttpSettings { heartbeat: Duration::from_millis(20), ..HttpSettings::default() };
    let world = World::with(settings);
    let (tenant, _) = world.announced("acme");
    let mut events = Events::open(&world, tenant, None).await;
    let mut blocks = Vec::new();
    for _ in 0..4 {
        blocks.push(events.block().await.unwrap());
    }
    assert!(blocks[1].starts_with("event: status\n"), "{blocks:?}");
    assert_eq!(blocks[2..], [":", ":"], "one beat after the other, and the event once");
}

#[actix_web::test]
async fn nobody_shows_the_names_before_the_tenant_is_active() {
    let world = World::new();
    let (tenant, token) = world.announced("acme");
    world.fail(DatabaseCall::Migrate, DatabaseFault::Passing);
    tenants::confirm(world.platform(), &token).unwrap();
    world.work();
    let status = world.get(&path(tenant), "").await;
    let event = Events::open(&world, tenant, None).await.next().await.unwrap();
    let text = String::from_utf8(status.bytes.to_vec()).unwrap();
    assert!(text.contains("\"log\":\"Database created successfully\""), "{text}");
    for told in [text, event.data.to_string()] {
        assert!(!told.contains("acme") && !told.contains("told to fail"), "{told}");
    }
}

#[actix_web::test]
async fn when_too_many_wait_the_next_is_told_what_is_and_sent_away() {
    let world = World::new();
    let (tenant, _) = world.announced("acme");
    let mut crowd = Vec::new();
    while let Some(place) = world.state.watch.subscribe(tenant) {
        crowd.push(place);
    }
    assert_eq!(crowd.len(), 16);
    assert_eq!(world.send(poll(tenant, "60")).await.json()["status"], "PENDING_VALIDATION");
    let told = Events::open(&world, tenant, None).await.rest().await;
    assert_eq!(told.len(), 1);
    let (other, _) = world.announced("other");
    let mut elsewhere = Events::open(&world, other, None).await;
    assert!(elsewhere.next().await.is_some(), "others have their own places");
    world.state.watch.tenant_changed(other);
    assert_eq!(world.state.watch.waiting(), 17);
}

#[actix_web::test]
async fn a_server_that_stops_lets_nobody_wait() {
    let world = World::new();
    let (tenant, _) = world.announced("acme");
    let mut events = Events::open(&world, tenant, None).await;
    events.next().await.unwrap();
    let polling = async {
        until_waiting(&world, 2).await;
        world.state.drain();
    };
    let (polled, ()) = join(world.send(poll(tenant, "60")), polling).await;
    assert_eq!(polled.json()["status"], "PENDING_VALIDATION");
    assert_eq!(events.next().await, None);
    assert_eq!(Events::open(&world, tenant, None).await.rest().await.len(), 1);
}

#[actix_web::test]
async fn whoever_hangs_up_is_noticed_and_not_followed_for() {
    let settings = HttpSettings {
        bind: ([127, 0, 0, 1], 0).into(),
        workers: 1,
        heartbeat: Duration::from_millis(20),
        ..HttpSettings::default()
    };
    let world = World::with(settings);
    let (tenant, _) = world.announced("acme");
    let serving = serve(Arc::clone(&world.state)).unwrap();
    let (address, handle) = (serving.addresses[0], serving.server.handle());
    let server = actix_web::rt::spawn(serving.server);
    let request = format!("GET {}/stream HTTP/1.1\r\nHost: x\r\n\r\n", path(tenant));
    let listening = actix_web::rt::task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let (mut heard, mut piece) = (String::new(), [0; 1024]);
        while !heard.contains("event: status") {
            let length = stream.read(&mut piece).unwrap();
            assert_ne!(length, 0, "{heard}");
            heard.push_str(std::str::from_utf8(&piece[..length]).unwrap());
        }
        stream
    });
    let stream = listening.await.unwrap();
    assert_eq!(world.state.watch.waiting(), 1);
    drop(stream);
    until_waiting(&world, 0).await;
    handle.stop(true).await;
    server.await.unwrap().unwrap();
}

#[actix_web::test]
async fn a_stream_of_nothing_is_not_found_and_its_head_has_no_body() {
    let world = World::new();
    let (tenant, _) = world.announced("acme");
    let unknown =
        world.get("/provision/tenants/3fa85f64-5717-4562-b3fc-2c963f66afa6/status/stream", "").await;
    unknown.problem("provisioning_not_found");
    let head = TestRequest::default().method(Method::HEAD).uri(&format!("{}/stream", path(tenant)));
    let head = world.send(head).await;
    assert_eq!((head.status, head.header("content-type")), (StatusCode::OK, Some("text/event-stream")));
    assert!(head.bytes.is_empty());
}
