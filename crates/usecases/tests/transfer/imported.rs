use std::sync::Arc;

use futures_util::FutureExt as _;
use tenantry_domain::account::AccountStatus;
use tenantry_domain::tenant::{
    Allowance, Lifecycle, Limit, PlanLimits, Plans, QuotaExceeded, QuotaKind, Status, Tenant,
};
use tenantry_domain::webhook::DisabledReason;
use tenantry_ports::{AccountFilter, Channel, DatabaseFault, NoticeFilter, StoreError, TenantScope};
use tenantry_testkit::{DatabaseCall, FailureMoment, FakeSchemaCheck, TestPlatform, sample};
use tenantry_usecases::Policy;
use tenantry_usecases::limits::usage;
use tenantry_usecases::provisioning::{Worked, work_once};
use tenantry_usecases::tenants::{self, CreateTenant, Target};
use tenantry_usecases::transfer::{self, ExportError, ImportError, ImportTenant};
use tenantry_usecases::users::{self, RegisterError};
use tenantry_usecases::{accounts, basis, fleet, mappings, notices, sign_in, trades, webhooks};

use crate::support::{acme_with_admin, queued, status, tend, typed, wish, with_pool, work_off};
use crate::{
    acme, census, exported, find, flaws, import, joined, kind, lines, provision, report, under, verified,
};

#[test]
fn an_archive_says_what_is_in_it_and_every_line_of_it_can_be_checked_with_common_tools() {
    let test = TestPlatform::new();
    let tenant = acme(&test);
    let archive = exported(&test, &tenant);
    let lines = lines(&archive);
    let expected = [
        ("account", 4),
        ("config", 4),
        ("configuration", 5),
        ("event", 19),
        ("head", 1),
        ("mapping", 4),
        ("organisation", 4),
        ("settings", 1),
        ("trade", 3),
        ("trailer", 1),
        ("user", 2),
        ("webhook", 1),
    ];
    assert_eq!(census(&lines), expected.map(|(kind, count)| (kind.to_owned(), count)).into());
    let trailer: serde_json::Value = serde_json::from_str(lines.last().unwrap()).unwrap();
    let sha256 = |lines: &[String]| test.platform.digest.hex(&joined(lines));
    assert_eq!(trailer["lines"], lines.len() - 1);
    assert_eq!(trailer["sha256"], sha256(&lines[..lines.len() - 1]));
    for kind in transfer::Kind::RECORDS.map(transfer::Kind::as_str) {
        // As grep would find them.
        let begin = format!("{{\"kind\":\"{kind}\",");
        let of_kind: Vec<_> = lines.iter().filter(|line| line.starts_with(&begin)).cloned().collect();
        assert_eq!(trailer["records"][kind]["count"], of_kind.len(), "{kind}");
        assert_eq!(trailer["records"][kind]["sha256"], sha256(&of_kind), "{kind}");
    }
    let head = verified(&test, &archive).head;
    assert_eq!((head.tenant.id, head.tenantry_version.as_str()), (tenant.id, "1.2.3"));
    assert_eq!(head.tenant.config, tenant.config);
}

#[test]
fn an_imported_tenant_holds_every_record_and_only_the_import_is_new() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let archive = exported(&here, &acme(&here));
    let tenant = import(&there, &archive, ImportTenant::default()).unwrap();
    let again = exported(&there, &tenant);
    let (before, after) = (lines(&archive), lines(&again));
    // Head and trailer are each archive's own.
    assert_eq!(after[1..after.len() - 2], before[1..before.len() - 1]);
    let new: serde_json::Value = serde_json::from_str(&after[after.len() - 2]).unwrap();
    let event = &new["data"]["event"];
    assert_eq!(
        (&event["eventType"], &event["tenantId"]),
        (&"tenant.imported".into(), &tenant.id.to_string().into())
    );
    let whole = verified(&here, &archive);
    assert_eq!(event["data"]["archive"], whole.trailer.sha256.as_str());
    assert_eq!(event["data"]["from"]["tenantId"], whole.head.tenant.id.to_string());
    assert_eq!(event["data"]["records"]["account"], 4);

    let configured = |test: &TestPlatform, tenant: &Tenant| {
        let scope = TenantScope::serving(tenant).unwrap();
        let processes = basis::processes(&test.platform, &scope, None, None, 10).unwrap();
        (basis::basis(&test.platform, &scope).unwrap(), processes)
    };
    let original = tenants::find(&here.platform, &"acme".parse().unwrap()).unwrap().unwrap();
    let (kept, processes) = configured(&here, &original);
    assert_eq!((kept.as_ref().map(|basis| basis.version), processes.len()), (Some(2), 1));
    assert_eq!(configured(&there, &tenant), (kept, processes));

    let facts = &whole.head.tenant;
    assert_ne!(tenant.id, facts.id);
    assert_eq!((&tenant.slug, &tenant.name, tenant.plan), (&facts.slug, &facts.name, facts.plan));
    assert_eq!((&tenant.contact_email, &tenant.config), (&facts.contact_email, &facts.config));
    assert!(matches!(tenant.lifecycle, Lifecycle::Active { .. }));
    assert_eq!(find(&there, tenant.id), tenant);
}

#[test]
fn people_sign_in_and_accounts_are_read_and_provisioned_after_an_import() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let archive = exported(&here, &acme(&here));
    let scope = TenantScope::serving(&import(&there, &archive, under("other")).unwrap()).unwrap();
    // Real installations do not give the same ids.
    for _ in 0..1000 {
        there.platform.ids.random();
    }
    let login = typed("admin@ACME.example", "ChangeMe123!");
    assert!(sign_in::login(&there.platform, &scope, &login).is_ok());
    let all = accounts::list(&there.platform, &scope, &AccountFilter::default(), None, 100).unwrap();
    assert_eq!(all.len(), 4);
    assert!(all.iter().all(|view| view.account.tenant_id == scope.tenant()));
    assert!(all.iter().any(|view| view.account.state.status == AccountStatus::Active));
    let accounts_of = |user: &str| {
        let user = user.parse().unwrap();
        mappings::accounts_of(&there.platform, &scope, &user, None, 100).unwrap().len()
    };
    assert_eq!(["user-1", "user-2", "user-3"].map(accounts_of), [0, 2, 1]);
    provision(&there, &scope, "user-9");
    assert_eq!(flaws(&there, &exported(&there, &find(&there, scope.tenant()))), [""; 0]);
}

#[test]
fn trades_come_along_and_are_known_again() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let archive = exported(&here, &acme(&here));
    let tenant = import(&there, &archive, ImportTenant::default()).unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    let store = there.platform.stores.open(&scope).unwrap();
    let symbols = ["EURUSD".parse().unwrap()];
    let holders = store.read::<_, StoreError>(|tx| tx.holdings().holders(&symbols)).unwrap();
    let [(first, _), (second, _)] = holders[..] else { panic!("{holders:?}") };
    for (account, trades) in [(first, ["t-1"].as_slice()), (second, &["t-2", "t-1"])] {
        let listed = trades::list(&there.platform, &scope, account, None, 10).unwrap().unwrap();
        let ids: Vec<_> = listed.iter().map(|applied| applied.trade.trade_id.as_str()).collect();
        assert_eq!(ids, trades);
        let again = report(&there, &scope, account, trades);
        assert!(again.split(' ').all(|outcome| outcome.starts_with("Duplicate")), "{again}");
    }
}

/// Whoever has the archive has no secret that calls are, or are going to be, signed with.
#[test]
fn a_webhook_endpoint_comes_disabled_and_with_another_secret() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let original = acme(&here);
    let archive = exported(&here, &original);
    assert!(!String::from_utf8_lossy(&archive).contains("whsec_"));
    there.platform.endpoints.secrets.mint();
    let tenant = import(&there, &archive, ImportTenant::default()).unwrap();
    let signed = |test: &TestPlatform, tenant: &Tenant| {
        let scope = TenantScope::serving(tenant).unwrap();
        let endpoint = webhooks::page(&test.platform, &scope, None, 10).unwrap().remove(0);
        let hand = webhooks::Hand { actor: "key_1".to_owned(), trace: "t".to_owned() };
        let trial = webhooks::trial(&test.platform, &scope, endpoint.id, &hand).unwrap();
        webhooks::try_out(&test.platform, &trial).now_or_never().unwrap();
        (endpoint, test.endpoints.calls().pop().unwrap().signature)
    };
    let (before, after) = (signed(&here, &original), signed(&there, &tenant));
    assert_eq!((before.1.contains("whsec_1"), after.1.contains("whsec_1")), (true, false));
    assert_eq!((&before.0.url, &before.0.event_types), (&after.0.url, &after.0.event_types));
    assert_eq!(before.0.disabled, None);
    assert_eq!(after.0.disabled.map(|(why, _)| why), Some(DisabledReason::Requested));
}

#[test]
fn an_archive_of_a_version_without_mappings_is_taken() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let mut lines = lines(&exported(&here, &acme(&here)));
    lines.retain(|line| !["mapping", "trade", "webhook"].contains(&kind(line).as_str()));
    lines[0] = lines[0].replace("\"formatVersion\":4", "\"formatVersion\":1");
    let trailer = lines.pop().unwrap();
    let mut trailer: transfer::Trailer = serde_json::from_str(&trailer).unwrap();
    trailer.records.remove(&transfer::Kind::Mapping);
    trailer.records.remove(&transfer::Kind::Trade);
    trailer.records.remove(&transfer::Kind::Webhook);
    (trailer.lines, trailer.sha256) = (lines.len() as u64, here.platform.digest.hex(&joined(&lines)));
    lines.push(serde_json::to_string(&trailer).unwrap());
    let archive = joined(&lines);
    assert_eq!(flaws(&there, &archive), [""; 0]);
    let tenant = import(&there, &archive, ImportTenant::default()).unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    let user = "user-1".parse().unwrap();
    assert_eq!(mappings::accounts_of(&there.platform, &scope, &user, None, 100).unwrap().len(), 1);
}

/// What comes with an archive counts, and comes whatever the quotas there are; what would be added is refused.
#[test]
fn what_was_imported_counts_and_is_not_refused() {
    let here = TestPlatform::new();
    let original = acme(&here);
    let archive = exported(&here, &original);
    let limits = PlanLimits { allowance: Allowance::new(|_| Limit::AtMost(1)), burst: 1 };
    let policy = Policy { plans: Plans::new(|_| limits), ..Policy::default() };
    let there = TestPlatform::with(policy, Arc::new(FakeSchemaCheck::content()));
    let tenant = import(&there, &archive, ImportTenant::default()).unwrap();
    let scope = TenantScope::serving(&tenant).unwrap();
    let told = usage(&there.platform, &scope).unwrap();
    let expected = usage(&here.platform, &TenantScope::serving(&original).unwrap()).unwrap().counts;
    assert_eq!((told.counts, told.counts.users, told.counts.accounts), (expected, 2, 4));
    let refused =
        users::register(&there.platform, &tenant, &scope, wish("one-more"), |_, _| serde_json::Value::Null);
    let full = QuotaExceeded { kind: QuotaKind::Users, limit: 1, used: 2 };
    assert!(matches!(refused, Err(RegisterError::QuotaExceeded(refused)) if refused == full));
}

#[test]
fn an_archive_is_imported_beside_the_tenant_that_it_is_of() {
    let test = TestPlatform::new();
    let archive = exported(&test, &acme(&test));
    let taken = import(&test, &archive, ImportTenant::default()).unwrap_err();
    assert!(matches!(taken, ImportError::SlugTaken(_)), "{taken}");
    let copy = import(&test, &archive, under("acme-copy")).unwrap();
    assert_eq!(lines(&exported(&test, &copy))[1..17], lines(&archive)[1..17]);
    assert_eq!(test.world.existing().len(), 2);
    let second = import(&test, &archive, under("acme-copy")).unwrap_err();
    assert!(matches!(second, ImportError::SlugTaken(_)), "{second}");
}

#[test]
fn a_tenant_is_exported_as_long_as_it_has_a_database_that_is_to_stay() {
    let test = TestPlatform::new();
    let tenant = acme(&test);
    let export = |id| transfer::export(&test.platform, &find(&test, id), "1", &mut Vec::new());
    let target = Target { tenant: tenant.id, version: None, by: "operator" };
    assert!(export(tenant.id).is_ok());
    tenants::suspend(&test.platform, target).unwrap();
    assert!(export(tenant.id).is_ok());
    tenants::deprovision(&test.platform, target, None).unwrap();
    assert!(export(tenant.id).is_ok());
    tenants::deprovision(&test.platform, target, Some(chrono::TimeDelta::zero())).unwrap();
    work_off(&test);
    assert!(matches!(export(tenant.id), Err(ExportError::NotReady(Status::Deleted))));
    let fresh = queued(&test);
    assert!(matches!(export(fresh), Err(ExportError::NotReady(Status::Queued))));
}

#[test]
fn a_log_that_somebody_has_changed_is_exported_and_said() {
    let test = TestPlatform::new();
    let tenant = acme(&test);
    let scope = TenantScope::serving(&tenant).unwrap();
    let store = test.platform.stores.open(&scope).unwrap();
    let forged = store
        .write::<_, StoreError>(|tx| {
            let head = tx.log().lock()?;
            let mut entries = sample::log_entries(tenant.id, head, 1);
            entries[0].event.data = "forged".into();
            tx.log().append(&entries)?;
            Ok(entries[0].sequence)
        })
        .unwrap();
    let mut archive = Vec::new();
    let exported = transfer::export(&test.platform, &tenant, "1", &mut archive).unwrap();
    assert_eq!(exported.broken_at, Some(forged));
    let found = flaws(&test, &archive);
    let flaw = format!("event {forged}: its hash is not that of the event");
    assert!(matches!(&found[..], [one] if one.contains(&flaw)), "{found:?}");
}

#[test]
fn a_load_that_fails_leaves_a_suspended_tenant_that_the_next_import_completes() {
    for moment in [FailureMoment::BeforeEffect, FailureMoment::AfterEffect] {
        let (here, there) = (TestPlatform::new(), TestPlatform::new());
        let archive = exported(&here, &acme(&here));
        let whole = verified(&there, &archive);
        let id = transfer::begin(&there.platform, &whole, ImportTenant::default()).unwrap();
        work_off(&there);
        there.databases.fail(DatabaseCall::Write, moment, DatabaseFault::Passing, 1);
        let failed = transfer::complete(&there.platform, id, &whole, &archive[..]).unwrap_err();
        assert!(failed.may_pass(), "{failed}");
        assert_eq!(status(&there, id), Status::Suspended);
        let tenant = import(&there, &archive, ImportTenant::default()).unwrap();
        assert_eq!(tenant.id, id);
        let again = lines(&exported(&there, &tenant));
        assert_eq!(again[1..again.len() - 2], lines(&archive)[1..again.len() - 2], "loaded once");
        let more = transfer::complete(&there.platform, id, &whole, &archive[..]).unwrap_err();
        assert!(matches!(more, ImportError::NotWaiting), "{more}");
    }
}

#[test]
fn a_tenant_serves_nobody_before_it_holds_the_archive() {
    let (here, there) = (TestPlatform::new(), with_pool(1));
    tend(&there);
    let archive = exported(&here, &acme(&here));
    let whole = verified(&there, &archive);
    let id = transfer::begin(&there.platform, &whole, ImportTenant::default()).unwrap();
    loop {
        let worked = work_once(&there.platform, "worker").unwrap();
        let tenant = find(&there, id);
        assert!(TenantScope::serving(&tenant).is_err(), "{tenant:?}");
        if worked == Worked::Idle {
            break;
        }
    }
    assert_eq!(status(&there, id), Status::Suspended);
    assert!(fleet::behind(&there.platform).unwrap().is_empty(), "the schema it has is noted");
    let tenant = transfer::complete(&there.platform, id, &whole, &archive[..]).unwrap();
    assert!(TenantScope::serving(&tenant).is_ok());
}

#[test]
fn a_config_that_looks_like_an_imports_withholds_nobody() {
    let test = TestPlatform::new();
    let config = serde_json::json!({ "tenantry:import": "0123" });
    let wish = CreateTenant { config: config.as_object().cloned(), ..acme_with_admin() };
    let id = tenants::create(&test.platform, wish).unwrap().tenant.id;
    work_off(&test);
    assert_eq!(status(&test, id), Status::Active);
}

#[test]
fn an_import_is_told_as_the_birth_it_is() {
    let (here, there) = (TestPlatform::new(), TestPlatform::telling());
    let archive = exported(&here, &acme(&here));
    import(&there, &archive, ImportTenant::default()).unwrap();
    let told = notices::list(&there.platform, &NoticeFilter::default(), None, 100).unwrap();
    let told = |channel| {
        let mut of_channel: Vec<_> = told.iter().map(|record| &record.notice).collect();
        of_channel.retain(|notice| notice.channel == channel);
        of_channel.iter().rev().map(|notice| notice.event.as_str().to_owned()).collect::<Vec<_>>()
    };
    let calls = told(Channel::Webhook);
    assert_eq!(calls.iter().filter(|call| *call == "tenant.activated").count(), 1, "{calls:?}");
    assert_eq!(calls.last().unwrap(), "tenant.activated");
    assert!(!calls.iter().any(|call| call == "tenant.suspended" || call == "tenant.resumed"), "{calls:?}");
}

#[test]
fn an_import_that_was_interrupted_before_the_tenant_was_ready_is_carried_on() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let archive = exported(&here, &acme(&here));
    let whole = verified(&there, &archive);
    let id = transfer::begin(&there.platform, &whole, ImportTenant::default()).unwrap();
    let early = transfer::complete(&there.platform, id, &whole, &archive[..]).unwrap_err();
    assert!(matches!(early, ImportError::NotReady(Status::Queued)), "{early}");
    assert_eq!(import(&there, &archive, ImportTenant::default()).unwrap().id, id);
}

#[test]
fn an_import_that_cannot_succeed_leaves_nothing_and_its_slug_is_free() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let archive = exported(&here, &acme(&here));
    let whole = verified(&there, &archive);
    let id = transfer::begin(&there.platform, &whole, ImportTenant::default()).unwrap();
    work_off(&there);
    there.databases.fail(DatabaseCall::Write, FailureMoment::BeforeEffect, DatabaseFault::Lasting, 1);
    let failed = transfer::complete(&there.platform, id, &whole, &archive[..]).unwrap_err();
    assert!(!failed.may_pass(), "{failed}");
    transfer::abandon(&there.platform, id).unwrap();
    work_off(&there);
    assert_eq!((status(&there, id), there.world.existing().len()), (Status::Deleted, 0));
    assert_ne!(import(&there, &archive, ImportTenant::default()).unwrap().id, id);
}

#[test]
fn a_tenant_that_is_in_use_is_never_abandoned() {
    let test = TestPlatform::new();
    let tenant = acme(&test);
    assert!(transfer::abandon(&test.platform, tenant.id).is_err());
    let copy = import(&test, &exported(&test, &tenant), under("copy")).unwrap();
    assert!(transfer::abandon(&test.platform, copy.id).is_err());
    assert_eq!(test.world.existing().len(), 2);
}

#[test]
fn an_archive_that_changes_after_it_was_verified_is_not_loaded() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let archive = exported(&here, &acme(&here));
    let whole = verified(&there, &archive);
    let id = transfer::begin(&there.platform, &whole, ImportTenant::default()).unwrap();
    work_off(&there);
    let mut other = lines(&archive);
    other.remove(3);
    for changed in [joined(&other), archive[..archive.len() / 2].to_vec(), Vec::new()] {
        let refused = transfer::complete(&there.platform, id, &whole, &changed[..]).unwrap_err();
        assert!(matches!(refused, ImportError::Changed), "{refused}");
        assert_eq!(status(&there, id), Status::Suspended);
    }
    let seeded = lines(&exported(&there, &find(&there, id)));
    assert_eq!(seeded.len(), 4, "head, settings, the demonstration config and trailer");
    transfer::complete(&there.platform, id, &whole, &archive[..]).unwrap();
}

#[test]
fn a_tenant_that_was_used_before_the_archive_came_is_left_alone() {
    let (here, there) = (TestPlatform::new(), TestPlatform::new());
    let archive = exported(&here, &acme(&here));
    let whole = verified(&there, &archive);
    let id = transfer::begin(&there.platform, &whole, ImportTenant::default()).unwrap();
    work_off(&there);
    tenants::resume(&there.platform, Target { tenant: id, version: None, by: "operator" }).unwrap();
    let account = provision(&there, &TenantScope::serving(&find(&there, id)).unwrap(), "user-1");
    let refused = transfer::complete(&there.platform, id, &whole, &archive[..]).unwrap_err();
    assert!(matches!(refused, ImportError::InUse), "{refused}");
    let kept = String::from_utf8(exported(&there, &find(&there, id))).unwrap();
    assert!(kept.contains(&account.to_string()));
}
