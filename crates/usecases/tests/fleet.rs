//! Every database is brought up to date, one that is broken keeps no other from it, and a rerun does only what is left.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use support::{acme, tend, with_pool, work_off};
use tenantry_domain::id::TenantId;
use tenantry_domain::tenant::{ClusterName, Slug, Status};
use tenantry_ports::{
    Access, ControlStore, ControlTx, DatabaseError, DatabaseFault, Inventory, Permit, Presence, StoreError,
    StoreResult, TenantDatabases, TenantScope, TenantStore, Verdict,
};
use tenantry_testkit::TestPlatform;
use tenantry_usecases::Platform;
use tenantry_usecases::fleet::{self, FleetError, Order, Outcome, Summary};
use tenantry_usecases::tenants::{self, InitTenant, Placement, Target, TenantRef};

/// Databases of which some cannot be migrated.
struct Broken {
    databases: Arc<dyn TenantDatabases>,
    slugs: Mutex<BTreeSet<String>>,
    /// Which were migrated or tried to be, in order.
    tried: Mutex<Vec<String>>,
    /// What happens before the next migration.
    before: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Broken {
    fn breaks(&self, slugs: &[&str]) {
        *self.slugs.lock().unwrap() = slugs.iter().map(ToString::to_string).collect();
    }

    fn tried(&self) -> Vec<String> {
        std::mem::take(&mut self.tried.lock().unwrap())
    }
}

impl TenantDatabases for Broken {
    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        if let Some(before) = self.before.lock().unwrap().take() {
            before();
        }
        let slug = scope.slug().to_string();
        self.tried.lock().unwrap().push(slug.clone());
        match self.slugs.lock().unwrap().contains(&slug) {
            true => Err(DatabaseError::new(DatabaseFault::Lasting, "column \"x\" is there already")),
            false => self.databases.migrate(scope),
        }
    }

    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        self.databases.create(scope, permit)
    }
    fn as_owner(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        self.databases.as_owner(scope)
    }
    fn adopt(&self, from: &TenantScope, to: &TenantScope, permit: Permit<'_>) -> Result<bool, DatabaseError> {
        self.databases.adopt(from, to, permit)
    }
    fn pending(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        self.databases.pending(scope)
    }
    fn renew_login(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.databases.renew_login(scope)
    }
    fn close(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        self.databases.close(scope)
    }
    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        self.databases.remove(scope, permit)
    }
    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        self.databases.presence(scope)
    }
    fn schema(&self) -> &str {
        self.databases.schema()
    }
    fn inventory(&self) -> Vec<Inventory> {
        self.databases.inventory()
    }
}

/// A control store that counts units of work.
struct Counted(Arc<dyn ControlStore>, AtomicUsize);

impl ControlStore for Counted {
    fn transact(
        &self,
        access: Access,
        body: &mut dyn FnMut(&mut dyn ControlTx) -> Verdict,
    ) -> StoreResult<()> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.transact(access, body)
    }
}

/// So many active tenants `t-00`, `t-01`, … and a schema they do not have yet.
struct Fleet {
    test: TestPlatform,
    platform: Arc<Platform>,
    databases: Arc<Broken>,
    control: Arc<Counted>,
}

impl Fleet {
    fn of(tenants: usize, test: TestPlatform) -> Self {
        Self::on(&[None], tenants, test)
    }

    /// On these servers in turn.
    fn on(clusters: &[Option<ClusterName>], tenants: usize, mut test: TestPlatform) -> Self {
        for (number, cluster) in (0..tenants).zip(clusters.iter().cycle()) {
            let (slug, cluster) = (Slug::new(format!("t-{number:02}")).unwrap(), cluster.clone());
            let announced = tenants::init(&test.platform, InitTenant { slug, cluster, ..acme() }).unwrap();
            tenants::confirm(&test.platform, announced.confirm_token.expose()).unwrap();
        }
        work_off(&test);
        tend(&test);
        let platform = Arc::get_mut(&mut test.platform).expect("nobody else has it yet");
        let databases = Arc::new(Broken {
            databases: Arc::clone(&platform.databases),
            slugs: Mutex::default(),
            tried: Mutex::default(),
            before: Mutex::default(),
        });
        let control = Arc::new(Counted(Arc::clone(&platform.control), AtomicUsize::new(0)));
        platform.databases = databases.clone();
        platform.control = control.clone();
        let platform = Arc::clone(&test.platform);
        test.world.set_schema("2");
        Self { test, platform, databases, control }
    }

    fn behind(&self) -> Vec<String> {
        let behind = fleet::behind(&self.platform).unwrap();
        let mut names: Vec<_> = behind.iter().map(|member| member.name().to_owned()).collect();
        names.sort_unstable();
        names
    }

    fn migrate(&self, canary: Option<&str>) -> (Summary, Vec<(String, Outcome)>) {
        let canary = canary.map(|slug| fleet::one(&self.platform, &slug.parse().unwrap()).unwrap());
        let (told, order) = (Mutex::new(Vec::new()), Order { canary, parallel: 8 });
        let summary =
            fleet::migrate(&self.platform, fleet::behind(&self.platform).unwrap(), &order, |done| {
                told.lock().unwrap().push((done.member.name().to_owned(), done.outcome.clone()));
            });
        (summary, told.into_inner().unwrap())
    }

    fn tenant(&self, slug: &str) -> TenantId {
        tenants::find(&self.platform, &slug.parse().unwrap()).unwrap().unwrap().id
    }

    fn target(&self, slug: &str) -> Target<'static> {
        Target { tenant: self.tenant(slug), version: None, by: "operator" }
    }
}

#[test]
fn three_broken_tenants_of_a_hundred_keep_nobody_else_and_a_rerun_does_only_those() {
    let fleet = Fleet::of(100, TestPlatform::new());
    fleet.databases.breaks(&["t-07", "t-50", "t-99"]);
    let (summary, told) = fleet.migrate(None);
    assert_eq!(summary, Summary { migrated: 97, failed: 3, ..Summary::default() });
    assert_eq!(told.len(), 100, "each was told of once");
    assert_eq!(fleet.behind(), ["t-07", "t-50", "t-99"]);
    let reason = Outcome::Failed("column \"x\" is there already".to_owned());
    assert!(told.contains(&("t-50".to_owned(), reason)));

    fleet.databases.breaks(&[]);
    fleet.databases.tried();
    let (summary, _) = fleet.migrate(None);
    assert_eq!(summary, Summary { migrated: 3, ..Summary::default() });
    assert_eq!(BTreeSet::from_iter(fleet.databases.tried()).len(), 3, "the others were left alone");
    assert!(fleet.behind().is_empty());
}

#[test]
fn a_tenant_that_cannot_be_read_keeps_nobody_else() {
    let fleet = Fleet::of(10, TestPlatform::new());
    fleet.test.world.control().spoil_tenant(fleet.tenant("t-04"));
    let (summary, _) = fleet.migrate(None);
    assert_eq!(summary, Summary { migrated: 9, ..Summary::default() });
    assert!(fleet.behind().is_empty());
}

#[test]
fn nothing_to_do_costs_one_look_with_and_without_a_pool() {
    for test in [TestPlatform::new(), with_pool(2)] {
        let fleet = Fleet::of(30, test);
        fleet.migrate(None);
        fleet.control.1.store(0, Ordering::SeqCst);
        assert!(fleet::behind(&fleet.platform).unwrap().is_empty());
        assert_eq!(fleet.control.1.load(Ordering::SeqCst), 1);
    }
}

#[test]
fn a_broken_migration_stops_after_a_few_canaries_one_after_the_other() {
    let fleet = Fleet::of(20, TestPlatform::new());
    let all: Vec<_> = (0..20).map(|number| format!("t-{number:02}")).collect();
    fleet.databases.breaks(&all.iter().map(String::as_str).collect::<Vec<_>>());
    let (summary, _) = fleet.migrate(None);
    assert_eq!(summary, Summary { failed: 3, held_back: 17, ..Summary::default() });
    assert_eq!(fleet.behind().len(), 20);
}

#[test]
fn a_server_that_is_away_keeps_no_other_servers_databases_from_being_migrated() {
    let mut test = TestPlatform::new();
    let away = ClusterName::new("away").unwrap();
    let placement = Placement::new(vec![ClusterName::default(), away.clone()], BTreeMap::new()).unwrap();
    Arc::get_mut(&mut test.platform).unwrap().policy.placement = placement;
    let mut clusters = vec![Some(away); 30];
    clusters.push(None);
    let fleet = Fleet::on(&clusters, 31, test);
    let gone: Vec<_> = (0..30).map(|number| format!("t-{number:02}")).collect();
    fleet.databases.breaks(&gone.iter().map(String::as_str).collect::<Vec<_>>());
    let (summary, _) = fleet.migrate(None);
    assert_eq!(summary, Summary { migrated: 1, failed: 30, ..Summary::default() });
    assert_eq!(fleet.behind(), gone);
}

#[test]
fn a_canary_by_name_is_first_and_has_one_chance() {
    let fleet = Fleet::of(20, TestPlatform::new());
    fleet.databases.breaks(&["t-11"]);
    let (summary, told) = fleet.migrate(Some("t-11"));
    assert_eq!(summary, Summary { failed: 1, held_back: 19, ..Summary::default() });
    assert_eq!((told.len(), &*told[0].0), (1, "t-11"));

    let (summary, told) = fleet.migrate(Some("t-12"));
    assert_eq!(summary, Summary { migrated: 19, failed: 1, ..Summary::default() });
    assert_eq!(&*told[0].0, "t-12");
    assert_eq!(told.iter().filter(|(name, _)| name == "t-12").count(), 1);
}

#[test]
fn a_canary_that_is_up_to_date_opens_the_way() {
    let fleet = Fleet::of(3, TestPlatform::new());
    let member = fleet::one(&fleet.platform, &"t-01".parse().unwrap()).unwrap();
    let order = Order { canary: None, parallel: 1 };
    fleet::migrate(&fleet.platform, vec![member], &order, |_| {});
    let (summary, told) = fleet.migrate(Some("t-01"));
    assert_eq!(summary.migrated, 3);
    assert_eq!(told[0], ("t-01".to_owned(), Outcome::Migrated(0)));
}

#[test]
fn suspended_tenants_and_those_that_may_come_back_are_migrated_and_others_are_not() {
    let fleet = Fleet::of(4, TestPlatform::new());
    let platform = &fleet.platform;
    tenants::suspend(platform, fleet.target("t-00")).unwrap();
    tenants::deprovision(platform, fleet.target("t-01"), None).unwrap();
    let gone = fleet.tenant("t-02");
    tenants::deprovision(platform, fleet.target("t-02"), Some(chrono::TimeDelta::zero())).unwrap();
    work_off(&fleet.test);
    assert_eq!(support::status(&fleet.test, gone), Status::Deleted);
    assert_eq!(fleet.behind(), ["t-00", "t-01", "t-03"]);
    assert_eq!(fleet.migrate(None).0.migrated, 3);
}

#[test]
fn pooled_databases_are_migrated_and_one_that_fails_stays_as_it_was() {
    let fleet = Fleet::of(2, with_pool(3));
    let pooled: Vec<_> = fleet.behind().into_iter().filter(|name| name.contains("~pool")).collect();
    assert_eq!((pooled.len(), fleet.behind().len()), (3, 5));
    let first = fleet::behind(&fleet.platform).unwrap();
    let first = first.iter().find(|member| member.pooled.is_some()).unwrap();
    fleet.databases.breaks(&[first.scope.slug().as_str()]);
    let (summary, told) = fleet.migrate(None);
    assert_eq!((summary.migrated, summary.failed), (4, 1));
    assert_eq!(fleet.behind(), [first.name()], "it is ready as before, and found again");
    assert!(told.iter().any(|(name, outcome)| name != first.name()
        && name.contains("~pool")
        && *outcome == Outcome::Migrated(1)));
    fleet.databases.breaks(&[]);
    assert_eq!(fleet.migrate(None).0, Summary { migrated: 1, ..Summary::default() });
}

#[test]
fn a_database_that_goes_away_meanwhile_is_no_failure() {
    let fleet = Fleet::of(1, TestPlatform::new());
    let (platform, target) = (Arc::clone(&fleet.platform), fleet.target("t-00"));
    let behind = fleet::behind(&fleet.platform).unwrap();
    *fleet.databases.before.lock().unwrap() = Some(Box::new(move || {
        tenants::deprovision(&platform, target, Some(chrono::TimeDelta::zero())).unwrap();
        while tenantry_usecases::provisioning::work_once(&platform, "w").unwrap()
            != tenantry_usecases::provisioning::Worked::Idle
        {}
    }));
    let summary = fleet::migrate(&fleet.platform, behind, &Order { canary: None, parallel: 2 }, |_| {});
    assert_eq!(summary, Summary { gone: 1, ..Summary::default() });
}

#[test]
fn a_pooled_database_that_was_taken_meanwhile_is_the_takers_business() {
    let fleet = Fleet::of(1, with_pool(1));
    let behind = fleet::behind(&fleet.platform).unwrap();
    let pooled = behind.iter().find(|member| member.pooled.is_some()).unwrap().clone();
    let control = &fleet.platform.control;
    let taker = fleet.tenant("t-00");
    control.write::<_, StoreError>(|tx| tx.pool().take(pooled.scope.cluster(), "1", taker)).unwrap().unwrap();
    let summary = fleet::migrate(&fleet.platform, vec![pooled], &Order { canary: None, parallel: 1 }, |_| {});
    assert_eq!(summary, Summary { gone: 1, ..Summary::default() });
    assert!(fleet.databases.tried().is_empty());
}

#[test]
fn looking_finds_what_the_notes_do_not_say() {
    let fleet = Fleet::of(3, with_pool(1));
    fleet.migrate(None);
    let wrong = fleet.tenant("t-01");
    let note = |schema| fleet.platform.control.write(|tx| tx.tenants().note_schema(wrong, schema));
    fleet.test.world.set_schema("3");
    note("3").unwrap();
    assert!(!fleet.behind().contains(&"t-01".to_owned()), "the note says so");
    let every = fleet::every(&fleet.platform).unwrap();
    assert_eq!(every.len(), 4);
    let seen = AtomicUsize::new(0);
    let lacking = fleet::look(&fleet.platform, &every, 3, |_, _| {
        seen.fetch_add(1, Ordering::SeqCst);
    });
    assert_eq!(lacking.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [1; 4]);
    assert_eq!(seen.into_inner(), 4);
    let member = every.iter().find(|member| member.name() == "t-01").unwrap();
    assert_eq!(member.schema.as_deref(), Some("3"));
}

#[test]
fn a_tenant_without_a_database_is_said_to_have_none() {
    let fleet = Fleet::of(1, TestPlatform::new());
    let one = |slug: &str| fleet::one(&fleet.platform, &slug.parse::<TenantRef>().unwrap());
    assert!(matches!(one("nobody"), Err(FleetError::NoSuchTenant(_))));
    tenants::init(&fleet.platform, acme()).unwrap();
    let error = one("acme").unwrap_err();
    assert!(matches!(error, FleetError::NotReady { status: Status::PendingValidation, .. }), "{error}");
}
