//! What happens to accounts besides their provisioning.

use chrono::{DateTime, Utc};
use serde_json::Value;
use tenantry_domain::account::engine::{AccountEvent, Emission, PriceMark};
use tenantry_domain::account::{Account, AccountMapping, AccountStatus, AppliedTrade};
use tenantry_domain::config::ConfigVersion;
use tenantry_domain::event::EventType;
use tenantry_domain::id::AccountId;

use super::{Traced, event};
use crate::accounts::Hand;
use crate::days::Rolled;
use crate::events::data;
use crate::trades::{Marked, TradeOutcome, TradeResult};

/// `account.mapped`.
pub(crate) fn mapped(mapping: &AccountMapping, trace: String) -> Traced {
    let AccountMapping { account, user, mapped_by, .. } = mapping;
    let data = data::Mapping { account_id: *account, user_id: user, by: mapped_by.as_deref() };
    Traced { event: event(EventType::ACCOUNT_MAPPED, &data).account(*account), trace }
}

/// `account.unmapped`.
pub(crate) fn unmapped(mapping: &AccountMapping, trace: String) -> Traced {
    let AccountMapping { account, user, unmapped, .. } = mapping;
    let by = unmapped.as_ref().map(|unmapped| unmapped.by.as_str());
    let data = data::Mapping { account_id: *account, user_id: user, by };
    Traced { event: event(EventType::ACCOUNT_UNMAPPED, &data).account(*account), trace }
}

/// What the engine tells of an account, by whose hand it came, and what was applied for it.
pub(crate) fn emitted(
    account: AccountId,
    version: ConfigVersion,
    emission: &Emission,
    applied: &AccountEvent,
    hand: &Hand,
) -> Traced {
    let data = data::Emitted { told: emission.data(), by: &hand.actor, applied };
    let event = event(emission.event_type(), &data).account(account).config_version(version);
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
    let data = data::AccountChanged { changed, before: &before, after: &after, by: &hand.actor, applied };
    let event =
        event(EventType::ACCOUNT_UPDATED, &data).account(account.id).config_version(account.config_version);
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
    let data = data::AccountTraded {
        applied: applied.len(),
        duplicates: count(|outcome| matches!(outcome, TradeOutcome::Duplicate(_))),
        refused: count(|outcome| matches!(outcome, TradeOutcome::Refused(_))),
        first_trade_id: id(applied.first()),
        last_trade_id: id(applied.last()),
        status: data::StatusMoved { before, after: state.status },
        balance: state.balance,
        equity: state.equity,
        as_of: state.as_of,
        version: account.version,
        by: &hand.actor,
    };
    let event =
        event(EventType::ACCOUNT_TRADED, &data).account(account.id).config_version(account.config_version);
    Traced { event, trace: hand.trace.clone() }
}

/// `days.rolled`: until when, and to how many accounts time did something. What came of it is told of each.
pub(crate) fn days_rolled(until: DateTime<Utc>, rolled: Rolled, hand: &Hand) -> Traced {
    let Rolled { accounts: rolled, resumed, expired } = rolled;
    let accounts = data::AccountsRolled { rolled, resumed, expired };
    let data = data::DaysRolled { until, accounts, by: &hand.actor };
    Traced { event: event(EventType::DAYS_ROLLED, &data), trace: hand.trace.clone() }
}

/// `prices.marked`: the prices, and what became of the accounts that hold what has them.
pub(crate) fn prices_marked(marks: &[PriceMark], marked: Marked, hand: &Hand) -> Traced {
    let Marked { revalued, breached, skipped } = marked;
    let data = data::PricesMarked {
        marks,
        accounts: data::AccountsMarked { revalued, breached, skipped },
        by: &hand.actor,
    };
    Traced { event: event(EventType::PRICES_MARKED, &data), trace: hand.trace.clone() }
}
