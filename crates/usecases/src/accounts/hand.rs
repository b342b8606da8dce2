//! What people do to one account: through the engine, and with everything that comes of it in the tenant's log.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;
use tenantry_domain::account::engine::{AccountEvent, Emission, Refusal, Rulebook, apply_to};
use tenantry_domain::account::{Account, rule_statuses};
use tenantry_domain::config::AccountConfig;
use tenantry_domain::id::AccountId;
use tenantry_domain::timestamp;
use tenantry_ports::{LogHead, StoreResult, TenantScope, TenantTx};

use super::AccountView;
use crate::Platform;
use crate::days::{Looks, is_behind};
use crate::journal::{self, Traced};

/// Who does something to an account.
#[derive(Debug, Clone)]
pub struct Hand {
    /// Who.
    pub actor: String,
    /// The request it came with, for the events.
    pub trace: String,
}

/// An account in somebody's hands.
#[derive(Clone)]
pub(super) struct InHand {
    pub(super) account: Account,
    pub(super) config: Arc<AccountConfig>,
    now: DateTime<Utc>,
    /// How much later than a day's end its last events may come.
    grace: TimeDelta,
    hand: Hand,
    events: Vec<Traced>,
    changed: bool,
}

impl InHand {
    /// The account, to be looked at and changed by whoever has locked the log; none if there is none.
    pub(super) fn take(
        platform: &Platform,
        tx: &mut dyn TenantTx,
        id: AccountId,
        hand: Hand,
        now: DateTime<Utc>,
    ) -> StoreResult<Option<Self>> {
        let Some(account) = tx.accounts().get(&[id])?.pop() else { return Ok(None) };
        let AccountView { account, config, .. } = AccountView::of(platform, tx, account)?;
        let grace = platform.policy.day_grace;
        Ok(Some(Self { account, config, now, grace, hand, events: Vec::new(), changed: false }))
    }

    /// The time of what is done now. An account whose engine goes by another time than the clock's is acted upon in that time:
    /// what it simulates is not put back, and history that it replays can go on.
    pub(super) fn at(&self) -> DateTime<Utc> {
        let (now, state) = (timestamp::whole_millis(self.now), &self.account.state);
        match is_behind(&Rulebook::of(&self.config), state, self.grace, now) {
            true => state.as_of,
            false => now.max(state.as_of),
        }
    }

    /// Gives an event to the engine, under the rules of the account's config. What time alone has done to the account is there
    /// also after a refusal.
    pub(super) fn apply(&mut self, event: &AccountEvent) -> Result<(), Refusal> {
        let rules = Rulebook::of(&self.config);
        self.apply_under(&rules, event).map(drop)
    }

    /// The same under these rules; answers with what the engine tells.
    pub(super) fn apply_under(
        &mut self,
        rules: &Rulebook,
        event: &AccountEvent,
    ) -> Result<Vec<Emission>, Refusal> {
        let outcome = apply_to(rules, &mut self.account.state, event);
        self.changed |= outcome.changed;
        let version = self.account.config_version;
        let told = outcome.emitted.iter().map(|emission| {
            journal::accounts::emitted(self.account.id, version, emission, event, &self.hand)
        });
        self.events.extend(told);
        outcome.refusal.map_or(Ok(outcome.emitted), Err)
    }

    /// Notes `account.updated`: what was changed, from what, to what.
    pub(super) fn note(
        &mut self,
        changed: &[&str],
        before: Value,
        after: Value,
        applied: Option<&AccountEvent>,
    ) {
        self.changed = true;
        let event = journal::accounts::updated(&self.account, changed, (before, after), applied, &self.hand);
        self.events.push(event);
    }

    /// Keeps the account as it is by now, with everything there is to tell; nothing, if nothing has changed.
    pub(super) fn keep(
        mut self,
        platform: &Platform,
        scope: &TenantScope,
        tx: &mut dyn TenantTx,
        head: LogHead,
        looks: &mut Looks,
    ) -> StoreResult<AccountView> {
        if self.changed {
            looks.plan(platform, &mut self.account, &Rulebook::of(&self.config), self.now);
            self.account.version += 1;
            self.account.updated_at = timestamp::whole_millis(self.now);
            tx.accounts().update(std::slice::from_ref(&self.account))?;
            journal::append(platform, scope, tx, head, self.events, self.now)?;
        }
        Ok(self.account.viewed(self.config))
    }

    /// The account as it is by now.
    pub(super) fn view(&self) -> AccountView {
        self.account.clone().viewed(Arc::clone(&self.config))
    }
}

trait Viewed {
    fn viewed(self, config: Arc<AccountConfig>) -> AccountView;
}

impl Viewed for Account {
    fn viewed(self, config: Arc<AccountConfig>) -> AccountView {
        let rules = rule_statuses(&config, &self.state);
        AccountView { account: self, config, rules }
    }
}
