//! Facts about trading accounts.

use std::collections::BTreeSet;
use std::sync::Arc;

use tenantry_domain::account::{Account, AccountStatus, WebsiteUserId};
use tenantry_domain::id::AccountId;
use tenantry_ports::{
    AccountFilter, AccountRevision, Constraint, StoreError, StoreResult, StoredConfig, TenantStore,
};

use crate::contract::{Subject, conflict, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

/// A new tenant's store with one config in it.
fn with_config(subject: &dyn Subject) -> (Store, impl Fn() -> Account, StoredConfig) {
    let (store, scope) = store(subject);
    let config = sample::stored_config("25k-eval-v1", 1);
    store.write(|tx| tx.configs().insert(&config)).expect("the config is added");
    let copy = config.clone();
    (store, move || sample::account_of(scope.tenant(), &copy), config)
}

fn add(store: &Store, accounts: &[Account]) -> StoreResult<()> {
    store.write(|tx| tx.accounts().insert(accounts))
}

fn stored(store: &Store, ids: &[AccountId]) -> Vec<Account> {
    let mut accounts = store.read(|tx| tx.accounts().get(ids)).expect("a look-up");
    accounts.sort_unstable_by_key(|account| account.id);
    accounts
}

fn revisions(store: &Store, ids: &[AccountId]) -> Vec<(AccountId, AccountRevision)> {
    let mut revisions = store.read(|tx| tx.accounts().revisions(ids)).expect("a look-up");
    revisions.sort_unstable_by_key(|(id, _)| *id);
    revisions
}

fn page(store: &Store, filter: &AccountFilter, after: Option<AccountId>, limit: usize) -> Vec<Account> {
    store.read(|tx| tx.accounts().page(filter, after, limit)).expect("a page")
}

fn count(store: &Store) -> u64 {
    store.read(|tx| tx.accounts().count()).expect("a count")
}

/// Every member comes back as it went in: exact decimals of 28 digits, positions, days, notes, with and without.
pub fn an_account_is_read_back_whole(subject: &dyn Subject) {
    let (store, fresh, config) = with_config(subject);
    let traded = sample::account(fresh().tenant_id, &config);
    let bare = Account { meta: None, ..fresh() };
    add(&store, &[traded.clone(), bare.clone()]).expect("the accounts are added");
    assert_eq!(stored(&store, &[traded.id]), [traded]);
    assert_eq!(stored(&store, &[bare.id]), [bare]);
}

/// Whatever its status, it is kept.
pub fn every_status_is_kept(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let in_status = |status| {
        let mut account = fresh();
        account.state.status = status;
        account
    };
    let accounts: Vec<_> = AccountStatus::ALL.into_iter().map(in_status).collect();
    add(&store, &accounts).expect("the accounts are added");
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    assert_eq!(stored(&store, &ids), accounts);
}

/// Slices of any size go in and come out whole, also larger ones than a statement has room for parameters.
pub fn slices_of_any_size_are_inserted_and_read(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let mut total = 0;
    for size in [0, 1, 2, 64, 1000, 2500] {
        let accounts: Vec<_> = (0..size).map(|_| fresh()).collect();
        add(&store, &accounts).unwrap_or_else(|error| panic!("a slice of {size}: {error}"));
        total += size as u64;
        let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
        assert_eq!(stored(&store, &ids), accounts, "a slice of {size}");
        assert_eq!(count(&store), total);
    }
}

/// What does not exist is left out, and what is asked twice is answered once.
pub fn unknown_ids_are_left_out(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let accounts = [fresh(), fresh(), fresh()];
    add(&store, &accounts).expect("the accounts are added");
    let (first, last) = (accounts[0].id, accounts[2].id);
    assert_eq!(
        stored(&store, &[last, sample::id(), first, last]),
        [accounts[0].clone(), accounts[2].clone()]
    );
    assert!(stored(&store, &[sample::id()]).is_empty());
    assert!(stored(&store, &[]).is_empty());
}

/// A revision is the account's version and the moment of its last change, exactly; what does not exist is left out, and
/// what is asked twice is answered once, in slices of any size.
pub fn revisions_are_those_of_the_accounts(subject: &dyn Subject) {
    let (store, fresh, config) = with_config(subject);
    let mut accounts: Vec<_> = (0..2500).map(|_| fresh()).collect();
    accounts.push(sample::account(accounts[0].tenant_id, &config));
    add(&store, &accounts).expect("the accounts are added");
    let expected: Vec<_> =
        accounts.iter().map(|account| (account.id, AccountRevision::from(account))).collect();
    let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
    assert_eq!(revisions(&store, &ids), expected);
    let (first, last) = (expected[0], expected[2500]);
    assert_ne!(first.1, last.1);
    assert_eq!(revisions(&store, &[last.0, sample::id(), first.0, last.0]), [first, last]);
    assert!(revisions(&store, &[sample::id()]).is_empty());
    assert!(revisions(&store, &[]).is_empty());
}

/// An id that exists already, or that comes twice in one slice, is a conflict, and nothing of the slice is kept.
pub fn an_id_that_is_taken_is_a_conflict(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let first = fresh();
    add(&store, std::slice::from_ref(&first)).expect("the account is added");
    let twice = fresh();
    for slice in [vec![fresh(), first.clone(), fresh()], vec![twice.clone(), twice]] {
        assert!(conflict(&add(&store, &slice), Constraint::AccountId));
    }
    assert_eq!(count(&store), 1);
    assert_eq!(stored(&store, &[first.id]), [first]);
}

/// Pages follow each other without gap or repetition, newest first.
pub fn pages_are_newest_first_and_complete(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let mut accounts: Vec<_> = (0..11).map(|_| fresh()).collect();
    // Not in order of insertion.
    add(&store, &accounts[6..]).and_then(|()| add(&store, &accounts[..6])).expect("the accounts are added");
    accounts.reverse();
    for limit in [1, 4, 11, 50] {
        let mut seen: Vec<Account> = Vec::new();
        loop {
            let page = page(&store, &AccountFilter::default(), seen.last().map(|account| account.id), limit);
            assert!(page.len() <= limit);
            if page.is_empty() {
                break;
            }
            seen.extend(page);
            assert!(seen.len() <= accounts.len(), "pages repeat themselves");
        }
        assert_eq!(seen, accounts, "in pages of {limit}");
    }
}

/// Filters by user, status and config leave out what does not fit, alone, together, and on later pages.
pub fn accounts_are_filtered(subject: &dyn Subject) {
    let (store, _, config) = with_config(subject);
    let other = sample::stored_config("50k-eval-v1", 1);
    store.write(|tx| tx.configs().insert(&other)).expect("the config is added");
    let user = |text: &str| WebsiteUserId::new(text).expect("a user id");
    let tenant = sample::id();
    let mut accounts = Vec::new();
    for name in ["ann", "Ann", sample::ODD_TEXT] {
        for status in [AccountStatus::Provisioned, AccountStatus::Closed] {
            for config in [&config, &other] {
                let mut account = Account { user_id: user(name), ..sample::account_of(tenant, config) };
                account.state.status = status;
                accounts.push(account);
            }
        }
    }
    add(&store, &accounts).expect("the accounts are added");

    let of = |filter: &AccountFilter| -> BTreeSet<_> {
        page(&store, filter, None, 100).into_iter().map(|account| account.id).collect()
    };
    let mut combinations = 0;
    for name in [None, Some("ann"), Some("Ann"), Some("ANN"), Some(sample::ODD_TEXT)] {
        for status in [None, Some(AccountStatus::Provisioned), Some(AccountStatus::Breached)] {
            for config in [None, Some(&config), Some(&other)] {
                let filter = AccountFilter {
                    user: name.map(user),
                    status,
                    config: config.map(|config| config.id.clone()),
                };
                let fits = |account: &&Account| {
                    filter.user.as_ref().is_none_or(|user| account.user_id == *user)
                        && status.is_none_or(|status| account.state.status == status)
                        && filter.config.as_ref().is_none_or(|config| account.config_id == *config)
                };
                let expected: BTreeSet<_> = accounts.iter().filter(fits).map(|account| account.id).collect();
                assert_eq!(of(&filter), expected, "{filter:?}");
                let (mut seen, mut after) = (Vec::new(), None);
                while let [account] = &page(&store, &filter, after, 1)[..] {
                    after = Some(account.id);
                    seen.push(account.id);
                    assert!(seen.len() <= expected.len(), "pages repeat themselves: {filter:?}");
                }
                assert_eq!(seen, expected.iter().rev().copied().collect::<Vec<_>>(), "{filter:?}");
                combinations += usize::from(!expected.is_empty());
            }
        }
    }
    assert_eq!(combinations, 4 * 2 * 3, "the filters were given something to find");

    let filter = AccountFilter { user: Some(user("ann")), ..AccountFilter::default() };
    let first = page(&store, &filter, None, 1);
    let rest = page(&store, &filter, Some(first[0].id), 100);
    assert!(
        rest.len() == 3
            && rest.iter().all(|account| account.user_id == user("ann") && account.id < first[0].id)
    );
}

/// Threads that provision at once are in each other's way in nothing.
pub fn concurrent_slices_all_arrive(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let slices: Vec<Vec<_>> = (0..8).map(|_| (0..16).map(|_| fresh()).collect()).collect();
    std::thread::scope(|scope| {
        for slice in &slices {
            let store = &store;
            scope.spawn(move || add(store, slice).expect("the slice is added"));
        }
    });
    assert_eq!(count(&store), 8 * 16);
    let ids: Vec<_> = slices.iter().flatten().map(|account| account.id).collect();
    assert_eq!(stored(&store, &ids), slices.concat());
}

/// The count is of what was committed.
pub fn what_is_rolled_back_is_not_counted(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let account = fresh();
    let outcome: Result<(), StoreError> = store.write(|tx| {
        tx.accounts().insert(std::slice::from_ref(&account))?;
        assert_eq!(tx.accounts().count()?, 1, "it sees what it wrote");
        Err(StoreError::Stale)
    });
    assert!(outcome.is_err());
    assert_eq!(count(&store), 0);
}

fn update(store: &Store, accounts: &[Account]) -> StoreResult<()> {
    store.write(|tx| tx.accounts().update(accounts))
}

/// The account, with another of everything that may change, in the next version.
fn changed(account: &Account, config: &StoredConfig) -> Account {
    let traded = sample::account(account.tenant_id, config);
    Account {
        id: account.id,
        user_id: account.user_id.clone(),
        created_at: account.created_at,
        config_version: account.config_version.next(),
        config_hash: "another".to_owned(),
        version: account.version + 1,
        meta: if account.meta.is_some() { None } else { Some(sample::json_object()) },
        ..traded
    }
}

/// Slices of any size are replaced whole, again and again, and nothing else is.
pub fn updated_accounts_are_read_back_whole(subject: &dyn Subject) {
    let (store, fresh, config) = with_config(subject);
    let other = fresh();
    add(&store, std::slice::from_ref(&other)).expect("the account is added");
    for size in [0, 1, 64, 1500] {
        let mut accounts: Vec<_> = (0..size).map(|_| fresh()).collect();
        add(&store, &accounts).expect("the accounts are added");
        for _ in 0..2 {
            accounts.iter_mut().for_each(|account| *account = changed(account, &config));
            update(&store, &accounts).unwrap_or_else(|error| panic!("a slice of {size}: {error}"));
            let ids: Vec<_> = accounts.iter().map(|account| account.id).collect();
            assert_eq!(stored(&store, &ids), accounts, "a slice of {size}");
        }
    }
    assert_eq!(stored(&store, &[other.id]), [other]);
}

/// The tenant, the user and the time of provisioning stay what they are, whatever an update says.
pub fn what_an_account_is_born_with_stays(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let account = fresh();
    add(&store, std::slice::from_ref(&account)).expect("the account is added");
    let mut next = Account { version: account.version + 1, ..account.clone() };
    next.state.status = AccountStatus::Closed;
    let user_id = WebsiteUserId::new("somebody else").expect("a user id");
    let strange = Account { user_id, tenant_id: sample::id(), created_at: sample::at(77), ..next.clone() };
    update(&store, &[strange]).expect("the account is replaced");
    assert_eq!(stored(&store, &[account.id]), [next]);
}

/// One account that is not in the version before, does not exist, or comes twice, and none of its slice is replaced.
pub fn a_stale_account_is_refused_with_its_slice(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let accounts = [fresh(), fresh()];
    add(&store, &accounts).expect("the accounts are added");
    let next = |account: &Account| Account { version: account.version + 1, ..account.clone() };
    let (good, other) = (next(&accounts[0]), &accounts[1]);
    for bad in [other.clone(), next(&next(other)), next(&fresh()), good.clone(), next(&good)] {
        for slice in [[good.clone(), bad.clone()], [bad.clone(), good.clone()]] {
            let outcome = update(&store, &slice);
            assert!(matches!(outcome, Err(StoreError::Stale)), "{outcome:?}");
            assert_eq!(stored(&store, &accounts.clone().map(|account| account.id)), accounts);
        }
    }
    update(&store, &[good]).expect("what is not stale is replaced");
}

/// Of many who read the same version, one replaces it.
pub fn of_concurrent_updates_of_an_account_one_wins(subject: &dyn Subject) {
    let (store, fresh, _) = with_config(subject);
    let account = fresh();
    add(&store, std::slice::from_ref(&account)).expect("the account is added");
    let won: usize = std::thread::scope(|threads| {
        let updates: Vec<_> = (0..8)
            .map(|number| {
                let mut next = Account { version: account.version + 1, ..account.clone() };
                next.config_hash = format!("{number}");
                let store = &store;
                threads.spawn(move || usize::from(update(store, &[next]).is_ok()))
            })
            .collect();
        updates.into_iter().map(|update| update.join().expect("it goes on")).sum()
    });
    assert_eq!((won, stored(&store, &[account.id])[0].version), (1, account.version + 1));
}
