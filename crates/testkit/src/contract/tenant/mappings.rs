//! Facts about whose accounts are.

use std::sync::Arc;

use tenantry_domain::account::{Account, AccountMapping, WebsiteUserId};
use tenantry_domain::id::{AccountId, MappingId};
use tenantry_ports::{StoreError, StoreResult, TenantStore};

use crate::contract::{Subject, store};
use crate::sample;

type Store = Arc<dyn TenantStore>;

fn user(text: &str) -> WebsiteUserId {
    WebsiteUserId::new(text).expect("a user id")
}

/// A store with so many accounts of `owner`, oldest first.
fn with_accounts(subject: &dyn Subject, count: usize) -> (Store, Vec<Account>) {
    let (store, scope) = store(subject);
    let config = sample::stored_config("25k-eval-v1", 1);
    let account = || Account { user_id: user("owner"), ..sample::account_of(scope.tenant(), &config) };
    let accounts: Vec<_> = std::iter::repeat_with(account).take(count).collect();
    store
        .write(|tx| {
            tx.configs().insert(&config)?;
            tx.accounts().insert(&accounts)
        })
        .expect("the accounts are added");
    (store, accounts)
}

fn given(account: &Account, to: &str) -> AccountMapping {
    AccountMapping::begin(sample::id(), account.id, user(to), sample::now(), "key_1".to_owned())
}

fn ended(mapping: &AccountMapping) -> AccountMapping {
    mapping.clone().end(sample::at(7), "operator".to_owned())
}

fn add(store: &Store, mappings: &[AccountMapping]) -> StoreResult<()> {
    store.write(|tx| tx.mappings().insert(mappings))
}

fn end(store: &Store, mapping: &AccountMapping) -> StoreResult<()> {
    store.write(|tx| tx.mappings().end(mapping))
}

fn of_account(
    store: &Store,
    account: &Account,
    ended: bool,
    after: Option<MappingId>,
    limit: usize,
) -> Vec<AccountMapping> {
    store.read(|tx| tx.mappings().of_account(account.id, ended, after, limit)).expect("a page")
}

/// The user's accounts, and whether their mapping is kept.
fn accounts_of(store: &Store, name: &str, after: Option<AccountId>, limit: usize) -> Vec<(Account, bool)> {
    let page = store.read(|tx| tx.mappings().accounts_of(&user(name), after, limit)).expect("a page");
    let told = page.into_iter().map(|(account, mapping)| {
        if let Some(mapping) = &mapping {
            assert!(mapping.is_open() && mapping.account == account.id && mapping.user == user(name));
        }
        (account, mapping.is_some())
    });
    told.collect()
}

/// Every member comes back as it went in, with and without.
pub fn a_mapping_is_read_back_whole(subject: &dyn Subject) {
    let (store, accounts) = with_accounts(subject, 1);
    let open = given(&accounts[0], sample::ODD_TEXT);
    let born_with = ended(&AccountMapping::of_provisioning(&accounts[0]));
    add(&store, &[open.clone(), born_with.clone()]).expect("the mappings are added");
    add(&store, &[]).expect("nothing is added");
    assert_eq!(of_account(&store, &accounts[0], true, None, 10), [born_with, open]);
}

/// There is no mapping of an account that does not exist.
pub fn a_mapping_of_no_account_is_refused(subject: &dyn Subject) {
    let (store, accounts) = with_accounts(subject, 1);
    let nobody = Account { id: sample::id(), ..accounts[0].clone() };
    assert!(add(&store, &[given(&nobody, "ann")]).is_err());
}

/// What has ended stays as it ended, and what is not there does not end.
pub fn a_mapping_ends_once(subject: &dyn Subject) {
    let (store, accounts) = with_accounts(subject, 1);
    let mapping = given(&accounts[0], "ann");
    add(&store, std::slice::from_ref(&mapping)).expect("the mapping is added");
    end(&store, &ended(&mapping)).expect("it ends");
    let again = mapping.clone().end(sample::at(99), "another".to_owned());
    for stale in [again, ended(&given(&accounts[0], "ann"))] {
        assert!(matches!(end(&store, &stale), Err(StoreError::Stale)));
    }
    assert_eq!(of_account(&store, &accounts[0], true, None, 10), [ended(&mapping)]);
}

/// Of an account's mappings to a user it is the last one that counts, whether or not it has ended.
pub fn the_latest_mapping_is_told(subject: &dyn Subject) {
    let (store, accounts) = with_accounts(subject, 2);
    let mappings =
        [ended(&given(&accounts[0], "ann")), given(&accounts[0], "ann"), given(&accounts[1], "ann")];
    add(&store, &mappings).expect("the mappings are added");
    let latest = |account: &Account, name| {
        store.read(|tx| tx.mappings().latest(account.id, &user(name))).expect("a look-up")
    };
    assert_eq!(latest(&accounts[0], "ann").as_ref(), Some(&mappings[1]));
    assert_eq!(latest(&accounts[1], "ann").as_ref(), Some(&mappings[2]));
    assert_eq!((latest(&accounts[0], "Ann"), latest(&accounts[0], "owner")), (None, None));
}

/// Those that have ended only if they are asked for, page by page.
pub fn mappings_of_an_account_are_oldest_first(subject: &dyn Subject) {
    let (store, accounts) = with_accounts(subject, 2);
    let mut mappings: Vec<_> = (0..9)
        .map(|n| given(&accounts[0], &format!("user-{n}")))
        .enumerate()
        .map(|(n, mapping)| if n % 3 == 0 { ended(&mapping) } else { mapping })
        .collect();
    mappings.reverse();
    add(&store, &mappings)
        .and_then(|()| add(&store, &[given(&accounts[1], "user-1")]))
        .expect("they are added");
    mappings.reverse();
    for with_ended in [true, false] {
        let expected: Vec<_> =
            mappings.iter().filter(|mapping| with_ended || mapping.is_open()).cloned().collect();
        let mut seen: Vec<AccountMapping> = Vec::new();
        loop {
            let page = of_account(&store, &accounts[0], with_ended, seen.last().map(|mapping| mapping.id), 2);
            if page.is_empty() {
                break;
            }
            assert!(page.len() <= 2 && seen.len() < expected.len());
            seen.extend(page);
        }
        assert_eq!(seen, expected);
    }
}

/// An account is its own user's until that is noted to have ended, and any other's as long as it is noted to be.
pub fn a_user_has_accounts_born_with_and_given(subject: &dyn Subject) {
    let (store, accounts) = with_accounts(subject, 2);
    let [first, second] = [accounts[0].clone(), accounts[1].clone()];
    let of = |name: &str| accounts_of(&store, name, None, 10);
    assert_eq!(of("owner"), [(second.clone(), false), (first.clone(), false)]);
    assert!(of("ann").is_empty());

    let to_ann = given(&first, "ann");
    let taken = ended(&AccountMapping::of_provisioning(&first));
    add(&store, &[to_ann.clone(), taken]).expect("the mappings are added");
    assert_eq!(of("owner"), [(second.clone(), false)]);
    assert_eq!(of("ann"), [(first.clone(), true)]);

    let back = given(&first, "owner");
    end(&store, &ended(&to_ann)).and_then(|()| add(&store, &[back])).expect("it changes hands");
    assert_eq!(of("owner"), [(second, false), (first, true)]);
    assert!(of("ann").is_empty());
}

/// However accounts came to be theirs.
pub fn accounts_of_a_user_are_paged_newest_first(subject: &dyn Subject) {
    let (store, mut accounts) = with_accounts(subject, 11);
    let mut mappings: Vec<_> = accounts.iter().map(|account| given(account, "ann")).collect();
    let odd = accounts.iter().skip(1).step_by(2);
    mappings.extend(odd.clone().map(|account| ended(&AccountMapping::of_provisioning(account))));
    mappings.extend(odd.map(|account| given(account, "owner")));
    add(&store, &mappings).expect("the mappings are added");
    accounts.reverse();
    for name in ["ann", "owner"] {
        for limit in [1, 3, 11, 50] {
            let mut seen: Vec<Account> = Vec::new();
            loop {
                let page = accounts_of(&store, name, seen.last().map(|account| account.id), limit);
                assert!(page.len() <= limit);
                if page.is_empty() {
                    break;
                }
                seen.extend(page.into_iter().map(|(account, _)| account));
                assert!(seen.len() <= accounts.len(), "pages repeat themselves");
            }
            assert_eq!(seen, accounts, "{name} in pages of {limit}");
        }
    }
}

/// All of them, in order of account and id.
pub fn pages_of_mappings_are_complete(subject: &dyn Subject) {
    let (store, accounts) = with_accounts(subject, 3);
    let mut mappings: Vec<_> = (0..12).map(|n| given(&accounts[n % 3], &format!("user-{n}"))).collect();
    mappings[5] = ended(&mappings[5]);
    add(&store, &mappings).expect("the mappings are added");
    mappings.sort_by_key(|mapping| (mapping.account, mapping.id));
    for limit in [1, 5, 12, 50] {
        let mut seen: Vec<AccountMapping> = Vec::new();
        loop {
            let after = seen.last().map(|mapping| (mapping.account, mapping.id));
            let page = store.read(|tx| tx.mappings().page(after, limit)).expect("a page");
            if page.is_empty() {
                break;
            }
            seen.extend(page);
            assert!(seen.len() <= mappings.len(), "pages repeat themselves");
        }
        assert_eq!(seen, mappings, "in pages of {limit}");
    }
}
