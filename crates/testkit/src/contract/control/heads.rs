//! Facts about signed heads of event logs.

use tenantry_domain::id::TenantId;
use tenantry_ports::{LogHead, SignedHead};

use crate::contract::Subject;
use crate::sample;

fn signed(tenant: impl Into<Option<TenantId>>, sequence: i64, seconds: i64) -> SignedHead {
    let hash = [u8::try_from(sequence).expect("a small number"); 32];
    let head = LogHead { sequence, hash };
    SignedHead { tenant: tenant.into(), head, at: sample::at(seconds), mac: [9; 32] }
}

fn add(subject: &dyn Subject, heads: &[SignedHead], most: usize) -> Vec<SignedHead> {
    subject.control().write(|tx| tx.heads().add(heads, most)).expect("the heads are kept")
}

fn of(subject: &dyn Subject, tenant: impl Into<Option<TenantId>>) -> Vec<SignedHead> {
    subject.control().read(|tx| tx.heads().of(tenant.into())).expect("the heads are read")
}

/// They come back as they were signed, in the log's order, of one tenant alone.
pub fn heads_are_read_back_in_order(subject: &dyn Subject) {
    let (one, other): (TenantId, TenantId) = (sample::id(), sample::id());
    let heads = [signed(one, 2, 0), signed(one, 10, 1), signed(other, 7, 1), signed(one, 11, 2)];
    assert_eq!(add(subject, &heads[1..], 9), heads[1..]);
    assert_eq!(add(subject, &heads[..1], 9), heads[..1]);
    assert_eq!(of(subject, one), [heads[0], heads[1], heads[3]]);
    assert_eq!(of(subject, other), [heads[2]]);
    assert_eq!(of(subject, Some(sample::id())), []);
}

/// What was said first of a place in a log is what counts.
pub fn a_head_is_never_replaced(subject: &dyn Subject) {
    let tenant: TenantId = sample::id();
    let first = signed(tenant, 5, 0);
    add(subject, &[first], 9);
    let second = SignedHead { mac: [1; 32], ..signed(tenant, 5, 60) };
    assert_eq!(add(subject, &[second, signed(tenant, 6, 60)], 9), [signed(tenant, 6, 60)]);
    assert_eq!(of(subject, tenant)[0], first);
}

/// The oldest are forgotten, and nobody else's.
pub fn only_the_latest_heads_are_kept(subject: &dyn Subject) {
    let (tenant, other): (TenantId, TenantId) = (sample::id(), sample::id());
    add(subject, &[signed(other, 1, 0)], 3);
    for sequence in 1..=5 {
        add(subject, &[signed(tenant, sequence, 0)], 3);
    }
    let kept: Vec<_> = of(subject, tenant).iter().map(|signed| signed.head.sequence).collect();
    assert_eq!(kept, [3, 4, 5]);
    assert_eq!(of(subject, other).len(), 1);
}

/// The platform's own log has heads like any other, beside those of tenants.
pub fn the_platforms_heads_are_none_of_a_tenants(subject: &dyn Subject) {
    let tenant: TenantId = sample::id();
    let heads = [signed(tenant, 5, 0), signed(None, 5, 1), signed(None, 6, 1)];
    assert_eq!(add(subject, &heads, 9), heads);
    assert_eq!(of(subject, None), heads[1..]);
    assert_eq!(of(subject, tenant), heads[..1]);
    let later = signed(None, 7, 2);
    assert_eq!(add(subject, &[later], 1), [later]);
    assert_eq!((of(subject, None), of(subject, tenant).len()), (vec![later], 1));
}
