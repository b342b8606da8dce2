//! Validating and uploading agree on every document, with the real schema.

use proptest::prelude::*;
use serde_json::{Value, json};
use tenantry_ports::TenantScope;
use tenantry_usecases::configs::{self, Upload, UploadError};
use tenantry_usecases::tenants::{self, TenantRef};

use super::{World, config};

/// Members that a config has or might have, and a stage, and a payout.
const PLACES: [&str; 24] = [
    "/id",
    "/displayName",
    "/description",
    "/baseCapital",
    "/currency",
    "/variant",
    "/tenantId",
    "/parentConfigId",
    "/allowedInstruments",
    "/timezone",
    "/challengeDefinitions",
    "/challengeDefinitions/0",
    "/challengeDefinitions/0/id",
    "/challengeDefinitions/0/durationDays",
    "/challengeDefinitions/0/rules",
    "/challengeDefinitions/0/rules/profitTarget",
    "/challengeDefinitions/0/rules/dailyLossLimit",
    "/challengeDefinitions/0/rules/maxDrawdown",
    "/challengeDefinitions/0/rules/minTradingDays",
    "/payoutRules",
    "/payoutRules/stagedPayouts",
    "/payoutRules/stagedPayouts/0/payoutPercent",
    "/payoutRules/stagedPayouts/0/milestone",
    "/meta",
];

/// A change of one place: another value there, or none.
fn change() -> impl Strategy<Value = (&'static str, Option<Value>)> {
    let values = [
        json!(null),
        json!(true),
        json!(0),
        json!(-1),
        json!(0.5),
        json!(3),
        json!(31),
        json!(150),
        json!(5000),
        json!(""),
        json!("x"),
        json!("acme"),
        json!("EUR"),
        json!("Europe/Berlin"),
        json!("demo-25k-eval-v1"),
        json!("own-v1"),
        json!("straight-to-funded"),
        json!("2025-01-10T10:00:00Z"),
        json!([]),
        json!(["EURUSD", "EURUSD"]),
        json!([{}]),
        json!([{ "id": "phase-1", "name": "One", "rules": { "profitTarget": 5 } }]),
        json!({}),
        json!({ "createdAt": "yesterday" }),
    ];
    (
        prop::sample::select(PLACES.to_vec()),
        prop::option::weighted(0.8, prop::sample::select(values.to_vec())),
    )
}

/// Puts the value there, or removes what is there; where there is no such place, nothing happens.
fn put(document: &mut Value, place: &str, value: Option<Value>) {
    let Some((parent, name)) = place.rsplit_once('/') else { return };
    match (document.pointer_mut(parent), value) {
        (Some(Value::Object(members)), Some(value)) => drop(members.insert(name.to_owned(), value)),
        (Some(Value::Object(members)), None) => drop(members.remove(name)),
        (Some(Value::Array(elements)), Some(value)) if !elements.is_empty() => elements[0] = value,
        _ => {}
    }
}

fn world() -> (World, TenantScope) {
    let world = World::new();
    let id = world.tenant("acme");
    let tenant = tenants::find(world.platform(), &TenantRef::Id(id)).unwrap().unwrap();
    (world, TenantScope::serving(&tenant).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn what_validates_uploads_and_what_does_not_is_refused_with_the_same_findings(
        child in any::<bool>(),
        changes in prop::collection::vec(change(), 0..4),
    ) {
        let (world, scope) = world();
        let mut document = if child {
            json!({ "id": "own-v1", "displayName": "Child", "parentConfigId": "demo-25k-eval-v1" })
        } else {
            config("own-v1")
        };
        for (place, value) in changes {
            put(&mut document, place, value);
        }
        let list = || configs::list(world.platform(), &scope, None, 200).unwrap();
        let before = list();
        let verdict = configs::validate(world.platform(), &scope, &document).unwrap();
        prop_assert_eq!(&list(), &before, "validating stores nothing");
        let upload = Upload { document: document.clone(), actor: "a".to_owned(), trace: "t".to_owned() };
        match configs::upload(world.platform(), &scope, upload) {
            Ok(uploaded) => {
                prop_assert_eq!(&verdict.errors, &[]);
                prop_assert_eq!(uploaded.warnings, verdict.warnings);
                prop_assert_eq!(uploaded.config.document, document);
            }
            // The document is fine; its id is taken by the one that every tenant begins with.
            Err(UploadError::IdTaken { .. }) => prop_assert_eq!(&verdict.errors, &[]),
            Err(UploadError::Invalid { errors, warnings }) => {
                prop_assert!(!errors.is_empty());
                prop_assert_eq!((errors, warnings), (verdict.errors, verdict.warnings));
                prop_assert_eq!(&list(), &before, "what is refused is not stored");
            }
            Err(error) => panic!("{error}"),
        }
    }
}
