//! Events as they happen.

use std::pin::Pin;
use std::time::{Duration, Instant};

use actix_web::body::{BoxBody, MessageBody as _};
use actix_web::http::{Method, StatusCode};
use actix_web::rt::time::timeout;
use actix_web::test::TestRequest;
use futures_util::future::poll_fn;
use serde_json::Value;

use super::super::{World, authorised};
use super::{EVENTS, items, provision};
use crate::HttpSettings;

/// Longer than anything takes here.
const PATIENCE: Duration = Duration::from_secs(20);

/// A stream on its way, and what of it was not read yet.
struct Events {
    body: Pin<Box<BoxBody>>,
    text: String,
}

impl Events {
    async fn open(world: &World, key: &str, query: &str, seen: Option<&str>) -> Self {
        Self::open_at(world, EVENTS, key, query, seen).await
    }

    async fn open_at(world: &World, events: &str, key: &str, query: &str, seen: Option<&str>) -> Self {
        let mut request = TestRequest::get().uri(&format!("{events}/stream?{query}"));
        if let Some(seen) = seen {
            request = request.insert_header(("Last-Event-ID", seen));
        }
        let response = world.open(authorised(request, key)).await;
        assert_eq!(response.status(), StatusCode::OK);
        let header = |name: &str| response.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!(header("content-type"), "text/event-stream");
        assert_eq!((header("cache-control"), header("x-accel-buffering")), ("no-store".into(), "no".into()));
        let mut events = Self { body: Box::pin(response.into_body()), text: String::new() };
        assert_eq!(events.block().await.as_deref(), Some("retry: 2000"));
        events
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
            let piece = timeout(PATIENCE, poll_fn(|context| body.as_mut().poll_next(context)));
            let piece = piece.await.expect("something comes").map(Result::unwrap)?;
            self.text.push_str(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// The next event; none at the end.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let block = self.block().await?;
            let lines: Vec<_> = block.lines().collect();
            match lines.as_slice() {
                [":"] => {}
                [kind, id, data] => {
                    let data: Value = serde_json::from_str(data.strip_prefix("data: ").unwrap()).unwrap();
                    assert_eq!(kind.strip_prefix("event: "), data["eventType"].as_str());
                    assert_eq!(id.strip_prefix("id: "), data["id"].as_str());
                    return Some(data);
                }
                other => panic!("{other:?}"),
            }
        }
    }

    async fn take(&mut self, count: usize) -> Vec<Value> {
        let mut events = Vec::new();
        while events.len() < count {
            events.push(self.next().await.expect("the stream goes on"));
        }
        events
    }
}

#[actix_web::test]
async fn what_happens_is_told_as_the_list_has_it() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    provision(&world, &key, 1).await;
    let mut events = Events::open(&world, &key, "eventType=account.*", None).await;
    let (since, mut told) = (Instant::now(), Vec::new());
    for _ in 0..5 {
        provision(&world, &key, 1).await;
        told.extend(events.take(1).await);
    }
    assert!(
        since.elapsed() < Duration::from_secs(3),
        "the nudge is faster than the timer: {:?}",
        since.elapsed()
    );
    let listed = items(&world.get(&format!("{EVENTS}?eventType=account.*"), &key).await);
    assert_eq!(told, listed[1..], "what was there before is not news");
}

#[actix_web::test]
async fn who_comes_back_goes_on_after_what_was_seen_on_any_replica() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let mut events = Events::open(&world, &key, "", None).await;
    provision(&world, &key, 2).await;
    let seen = events.take(1).await.remove(0);
    drop(events);
    assert_eq!(world.state.tails.listening(), 0, "who goes away leaves nothing behind");
    // More than is remembered or sent in one piece: the rest is read from the log.
    provision(&world, &key, 150).await;
    let replica = world.replica();
    let mut events = Events::open(&replica, &key, "", seen["id"].as_str()).await;
    let mut told = events.take(151).await;
    // Written by the other one, of which nobody tells this one: the timer finds it.
    provision(&world, &key, 1).await;
    told.extend(events.take(1).await);
    let place = |event: &Value| event["meta"]["sequence"].as_i64().unwrap();
    let places: Vec<_> = told.iter().map(place).collect();
    assert_eq!(places, (place(&seen) + 1..=place(&seen) + 152).collect::<Vec<_>>(), "no gap, nothing twice");
}

#[actix_web::test]
async fn a_stream_can_begin_in_the_past_and_leave_out_what_is_not_wanted() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let made = provision(&world, &key, 100).await;
    let mut events = Events::open(&world, &key, "startTime=2000-01-01T00:00:00Z", None).await;
    assert_eq!(events.take(3).await, items(&world.get(&format!("{EVENTS}?limit=3"), &key).await));
    let query = format!("startTime=2000-01-01T00:00:00Z&accountId={}", made[90]);
    let told = Events::open(&world, &key, &query, None).await.take(1).await;
    assert_eq!(told[0]["accountId"], made[90].as_str());
}

#[actix_web::test]
async fn a_stream_ends_with_what_it_stands_on() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let operator = world.operator();
    let keys = world.get("/api/v1/tenants/acme/api-keys", &operator).await.json();
    let id = keys["items"][0]["id"].as_str().unwrap();
    let revoke =
        authorised(TestRequest::delete().uri(&format!("/api/v1/tenants/acme/api-keys/{id}")), &operator);
    let replica = world.replica();
    let mut streams =
        [Events::open(&world, &key, "", None).await, Events::open(&replica, &key, "", None).await];
    let mut others = Events::open(&world, &operator, "", None).await;
    assert_eq!(world.send(revoke).await.status, StatusCode::NO_CONTENT);
    let since = Instant::now();
    for stream in &mut streams {
        assert_eq!(stream.next().await, None, "the key is gone");
    }
    assert!(since.elapsed() < Duration::from_millis(1500), "{:?}", since.elapsed());
    provision(&world, &operator, 1).await;
    assert_eq!(others.take(1).await.len(), 1, "nobody else is sent away");
    let suspend = authorised(TestRequest::post().uri("/api/v1/tenants/acme/suspend"), &operator);
    assert_eq!(world.send(suspend).await.status, StatusCode::OK);
    assert_eq!(others.next().await, None, "the tenant is out of service");
    assert_eq!((world.state.tails.listening(), replica.state.tails.listening()), (0, 0));
}

#[actix_web::test]
async fn a_tenant_has_so_many_streams_and_a_stopping_server_none() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    let mut open = Vec::new();
    for _ in 0..32 {
        open.push(Events::open(&world, &key, "", None).await);
    }
    let one_more = world.get(&format!("{EVENTS}/stream"), &key).await;
    one_more.problem("too_many_streams");
    assert!(one_more.header("retry-after").is_some());
    open.pop();
    open.push(Events::open(&world, &key, "", None).await);
    world.state.drain();
    for stream in &mut open {
        assert_eq!(stream.next().await, None);
    }
    drop(open);
    world.get(&format!("{EVENTS}/stream"), &key).await.problem("overloaded");
}

#[actix_web::test]
async fn a_quiet_stream_says_that_it_is_alive() {
    let settings = HttpSettings { heartbeat: Duration::from_millis(20), ..HttpSettings::default() };
    let world = World::with(settings);
    let (_, key) = world.tenant_and_key("acme");
    let mut events = Events::open(&world, &key, "", None).await;
    assert_eq!([events.block().await, events.block().await], [Some(":".to_owned()), Some(":".to_owned())]);
}

#[actix_web::test]
async fn what_a_stream_cannot_begin_after_is_said_before_it_begins() {
    let world = World::new();
    let (_, key) = world.tenant_and_key("acme");
    for seen in [&b"x"[..], b"evt_0195c0de00007000800000000000000a", b"\xff"] {
        let request =
            TestRequest::get().uri(&format!("{EVENTS}/stream")).insert_header(("Last-Event-ID", seen));
        world.send(authorised(request, &key)).await.problem("event_not_found");
    }
    world
        .get(&format!("{EVENTS}/stream?endTime=2030-01-01T00:00:00Z"), &key)
        .await
        .problem("invalid_parameter");
    let head = TestRequest::default().method(Method::HEAD).uri(&format!("{EVENTS}/stream"));
    let head = world.send(authorised(head, &key)).await;
    assert_eq!((head.status, head.header("content-type")), (StatusCode::OK, Some("text/event-stream")));
    assert!(head.bytes.is_empty());
    assert_eq!(world.state.tails.listening(), 0);
}

#[actix_web::test]
async fn what_happens_to_the_platform_is_told_as_its_list_has_it() {
    let world = World::new();
    let operator = world.operator();
    world.tenant("acme");
    let events = "/api/v1/events";
    let mut stream = Events::open_at(&world, events, &operator, "eventType=tenant.*", None).await;
    for change in ["suspend", "resume"] {
        let path = format!("/api/v1/tenants/acme/{change}");
        assert_eq!(world.post(&path, &operator, &serde_json::json!({})).await.status, StatusCode::OK);
    }
    let told = stream.take(2).await;
    let listed = items(&world.get(&format!("{events}?eventType=tenant.*&limit=200"), &operator).await);
    assert_eq!(told, listed[listed.len() - 2..]);
    let seen = told[0]["id"].as_str().unwrap();
    let mut again = Events::open_at(&world, events, &operator, "", Some(seen)).await;
    assert_eq!(again.take(1).await, told[1..]);
}
