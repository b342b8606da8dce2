use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::config::demo;
use crate::id::TenantId;
use crate::tenant::Slug;

fn evaluation() -> Value {
    json!({
        "id": "25k-eval-v1", "variant": "evaluation", "baseCapital": 25000,
        "challengeDefinitions": [
            { "id": "one", "durationDays": 30, "rules": { "profitTarget": 0.08, "maxDrawdown": 0.08, "dailyLossLimit": 0.03 } },
            { "id": "two", "rules": { "profitTarget": 0.05 } },
        ],
        "payoutRules": { "stagedPayouts": [
            { "milestone": "two-pass", "payoutPercent": 20.5 }, { "milestone": "monthly-profit", "payoutPercent": 79.5 },
        ] },
    })
}

fn straight() -> Value {
    let mut document = evaluation();
    document["variant"] = json!("straight-to-funded");
    document["challengeDefinitions"] = json!([{ "id": "two", "rules": {} }]);
    document
}

fn said(findings: &[Finding]) -> Vec<(&str, &str)> {
    findings.iter().map(|finding| (&*finding.code, finding.pointer.as_str())).collect()
}

/// The findings of `base` with the value at `parent` + `name` set: errors, then warnings.
fn with(base: Value, parent: &str, name: &str, value: Value) -> Logic {
    let mut document = base;
    document.pointer_mut(parent).unwrap()[name] = value;
    check_logic(&document, None)
}

#[test]
fn sound_configs_have_no_findings() {
    assert_eq!(check_logic(&evaluation(), None), Logic::default());
    assert_eq!(check_logic(&straight(), None), Logic::default());
    assert_eq!(check_logic(&demo::config(), None), Logic::default());
}

#[test]
fn every_error_of_the_table_is_found_where_it_is() {
    let rules = "/challengeDefinitions/0/rules";
    let stage = "/challengeDefinitions/0";
    let payout = "/payoutRules/stagedPayouts/1";
    let winning = json!({ "minWinningDays": 31 });
    #[rustfmt::skip]
    let cases = [
        (rules, "dailyLossLimit", json!(0.0800000001), "daily_loss_exceeds_max_drawdown", "dailyLossLimit"),
        (rules, "profitTarget", json!(8), "fraction_out_of_range", "profitTarget"),
        (rules, "maxDrawdown", json!(1.01), "fraction_out_of_range", "maxDrawdown"),
        (rules, "dailyLossLimit", json!(0), "zero_tolerance", "dailyLossLimit"),
        (rules, "dailyLossLimit", json!(0.0), "zero_tolerance", "dailyLossLimit"),
        (rules, "profitTarget", json!(0), "evaluation_without_target", "profitTarget"),
        (rules, "profitTarget", json!(null), "evaluation_without_target", "profitTarget"),
        (rules, "minTradingDays", json!(31), "impossible_trading_days", "minTradingDays"),
        (rules, "minTradingDays", json!(31.0), "impossible_trading_days", "minTradingDays"),
        (rules, "consistencyRule", winning, "impossible_trading_days", "consistencyRule/minWinningDays"),
        (rules, "leverage", json!(1e40), "number_out_of_range", "leverage"),
        (rules, "maxDrawdown", json!(1e-40), "number_out_of_range", "maxDrawdown"),
        (stage, "id", json!("two"), "duplicate_challenge_id", "/challengeDefinitions/1/id"),
        (payout, "payoutPercent", json!(79.6), "payouts_exceed_100", "/payoutRules/stagedPayouts"),
        ("", "currency", json!("DOGE"), "unknown_currency", "currency"),
        ("", "timezone", json!("Mars/Olympus"), "unknown_timezone", "timezone"),
        ("", "baseCapital", json!(1e40), "number_out_of_range", "baseCapital"),
    ];
    for (parent, name, value, code, pointer) in cases {
        let logic = with(evaluation(), parent, name, value.clone());
        let pointer =
            if pointer.starts_with('/') { pointer.to_owned() } else { format!("{parent}/{pointer}") };
        assert_eq!(said(&logic.errors), [(code, &*pointer)], "{name} = {value}");
        assert_eq!(logic.warnings, [], "{name} = {value}");
    }
}

#[test]
fn a_zero_drawdown_is_also_below_the_daily_limit() {
    let logic = with(evaluation(), "/challengeDefinitions/0/rules", "maxDrawdown", json!(0));
    assert_eq!(
        logic.errors.iter().map(|finding| &*finding.code).collect::<Vec<_>>(),
        ["zero_tolerance", "daily_loss_exceeds_max_drawdown"]
    );
}

#[test]
fn straight_to_funded_has_nothing_to_pass() {
    let stages = json!([{ "id": "two", "rules": {} }, { "id": "three", "rules": {} }]);
    let logic = with(straight(), "", "challengeDefinitions", stages);
    assert_eq!(said(&logic.errors), [("straight_to_funded_with_stages", "/challengeDefinitions")]);

    let logic = with(straight(), "/challengeDefinitions/0", "durationDays", json!(30));
    assert_eq!(
        said(&logic.errors),
        [("straight_to_funded_with_stages", "/challengeDefinitions/0/durationDays")]
    );
    assert_eq!(with(straight(), "/challengeDefinitions/0", "durationDays", json!(0)), Logic::default());
}

#[test]
fn without_a_duration_no_number_of_days_is_impossible() {
    let rules = "/challengeDefinitions/1/rules";
    assert_eq!(with(evaluation(), rules, "minTradingDays", json!(1000)), Logic::default());
    let mut document = evaluation();
    document["challengeDefinitions"][1]["durationDays"] = json!(0);
    assert_eq!(with(document, rules, "minTradingDays", json!(1000)), Logic::default());
    let equal = with(evaluation(), "/challengeDefinitions/0/rules", "minTradingDays", json!(30));
    assert_eq!(equal, Logic::default());
}

#[test]
fn warnings_are_given_for_low_payouts_and_unknown_milestones() {
    let payout = "/payoutRules/stagedPayouts/1";
    let low = with(evaluation(), payout, "payoutPercent", json!(79.4));
    assert_eq!(said(&low.warnings), [("payouts_below_100", "/payoutRules/stagedPayouts")]);
    let unknown = with(evaluation(), payout, "milestone", json!("three-pass"));
    assert_eq!(said(&unknown.warnings), [("unknown_milestone", "/payoutRules/stagedPayouts/1/milestone")]);
    assert_eq!(with(evaluation(), payout, "milestone", json!("funded")), Logic::default());
    // What is not known to be a number may still complete the sum.
    assert_eq!(with(evaluation(), payout, "payoutPercent", json!("79.5")), Logic::default());
}

#[test]
fn a_config_belongs_to_the_tenant_it_is_uploaded_to() {
    let slug = Slug::new("acme").unwrap();
    let tenant_id: TenantId = "ten_3fa85f6457174562b3fc2c963f66afa6".parse().unwrap();
    let owner = Owner { tenant_id, slug: &slug };
    for (tenant, expected) in [
        ("acme", None),
        ("ten_3fa85f6457174562b3fc2c963f66afa6", None),
        ("other", Some("tenant_mismatch")),
        ("", Some("tenant_mismatch")),
        ("ACME", Some("tenant_mismatch")),
    ] {
        let mut document = evaluation();
        document["tenantId"] = json!(tenant);
        let found = check_logic(&document, Some(&owner)).errors.into_iter().next();
        assert_eq!(found.as_ref().map(|finding| &*finding.code), expected, "{tenant:?}");
        assert_eq!(check_logic(&document, None), Logic::default());
    }
}

#[test]
fn sums_and_comparisons_are_exact() {
    // In binary floats 0.1 + 0.2 + 99.7 is not 100, and 0.1 + 0.2 > 0.3.
    let mut document = evaluation();
    document["payoutRules"]["stagedPayouts"] = json!([
        { "milestone": "funded", "payoutPercent": 0.1 }, { "milestone": "funded", "payoutPercent": 0.2 },
        { "milestone": "funded", "payoutPercent": 99.7 },
    ]);
    assert_eq!(check_logic(&document, None), Logic::default());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z-]{0,8}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(MEMBERS), inner), 0..6).prop_map(|members| members
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect()),
        ]
    })
}

#[rustfmt::skip]
const MEMBERS: &[&str] = &[
    "id", "variant", "rules", "profitTarget", "maxDrawdown", "dailyLossLimit", "durationDays", "minTradingDays",
    "consistencyRule", "minWinningDays", "milestone", "payoutPercent", "leverage",
];

proptest! {
    #[test]
    fn any_document_is_looked_at_without_a_panic(stages in any_json(), payouts in any_json(), currency in any_json()) {
        for variant in ["evaluation", "straight-to-funded", ""] {
            let document = json!({
                "variant": variant, "currency": currency, "challengeDefinitions": [stages, stages],
                "payoutRules": { "stagedPayouts": [payouts] },
            });
            check_logic(&document, None);
            check_logic(&stages, None);
        }
    }
}
