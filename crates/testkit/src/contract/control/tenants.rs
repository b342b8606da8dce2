//! Facts about tenants in a control store.

use std::sync::Barrier;

use chrono::TimeDelta;
use tenantry_domain::tenant::{Home, Lifecycle, Plan, Slug, Status, Tenant, TenantName};
use tenantry_ports::{Constraint, StoreError, TenantFilter};

use crate::contract::{Subject, conflict};
use crate::sample;

fn add(subject: &dyn Subject, tenant: &Tenant) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.tenants().insert(tenant))
}

fn update(subject: &dyn Subject, tenant: &Tenant) -> Result<(), StoreError> {
    subject.control().write(|tx| tx.tenants().update(tenant))
}

fn stored(subject: &dyn Subject, tenant: &Tenant) -> Option<Tenant> {
    subject.control().read(|tx| tx.tenants().get(tenant.id)).expect("a tenant is looked up")
}

fn slug(text: &str) -> Slug {
    Slug::new(text).expect("a slug")
}

fn failed(needs_attention: bool) -> Lifecycle {
    Lifecycle::Failed { at: sample::at(60), reason: sample::step_error(), needs_attention }
}

/// Every member of a tenant comes back as it went in, text of any kind included.
pub fn a_tenant_is_read_back_whole(subject: &dyn Subject) {
    let mut tenant = sample::tenant("acme");
    tenant.name = TenantName::new(sample::ODD_TEXT).expect("a name");
    tenant.plan = Plan::Enterprise;
    tenant.home = Home { cluster: sample::cluster("eu-1"), login: Some(sample::uuid()) };
    add(subject, &tenant).expect("the tenant is added");
    assert_eq!(stored(subject, &tenant), Some(tenant));

    let mut bare = sample::tenant("bare");
    (bare.contact_email, bare.config) = (None, None);
    add(subject, &bare).expect("the tenant is added");
    assert_eq!(stored(subject, &bare), Some(bare));
}

/// Looking for what is not there answers nothing.
pub fn an_unknown_tenant_is_none(subject: &dyn Subject) {
    let unknown = sample::tenant("unknown");
    assert_eq!(stored(subject, &unknown), None);
    let holder = subject.control().read(|tx| tx.tenants().holding(&unknown.slug)).expect("a look-up");
    assert_eq!(holder, None);
}

/// Whatever state a tenant is in, every fact of it is kept; and every state can be updated into.
pub fn every_lifecycle_state_is_kept_with_its_facts(subject: &dyn Subject) {
    for (i, lifecycle) in sample::lifecycles().into_iter().enumerate() {
        let mut inserted = sample::tenant(&format!("inserted-{i}"));
        inserted.lifecycle = lifecycle.clone();
        add(subject, &inserted).expect("the tenant is added");
        assert_eq!(stored(subject, &inserted), Some(inserted));

        let mut updated = sample::tenant(&format!("updated-{i}"));
        add(subject, &updated).expect("the tenant is added");
        updated.enter(lifecycle, sample::at(61));
        update(subject, &updated).expect("the tenant is updated");
        assert_eq!(stored(subject, &updated), Some(updated));
    }
}

/// An update replaces the tenant whole.
pub fn an_update_replaces_every_member(subject: &dyn Subject) {
    let before = sample::tenant("before");
    add(subject, &before).expect("the tenant is added");
    let mut after = before.clone();
    after.name = TenantName::new("After").expect("a name");
    after.plan = Plan::Premium;
    (after.contact_email, after.config) = (None, None);
    after.home.login = Some(sample::uuid());
    after.enter(Lifecycle::Queued { since: sample::at(5) }, sample::at(5));
    update(subject, &after).expect("the tenant is updated");
    assert_eq!(stored(subject, &after), Some(after.clone()));

    after.home.login = None;
    after.enter(failed(false), sample::at(6));
    update(subject, &after).expect("the tenant is updated");
    assert_eq!(stored(subject, &after), Some(after));
}

/// Who read the tenant before someone else changed it cannot write it.
pub fn a_stale_version_is_refused(subject: &dyn Subject) {
    let tenant = sample::tenant("acme");
    add(subject, &tenant).expect("the tenant is added");
    let mut first = tenant.clone();
    first.enter(Lifecycle::Queued { since: sample::at(1) }, sample::at(1));
    let mut second = tenant.clone();
    second.enter(failed(false), sample::at(2));

    update(subject, &first).expect("the first update");
    assert!(matches!(update(subject, &second), Err(StoreError::Stale)));
    assert!(matches!(update(subject, &first), Err(StoreError::Stale)), "the same update a second time");
    let mut skipping = first.clone();
    skipping.version += 2;
    assert!(matches!(update(subject, &skipping), Err(StoreError::Stale)), "a version too far ahead");
    assert_eq!(stored(subject, &tenant), Some(first));
}

/// There is nothing to update in a tenant that was never added.
pub fn updating_an_unknown_tenant_is_stale(subject: &dyn Subject) {
    let mut unknown = sample::tenant("unknown");
    unknown.enter(Lifecycle::Queued { since: sample::at(1) }, sample::at(1));
    assert!(matches!(update(subject, &unknown), Err(StoreError::Stale)));
    assert_eq!(stored(subject, &unknown), None);
}

/// Two tenants cannot hold one slug.
pub fn a_slug_that_is_held_is_a_conflict(subject: &dyn Subject) {
    let first = sample::tenant("acme");
    let second = sample::tenant("acme");
    add(subject, &first).expect("the tenant is added");
    assert!(conflict(&add(subject, &second), Constraint::TenantSlug));
    assert_eq!(stored(subject, &second), None);
    let holder = subject.control().read(|tx| tx.tenants().holding(&first.slug)).expect("a look-up");
    assert_eq!(holder, Some(first));
}

/// Two tenants cannot have one id.
pub fn an_id_that_is_taken_is_a_conflict(subject: &dyn Subject) {
    let first = sample::tenant("first");
    let mut second = sample::tenant("second");
    second.id = first.id;
    add(subject, &first).expect("the tenant is added");
    assert!(conflict(&add(subject, &second), Constraint::TenantId));
    assert_eq!(stored(subject, &first), Some(first));
}

/// Exactly the states that hold a slug keep others from taking it.
pub fn a_slug_is_free_in_exactly_the_states_that_do_not_hold_it(subject: &dyn Subject) {
    for (i, lifecycle) in sample::lifecycles().into_iter().enumerate() {
        let mut first = sample::tenant(&format!("slug-{i}"));
        add(subject, &first).expect("the tenant is added");
        first.enter(lifecycle.clone(), sample::at(1));
        update(subject, &first).expect("the tenant is updated");
        let second = sample::tenant(first.slug.as_str());
        let outcome = add(subject, &second);
        let holder = subject.control().read(|tx| tx.tenants().holding(&first.slug)).expect("a look-up");
        if lifecycle.holds_slug() {
            assert!(conflict(&outcome, Constraint::TenantSlug), "{lifecycle:?}");
            assert_eq!(holder, Some(first));
        } else {
            outcome.unwrap_or_else(|error| panic!("{lifecycle:?}: {error}"));
            assert_eq!(holder, Some(second));
        }
    }
}

/// A tenant that goes back to work cannot have its slug if someone else took it meanwhile.
pub fn taking_up_a_slug_again_that_another_one_holds_is_a_conflict(subject: &dyn Subject) {
    let mut first = sample::tenant("acme");
    first.lifecycle = failed(false);
    add(subject, &first).expect("the failed tenant is added");
    let second = sample::tenant("acme");
    add(subject, &second).expect("its slug is free");
    let mut retried = first.clone();
    retried.enter(Lifecycle::Queued { since: sample::at(9) }, sample::at(9));
    assert!(conflict(&update(subject, &retried), Constraint::TenantSlug));
    assert_eq!(stored(subject, &first), Some(first));

    let mut gone = second.clone();
    gone.enter(Lifecycle::Expired { at: sample::at(10) }, sample::at(10));
    update(subject, &gone).expect("the second one gives the slug back");
    update(subject, &retried).expect("the first one takes it up again");
}

/// Of many who want one slug at once, one gets it and the others are told so.
pub fn of_concurrent_tenants_with_one_slug_one_wins(subject: &dyn Subject) {
    let start = Barrier::new(16);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let contestants: Vec<_> = (0..16)
            .map(|_| {
                scope.spawn(|| {
                    let tenant = sample::tenant("contested");
                    start.wait();
                    add(subject, &tenant)
                })
            })
            .collect();
        contestants.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let losers = outcomes.iter().filter(|outcome| conflict(outcome, Constraint::TenantSlug)).count();
    assert_eq!((winners, losers), (1, 15), "{outcomes:?}");
}

/// Of many who change one version of a tenant at once, one does.
pub fn of_concurrent_updates_of_one_version_one_wins(subject: &dyn Subject) {
    let tenant = sample::tenant("contested");
    add(subject, &tenant).expect("the tenant is added");
    let start = Barrier::new(8);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let contestants: Vec<_> = (0..8)
            .map(|i| {
                let (start, mut tenant) = (&start, tenant.clone());
                scope.spawn(move || {
                    tenant.enter(Lifecycle::Queued { since: sample::at(i) }, sample::at(i));
                    start.wait();
                    update(subject, &tenant)
                })
            })
            .collect();
        contestants.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let losers = outcomes.iter().filter(|outcome| matches!(outcome, Err(StoreError::Stale))).count();
    assert_eq!((winners, losers), (1, 7), "{outcomes:?}");
}

/// Pages follow each other without gap or repetition, newest first, also among tenants of the same microsecond.
pub fn pages_are_newest_first_and_complete(subject: &dyn Subject) {
    let mut tenants: Vec<_> = (0..11).map(|i| sample::tenant(&format!("tenant-{i:02}"))).collect();
    for (i, tenant) in tenants.iter_mut().enumerate() {
        // Three moments, one microsecond apart, for eleven tenants.
        tenant.created_at =
            sample::now() + TimeDelta::microseconds(i64::try_from(i / 4).expect("a small number"));
        add(subject, tenant).expect("the tenant is added");
    }
    tenants.sort_unstable_by_key(|tenant| std::cmp::Reverse((tenant.created_at, tenant.id)));

    for limit in [1, 3, 11, 50] {
        let mut seen = Vec::new();
        loop {
            let after = seen.last().map(|tenant: &Tenant| (tenant.created_at, tenant.id));
            let page = page(subject, &TenantFilter::default(), after, limit);
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
            assert!(seen.len() <= tenants.len(), "pages repeat themselves");
        }
        assert_eq!(seen, tenants, "in pages of {limit}");
    }
}

fn page(
    subject: &dyn Subject,
    filter: &TenantFilter,
    after: Option<(chrono::DateTime<chrono::Utc>, tenantry_domain::id::TenantId)>,
    limit: usize,
) -> Vec<Tenant> {
    subject.control().read(|tx| tx.tenants().page(filter, after, limit)).expect("a page")
}

fn slugs(subject: &dyn Subject, filter: &TenantFilter) -> Vec<String> {
    let mut slugs: Vec<_> =
        page(subject, filter, None, 100).into_iter().map(|tenant| tenant.slug.to_string()).collect();
    slugs.sort_unstable();
    slugs
}

/// Filters by status and plan leave out what does not fit, alone, together, and on later pages.
pub fn tenants_are_filtered_by_status_and_plan(subject: &dyn Subject) {
    let active = Lifecycle::Active { since: sample::at(1) };
    let queued = Lifecycle::Queued { since: sample::at(1) };
    for (name, lifecycle, plan) in [
        ("active-basic", &active, Plan::Basic),
        ("active-premium", &active, Plan::Premium),
        ("queued-basic", &queued, Plan::Basic),
        ("queued-premium", &queued, Plan::Premium),
    ] {
        let mut tenant = sample::tenant(name);
        (tenant.lifecycle, tenant.plan) = (lifecycle.clone(), plan);
        add(subject, &tenant).expect("the tenant is added");
    }
    let filter = |status, plan| TenantFilter { status, plan, text: None };
    assert_eq!(slugs(subject, &filter(Some(Status::Active), None)), ["active-basic", "active-premium"]);
    assert_eq!(slugs(subject, &filter(None, Some(Plan::Premium))), ["active-premium", "queued-premium"]);
    assert_eq!(slugs(subject, &filter(Some(Status::Queued), Some(Plan::Basic))), ["queued-basic"]);
    assert!(slugs(subject, &filter(Some(Status::Deleted), None)).is_empty());
    assert!(slugs(subject, &filter(None, Some(Plan::Enterprise))).is_empty());

    let premium = filter(None, Some(Plan::Premium));
    let first = page(subject, &premium, None, 1);
    let second = page(subject, &premium, Some((first[0].created_at, first[0].id)), 1);
    assert_eq!((first.len(), second.len()), (1, 1));
    assert!(second[0].plan == Plan::Premium && second[0].id != first[0].id);
}

/// The text is looked for in name and slug, without regard to case, and every character of it means itself.
pub fn tenants_are_filtered_by_literal_text(subject: &dyn Subject) {
    for (slug_text, name) in [
        ("alpha", "Quantum Traders"),
        ("beta", "100% Funded"),
        ("gamma", "under_score"),
        ("delta", r"back\slash 'q'"),
    ] {
        let mut tenant = sample::tenant(slug_text);
        tenant.name = TenantName::new(name).expect("a name");
        add(subject, &tenant).expect("the tenant is added");
    }
    for (text, expected) in [
        ("quantum", &["alpha"][..]),
        ("QUANTUM tr", &["alpha"]),
        ("ALPH", &["alpha"]),
        ("%", &["beta"]),
        ("0% f", &["beta"]),
        ("_", &["gamma"]),
        ("r_s", &["gamma"]),
        (r"\", &["delta"]),
        ("'", &["delta"]),
        ("a", &["alpha", "beta", "delta", "gamma"]),
        ("1%d", &[]),
        ("*", &[]),
    ] {
        let filter = TenantFilter { text: Some(text.to_owned()), ..TenantFilter::default() };
        assert_eq!(slugs(subject, &filter), expected, "{text:?}");
    }
}

/// A holder is found by its own slug, not by one that looks like it.
pub fn slugs_compare_exactly(subject: &dyn Subject) {
    for text in ["a-b", "a-bc", "aab"] {
        add(subject, &sample::tenant(text)).expect("the tenant is added");
    }
    let holder = |text: &str| {
        let found = subject.control().read(|tx| tx.tenants().holding(&slug(text))).expect("a look-up");
        found.map(|tenant| tenant.slug.to_string())
    };
    assert_eq!(holder("a-b").as_deref(), Some("a-b"));
    assert_eq!(holder("a-a"), None);
}
