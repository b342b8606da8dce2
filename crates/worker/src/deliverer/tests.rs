use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_ports::{Clock as _, StoreError};
use tenantry_testkit::{TestPlatform, platform_over, sample};
use tenantry_usecases::webhooks::{Hand, Marking, NewEndpoint, create};

use super::*;

/// A tenant in service with an endpoint that is told of everything.
fn world() -> (TestPlatform, TenantScope) {
    let test = TestPlatform::new();
    let tenant = Tenant { lifecycle: Lifecycle::Active { since: sample::now() }, ..sample::tenant("acme") };
    test.platform.control.write(|tx| tx.tenants().insert(&tenant)).unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    sample::opened(&*test.platform.databases, &*test.platform.stores, &scope);
    let wish = NewEndpoint {
        url: "https://hooks.example.com".to_owned(),
        description: None,
        event_types: Vec::new(),
    };
    let hand = Hand { actor: "test".to_owned(), trace: "test".to_owned() };
    create(&test.platform, &scope, wish, hand, None, |_| None).unwrap();
    (test, scope)
}

/// The same world as another process sees it that rings this bell.
fn process(test: &TestPlatform, bell: &Arc<DeliveryBell>) -> Arc<Platform> {
    let Platform { control, stores, databases, .. } = &*test.platform;
    let nudge: Arc<dyn Nudge> = Arc::clone(bell) as _;
    let marking = Marking::new(Arc::clone(stores), Arc::clone(control), test.clock.clone(), nudge);
    Arc::new(Platform {
        endpoints: test.platform.endpoints.clone(),
        clock: test.clock.clone(),
        ..platform_over(Arc::clone(control), Arc::new(marking), Arc::clone(databases))
    })
}

fn happen(platform: &Platform, scope: &TenantScope, count: usize) {
    let appended = platform.stores.open(scope).unwrap().write::<_, StoreError>(|tx| {
        let head = tx.log().lock()?;
        tx.log().append(&sample::log_entries(scope.tenant(), head, count))
    });
    appended.unwrap();
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(Duration::from_millis(1));
    }
}

fn marked(test: &TestPlatform) -> usize {
    let soon = test.clock.now() + TimeDelta::seconds(10);
    test.platform.control.read::<_, StoreError>(|tx| tx.delivery_marks().due(soon, 10)).unwrap().len()
}

#[test]
fn what_is_committed_here_or_elsewhere_is_delivered_and_then_nobody_is_looked_at() {
    let (test, scope) = world();
    let (here, elsewhere) = (Arc::<DeliveryBell>::default(), Arc::<DeliveryBell>::default());
    let platform = process(&test, &here);
    let deliverer = Deliverer::start(&platform, &here).unwrap();
    happen(&platform, &scope, 200);
    until("what was committed here has arrived", || test.endpoints.calls().len() == 200);
    happen(&process(&test, &elsewhere), &scope, 3);
    until("what was committed elsewhere has arrived", || test.endpoints.calls().len() == 203);
    assert_eq!(marked(&test), 1, "the mark holds for a while");
    test.clock.advance(TimeDelta::seconds(61));
    until("the tenant is not looked at any more", || marked(&test) == 0);
    deliverer.stop();
    let mut ids: Vec<_> = test.endpoints.calls().into_iter().map(|call| call.id).collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 203, "nothing was sent twice");
}

#[test]
fn what_a_dead_process_left_is_delivered_by_the_next_one() {
    let (test, scope) = world();
    let bell = Arc::<DeliveryBell>::default();
    let platform = process(&test, &bell);
    happen(&platform, &scope, 10);
    assert_eq!(webhooks::claim(&platform, &scope).unwrap().len(), 1);
    let next = Arc::<DeliveryBell>::default();
    let deliverer = Deliverer::start(&process(&test, &next), &next).unwrap();
    let lease_over = webhooks::outlook(&platform, &scope, platform.clock.now()).unwrap().due.unwrap();
    test.clock.set(lease_over);
    until("what was left has arrived", || test.endpoints.calls().len() == 10);
    deliverer.stop();
}

#[test]
fn a_tenant_is_listened_to_from_its_first_endpoint_on() {
    let (_, scope) = world();
    let (bell, tenant) = (DeliveryBell::default(), scope.tenant());
    bell.lock().open = true;
    let hears = || {
        bell.log_moved(tenant);
        std::mem::take(&mut bell.lock().moved).contains(&tenant)
    };
    assert!(hears());
    bell.has_none(tenant);
    assert!(!hears());
    bell.endpoint_added(tenant);
    assert!(hears());
}
