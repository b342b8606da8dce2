//! Facts about webhook endpoints and their deliveries.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier};
use std::thread;

use chrono::{DateTime, Utc};
use tenantry_domain::id::AccountId;
use tenantry_domain::webhook::{DeliveryStatus, DisabledReason};
use tenantry_ports::{
    ClaimedEndpoint, Delivery, DeliveryAttempt, DeliveryFilter, EndpointUrl, SealedSecrets, SettledSlice,
    StoreError, StoreResult, TenantStore, WebhookEndpoint,
};

use crate::contract::{Subject, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

fn endpoint() -> WebhookEndpoint {
    WebhookEndpoint {
        id: sample::id(),
        url: EndpointUrl::of_checked("https://hooks.example.com/a"),
        description: Some(sample::ODD_TEXT.to_owned()),
        event_types: vec![
            "account.*".parse().expect("a pattern"),
            "user.created".parse().expect("a pattern"),
        ],
        secrets: SealedSecrets { current: vec![0, 0xff], previous: Some((vec![7], sample::at(99))) },
        disabled: None,
        failing_since: None,
        version: 1,
        created_at: sample::now(),
        updated_at: sample::at(7),
    }
}

/// A store with so many entries in its log.
fn with_entries(subject: &dyn Subject, count: usize) -> Store {
    let (store, scope) = store(subject);
    let appended = store.write::<_, StoreError>(|tx| {
        let head = tx.log().lock()?;
        tx.log().append(&sample::log_entries(scope.tenant(), head, count))
    });
    appended.expect("the entries are appended");
    store
}

fn add(store: &Store, endpoint: &WebhookEndpoint, cursor: i64) {
    store.write(|tx| tx.webhooks().insert(endpoint, cursor)).expect("the endpoint is added");
}

fn get(store: &Store, endpoint: &WebhookEndpoint) -> Option<WebhookEndpoint> {
    store.read(|tx| tx.webhooks().get(endpoint.id)).expect("a look-up")
}

fn next_look(store: &Store, now: i64) -> Option<DateTime<Utc>> {
    store.read(|tx| tx.webhooks().outlook(sample::at(now))).expect("a look").due
}

fn claim(store: &Store, now: i64) -> Vec<ClaimedEndpoint> {
    let (now, until) = (sample::at(now), sample::at(now + 60));
    store.write(|tx| tx.webhooks().claim(sample::uuid(), now, until)).expect("a claim")
}

fn delivery(endpoint: &WebhookEndpoint, sequence: i64, due: Option<i64>) -> Delivery {
    Delivery {
        id: sample::id(),
        endpoint: endpoint.id,
        sequence,
        event: sample::id(),
        event_type: "account.closed".parse().expect("a type"),
        status: if due.is_some() { DeliveryStatus::Pending } else { DeliveryStatus::Delivered },
        due: due.map(sample::at),
        attempts: 1,
        last: None,
        created_at: sample::now(),
    }
}

/// The claim as settled, up to this entry, with these new deliveries.
fn settled(claimed: &ClaimedEndpoint, cursor: i64, new: &[Delivery]) -> SettledSlice {
    SettledSlice {
        endpoint: claimed.endpoint.id,
        lease: claimed.lease,
        new: new.to_vec(),
        changed: Vec::new(),
        cursor,
        failing_since: None,
        rests_until: None,
        keep_until: None,
    }
}

fn settle(store: &Store, slice: &SettledSlice) -> StoreResult<()> {
    store.write(|tx| tx.webhooks().settle(slice))
}

/// Every member comes back as it went in, and as it was changed.
pub fn an_endpoint_is_read_back_whole(subject: &dyn Subject) {
    let (store, _) = store(subject);
    let (first, second) = (endpoint(), endpoint());
    add(&store, &first, 0);
    add(&store, &second, 0);
    assert_eq!(get(&store, &first), Some(first.clone()));
    let changed = WebhookEndpoint {
        url: EndpointUrl::of_checked("https://other.example"),
        description: None,
        event_types: Vec::new(),
        secrets: SealedSecrets { current: vec![1], previous: None },
        disabled: Some((DisabledReason::Failing, sample::at(3))),
        failing_since: Some(sample::at(1)),
        version: 2,
        ..first.clone()
    };
    store.write(|tx| tx.webhooks().update(&changed)).expect("it is changed");
    assert_eq!(get(&store, &first), Some(changed.clone()));
    let stale = store.write(|tx| tx.webhooks().update(&changed));
    assert!(matches!(stale, Err(StoreError::Stale)));
    let page = |after, limit| store.read(|tx| tx.webhooks().page(after, limit)).expect("a page");
    assert_eq!(page(None, 1), [changed]);
    assert_eq!(page(Some(first.id), 10), [second]);
    assert_eq!(store.read(|tx| tx.webhooks().count()).expect("a count"), 2);
}

/// With an endpoint its deliveries go, and it is removed once.
pub fn a_removed_endpoint_is_gone(subject: &dyn Subject) {
    let store = with_entries(subject, 1);
    let endpoint = endpoint();
    add(&store, &endpoint, 0);
    let made = delivery(&endpoint, 1, None);
    settle(&store, &settled(&claim(&store, 0)[0], 1, std::slice::from_ref(&made))).expect("it is settled");
    store.write(|tx| tx.webhooks().remove(endpoint.id)).expect("it is removed");
    assert_eq!(get(&store, &endpoint), None);
    assert_eq!(store.read(|tx| tx.webhooks().delivery(made.id)).expect("a look-up"), None);
    let again = store.write(|tx| tx.webhooks().remove(endpoint.id));
    assert!(matches!(again, Err(StoreError::Stale)));
}

/// An endpoint is claimed while the log goes on after it, by one at a time, until what was claimed is settled or the lease is
/// over.
pub fn an_endpoint_is_claimed_while_there_is_something_for_it(subject: &dyn Subject) {
    let store = with_entries(subject, 3);
    let (behind, done) = (endpoint(), endpoint());
    add(&store, &behind, 1);
    add(&store, &done, 3);
    let disabled = WebhookEndpoint { disabled: Some((DisabledReason::Gone, sample::now())), ..endpoint() };
    add(&store, &disabled, 0);
    assert_eq!(next_look(&store, 10), Some(sample::at(10)));
    let claimed = claim(&store, 10);
    assert_eq!(claimed.len(), 1);
    assert_eq!((&claimed[0].endpoint, claimed[0].cursor, claimed[0].recovering), (&behind, 1, false));
    assert_eq!(claim(&store, 69), []);
    assert_eq!(next_look(&store, 10), Some(sample::at(70)));
    let slice = SettledSlice {
        failing_since: Some(sample::at(10)),
        rests_until: Some(sample::at(100)),
        ..settled(&claimed[0], 2, &[])
    };
    settle(&store, &slice).expect("it is settled");
    assert_eq!(next_look(&store, 11), Some(sample::at(100)));
    assert_eq!(claim(&store, 99), []);
    let claimed = claim(&store, 100);
    assert_eq!((claimed[0].cursor, claimed[0].endpoint.failing_since), (2, Some(sample::at(10))));
    settle(&store, &settled(&claimed[0], 3, &[])).expect("it is settled");
    assert_eq!(next_look(&store, 100), None);
}

/// Of those who claim at once each gets other endpoints or none, and who lost a lease writes nothing.
pub fn who_lost_an_endpoint_settles_nothing(subject: &dyn Subject) {
    let store = with_entries(subject, 2);
    let endpoint = endpoint();
    add(&store, &endpoint, 0);
    let barrier = Barrier::new(4);
    let claims: usize = thread::scope(|threads| {
        let claimers: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| {
                    barrier.wait();
                    claim(&store, 0).len()
                })
            })
            .collect();
        claimers.into_iter().map(|claimer| claimer.join().expect("a claimer")).sum()
    });
    assert_eq!(claims, 1);
    let slept = claim(&store, 60).remove(0);
    let other = claim(&store, 120).remove(0);
    let late = settle(&store, &settled(&slept, 2, &[delivery(&endpoint, 1, None)]));
    assert!(matches!(late, Err(StoreError::Stale)), "{late:?}");
    let made = delivery(&endpoint, 1, None);
    settle(&store, &settled(&other, 2, std::slice::from_ref(&made))).expect("it is settled");
    let found = store.read(|tx| tx.webhooks().of_entries(endpoint.id, 1, 2)).expect("a look-up");
    assert_eq!(found, [made]);
}

/// What is pending is due when it says, and is found as it was settled last.
pub fn what_is_to_be_tried_again_is_found_when_it_is_due(subject: &dyn Subject) {
    let store = with_entries(subject, 3);
    let endpoint = endpoint();
    add(&store, &endpoint, 0);
    let last = DeliveryAttempt {
        at: tenantry_domain::timestamp::whole_millis(sample::at(5)),
        status: Some(500),
        excerpt: sample::ODD_TEXT.to_owned(),
        failure: None,
        took: 7,
    };
    let late = Delivery { last: Some(last), ..delivery(&endpoint, 1, Some(50)) };
    let early = delivery(&endpoint, 2, Some(40));
    let new = [late.clone(), early.clone(), delivery(&endpoint, 3, None)];
    settle(&store, &settled(&claim(&store, 0)[0], 3, &new)).expect("it is settled");
    assert_eq!(next_look(&store, 1), Some(sample::at(40)));
    assert_eq!(claim(&store, 39), []);
    let due = |now| store.read(|tx| tx.webhooks().due(endpoint.id, sample::at(now), 10)).expect("a list");
    assert_eq!((due(39), due(40)), (vec![], vec![early.clone()]));
    assert_eq!(due(50), [late.clone(), early.clone()]);
    let arrived = Delivery { status: DeliveryStatus::Delivered, due: None, attempts: 2, ..early };
    let slice = SettledSlice { changed: vec![arrived.clone()], ..settled(&claim(&store, 40)[0], 3, &[]) };
    settle(&store, &slice).expect("it is settled");
    assert_eq!(next_look(&store, 41), Some(sample::at(50)));
    assert_eq!(
        store.read(|tx| tx.webhooks().delivery(arrived.id)).expect("a look-up"),
        Some(arrived.clone())
    );
    store.write(|tx| tx.webhooks().redeliver(arrived.id, sample::at(45))).expect("it is due again");
    assert_eq!(next_look(&store, 41), Some(sample::at(45)));
    let filter = |status| DeliveryFilter { endpoint: endpoint.id, status };
    let page = |status, after, limit| {
        store.read(|tx| tx.webhooks().deliveries(&filter(status), after, limit)).expect("a page")
    };
    assert_eq!(page(None, None, 1), [new[2].clone()]);
    let pending: Vec<_> = page(Some(DeliveryStatus::Pending), None, 10).iter().map(|it| it.id).collect();
    assert_eq!(pending, [arrived.id, late.id]);
    assert_eq!(page(None, Some(arrived.id), 10), [late]);
}

/// The first one about each account counts that was not tried too often; and whoever has the lease is told of it.
pub fn what_is_pending_about_an_account_is_known(subject: &dyn Subject) {
    let (store, scope) = store(subject);
    let [ann, ben, eve]: [AccountId; 3] = [sample::id(), sample::id(), sample::id()];
    let appended = store.write::<_, StoreError>(|tx| {
        let head = tx.log().lock()?;
        let mut entries = sample::log_entries(scope.tenant(), head, 6);
        for (entry, account) in
            entries.iter_mut().zip([Some(ann), Some(ann), Some(ben), Some(ben), None, Some(eve)])
        {
            entry.event.account_id = account;
        }
        tx.log().append(&entries)
    });
    appended.expect("the entries are appended");
    let (endpoint, other) = (endpoint(), endpoint());
    add(&store, &endpoint, 0);
    add(&store, &other, 0);
    let often = Delivery { attempts: 3, ..delivery(&endpoint, 3, Some(10)) };
    let new = [
        delivery(&endpoint, 1, Some(50)),
        delivery(&endpoint, 2, Some(40)),
        often,
        delivery(&endpoint, 4, None),
        delivery(&endpoint, 5, Some(30)),
        delivery(&endpoint, 6, Some(20)),
    ];
    let claims = claim(&store, 0);
    let claimed = claims.iter().find(|claimed| claimed.endpoint == endpoint).expect("it is claimed");
    assert_eq!(claimed.retry_at, None);
    let keep_until = Some(sample::at(60));
    settle(&store, &SettledSlice { keep_until, ..settled(claimed, 6, &new) }).expect("it is settled");
    let pending = |attempts| {
        let pending = |id| {
            let about = store.read(|tx| tx.webhooks().pending_about(id, &[ann, ben], attempts));
            BTreeMap::from_iter(about.expect("a look-up"))
        };
        assert!(pending(other.id).is_empty());
        pending(endpoint.id)
    };
    assert_eq!(pending(2), [(ann, sample::at(40))].into());
    assert_eq!(pending(3), [(ann, sample::at(40)), (ben, sample::at(10))].into());
    let again = |lease| store.read(|tx| tx.webhooks().claimed(endpoint.id, lease)).expect("a look-up");
    let expected = ClaimedEndpoint { cursor: 6, retry_at: Some(sample::at(10)), ..claimed.clone() };
    assert_eq!(again(claimed.lease), Some(expected));
    assert_eq!(again(sample::uuid()), None);
}

/// Whoever goes back knows that there may be deliveries, and takes the endpoint from who delivers to it.
pub fn going_back_is_recovering(subject: &dyn Subject) {
    let store = with_entries(subject, 3);
    let endpoint = endpoint();
    add(&store, &endpoint, 2);
    let claimed = claim(&store, 0).remove(0);
    let go_back =
        |cursor| store.write(|tx| tx.webhooks().go_back(endpoint.id, cursor)).expect("it goes back");
    go_back(0);
    assert!(matches!(settle(&store, &settled(&claimed, 3, &[])), Err(StoreError::Stale)));
    let again = claim(&store, 1).remove(0);
    assert_eq!((again.cursor, again.recovering), (0, true));
    settle(&store, &settled(&again, 2, &[])).expect("it is settled");
    // Forward is not back.
    go_back(3);
    let on = claim(&store, 2).remove(0);
    assert_eq!((on.cursor, on.recovering), (2, false));
    settle(&store, &settled(&on, 2, &[])).expect("nobody took it away");
    store.write(|tx| tx.webhooks().move_to(endpoint.id, 3)).expect("it is moved");
    assert_eq!(claim(&store, 3), []);
}

/// What is let go of of the log is neither before a cursor nor to be tried again; disabled endpoints hold nothing up.
pub fn what_is_not_settled_is_known(subject: &dyn Subject) {
    let store = with_entries(subject, 10);
    let unsettled = || store.read(|tx| tx.webhooks().unsettled()).expect("a look");
    assert_eq!(unsettled(), None);
    let (first, second) = (endpoint(), endpoint());
    add(&store, &first, 4);
    add(&store, &second, 8);
    assert_eq!(unsettled(), Some(5));
    let claimed = claim(&store, 0);
    let of = |endpoint: &WebhookEndpoint| {
        claimed.iter().find(|claimed| claimed.endpoint.id == endpoint.id).expect("it is claimed")
    };
    let deliveries =
        [delivery(&first, 5, None), delivery(&first, 6, Some(30)), delivery(&first, 7, Some(20))];
    settle(&store, &settled(of(&first), 10, &deliveries)).expect("it is settled");
    assert_eq!(unsettled(), Some(6));
    let disabled =
        WebhookEndpoint { disabled: Some((DisabledReason::Failing, sample::at(1))), version: 2, ..first };
    store.write(|tx| tx.webhooks().update(&disabled)).expect("it is disabled");
    assert_eq!(unsettled(), Some(9));
}

/// The oldest first, at most so many at once; what is pending stays, and so does what is younger.
pub fn settled_deliveries_are_removed(subject: &dyn Subject) {
    let store = with_entries(subject, 10);
    let endpoint = endpoint();
    add(&store, &endpoint, 0);
    let claimed = claim(&store, 0).remove(0);
    let dues = [None, Some(30), None, None, Some(20), None];
    let deliveries: Vec<_> = (1..).zip(dues).map(|(place, due)| delivery(&endpoint, place, due)).collect();
    settle(&store, &settled(&claimed, 6, &deliveries)).expect("it is settled");
    let before = deliveries[5].id;
    let remove = |limit| store.write(|tx| tx.webhooks().remove_settled(before, limit));
    let left = || -> Vec<i64> {
        let all = store.read(|tx| tx.webhooks().of_entries(endpoint.id, 1, 10)).expect("a look");
        all.iter().map(|delivery| delivery.sequence).collect()
    };
    assert_eq!((remove(2).expect("they go"), left()), (2, vec![2, 4, 5, 6]));
    assert_eq!((remove(2).expect("they go"), left()), (1, vec![2, 5, 6]));
    assert_eq!((remove(2).expect("they go"), left()), (0, vec![2, 5, 6]));
    assert_eq!(next_look(&store, 0), Some(sample::at(0)), "what is left is delivered");
}
