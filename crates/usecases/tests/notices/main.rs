//! What is told outside: written with the change it tells of, delivered at least once, given up in the end.
#![allow(clippy::unwrap_used, reason = "a test fails where something is not as it should be")]

mod announced;
mod delivered;

use chrono::TimeDelta;
use tenantry_domain::event::Event;
use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_ports::{Channel, NoticeFilter, NoticeRecord};
use tenantry_testkit::{ReceivedCall, TestPlatform, sample};
use tenantry_usecases::notices::{Happening, announce, deliver_once, list};
use tenantry_usecases::recorded;

/// A stored tenant in this state.
pub(crate) fn tenant(world: &TestPlatform, slug: &str, lifecycle: Lifecycle) -> Tenant {
    let tenant = Tenant { lifecycle, ..sample::tenant(slug) };
    world.platform.control.write(|tx| tx.tenants().insert(&tenant)).unwrap();
    tenant
}

pub(crate) fn active(world: &TestPlatform, slug: &str) -> Tenant {
    tenant(world, slug, Lifecycle::Active { since: sample::now() })
}

pub(crate) fn failed() -> Lifecycle {
    Lifecycle::Failed { at: sample::now(), reason: sample::step_error(), needs_attention: false }
}

pub(crate) fn tell(world: &TestPlatform, tenant: &Tenant, what: Happening<'_>) {
    let platform = &world.platform;
    let now = world.clock.advance(TimeDelta::microseconds(1));
    recorded(platform, None, |tx, record| announce(platform, tx, record, tenant, &[what], now)).unwrap();
}

pub(crate) fn records(world: &TestPlatform) -> Vec<NoticeRecord> {
    let mut records = list(&world.platform, &NoticeFilter::default(), None, 1000).unwrap();
    records.reverse();
    records
}

pub(crate) async fn deliver(world: &TestPlatform, channel: Channel) -> usize {
    deliver_once(&world.platform, channel, "notifier-1").await.unwrap()
}

/// Delivers until there is nothing due any more.
pub(crate) async fn deliver_all(world: &TestPlatform) {
    for channel in Channel::ALL {
        while deliver(world, channel).await > 0 {}
    }
}

pub(crate) fn event(call: &ReceivedCall) -> Event {
    serde_json::from_slice(&call.body).unwrap()
}
