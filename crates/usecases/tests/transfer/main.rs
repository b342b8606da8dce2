//! A tenant leaves as an archive and comes back from it with everything it had; what is no whole archive is not taken.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

#[path = "../support/mod.rs"]
mod support;

mod floors;
mod imported;
mod tampered;

use std::collections::BTreeMap;

use serde_json::Value;
use support::{acme_with_admin, work_off};
use tenantry_domain::account::engine::Trade;
use tenantry_domain::account::{Account, WebsiteUserId};
use tenantry_domain::config::{AccountConfig, AllowedConfigs, ConfigId, demo};
use tenantry_domain::id::{AccountId, TenantId};
use tenantry_domain::organisation::{OrgKind, OrgUnit};
use tenantry_domain::tenant::{Limit, Quotas, Settings, Slug, Tenant};
use tenantry_ports::{StoreError, TenantScope};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::accounts::{self, Hand, ProvisionAccount};
use tenantry_usecases::basis::{self, Author, BasisWish, Upsert};
use tenantry_usecases::configs::{self, Upload};
use tenantry_usecases::mappings::{self, MapAccount, UnmapAccount};
use tenantry_usecases::tenants::{self, TenantRef};
use tenantry_usecases::trades::{self, ApplyTrades};
use tenantry_usecases::transfer::{self, ImportError, ImportTenant, Verified, VerifyError};
use tenantry_usecases::webhooks::{self, NewEndpoint};

fn find(test: &TestPlatform, id: TenantId) -> Tenant {
    tenants::find(&test.platform, &TenantRef::Id(id)).unwrap().unwrap()
}

/// acme with an admin and another person, two versions of a config beside the demonstration's, settings of its own,
/// fresh accounts and one that has traded, a webhook endpoint, and an organisation.
fn acme(test: &TestPlatform) -> Tenant {
    let mut wish = acme_with_admin();
    wish.config = Some(sample::json_object());
    let id = tenants::create(&test.platform, wish).unwrap().tenant.id;
    work_off(test);
    let tenant = find(test, id);
    let scope = TenantScope::serving(&tenant).unwrap();
    let upload =
        Upload { document: sample::config_document("mine"), actor: "key_1".into(), trace: "t".into() };
    configs::upload(&test.platform, &scope, upload).unwrap();
    configure(test, &scope);
    let accounts = ["user-1", "user-2", "user-3"].map(|user| provision(test, &scope, user));
    // One changes hands, and comes to be somebody's besides.
    hand_over(test, &scope, accounts[0], "user-1", "user-2");
    hand_over(test, &scope, accounts[1], "user-2", "user-2");
    report(test, &scope, accounts[2], &["t-2", "t-1"]);
    report(test, &scope, accounts[1], &["t-1"]);
    let wish = NewEndpoint {
        url: "https://hooks.example.com/acme".to_owned(),
        description: Some("CRM".to_owned()),
        event_types: vec!["account.*".parse().unwrap()],
    };
    let hand = webhooks::Hand { actor: "key_1".to_owned(), trace: "t".to_owned() };
    webhooks::create(&test.platform, &scope, wish, hand, None, |_| None).unwrap();
    let configs = [sample::stored_config("many", 1), sample::stored_config("many", 2)];
    let settings = Settings {
        allowed_configs: AllowedConfigs::All,
        quotas: Quotas { max_accounts: Some(Limit::AtMost(1000)), ..Quotas::default() },
        ..Settings::default()
    };
    let store = test.platform.stores.open(&scope).unwrap();
    store
        .write::<_, StoreError>(|tx| {
            tx.log().lock()?;
            tx.settings().put(&settings)?;
            tx.users().insert(&sample::user("somebody"), "$fake$7$00")?;
            configs.iter().try_for_each(|config| tx.configs().insert(config))?;
            tx.accounts().insert(&[sample::account(id, &configs[1])])?;
            tx.organisation().insert(&organisation())
        })
        .unwrap();
    tenant
}

/// A basis that was changed, a process, and one that was removed.
fn configure(test: &TestPlatform, scope: &TenantScope) {
    let author = || Author { actor: "usr_1".to_owned(), trace: "t".to_owned() };
    let first = BasisWish {
        org_structure: Some(sample::basis().org_structure),
        business_variants: Some(sample::basis().business_variants),
    };
    let second = BasisWish { business_variants: Some(Vec::new()), ..first.clone() };
    let mut last = None;
    for (basis, name) in [(first, "kept"), (second, "removed")] {
        let process = Some(sample::process("TENDER", name));
        let wish = Upsert { basis: Some(basis), process, author: author() };
        last = basis::upsert(&test.platform, scope, wish, |_| true).unwrap().process;
        test.clock.advance(chrono::TimeDelta::seconds(1));
    }
    basis::remove(&test.platform, scope, last.unwrap().id, author(), |_| true).unwrap();
}

fn organisation() -> [OrgUnit; 4] {
    let company_code = sample::org_unit(OrgKind::CompanyCode, "CC1", None);
    let plant = sample::org_unit(OrgKind::Plant, "P1", Some(company_code.id));
    let purchasing_org = sample::org_unit(OrgKind::PurchasingOrg, "PO1", None);
    let assignment = sample::assignment(purchasing_org.id, plant.id);
    [company_code, plant, purchasing_org, assignment]
}

fn provision(test: &TestPlatform, scope: &TenantScope, user: &str) -> AccountId {
    fn receipt(account: &Account, _: &AccountConfig) -> Vec<u8> {
        account.id.to_string().into_bytes()
    }
    let wanted = ProvisionAccount {
        user_id: WebsiteUserId::new(user).unwrap(),
        config_id: ConfigId::new(demo::DEMO_CONFIG_ID).unwrap(),
        config_version: None,
        meta: Some(sample::json_object()),
        idempotency: None,
        hand: Hand { actor: "key_1".to_owned(), trace: "trace".to_owned() },
    };
    let outcome = accounts::provision(&test.platform, scope, &[wanted], receipt).remove(0);
    outcome.unwrap().account.unwrap()
}

/// Reports that so many trades opened a position.
fn report(test: &TestPlatform, scope: &TenantScope, account: AccountId, ids: &[&str]) -> String {
    let trade = |id: &&str| -> Trade {
        let text = format!(
            r#"{{"tradeId":"{id}","symbol":"EURUSD","side":"buy","quantity":0.1,"price":1.1,"contractSize":100000,
                "executedAt":"2025-01-10T15:30:00Z"}}"#
        );
        serde_json::from_str(&text).unwrap()
    };
    let hand = Hand { actor: "key_1".to_owned(), trace: "trace".to_owned() };
    let command = ApplyTrades { account, trades: ids.iter().map(trade).collect(), idempotency: None, hand };
    let outcomes = |traded: &trades::Traded| {
        let outcomes: Vec<_> = traded.results.iter().map(|result| format!("{:?}", result.outcome)).collect();
        outcomes.join(" ").into_bytes()
    };
    let receipt = trades::apply(&test.platform, scope, &[command], outcomes).remove(0).unwrap();
    String::from_utf8(receipt.body).unwrap()
}

fn hand_over(test: &TestPlatform, scope: &TenantScope, account: AccountId, from: &str, to: &str) {
    let user = |name| WebsiteUserId::new(name).unwrap();
    let (actor, trace) = ("key_1".to_owned(), "trace".to_owned());
    let given = UnmapAccount { account, user: user(from), actor: actor.clone(), trace: trace.clone() };
    mappings::unmap(&test.platform, scope, given).unwrap();
    let taken = MapAccount { account, user: user(to), actor, idempotency: None, trace };
    mappings::map(&test.platform, scope, taken, |_| Vec::new()).unwrap();
}

fn exported(test: &TestPlatform, tenant: &Tenant) -> Vec<u8> {
    let mut archive = Vec::new();
    let exported = transfer::export(&test.platform, tenant, "1.2.3", &mut archive).unwrap();
    assert_eq!(exported.broken_at, None);
    archive
}

fn verified(test: &TestPlatform, archive: &[u8]) -> Verified {
    transfer::verify(&test.platform, archive).unwrap()
}

/// What is wrong with the archive, in one line each.
fn flaws(test: &TestPlatform, archive: &[u8]) -> Vec<String> {
    match transfer::verify(&test.platform, archive) {
        Ok(_) => Vec::new(),
        Err(VerifyError::Flawed(flaws)) => flaws.iter().map(ToString::to_string).collect(),
        Err(error) => panic!("{error}"),
    }
}

fn under(slug: &str) -> ImportTenant {
    ImportTenant { slug: Some(Slug::new(slug).unwrap()), cluster: None }
}

fn import(test: &TestPlatform, archive: &[u8], wish: ImportTenant) -> Result<Tenant, ImportError> {
    let whole = verified(test, archive);
    let id = transfer::begin(&test.platform, &whole, wish)?;
    work_off(test);
    transfer::complete(&test.platform, id, &whole, archive)
}

/// The lines, without their ends.
fn lines(archive: &[u8]) -> Vec<String> {
    let text = std::str::from_utf8(archive).unwrap();
    text.strip_suffix('\n').unwrap().split('\n').map(str::to_owned).collect()
}

fn joined(lines: &[String]) -> Vec<u8> {
    lines.iter().flat_map(|line| format!("{line}\n").into_bytes()).collect()
}

fn kind(line: &str) -> String {
    serde_json::from_str::<Value>(line).unwrap()["kind"].as_str().unwrap().to_owned()
}

/// How many lines there are of each kind.
fn census(lines: &[String]) -> BTreeMap<String, usize> {
    let mut census = BTreeMap::new();
    for line in lines {
        *census.entry(kind(line)).or_default() += 1;
    }
    census
}
