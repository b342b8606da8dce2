use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::stream::{self, StreamExt as _};
use tenantry_domain::webhook::{HOLDS_UP, rest};
use tenantry_ports::{EndpointCall, EndpointFailure, EndpointResponse};

use super::slice::{Call, ROUND, Slice};
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

/// Sends a slice: what is about one account one after the other, as far as all goes well, and the rest at the same time. What
/// failed often holds up its account no longer. No further call is begun when `goes_on` says no. The outcomes are in the order
/// of the slice.
pub async fn send(
    platform: &Platform,
    slice: &Slice,
    goes_on: &(dyn Fn() -> bool + Send + Sync),
) -> Vec<Outcome> {
    let (mut turns, mut accounts) = (Vec::<Vec<usize>>::new(), HashMap::new());
    for (place, call) in slice.calls.iter().enumerate() {
        let next = turns.len();
        let turn = call.account.map_or(next, |account| *accounts.entry(account).or_insert(next));
        match turns.get_mut(turn) {
            Some(places) => places.push(place),
            None => turns.push(vec![place]),
        }
    }
    let stop = AtomicBool::new(slice.secrets.is_empty());
    let stop = &stop;
    let in_turn = |places: Vec<usize>| async move {
        let mut outcomes = Vec::with_capacity(places.len());
        let mut held_up = false;
        for place in places {
            let Some(call) = slice.calls.get(place) else { continue };
            let waits = held_up || call.waits.is_some();
            let over =
                || stop.load(Ordering::Relaxed) || platform.clock.now() - slice.begun > ROUND || !goes_on();
            let outcome =
                if waits || over() { Outcome::Deferred } else { attempt(platform, slice, call).await };
            let fails_often = call.delivery.attempts + 1 > HOLDS_UP;
            match &outcome {
                Outcome::Answered(answer) if answer.is_success() => {}
                Outcome::Answered(answer) => {
                    held_up |= !fails_often;
                    if answer.status == 410 || rest(answer.status, None, slice.begun).is_some() {
                        stop.store(true, Ordering::Relaxed);
                    }
                }
                Outcome::Failed(_) => held_up |= !fails_often,
                Outcome::Deferred => held_up = true,
            }
            outcomes.push((place, outcome));
        }
        outcomes
    };
    let sent = stream::iter(turns.into_iter().map(in_turn)).buffer_unordered(CALLS);
    let mut outcomes: Vec<_> = sent.collect::<Vec<_>>().await.into_iter().flatten().collect();
    outcomes.sort_by_key(|(place, _)| *place);
    outcomes.into_iter().map(|(_, outcome)| outcome).collect()
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
