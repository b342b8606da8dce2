//! What happens to accounts.

use schemars::JsonSchema;
use serde_json::{Value, json};
use tenantry_domain::account::Rule;
use tenantry_domain::account::engine::{
    AccountClosed, ChallengeFailed, EligiblePayout, StagePassed, StateChange, Violation,
};
use tenantry_domain::event::EventType;

use super::Described;
use crate::events::data::{
    AccountProvisioned, AccountTraded, AccountUpdated, DaysRolled, Emitted, Mapping, PricesMarked,
};

pub(super) fn accounts() -> Vec<Described> {
    let mapping =
        json!({ "accountId": "acc_0195c0de00007000800000000000000b", "userId": "user-42", "by": "operator" });
    let details =
        json!({ "challengeId": "phase-1", "consequence": "breached", "equity": 22990, "floor": 23000 });
    vec![
        Described::new::<AccountProvisioned<'_>>(
            EventType::ACCOUNT_PROVISIONED,
            "An account is ready for trades.",
            json!({
                "accountId": "acc_0195c0de00007000800000000000000b",
                "userId": "user-42",
                "configId": "25k-eval-v1",
                "configVersion": 1,
                "status": "provisioned",
                "balance": 25000,
                "by": "operator",
            }),
        ),
        Described::new::<AccountUpdated<'_>>(
            EventType::ACCOUNT_UPDATED,
            "Notes, config or state of an account changed, or positions were closed by no trade.",
            json!({
                "changed": ["meta"], "before": { "meta": null }, "after": { "meta": { "desk": "A" } },
                "by": "operator",
            }),
        ),
        Described::new::<Mapping<'_>>(
            EventType::ACCOUNT_MAPPED,
            "An account was mapped to a website user.",
            mapping.clone(),
        ),
        Described::new::<Mapping<'_>>(
            EventType::ACCOUNT_UNMAPPED,
            "A website user's mapping to an account was removed.",
            mapping,
        ),
        emitted::<StateChange>(
            EventType::ACCOUNT_STATE_CHANGED,
            "An account's status changed.",
            json!({ "from": "active", "to": "breached", "reason": "max_drawdown" }),
        ),
        emitted::<AccountClosed>(
            EventType::ACCOUNT_CLOSED,
            "An account was closed.",
            json!({ "balance": 25100.5 }),
        ),
        emitted::<StagePassed>(
            EventType::CHALLENGE_MILESTONE,
            "An account passed a stage.",
            json!({
                "milestone": "phase-1-pass", "challengeId": "phase-1", "nextChallengeId": "phase-2",
                "balance": 27000, "profit": 2000, "tradingDays": 6, "winningDays": 4,
            }),
        ),
        emitted::<ChallengeFailed>(
            EventType::CHALLENGE_FAILED,
            "An account has failed its stage, or its funded account.",
            json!({
                "challengeId": "phase-1", "rule": "max_drawdown", "value": 2010, "limit": 2000,
                "balance": 22990, "details": details,
            }),
        ),
        emitted::<EligiblePayout>(
            EventType::PAYOUT_ELIGIBLE,
            "The conditions of a staged payout hold.",
            json!({
                "payout": 0, "milestone": "funded", "payoutPercent": 80, "profit": 1000, "amount": 800,
                "on": "2025-01-31",
            }),
        ),
    ]
}

pub(super) fn trades() -> Vec<Described> {
    vec![
        Described::new::<AccountTraded<'_>>(
            EventType::ACCOUNT_TRADED,
            "Trades were applied to an account.",
            json!({
                "applied": 2, "duplicates": 0, "refused": 0, "firstTradeId": "t-1", "lastTradeId": "t-2",
                "status": { "before": "provisioned", "after": "active" },
                "balance": 25010.5, "equity": 25010.5, "asOf": "2025-01-10T10:00:00.000Z", "version": 2,
                "by": "operator",
            }),
        ),
        Described::new::<PricesMarked<'_>>(
            EventType::PRICES_MARKED,
            "Open positions of accounts were revalued at new prices.",
            json!({
                "marks": [{ "symbol": "EURUSD", "price": 1.0834, "at": "2025-01-10T10:00:00.000Z" }],
                "accounts": { "revalued": 12, "breached": 1, "skipped": 0 },
                "by": "operator",
            }),
        ),
        Described::new::<DaysRolled<'_>>(
            EventType::DAYS_ROLLED,
            "Days began for accounts that nobody reported anything of meanwhile.",
            json!({
                "until": "2025-01-11T22:00:00.000Z",
                "accounts": { "rolled": 12, "resumed": 1, "expired": 0 },
                "by": "tenantry",
            }),
        ),
    ]
}

/// What the engine tells, with who caused it by what.
fn emitted<T: JsonSchema>(event_type: EventType, about: &'static str, told: Value) -> Described {
    let mut example = told;
    example["by"] = json!("operator");
    example["applied"] = json!({ "type": "DayRolled", "at": "2025-01-10T10:00:00.000Z" });
    Described::new::<Emitted<'_, T>>(event_type, about, example)
}

pub(super) fn rules() -> Vec<Described> {
    let violation = |rule: &Rule| {
        let example = json!({
            "rule": rule.as_str(),
            "value": 751,
            "limit": 750,
            "details": { "challengeId": "phase-1", "consequence": "breached", "equity": 24249, "reference": 25000 },
        });
        emitted::<Violation>(EventType::rule_violation(*rule), "An account broke this rule.", example)
    };
    Rule::ALL.iter().map(violation).collect()
}
