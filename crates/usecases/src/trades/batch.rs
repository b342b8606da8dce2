use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{DateTime, Utc};
use tenantry_domain::account::engine::{
    AccountEvent, Emission, Rulebook, Trade, TradeId, apply_to, realised_by,
};
use tenantry_domain::account::{Account, AppliedTrade, TradePlace};
use tenantry_domain::config::{AccountConfig, Symbol};
use tenantry_domain::id::AccountId;
use tenantry_domain::{Amount, timestamp};
use tenantry_ports::{Constraint, LogHead, StoreError, StoreResult, StoredResponse, TenantScope, TenantTx};

use super::apply::{ApplyTrades, Receipt, TradeError, TradeOutcome, TradeResult, TradeViolation, Traded};
use crate::Platform;
use crate::accounts::config_of;
use crate::days::Looks;
use crate::journal::{self, Traced};

/// What a slice needs to know, and what it is going to write.
pub(super) struct Batch {
    head: LogHead,
    now: DateTime<Utc>,
    doubt: Doubt,
    /// Whether a trade was refused that may have been applied before, at another time than it says now.
    unsure: bool,
    accounts: HashMap<AccountId, Trader>,
    /// Answers given before, those of this slice included.
    known: HashMap<String, StoredResponse>,
    applied: Vec<AppliedTrade>,
    answers: Vec<StoredResponse>,
    events: Vec<Traced>,
}

/// An account and what is known of its trades.
struct Trader {
    account: Account,
    config: Arc<AccountConfig>,
    rules: Rulebook,
    /// What those of the slice's trades realised that were applied.
    realised: HashMap<TradeId, Amount>,
    /// What it held at first.
    held: Vec<Symbol>,
    /// Trades no younger than this may have been applied before: up to when it was known at first. Of an account to which nothing
    /// can happen any more, whose trades would all be refused, any may.
    doubtful: DateTime<Utc>,
    changed: bool,
}

/// What was decided on a command.
pub(super) enum Decided {
    /// There is an answer.
    Answered(Receipt),
    /// This became of it.
    Traded(Box<Traded>),
}

/// Which trades are looked for among those that were applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Those that are no younger than their account: whatever was applied to it made it at least as old as itself. A younger one is
    /// new, as long as whoever reports a trade again says the same time as before.
    NoYounger,
    /// All of them.
    Every,
}

impl Doubt {
    fn of(self, trade: &Trade, doubtful: DateTime<Utc>) -> bool {
        self == Self::Every || timestamp::whole_millis(trade.executed_at) <= doubtful
    }
}

impl Batch {
    pub(super) fn open(
        platform: &Platform,
        tx: &mut dyn TenantTx,
        slice: &[ApplyTrades],
        head: LogHead,
        now: DateTime<Utc>,
        doubt: Doubt,
    ) -> StoreResult<Self> {
        let scopes: Vec<&str> =
            slice.iter().filter_map(|command| Some(command.idempotency.as_ref()?.scope.as_str())).collect();
        let mut known = HashMap::new();
        if !scopes.is_empty() {
            let answers = tx.idempotency().find(&scopes, now - platform.policy.idempotency_retention)?;
            known.extend(answers.into_iter().map(|answer| (answer.key.scope.clone(), answer)));
        }
        let ids: BTreeSet<_> = slice.iter().map(|command| command.account).collect();
        let mut accounts = HashMap::with_capacity(ids.len());
        for account in tx.accounts().get(&ids.into_iter().collect::<Vec<_>>())? {
            let config = config_of(platform, tx, &account)?;
            let rules = platform.configs.rules(&account.config_hash, &config);
            let held = symbols(&account);
            let doubtful = match account.state.status.is_final() {
                true => DateTime::<Utc>::MAX_UTC,
                false => account.state.as_of,
            };
            let (realised, changed) = (HashMap::new(), false);
            accounts.insert(account.id, Trader { account, config, rules, realised, held, doubtful, changed });
        }
        let mut asked = Vec::new();
        for ApplyTrades { account: id, trades, .. } in slice {
            let Some(Trader { doubtful, .. }) = accounts.get(id) else { continue };
            let in_doubt = trades.iter().filter(|trade| doubt.of(trade, *doubtful));
            asked.extend(in_doubt.map(|trade| (*id, &trade.trade_id)));
        }
        for (account, id, realised) in tx.trades().realised(&asked)? {
            if let Some(trader) = accounts.get_mut(&account) {
                trader.realised.insert(id, realised);
            }
        }
        let (applied, answers, events) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { head, now, doubt, unsure: false, accounts, known, applied, answers, events })
    }

    /// Decides on a command, and applies its trades.
    pub(super) fn decide(
        &mut self,
        command: &ApplyTrades,
        answer: fn(&Traded) -> Vec<u8>,
    ) -> Result<Decided, TradeError> {
        if let Some(key) = &command.idempotency
            && let Some(before) = self.known.get(&key.scope)
        {
            if before.key.fingerprint != key.fingerprint {
                return Err(TradeError::KeyReused);
            }
            return Ok(Decided::Answered(Receipt { body: before.body.clone(), replayed: true }));
        }
        let traded = self.trade(command).ok_or(TradeError::NoSuchAccount)?;
        let Some(key) = &command.idempotency else {
            return Ok(Decided::Traded(Box::new(traded)));
        };
        let body = answer(&traded);
        let kept = StoredResponse { key: key.clone(), status: 200, body: body.clone(), created_at: self.now };
        self.known.insert(key.scope.clone(), kept.clone());
        self.answers.push(kept);
        Ok(Decided::Answered(Receipt { body, replayed: false }))
    }

    /// Applies a command's trades; none if there is no such account.
    fn trade(&mut self, command: &ApplyTrades) -> Option<Traded> {
        let trader = self.accounts.get_mut(&command.account)?;
        let mut results = Vec::with_capacity(command.trades.len());
        let (mut told, mut violations) = (Vec::new(), Vec::new());
        let before = trader.account.state.status;
        // The entry that tells of the request comes before those of what came of it.
        let sequence = self.head.sequence + 1 + i64::try_from(self.events.len()).unwrap_or(i64::MAX);
        let (mut changed, earlier) = (false, self.applied.len());
        for (index, trade) in (0..).zip(&command.trades) {
            let trade_id = trade.trade_id.clone();
            if let Some(realised) = trader.realised.get(&trade_id) {
                results.push(TradeResult { trade_id, outcome: TradeOutcome::Duplicate(*realised) });
                continue;
            }
            let realised = realised_by(&trader.account.state, trade);
            let event = AccountEvent::TradeExecuted(trade.clone());
            let outcome = apply_to(&trader.rules, &mut trader.account.state, &event);
            changed |= outcome.changed;
            for emission in outcome.emitted {
                let Account { id, config_version, .. } = trader.account;
                told.push(journal::accounts::emitted(id, config_version, &emission, &event, &command.hand));
                if let Emission::RuleViolated(violation) = emission {
                    violations.push(TradeViolation { trade_id: trade_id.clone(), violation });
                }
            }
            let outcome = match outcome.refusal {
                Some(refusal) => {
                    self.unsure |= !self.doubt.of(trade, trader.doubtful);
                    TradeOutcome::Refused(refusal)
                }
                None => {
                    trader.realised.insert(trade_id.clone(), realised);
                    if let AccountEvent::TradeExecuted(trade) = event {
                        let (account, place) = (command.account, TradePlace { sequence, index });
                        self.applied.push(AppliedTrade { account, trade, realised_pnl: realised, place });
                    }
                    TradeOutcome::Applied(realised)
                }
            };
            results.push(TradeResult { trade_id, outcome });
        }
        if changed && !trader.changed {
            trader.changed = true;
            trader.account.version += 1;
            trader.account.updated_at = timestamp::whole_millis(self.now);
        }
        if changed {
            let applied = &self.applied[earlier..];
            let traded = journal::accounts::traded(&trader.account, before, applied, &results, &command.hand);
            self.events.push(traded);
        }
        self.events.extend(told);
        let (account, config) = (trader.account.clone(), Arc::clone(&trader.config));
        Some(Traded { account, config, results, violations })
    }

    /// Writes what came of the slice. `Conflict(TradeId)` if trades were applied before, or may have been, that were not looked for.
    pub(super) fn keep(
        self,
        platform: &Platform,
        scope: &TenantScope,
        tx: &mut dyn TenantTx,
        looks: &mut Looks,
    ) -> StoreResult<()> {
        if self.unsure {
            return Err(StoreError::Conflict(Constraint::TradeId));
        }
        let (mut changed, mut opened, mut closed) = (Vec::new(), Vec::new(), Vec::new());
        for mut trader in self.accounts.into_values().filter(|trader| trader.changed) {
            looks.plan(platform, &mut trader.account, &trader.rules, self.now);
            let holds = symbols(&trader.account);
            let id = trader.account.id;
            opened
                .extend(holds.iter().filter(|symbol| !trader.held.contains(symbol)).map(|s| (s.clone(), id)));
            closed.extend(trader.held.into_iter().filter(|symbol| !holds.contains(symbol)).map(|s| (s, id)));
            changed.push(trader.account);
        }
        tx.accounts().update(&changed)?;
        tx.trades().insert(&self.applied)?;
        tx.holdings().add(&opened)?;
        tx.holdings().remove(&closed)?;
        if !self.events.is_empty() {
            journal::append(platform, scope, tx, self.head, self.events, self.now)?;
        }
        if !self.answers.is_empty() {
            let since = self.now - platform.policy.idempotency_retention;
            tx.idempotency().insert(&self.answers, since)?;
        }
        Ok(())
    }
}

/// What the account holds, in order.
fn symbols(account: &Account) -> Vec<Symbol> {
    account.state.open_positions.iter().map(|position| position.symbol.clone()).collect()
}
