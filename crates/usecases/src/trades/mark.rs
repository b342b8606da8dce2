use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use tenantry_domain::account::engine::{AccountEvent, PriceMark, apply_to};
use tenantry_domain::account::{Account, AccountStatus};
use tenantry_domain::config::Symbol;
use tenantry_domain::id::AccountId;
use tenantry_domain::timestamp;
use tenantry_ports::{StoreResult, TenantScope, TenantTx};

use crate::Platform;
use crate::accounts::{Hand, config_of};
use crate::days::{self, Looks};
use crate::journal::{self, Traced};

/// How many accounts are in memory at a time.
const SLICE: usize = 1000;

/// What became of the accounts that hold what was marked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Marked {
    /// How many of them were revalued.
    pub revalued: usize,
    /// How many of those were breached by it.
    pub breached: usize,
    /// How many were left as they are, since something younger happened to them or an amount would be too large.
    pub skipped: usize,
}

/// Revalues every account of the tenant that holds any of these symbols, at these prices in order of their times: one
/// transaction, each account read and written once. Prices of what nobody holds change nothing.
pub fn mark(
    platform: &Platform,
    scope: &TenantScope,
    mut marks: Vec<PriceMark>,
    hand: &Hand,
) -> StoreResult<Marked> {
    let now = platform.clock.now();
    marks.sort_by_key(|mark| mark.at);
    days::write(platform, scope, |tx, looks| {
        let head = tx.log().lock()?;
        let symbols: HashSet<_> = marks.iter().map(|mark| mark.symbol.clone()).collect();
        let holdings = tx.holdings().holders(&symbols.into_iter().collect::<Vec<_>>())?;
        let mut revaluation = Revaluation::of(platform, &marks, hand, now);
        // All notes of an account are neighbours.
        let holders: Vec<_> = holdings.chunk_by(|one, next| one.0 == next.0).collect();
        for slice in holders.chunks(SLICE) {
            revaluation.slice(tx, slice, looks)?;
        }
        let Revaluation { marked, mut events, .. } = revaluation;
        if marked.revalued > 0 {
            events.insert(0, journal::accounts::prices_marked(&marks, marked, hand));
            journal::append(platform, scope, tx, head, events, now)?;
        }
        Ok(marked)
    })
}

/// Prices on their way through the accounts.
struct Revaluation<'a> {
    platform: &'a Platform,
    /// In order of their times.
    prices: Vec<AccountEvent>,
    /// Which of the prices are a symbol's.
    of_symbol: HashMap<&'a Symbol, Vec<usize>>,
    hand: &'a Hand,
    now: DateTime<Utc>,
    marked: Marked,
    events: Vec<Traced>,
}

impl<'a> Revaluation<'a> {
    fn of(platform: &'a Platform, marks: &'a [PriceMark], hand: &'a Hand, now: DateTime<Utc>) -> Self {
        let mut of_symbol: HashMap<_, Vec<_>> = HashMap::new();
        for (index, mark) in marks.iter().enumerate() {
            of_symbol.entry(&mark.symbol).or_default().push(index);
        }
        let prices = marks.iter().cloned().map(AccountEvent::from).collect();
        Self { platform, prices, of_symbol, hand, now, marked: Marked::default(), events: Vec::new() }
    }

    /// Revalues the accounts that these notes are about.
    fn slice(
        &mut self,
        tx: &mut dyn TenantTx,
        holders: &[&[(AccountId, Symbol)]],
        looks: &mut Looks,
    ) -> StoreResult<()> {
        let ids: Vec<_> = holders.iter().filter_map(|notes| Some(notes.first()?.0)).collect();
        let accounts = tx.accounts().get(&ids)?;
        let mut accounts: HashMap<_, _> = accounts.into_iter().map(|account| (account.id, account)).collect();
        let (mut changed, mut gone) = (Vec::new(), Vec::new());
        for (id, notes) in ids.iter().zip(holders) {
            let Some(mut account) = accounts.remove(id) else { continue };
            let is_changed = self.revalue(tx, &mut account, notes, looks)?;
            let untrue = notes.iter().filter(|(_, symbol)| !holds(&account, symbol));
            gone.extend(untrue.map(|(id, symbol)| (symbol.clone(), *id)));
            if is_changed {
                account.version += 1;
                account.updated_at = timestamp::whole_millis(self.now);
                changed.push(account);
            }
        }
        tx.accounts().update(&changed)?;
        tx.holdings().remove(&gone)
    }

    /// Revalues an account that may hold these symbols, and says whether that changed it.
    fn revalue(
        &mut self,
        tx: &mut dyn TenantTx,
        account: &mut Account,
        notes: &[(AccountId, Symbol)],
        looks: &mut Looks,
    ) -> StoreResult<bool> {
        let config = config_of(self.platform, tx, account)?;
        let rules = self.platform.configs.rules(&account.config_hash, &config);
        let before = account.state.status;
        let of_symbol = |(_, symbol): &(AccountId, Symbol)| self.of_symbol.get(symbol).into_iter().flatten();
        let mut places: Vec<usize> = notes.iter().flat_map(of_symbol).copied().collect();
        places.sort_unstable();
        let (mut changed, mut refused) = (false, false);
        for event in places.into_iter().filter_map(|place| self.prices.get(place)) {
            // What is not held (any more) is not looked at: another price alone is no event of the account.
            if !matches!(event, AccountEvent::PriceMarked { symbol, .. } if holds(account, symbol)) {
                continue;
            }
            let outcome = apply_to(&rules, &mut account.state, event);
            changed |= outcome.changed;
            refused |= outcome.refusal.is_some();
            let (id, version) = (account.id, account.config_version);
            let told = outcome.emitted.iter();
            self.events.extend(
                told.map(|emission| journal::accounts::emitted(id, version, emission, event, self.hand)),
            );
        }
        if changed {
            looks.plan(self.platform, account, &rules, self.now);
        }
        self.marked.revalued += usize::from(changed);
        self.marked.skipped += usize::from(refused && !changed);
        let is_breached =
            account.state.status == AccountStatus::Breached && before != AccountStatus::Breached;
        self.marked.breached += usize::from(is_breached);
        Ok(changed)
    }
}

fn holds(account: &Account, symbol: &Symbol) -> bool {
    account.state.open_positions.binary_search_by(|held| held.symbol.cmp(symbol)).is_ok()
}
