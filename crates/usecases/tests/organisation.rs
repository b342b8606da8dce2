//! An organisation: what hangs on what, who changed what, and what is kept for repeated requests.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod support;

use std::collections::BTreeMap;
use std::sync::Barrier;

use serde_json::{Value, json};
use support::active;
use tenantry_domain::Pointer;
use tenantry_domain::organisation::{OrgContent, OrgId, OrgKind, OrgUnit, Tally, UnitDraft};
use tenantry_ports::{IdempotencyKey, OrgFilter, StoreError, TenantScope};
use tenantry_testkit::{TestPlatform, sample};
use tenantry_usecases::organisation::{
    self, Change, Create, Created, Import, ImportError, MOST_UNITS, OrgError,
};

struct Stage {
    test: TestPlatform,
    scope: TenantScope,
}

impl Stage {
    fn new() -> Self {
        let test = TestPlatform::new();
        let scope = active(&test);
        Self { test, scope }
    }

    fn ask(&self, content: Value, idempotency: Option<IdempotencyKey>) -> Result<Created, OrgError> {
        let wish = Create { content: of(content), actor: "usr_1".into(), idempotency, trace: "trace".into() };
        organisation::create(&self.test.platform, &self.scope, wish)
    }

    fn create(&self, content: Value) -> OrgUnit {
        self.ask(content, None).unwrap().unit
    }

    fn replace(&self, unit: OrgId, content: Value, version: i64) -> Result<OrgUnit, OrgError> {
        let meant = |other| other == version;
        organisation::replace(&self.test.platform, &self.scope, change(unit), of(content), meant)
    }

    fn remove(&self, unit: OrgId) -> Result<(), OrgError> {
        organisation::remove(&self.test.platform, &self.scope, change(unit), |_| true)
    }

    /// The events about the organisation.
    fn told(&self) -> Vec<(String, Value)> {
        let store = self.test.platform.stores.open(&self.scope).unwrap();
        let log = store.read::<_, StoreError>(|tx| tx.log().page(0, 1000)).unwrap();
        let events = log.into_iter().map(|entry| entry.event);
        let about = events.filter(|event| event.event_type.as_str().starts_with("org."));
        about.map(|event| (event.event_type.to_string(), event.data)).collect()
    }
}

fn of(content: Value) -> OrgContent {
    serde_json::from_value(content).unwrap()
}

fn change(unit: OrgId) -> Change {
    Change { unit, actor: "usr_2".to_owned(), trace: "trace".to_owned() }
}

fn company(code: &str) -> Value {
    json!({ "kind": "company_code", "code": code, "name": "Company" })
}

fn plant(company_code: OrgId, code: &str) -> Value {
    json!({ "kind": "plant", "companyCodeId": company_code, "code": code, "name": "Plant" })
}

#[test]
fn every_change_is_an_event_with_what_was_and_what_is() {
    let stage = Stage::new();
    let unit = stage.create(company("CC1"));
    stage.test.clock.advance(chrono::TimeDelta::seconds(1));
    let changed = stage.replace(unit.id, company("CC2"), 1).unwrap();
    assert_eq!((changed.version, changed.created_at), (2, unit.created_at));
    assert!(changed.updated_at > unit.updated_at);
    assert_eq!(stage.replace(unit.id, company("CC2"), 2).unwrap(), changed, "nothing is different");
    stage.remove(unit.id).unwrap();
    let about = |version: i64, before: Value, after: Value, by: &str| {
        json!({
            "kind": "company_code", "id": unit.id, "version": version, "before": before, "after": after, "by": by
        })
    };
    assert_eq!(
        stage.told(),
        [
            ("org.created".to_owned(), about(1, Value::Null, company("CC1"), "usr_1")),
            ("org.updated".to_owned(), about(2, company("CC1"), company("CC2"), "usr_2")),
            ("org.deleted".to_owned(), about(2, company("CC2"), Value::Null, "usr_2")),
        ]
    );
    assert_eq!(organisation::find(&stage.test.platform, &stage.scope, unit.id).unwrap(), None);
}

#[test]
fn nothing_hangs_on_what_is_not_there_and_a_plant_may_move() {
    let stage = Stage::new();
    let nowhere = sample::org_unit(OrgKind::CompanyCode, "none", None).id;
    let refused = stage.ask(plant(nowhere, "P1"), None);
    assert!(matches!(&refused, Err(OrgError::Unknown(ids)) if *ids == [nowhere]), "{refused:?}");
    let (one, two) = (stage.create(company("CC1")), stage.create(company("CC2")));
    let unit = stage.create(plant(one.id, "P1"));
    assert!(matches!(stage.replace(unit.id, plant(nowhere, "P1"), 1), Err(OrgError::Unknown(_))));
    stage.replace(unit.id, plant(two.id, "P1"), 1).unwrap();
    assert!(stage.remove(one.id).is_ok(), "nothing hangs on it any more");
    assert_eq!(stage.told().len(), 5);
}

#[test]
fn a_code_or_an_assignment_that_is_taken_is_refused_by_name() {
    let stage = Stage::new();
    let cc = stage.create(company("CC1"));
    let refused = stage.ask(company("CC1"), None);
    let Err(OrgError::CodeTaken { kind, code }) = refused else { panic!("{refused:?}") };
    assert_eq!((kind, code.as_str()), (OrgKind::CompanyCode, "CC1"));
    let other = stage.create(company("cc1"));
    assert!(matches!(stage.replace(other.id, company("CC1"), 1), Err(OrgError::CodeTaken { .. })));
    let porg = stage.create(json!({ "kind": "purchasing_org", "code": "CC1", "name": "Org" }));
    let assignment = json!({ "kind": "porg_assignment", "purchasingOrgId": porg.id, "companyCodeId": cc.id });
    stage.create(assignment.clone());
    assert!(matches!(stage.ask(assignment, None), Err(OrgError::Assigned)));
}

#[test]
fn what_others_hang_on_stays_and_says_who_they_are() {
    let stage = Stage::new();
    let cc = stage.create(company("CC1"));
    for code in ["P7", "P3", "P5", "P1", "P6", "P2", "P4"] {
        stage.create(plant(cc.id, code));
    }
    let porg = stage.create(json!({ "kind": "purchasing_org", "code": "PO1", "name": "Org" }));
    let assignment = stage
        .create(json!({ "kind": "porg_assignment", "purchasingOrgId": porg.id, "companyCodeId": cc.id }));
    let refused = stage.remove(cc.id);
    let Err(OrgError::InUse(dependents)) = refused else { panic!("{refused:?}") };
    let told: Vec<_> =
        dependents.iter().map(|found| (found.kind, found.count, found.codes.join(" "))).collect();
    assert_eq!(
        told,
        [
            (OrgKind::Plant, 7, "P1 P2 P3 P4 P5".to_owned()),
            (OrgKind::PorgAssignment, 1, assignment.id.to_string()),
        ]
    );
    let unknown = sample::org_unit(OrgKind::Plant, "x", Some(cc.id)).id;
    assert!(matches!(stage.remove(unknown), Err(OrgError::NoSuchUnit)));
}

#[test]
fn a_stale_version_and_another_kind_change_nothing() {
    let stage = Stage::new();
    let cc = stage.create(company("CC1"));
    let stale = stage.replace(cc.id, company("CC2"), 7);
    assert!(matches!(stale, Err(OrgError::Stale { version: 1 })), "{stale:?}");
    let kept = organisation::remove(&stage.test.platform, &stage.scope, change(cc.id), |_| false);
    assert!(matches!(kept, Err(OrgError::Stale { version: 1 })), "{kept:?}");
    let other = stage.replace(cc.id, json!({ "kind": "purchasing_org", "code": "X", "name": "X" }), 1);
    assert!(matches!(other, Err(OrgError::NoSuchUnit)), "{other:?}");
    assert_eq!(stage.told().len(), 1);
}

#[test]
fn a_repeated_request_gets_the_first_answer() {
    let stage = Stage::new();
    let key = |fingerprint| Some(IdempotencyKey { scope: "key".to_owned(), fingerprint: [fingerprint; 32] });
    let first = stage.ask(company("CC1"), key(1)).unwrap();
    stage.replace(first.unit.id, company("CC2"), 1).unwrap();
    let again = stage.ask(company("CC1"), key(1)).unwrap();
    assert_eq!(again, Created { replayed: true, ..first });
    assert!(matches!(stage.ask(company("CC3"), key(2)), Err(OrgError::KeyReused)));
    let all = OrgFilter::all(OrgKind::CompanyCode);
    let listed = organisation::list(&stage.test.platform, &stage.scope, &all, None, 10).unwrap();
    assert_eq!(listed.len(), 1);
}

#[test]
fn of_many_who_want_one_code_one_gets_it() {
    let stage = Stage::new();
    let start = Barrier::new(8);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let ask = || {
            start.wait();
            stage.ask(company("CC1"), None)
        };
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let refused = outcomes.iter().filter(|outcome| matches!(outcome, Err(OrgError::CodeTaken { .. })));
    assert_eq!((refused.count(), stage.told().len()), (7, 1));
}

fn drafts(lines: &[(OrgKind, &str, Option<&str>)]) -> Vec<UnitDraft> {
    let draft = |(row, (kind, code, company_code)): (usize, &(OrgKind, &str, Option<&str>))| UnitDraft {
        at: Pointer::root().index(row),
        kind: *kind,
        code: Some((*code).to_owned()),
        name: Some("Name".to_owned()),
        description: None,
        company_code: company_code.map(str::to_owned),
        plant: None,
        purchasing_org: None,
    };
    lines.iter().enumerate().map(draft).collect()
}

impl Stage {
    fn import(&self, drafts: Vec<UnitDraft>, dry_run: bool) -> Result<BTreeMap<OrgKind, Tally>, ImportError> {
        let wish = Import { drafts, dry_run, actor: "usr_3".into(), trace: "import".into() };
        organisation::import(&self.test.platform, &self.scope, wish)
    }
}

#[test]
fn an_import_says_what_it_does_and_a_dry_run_only_says_it() {
    let stage = Stage::new();
    let cc = stage.create(json!({ "kind": "company_code", "code": "CC1", "name": "Name" }));
    stage.create(plant(cc.id, "P1"));
    let document = || {
        drafts(&[
            (OrgKind::CompanyCode, "CC1", None),
            (OrgKind::Plant, "P1", Some("CC1")),
            (OrgKind::Plant, "P2", Some("CC1")),
        ])
    };
    let planned = stage.import(document(), true).unwrap();
    assert_eq!(stage.told().len(), 2, "nothing happened");
    let done = stage.import(document(), false).unwrap();
    assert_eq!(done, planned);
    assert_eq!(done[&OrgKind::CompanyCode], Tally { unchanged: 1, ..Tally::default() });
    assert_eq!(done[&OrgKind::Plant], Tally { created: 1, updated: 1, unchanged: 0 });
    let told = stage.told().split_off(2);
    let types: Vec<_> = told.iter().map(|(event_type, _)| event_type.as_str()).collect();
    assert_eq!(types, ["org.created", "org.updated", "org.imported"]);
    assert_eq!(told[1].1["before"]["name"], "Plant");
    assert_eq!(
        told[2].1,
        json!({
            "units": {
                "company_code": { "created": 0, "updated": 0, "unchanged": 1 },
                "plant": { "created": 1, "updated": 1, "unchanged": 0 }
            },
            "by": "usr_3"
        })
    );
    let again = stage.import(document(), false).unwrap();
    assert_eq!(again[&OrgKind::Plant], Tally { unchanged: 2, ..Tally::default() });
    assert_eq!(stage.told().len(), 5, "nothing is different");
}

#[test]
fn of_a_document_with_a_fault_nothing_is_kept() {
    let stage = Stage::new();
    let document = drafts(&[(OrgKind::CompanyCode, "CC1", None), (OrgKind::Plant, "P1", Some("CC2"))]);
    for dry_run in [true, false] {
        let Err(ImportError::Invalid(findings)) = stage.import(document.clone(), dry_run) else { panic!() };
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.pointer.as_str(), finding.code.as_ref()), ("/1/companyCode", "unknown_org_unit"));
    }
    assert!(stage.told().is_empty());
    assert!(organisation::whole(&stage.test.platform, &stage.scope).unwrap().units().is_empty());
    let too_many = vec![document[0].clone(); MOST_UNITS + 1];
    let Err(ImportError::Invalid(findings)) = stage.import(too_many, false) else { panic!() };
    assert_eq!(findings[0].code, "too_many_units");
}
