use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Value, json};
use tenantry_domain::account::Rule;
use tenantry_domain::account::engine::{
    AccountClosed, ChallengeFailed, EligiblePayout, StagePassed, StateChange, Violation,
};
use tenantry_domain::event::EventType;

use super::data::{
    AccountProvisioned, AccountTraded, AccountUpdated, ConfigChanged, ConfigUploaded, Emitted, Mapping,
    OrganisationImported, PricesMarked, QuotaPassed, ReuseDetected, SessionRevoked, SessionStarted,
    SessionsEnded, SettingsUpdated, TenantImported, TenantStanding, UnitChanged, UserCreated, UserUpdated,
};

/// A type of events, as those who receive them need to know it.
#[derive(Debug, Clone)]
pub struct Described {
    /// The type.
    pub event_type: EventType,
    /// When it happens: one sentence.
    pub about: &'static str,
    /// The schema of `data`, in whatever dialect the generator has. Members that are not in it may come later.
    pub schema: fn(&mut SchemaGenerator) -> Schema,
    /// The same by itself (draft 7).
    pub alone: fn() -> Value,
    /// A `data` that there might be.
    pub example: Value,
}

impl Described {
    fn new<T: JsonSchema>(event_type: EventType, about: &'static str, example: Value) -> Self {
        let alone = || SchemaSettings::draft07().into_generator().into_root_schema_for::<T>().to_value();
        Self { event_type, about, schema: |generator| generator.subschema_for::<T>(), alone, example }
    }
}

/// Types of which nothing is written yet: what is in them is for whoever writes the first.
pub const UNWRITTEN: &[EventType] = &[EventType::WEBHOOK_ENDPOINT_DISABLED];

/// Every type of events that is written, with its data.
pub fn catalogue() -> Vec<Described> {
    [
        tenants(),
        settings_and_configs(),
        configuration(),
        organisation(),
        accounts(),
        trades(),
        rules(),
        people(),
    ]
    .concat()
}

fn tenants() -> Vec<Described> {
    let standing = |status: &str| json!({ "slug": "acme", "name": "Acme Ltd.", "plan": "Premium", "status": status, "version": 3 });
    let with = |status, more: Value| {
        let mut data = standing(status);
        data.as_object_mut()
            .into_iter()
            .for_each(|data| data.extend(more.as_object().cloned().unwrap_or_default()));
        data
    };
    let step = json!({
        "run": 1, "step": "CreateDatabase", "attempt": 1,
        "startedAt": "2025-01-10T10:00:00.000Z", "completedAt": "2025-01-10T10:00:00.250Z",
    });
    let failed = json!({
        "error": { "code": "provisioning_failed", "message": "The database could not be created." },
        "needsAttention": false,
    });
    let imported = json!({
        "archive": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
        "exportedAt": "2025-01-10T10:00:00.000Z",
        "from": { "tenantId": "ten_3fa85f6457174562b3fc2c963f66afa6", "slug": "acme" },
        "records": { "account": 12, "event": 40 },
    });
    let lifecycle = Described::new::<TenantStanding<'_>>;
    vec![
        lifecycle(
            EventType::TENANT_PROVISIONING_QUEUED,
            "A tenant was confirmed and waits for a worker.",
            standing("QUEUED"),
        ),
        lifecycle(
            EventType::TENANT_PROVISIONING_STARTED,
            "A worker began to provision a tenant.",
            standing("Provisioning"),
        ),
        lifecycle(
            EventType::TENANT_PROVISIONING_STEP_COMPLETED,
            "A step of a tenant's provisioning succeeded.",
            with("Provisioning", step),
        ),
        lifecycle(
            EventType::TENANT_PROVISIONING_FAILED,
            "A tenant's provisioning failed for good and was undone.",
            with("Failed", failed),
        ),
        lifecycle(EventType::TENANT_ACTIVATED, "A tenant can be used.", standing("Active")),
        lifecycle(EventType::TENANT_SUSPENDED, "A tenant was suspended.", standing("Suspended")),
        lifecycle(EventType::TENANT_RESUMED, "A tenant can be used again.", standing("Active")),
        lifecycle(EventType::TENANT_DELETED, "A tenant and its database are gone.", standing("Deleted")),
        Described::new::<TenantImported<'_>>(
            EventType::TENANT_IMPORTED,
            "The tenant took over what another one was exported with.",
            imported,
        ),
    ]
}

fn settings_and_configs() -> Vec<Described> {
    let settings =
        |strategy: &str| json!({ "allowedConfigs": "*", "versioningStrategy": strategy, "quotas": {} });
    let quota = |used: u64| json!({ "quota": "maxAccounts", "limit": 100, "used": used });
    vec![
        Described::new::<SettingsUpdated<'_>>(
            EventType::SETTINGS_UPDATED,
            "The tenant's settings were changed.",
            json!({ "changedBy": "operator", "before": settings("explicit"), "after": settings("internal") }),
        ),
        Described::new::<QuotaPassed>(
            EventType::QUOTA_WARNING,
            "Four fifths of what the tenant may have of something are used.",
            quota(80),
        ),
        Described::new::<QuotaPassed>(
            EventType::QUOTA_REACHED,
            "The tenant has as many of something as it may have.",
            quota(100),
        ),
        Described::new::<ConfigUploaded<'_>>(
            EventType::CONFIG_UPLOADED,
            "A version of an account config was stored.",
            json!({
                "configId": "25k-eval-v1",
                "version": 1,
                "hash": "7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730",
                "uploadedBy": "key_0195c0de00007000800000000000000a",
            }),
        ),
    ]
}

fn configuration() -> Vec<Described> {
    let content = |name: &str| json!({ "processName": name });
    let example = |id: &str, before: Value, after: Value| json!({ "configId": id, "version": 2, "changedBy": "operator", "before": before, "after": after });
    let process = "pc_0195c0de00007000800000000000000d";
    let changed = Described::new::<ConfigChanged<'_>>;
    vec![
        changed(
            EventType::CONFIG_BASIS_UPDATED,
            "The tenant's basis was configured, changed or taken back to what it was.",
            example(
                "tc_0195c0de00007000800000000000000d",
                json!({ "theme": "light" }),
                json!({ "theme": "dark" }),
            ),
        ),
        changed(
            EventType::CONFIG_PROCESS_CREATED,
            "A process was configured, or taken back after it was removed.",
            example(process, Value::Null, content("Purchasing")),
        ),
        changed(
            EventType::CONFIG_PROCESS_UPDATED,
            "A process was changed.",
            example(process, content("Purchasing"), content("Buying")),
        ),
        changed(
            EventType::CONFIG_PROCESS_DELETED,
            "A process was removed.",
            example(process, content("Buying"), Value::Null),
        ),
    ]
}

fn organisation() -> Vec<Described> {
    let content = |name: &str| json!({ "kind": "company_code", "code": "1000", "name": name });
    let example = |before: Value, after: Value| json!({ "kind": "company_code", "id": "cc_0195c0de00007000800000000000000e", "version": 2, "before": before, "after": after, "by": "operator" });
    let unit = Described::new::<UnitChanged<'_>>;
    vec![
        unit(
            EventType::ORG_CREATED,
            "A unit of the organisation was created.",
            example(Value::Null, content("Acme")),
        ),
        unit(
            EventType::ORG_UPDATED,
            "A unit of the organisation was changed.",
            example(content("Acme"), content("Acme Ltd.")),
        ),
        unit(
            EventType::ORG_DELETED,
            "A unit of the organisation was deleted.",
            example(content("Acme Ltd."), Value::Null),
        ),
        Described::new::<OrganisationImported<'_>>(
            EventType::ORG_IMPORTED,
            "A document about the organisation was imported; what it changed is told before.",
            json!({ "units": { "company_code": { "created": 1, "updated": 0, "unchanged": 2 } }, "by": "operator" }),
        ),
    ]
}

fn accounts() -> Vec<Described> {
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

fn trades() -> Vec<Described> {
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
    ]
}

/// What the engine tells, with who caused it by what.
fn emitted<T: JsonSchema>(event_type: EventType, about: &'static str, told: Value) -> Described {
    let mut example = told;
    example["by"] = json!("operator");
    example["applied"] = json!({ "type": "DayRolled", "at": "2025-01-10T10:00:00.000Z" });
    Described::new::<Emitted<'_, T>>(event_type, about, example)
}

fn rules() -> Vec<Described> {
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

fn people() -> Vec<Described> {
    let (user, session) = ("usr_0195c0de00007000800000000000000a", "ses_0195c0de00007000800000000000000c");
    let ended = |by: &str| json!({ "userId": user, "sessionsEnded": 2, "by": by });
    vec![
        Described::new::<UserCreated<'_>>(
            EventType::USER_CREATED,
            "A person who can sign in was created.",
            json!({ "userId": user, "username": "ann", "role": "USER", "by": "operator" }),
        ),
        Described::new::<UserUpdated<'_>>(
            EventType::USER_UPDATED,
            "A person's names, role, abilities or right to sign in changed.",
            json!({
                "userId": user, "version": 2, "changed": ["role"], "role": "VENDOR", "active": true,
                "sessionsEnded": 0, "by": "operator",
            }),
        ),
        Described::new::<SessionsEnded<'_>>(
            EventType::USER_PASSWORD_CHANGED,
            "A person changed their password.",
            ended(user),
        ),
        Described::new::<SessionsEnded<'_>>(
            EventType::USER_SIGNED_OUT,
            "A person was signed out of all their sessions at once.",
            ended("operator"),
        ),
        Described::new::<SessionStarted>(
            EventType::SESSION_STARTED,
            "A person signed in.",
            json!({ "sessionId": session, "userId": user }),
        ),
        Described::new::<SessionRevoked<'_>>(
            EventType::SESSION_REVOKED,
            "A sign-in was ended before its time.",
            json!({ "sessionId": session, "userId": user, "reason": "signed_out", "by": user }),
        ),
        Described::new::<ReuseDetected>(
            EventType::SESSION_REUSE_DETECTED,
            "A refresh token that was exchanged before came again, so its session was ended.",
            json!({ "sessionId": session, "userId": user, "generation": 3 }),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_type_is_described_once_or_known_to_be_unwritten() {
        let described: Vec<_> = catalogue().into_iter().map(|described| described.event_type).collect();
        let distinct: BTreeSet<_> = described.iter().chain(UNWRITTEN).cloned().collect();
        assert_eq!(distinct.len(), described.len() + UNWRITTEN.len(), "one is there twice");
        let rules = Rule::ALL.iter().map(|rule| EventType::rule_violation(*rule));
        let all: BTreeSet<_> = EventType::FIXED.iter().cloned().chain(rules).collect();
        assert_eq!(distinct, all, "describe it in events/catalogue.rs");
    }
}
