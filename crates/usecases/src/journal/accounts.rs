//! What happens to accounts besides their provisioning.

use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use tenantry_domain::account::engine::{AccountEvent, Emission, PriceMark};
use tenantry_domain::account::{Account, AccountMapping, AccountStatus, AppliedTrade};
use tenantry_domain::config::ConfigVersion;
use tenantry_domain::event::{EventType, NewEvent};
use tenantry_domain::id::AccountId;
use tenantry_domain::timestamp;

use super::Traced;
use crate::accounts::Hand;
use crate::days::Rolled;
use crate::trades::{Marked, TradeOutcome, TradeResult};

/// `account.mapped`.
pub(crate) fn mapped(mapping: &AccountMapping, trace: String) -> Traced {
    let AccountMapping { account, user, mapped_by, .. } = mapping;
    let data = json!({ "accountId": account, "userId": user, "by": mapped_by });
    Traced { event: NewEvent::new(EventType::ACCOUNT_MAPPED, data).account(*account), trace }
}

/// `account.unmapped`.
pub(crate) fn unmapped(mapping: &AccountMapping, trace: String) -> Traced {
    let AccountMapping { account, user, unmapped, .. } = mapping;
    let by = unmapped.as_ref().map(|unmapped| &unmapped.by);
    let data = json!({ "accountId": account, "userId": user, "by": by });
    Traced { event: NewEvent::new(EventType::ACCOUNT_UNMAPPED, data).account(*account), trace }
}

/// What the engine tells of an account, by whose hand it came, and what was applied for it.
pub(crate) fn emitted(
    account: AccountId,
    version: ConfigVersion,
    emission: &Emission,
    applied: &AccountEvent,
    hand: &Hand,
) -> Traced {
    let mut data = emission.data();
    data["by"] = json!(hand.actor);
    data["applied"] = json!(applied);
    let event = NewEvent::new(emission.event_type(), data).account(account).config_version(version);
    Traced { event, trace: hand.trace.clone() }
}

/// `account.updated`: which members changed, from what, to what, and what was applied to the account for it, if the engine had a
/// part in it.
pub(crate) fn updated(
    account: &Account,
    changed: &[&str],
    (before, after): (Value, Value),
    applied: Option<&AccountEvent>,
    hand: &Hand,
) -> Traced {
    let mut data = json!({ "changed": changed, "before": before, "after": after, "by": hand.actor });
    if let Some(applied) = applied {
        data["applied"] = json!(applied);
    }
    let event = NewEvent::new(EventType::ACCOUNT_UPDATED, data)
        .account(account.id)
        .config_version(account.config_version);
    Traced { event, trace: hand.trace.clone() }
}

/// `account.traded`: how many trades of a request were applied to the account, and how it stands after them. The trades themselves
/// are kept beside the log, under this entry's number.
pub(crate) fn traded(
    account: &Account,
    before: AccountStatus,
    applied: &[AppliedTrade],
    results: &[TradeResult],
    hand: &Hand,
) -> Traced {
    let count = |is: fn(&TradeOutcome) -> bool| results.iter().filter(|result| is(&result.outcome)).count();
    let id = |applied: Option<&AppliedTrade>| applied.map(|applied| applied.trade.trade_id.clone());
    let state = &account.state;
    let data = json!({
        "applied": applied.len(),
        "duplicates": count(|outcome| matches!(outcome, TradeOutcome::Duplicate(_))),
        "refused": count(|outcome| matches!(outcome, TradeOutcome::Refused(_))),
        "firstTradeId": id(applied.first()),
        "lastTradeId": id(applied.last()),
        "status": { "before": before, "after": state.status },
        "balance": state.balance,
        "equity": state.equity,
        "asOf": timestamp::to_text(state.as_of),
        "version": account.version,
        "by": hand.actor,
    });
    let event = NewEvent::new(EventType::ACCOUNT_TRADED, data)
        .account(account.id)
        .config_version(account.config_version);
    Traced { event, trace: hand.trace.clone() }
}

/// `days.rolled`: until when, and to how many accounts time did something. What came of it is told of each.
pub(crate) fn days_rolled(until: DateTime<Utc>, rolled: Rolled, hand: &Hand) -> Traced {
    let Rolled { accounts, resumed, expired } = rolled;
    let data = json!({
        "until": timestamp::to_text(until),
        "accounts": { "rolled": accounts, "resumed": resumed, "expired": expired },
        "by": hand.actor,
    });
    Traced { event: NewEvent::new(EventType::DAYS_ROLLED, data), trace: hand.trace.clone() }
}

/// `prices.marked`: the prices, and what became of the accounts that hold what has them.
pub(crate) fn prices_marked(marks: &[PriceMark], marked: Marked, hand: &Hand) -> Traced {
    let Marked { revalued, breached, skipped } = marked;
    let data = json!({
        "marks": marks,
        "accounts": { "revalued": revalued, "breached": breached, "skipped": skipped },
        "by": hand.actor,
    });
    Traced { event: NewEvent::new(EventType::PRICES_MARKED, data), trace: hand.trace.clone() }
}
