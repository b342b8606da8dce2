//! Facts about which tenants are to be looked at.

use tenantry_domain::id::TenantId;

use crate::contract::Subject;
use crate::sample;

fn mark(subject: &dyn Subject, tenant: TenantId, now: i64, until: i64) {
    let marked =
        subject.control().write(|tx| tx.delivery_marks().mark(tenant, sample::at(now), sample::at(until)));
    marked.expect("the tenant is marked");
}

fn unmark(subject: &dyn Subject, tenant: TenantId, now: i64, next: Option<i64>) {
    let next = next.map(sample::at);
    let unmarked = subject.control().write(|tx| tx.delivery_marks().unmark(tenant, sample::at(now), next));
    unmarked.expect("the mark is looked at");
}

fn due(subject: &dyn Subject, now: i64) -> Vec<TenantId> {
    subject.control().read(|tx| tx.delivery_marks().due(sample::at(now), 10)).expect("a list")
}

/// Those that are to be looked at longest come first, and at most as many as are asked for.
pub fn marked_tenants_are_due_at_once(subject: &dyn Subject) {
    let [early, late] = [sample::id(), sample::id()];
    mark(subject, late, 20, 80);
    mark(subject, early, 10, 70);
    assert_eq!(due(subject, 9), []);
    assert_eq!(due(subject, 10), [early]);
    assert_eq!(due(subject, 20), [early, late]);
    let first = subject.control().read(|tx| tx.delivery_marks().due(sample::at(20), 1)).expect("a list");
    assert_eq!(first, [early]);
}

/// Whoever finds nothing takes no mark away on which somebody may still rely.
pub fn a_mark_holds_until_its_time(subject: &dyn Subject) {
    let tenant = sample::id();
    mark(subject, tenant, 10, 70);
    mark(subject, tenant, 5, 60);
    for now in [10, 69] {
        unmark(subject, tenant, now, None);
        unmark(subject, tenant, now, Some(500));
        assert_eq!(due(subject, now), [tenant], "{now}");
    }
    unmark(subject, tenant, 70, None);
    assert_eq!(due(subject, 1_000), []);
}

/// Where something is to be tried again later, nobody looks before, unless there is something new.
pub fn a_tenant_is_looked_at_again_when_it_is_due(subject: &dyn Subject) {
    let tenant = sample::id();
    mark(subject, tenant, 10, 70);
    unmark(subject, tenant, 70, Some(500));
    assert_eq!((due(subject, 499), due(subject, 500)), (vec![], vec![tenant]));
    mark(subject, tenant, 100, 160);
    assert_eq!(due(subject, 100), [tenant]);
}

/// Of those who look for tenants at once each gets others; who looks at one is relied on for a while, unless there is something
/// new.
pub fn a_tenant_is_looked_at_by_one(subject: &dyn Subject) {
    let [first, second] = [sample::id(), sample::id()];
    mark(subject, first, 10, 70);
    mark(subject, second, 10, 70);
    let take = |tenants: &[TenantId], now| {
        let taken = subject
            .control()
            .write(|tx| tx.delivery_marks().take(tenants, sample::at(now), sample::at(now + 1)))
            .expect("they are taken");
        std::collections::BTreeSet::from_iter(taken)
    };
    assert_eq!(take(&[first, sample::id()], 10), [(first, sample::at(70))].into());
    assert_eq!(take(&[first, second], 10), [(second, sample::at(70))].into());
    assert_eq!((due(subject, 10), due(subject, 11).len()), (vec![], 2));
    mark(subject, first, 10, 80);
    assert_eq!(due(subject, 10), [first]);
    assert_eq!(take(&[], 100), [].into());
}
