use std::sync::Arc;

use tenantry_domain::Amount;
use tenantry_domain::account::Account;
use tenantry_domain::account::engine::{Refusal, Trade, TradeId, Violation};
use tenantry_domain::config::AccountConfig;
use tenantry_domain::id::AccountId;
use tenantry_ports::{Constraint, IdempotencyKey, StoreError, TenantScope};

use super::batch::{Batch, Decided, Doubt};
use crate::accounts::Hand;
use crate::{Platform, days};

/// Most trades in one transaction, but for a command that alone has more.
const MOST: usize = 2000;

/// Trades that somebody reports of an account.
#[derive(Debug, Clone)]
pub struct ApplyTrades {
    /// The account.
    pub account: AccountId,
    /// The trades, in the order in which they are to be applied.
    pub trades: Vec<Trade>,
    /// Makes a repeated request get the first answer.
    pub idempotency: Option<IdempotencyKey>,
    /// Who reports them.
    pub hand: Hand,
}

/// What became of trades, and of their account.
#[derive(Debug, Clone)]
pub struct Traded {
    /// The account after the last of them.
    pub account: Account,
    /// The config version it follows.
    pub config: Arc<AccountConfig>,
    /// What became of each trade, in their order.
    pub results: Vec<TradeResult>,
    /// The rules that were broken, in order.
    pub violations: Vec<TradeViolation>,
}

/// What became of a trade.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeResult {
    /// Its id.
    pub trade_id: TradeId,
    /// What became of it.
    pub outcome: TradeOutcome,
}

/// What became of a trade. Amounts are without its commission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TradeOutcome {
    /// It was applied, and brought this by what it closed.
    Applied(Amount),
    /// It had been applied before, and brought this then.
    Duplicate(Amount),
    /// It was not applied, and may come again.
    Refused(Refusal),
}

/// A rule that was broken when a trade came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradeViolation {
    /// The trade.
    pub trade_id: TradeId,
    /// The rule, and how it was broken.
    pub violation: Violation,
}

/// The answer to somebody who reported trades: bytes, so that a repeated request gets the very same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The body.
    pub body: Vec<u8>,
    /// Whether it was given before.
    pub replayed: bool,
}

/// Why nothing became of trades.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TradeError {
    /// There is no such account.
    #[error("there is no such account")]
    NoSuchAccount,
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The store failed, for all that was done together.
    #[error(transparent)]
    Store(Arc<StoreError>),
}

/// Applies trades to their accounts, command by command and trade by trade in their order. What a command changes, its
/// events and its first answer are kept together or not at all; many commands share a transaction.
///
/// `answer` writes the answer, which is kept for repeated requests.
pub fn apply(
    platform: &Platform,
    scope: &TenantScope,
    slice: &[ApplyTrades],
    answer: fn(&Traded) -> Vec<u8>,
) -> Vec<Result<Receipt, TradeError>> {
    let mut results = Vec::with_capacity(slice.len());
    let mut rest = slice;
    while !rest.is_empty() {
        let (portion, later) = rest.split_at(portion(rest));
        results.extend(together(platform, scope, portion, answer));
        rest = later;
    }
    results
}

/// How many of these commands have their trades applied together; at least 1.
fn portion(slice: &[ApplyTrades]) -> usize {
    let mut trades = 0;
    let fits = slice.iter().take_while(|command| {
        trades += command.trades.len();
        trades <= MOST
    });
    fits.count().max(1)
}

fn together(
    platform: &Platform,
    scope: &TenantScope,
    slice: &[ApplyTrades],
    answer: fn(&Traded) -> Vec<u8>,
) -> Vec<Result<Receipt, TradeError>> {
    let now = platform.clock.now();
    let attempt = |doubt| {
        days::write(platform, scope, |tx, looks| {
            // First in line, then looking around: from here on nobody else changes what is read.
            let head = tx.log().lock()?;
            let mut batch = Batch::open(platform, tx, slice, head, now, doubt)?;
            let decided: Vec<_> = slice.iter().map(|command| batch.decide(command, answer)).collect();
            batch.keep(platform, scope, tx, looks)?;
            Ok::<_, StoreError>(decided)
        })
    };
    let outcome = match attempt(Doubt::NoYounger) {
        Err(StoreError::Conflict(Constraint::TradeId)) => attempt(Doubt::Every),
        outcome => outcome,
    };
    match outcome {
        Ok(decided) => decided.into_iter().map(|decided| Ok(decided?.receipt(answer))).collect(),
        Err(error) => {
            let error = Arc::new(error);
            slice.iter().map(|_| Err(TradeError::Store(Arc::clone(&error)))).collect()
        }
    }
}

impl Decided {
    /// Answers that nobody keeps are written when the transaction is over.
    fn receipt(self, answer: fn(&Traded) -> Vec<u8>) -> Receipt {
        match self {
            Self::Answered(receipt) => receipt,
            Self::Traded(traded) => Receipt { body: answer(&traded), replayed: false },
        }
    }
}
