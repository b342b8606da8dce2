use chrono::TimeDelta;
use tenantry_domain::tenant::{Lifecycle, Tenant};
use tenantry_ports::{Mail, MailAnswer, Mailer, NoticeFilter, NoticeStatus};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::notices::{Happening, KEPT, announce, list};
use tenantry_usecases::recorded;

use std::sync::atomic::{AtomicUsize, Ordering};

use super::*;

/// So long that a test in which it passes is broken.
const NEVER: Duration = Duration::from_secs(600);
const PULSE: Duration = Duration::from_millis(1);

fn tenant(world: &TestPlatform, slug: &str) -> Tenant {
    let tenant = Tenant { lifecycle: Lifecycle::Active { since: sample::now() }, ..sample::tenant(slug) };
    world.platform.control.write(|tx| tx.tenants().insert(&tenant)).unwrap();
    tenant
}

fn tell(world: &TestPlatform, slug: &str) {
    let (platform, tenant) = (&world.platform, tenant(world, slug));
    let happened = [Happening::Activated];
    recorded(platform, None, |tx, record| announce(platform, tx, record, &tenant, &happened, sample::now()))
        .unwrap();
}

fn start(world: &TestPlatform, patience: Duration) -> (Notifier, Arc<NoticeBells>) {
    let bells = Arc::<NoticeBells>::default();
    (Notifier::start_with(&world.platform, &bells, "test", patience).unwrap(), bells)
}

#[track_caller]
fn until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < Duration::from_secs(60), "waited in vain until {what}");
        thread::sleep(PULSE);
    }
}

fn delivered(world: &TestPlatform) -> usize {
    let filter = NoticeFilter { status: Some(NoticeStatus::Delivered), tenant: None };
    list(&world.platform, &filter, None, 1000).unwrap().len()
}

#[test]
fn what_was_left_is_delivered_first_and_what_rings_at_once() {
    let world = TestPlatform::telling();
    tell(&world, "left");
    let (notifier, bells) = start(&world, NEVER);
    until("what was left has arrived", || delivered(&world) == 2);
    tell(&world, "rung");
    bells.notices_are_due();
    until("what rang has arrived", || delivered(&world) == 4);
    notifier.stop();
    assert_eq!((world.mailer.mails().len(), world.webhooks.calls().len()), (2, 2));
}

#[test]
fn what_no_bell_announced_is_found_all_the_same() {
    let world = TestPlatform::telling();
    let (notifier, _) = start(&world, PULSE);
    tell(&world, "acme");
    until("the timer found it", || delivered(&world) == 2);
    notifier.stop();
}

#[test]
fn a_stopped_notifier_delivers_nothing_and_may_be_stopped_while_it_waits() {
    let world = TestPlatform::telling();
    let (notifier, bells) = start(&world, NEVER);
    notifier.stop();
    tell(&world, "acme");
    bells.notices_are_due();
    assert_eq!(delivered(&world), 0);
}

#[test]
fn where_nobody_is_told_nothing_runs() {
    let world = TestPlatform::new();
    let (notifier, _) = start(&world, PULSE);
    assert!(notifier.threads.is_empty() && notifier.runtime.is_none());
    notifier.stop();
}

#[test]
fn old_notices_are_forgotten() {
    let world = TestPlatform::telling();
    tell(&world, "acme");
    let (notifier, _) = start(&world, PULSE);
    until("it has arrived", || delivered(&world) == 2);
    notifier.stop();
    world.clock.advance(KEPT + TimeDelta::seconds(1));
    let (notifier, _) = start(&world, NEVER);
    until("it is forgotten", || delivered(&world) == 0);
    notifier.stop();
}

#[derive(Default)]
struct Panicking(AtomicUsize);

impl Mailer for Panicking {
    fn send<'a>(&'a self, _: &'a Mail, _: Duration) -> MailAnswer<'a> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::panic::resume_unwind(Box::new("in the middle of it"))
    }
}

#[test]
fn a_panic_ends_neither_the_thread_nor_the_other_channel() {
    let mut world = TestPlatform::telling();
    let mailer = Arc::<Panicking>::default();
    let platform = Arc::get_mut(&mut world.platform).unwrap();
    platform.channels.mail.as_mut().unwrap().mailer = mailer.clone();
    let (notifier, bells) = start(&world, NEVER);
    for (number, slug) in (1..).zip(["first", "second"]) {
        tell(&world, slug);
        bells.notices_are_due();
        until("the mail was tried", || mailer.0.load(Ordering::SeqCst) == number);
        until("the call was made", || delivered(&world) == number);
    }
    notifier.stop();
}

/// Whoever drops a runtime where nobody may block is ended by it.
#[tokio::test]
async fn a_notifier_may_be_dropped_anywhere() {
    drop(start(&TestPlatform::telling(), NEVER));
}
