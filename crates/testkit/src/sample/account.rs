use tenantry_domain::Amount;
use tenantry_domain::account::{
    Account, AccountStatus, AccountToProvision, DayStatistics, Position, Side, WebsiteUserId,
};
use tenantry_domain::config::{AccountConfig, Symbol};
use tenantry_domain::id::TenantId;
use tenantry_domain::timestamp::whole_millis;
use tenantry_ports::StoredConfig;

use super::{ODD_TEXT, at, id, json_object, now};

/// An account that was just provisioned from this config for the website user `user-1`.
///
/// # Panics
/// If the config is not valid.
pub fn account_of(tenant: TenantId, config: &StoredConfig) -> Account {
    let parsed: AccountConfig = serde_json::from_value(config.resolved.clone()).expect("a valid config");
    let new = AccountToProvision {
        id: id(),
        tenant_id: tenant,
        user_id: WebsiteUserId::new("user-1").expect("a valid id"),
        config: &parsed,
        config_version: config.version,
        config_hash: config.hash.clone(),
        meta: Some(json_object()),
    };
    Account::provision(new, now())
}

/// An account of this config that has traded: amounts of 28 significant digits, a position, days and times.
///
/// # Panics
/// If the config is not valid.
pub fn account(tenant: TenantId, config: &StoredConfig) -> Account {
    let exact = amount("12345678901234567890.12345678");
    let mut account = account_of(tenant, config);
    account.user_id = WebsiteUserId::new(ODD_TEXT).expect("a valid id");
    account.state.status = AccountStatus::Active;
    account.version = i64::from(u32::MAX) + 7;
    account.updated_at = at(9);
    account.rolls_at = Some(at(77));
    let state = &mut account.state;
    (state.balance, state.equity) = (exact, amount("-0.0000000000000000000000000001"));
    state.realised_pnl.total = amount("79228162514264337593543950.33");
    state.unrealised_pnl.today = amount("-1.234567890123456789012345678");
    state.open_positions = vec![Position {
        symbol: Symbol::new("ES 12-25").expect("a valid symbol"),
        side: Side::Short,
        quantity: amount("0.01"),
        contract_size: amount("100000"),
        average_entry_price: amount("1.092490000000000000000000001"),
        mark: amount("1.1"),
        unrealised_pnl: exact,
    }];
    state.challenge.index = 1;
    state.challenge.first_trade_at = Some(whole_millis(at(3)));
    state.days = vec![DayStatistics {
        date: state.trading_day,
        trades: 3,
        opening_trades: 2,
        closed_profit: amount("-0.1"),
    }];
    (state.trading_days, state.winning_days) = (1, 0);
    state.as_of = whole_millis(at(9));
    account
}

fn amount(text: &str) -> Amount {
    text.parse().expect("an exact amount")
}
