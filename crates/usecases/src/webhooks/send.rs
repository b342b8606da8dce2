use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::TimeDelta;
use futures_util::stream::{self, StreamExt as _};
use tenantry_domain::webhook::rest;
use tenantry_ports::{EndpointCall, EndpointFailure, EndpointResponse};

use super::slice::{Call, Slice};
use crate::Platform;

/// How many calls of one endpoint are under way at once.
const CALLS: usize = 16;

/// What came of a call.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// There was an answer.
    Answered(EndpointResponse),
    /// There was none.
    Failed(EndpointFailure),
    /// It was not made: one before it about the same account failed, the endpoint wants to be left alone, or the time is over.
    Deferred,
}

/// Sends a slice: what is about one account one after the other, as far as all goes well, and the rest at the same time. The
/// outcomes are in the order of the slice.
pub async fn send(platform: &Platform, slice: &Slice) -> Vec<Outcome> {
    let mut accounts = BTreeMap::<_, Vec<usize>>::new();
    for (place, call) in slice.calls.iter().enumerate() {
        accounts.entry(call.account).or_default().push(place);
    }
    let stop = AtomicBool::new(slice.secrets.is_empty());
    let stop = &stop;
    let in_turn = |places: Vec<usize>| async move {
        let mut outcomes = Vec::with_capacity(places.len());
        let mut failed = false;
        for place in places {
            let Some(call) = slice.calls.get(place) else { continue };
            let outcome = if failed || stop.load(Ordering::Relaxed) || is_late(platform, slice) {
                Outcome::Deferred
            } else {
                attempt(platform, slice, call).await
            };
            match &outcome {
                Outcome::Answered(answer) if answer.is_success() => {}
                Outcome::Answered(answer) => {
                    failed = true;
                    if answer.status == 410 || rest(answer.status, None, slice.begun).is_some() {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                Outcome::Failed(_) | Outcome::Deferred => failed = true,
            }
            outcomes.push((place, outcome));
        }
        outcomes
    };
    let sent = stream::iter(accounts.into_values().map(in_turn)).buffer_unordered(CALLS);
    let mut outcomes: Vec<_> = sent.collect::<Vec<_>>().await.into_iter().flatten().collect();
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
}

/// Whether a call that is begun now might take longer than the slice is leased.
fn is_late(platform: &Platform, slice: &Slice) -> bool {
    let timeout = TimeDelta::from_std(platform.endpoints.timeout).unwrap_or(TimeDelta::MAX / 2);
    platform.clock.now() - slice.begun > timeout
}

async fn attempt(platform: &Platform, slice: &Slice, call: &Call) -> Outcome {
    let calls = &platform.endpoints;
    let (id, at) = (call.delivery.event.to_string(), platform.clock.now());
    let signature = calls.signer.sign(&slice.secrets, &id, at, &call.body);
    let request = EndpointCall {
        url: &slice.claimed.endpoint.url,
        id: &id,
        at,
        signature: &signature,
        headers: &[],
        body: call.body.clone(),
        timeout: calls.timeout,
    };
    match calls.sender.send(request).await {
        Ok(answer) => Outcome::Answered(answer),
        Err(failure) => {
            tracing::warn!(endpoint = %call.delivery.endpoint, event = %id, "Not delivered: {}", failure.detail);
            Outcome::Failed(failure)
        }
    }
}
