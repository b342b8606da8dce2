//! Accounts as they are answered, remembered.

use std::sync::Arc;

use actix_web::http::header::HeaderValue;
use actix_web::web::Bytes;
use tenantry_domain::id::{AccountId, TenantId};
use tenantry_ports::{AccountRevision, StoreError, StoreResult, TenantScope};
use tenantry_usecases::Platform;
use tenantry_usecases::accounts::{self, Reading};

use super::memory::Memory;
use super::view::AccountView;
use crate::routes::respond;

/// How many bytes of answers are remembered: some ten thousand accounts.
const MEMORY: usize = 16 * 1024 * 1024;
/// What an entry takes besides its body.
const OVERHEAD: usize = 256;

/// An account as it is answered.
#[derive(Debug)]
pub(crate) struct Rendered {
    revision: AccountRevision,
    /// Its entity tag.
    pub(crate) etag: HeaderValue,
    /// Its JSON.
    pub(crate) body: Bytes,
}

/// An account, if there is one.
pub(crate) type Found = Option<Arc<Rendered>>;

/// Reads accounts, and writes out only those that have changed since it last did.
///
/// What is answered for an account depends on its row and on the version of the config it was made from, and that
/// version never changes: so as long as the store says that the row is in the same revision, so is the answer.
/// The store is asked every time; nothing is ever answered because it was true a moment ago.
pub(crate) struct Reader {
    platform: Arc<Platform>,
    /// By tenant, too: a tenant's copy may have accounts of the same ids.
    remembered: Memory<(TenantId, AccountId), Arc<Rendered>>,
}

impl Reader {
    /// A reader that remembers nothing yet.
    pub(crate) fn new(platform: Arc<Platform>) -> Self {
        Self::with_memory(platform, MEMORY)
    }

    fn with_memory(platform: Arc<Platform>, bytes: usize) -> Self {
        Self { platform, remembered: Memory::new(bytes) }
    }

    /// The accounts with these ids, in the order asked for; `None` where there is none.
    pub(crate) fn read(&self, scope: &TenantScope, ids: &[AccountId]) -> StoreResult<Vec<Found>> {
        let mut distinct = ids.to_vec();
        distinct.sort_unstable();
        distinct.dedup();
        let answers = self.read_each(scope, &distinct)?;
        let answer = |id| distinct.binary_search(id).ok().and_then(|at| answers[at].clone());
        Ok(ids.iter().map(answer).collect())
    }

    fn read_each(&self, scope: &TenantScope, ids: &[AccountId]) -> StoreResult<Vec<Found>> {
        let key = |id: AccountId| (scope.tenant(), id);
        let known = self.remembered.recall(ids.iter().copied().map(key));
        let revision = |known: &Found| known.as_ref().map(|known| known.revision);
        let asked: Vec<_> = ids.iter().copied().zip(known.iter().map(revision)).collect();
        let readings = accounts::read(&self.platform, scope, &asked)?;
        let answer = |(reading, known)| match reading {
            Reading::Unknown => Ok(None),
            Reading::Unchanged => Ok(known),
            Reading::Changed(view) => {
                let id = view.account.id;
                let rendered = Arc::new(Rendered::of(Arc::unwrap_or_clone(view))?);
                self.remembered.remember(key(id), Arc::clone(&rendered), rendered.bytes());
                Ok(Some(rendered))
            }
        };
        readings.into_iter().zip(known).map(answer).collect()
    }
}

impl Rendered {
    fn of(found: accounts::AccountView) -> StoreResult<Self> {
        let revision = AccountRevision::from(&found.account);
        let body = serde_json::to_vec(&AccountView::from(found))
            .map_err(|error| StoreError::corrupt("account", error))?;
        Ok(Self { revision, etag: respond::etag(revision.version), body: body.into_boxed_slice().into() })
    }

    /// How much memory it takes, more or less.
    fn bytes(&self) -> usize {
        self.body.len() + OVERHEAD
    }
}

#[cfg(test)]
mod tests {
    use tenantry_domain::account::Account;
    use tenantry_domain::config::{AccountConfig, ConfigId, demo};
    use tenantry_usecases::accounts::{Hand, ProvisionAccount};
    use tenantry_usecases::tenants::{self, TenantRef};

    use super::*;
    use crate::tests::World;

    /// A tenant with so many accounts.
    fn accounts(world: &World, count: usize) -> (TenantScope, Vec<AccountId>) {
        let id = world.tenant("acme");
        let tenant = tenants::find(world.platform(), &TenantRef::Id(id)).unwrap().unwrap();
        let scope = TenantScope::serving(&tenant).unwrap();
        let wanted = ProvisionAccount {
            user_id: "user".parse().unwrap(),
            config_id: ConfigId::new(demo::DEMO_CONFIG_ID).unwrap(),
            config_version: None,
            meta: None,
            idempotency: None,
            hand: Hand { actor: String::new(), trace: String::new() },
        };
        let receipt = |_: &Account, _: &AccountConfig| Vec::new();
        let receipts = accounts::provision(world.platform(), &scope, &vec![wanted; count], receipt);
        (scope, receipts.into_iter().map(|receipt| receipt.unwrap().account.unwrap()).collect())
    }

    fn bodies(answers: &[Found]) -> Vec<&Bytes> {
        answers.iter().map(|answer| &answer.as_ref().unwrap().body).collect()
    }

    #[test]
    fn what_has_not_changed_is_not_written_again() {
        let world = World::new();
        let (scope, ids) = accounts(&world, 2);
        let reader = Reader::new(Arc::clone(&world.test.platform));
        let asked = [ids[0], ids[1], ids[0]];
        let first = reader.read(&scope, &asked).unwrap();
        let again = reader.read(&scope, &asked).unwrap();
        for (one, other) in bodies(&again).into_iter().zip(bodies(&first)) {
            assert_eq!((one, one.as_ptr()), (other, other.as_ptr()), "the very same bytes");
        }
        assert_eq!(bodies(&first)[0].as_ptr(), bodies(&first)[2].as_ptr(), "written once for both");
        assert!(reader.read(&scope, &[world.platform().ids.next()]).unwrap()[0].is_none());
    }

    #[test]
    fn no_more_is_remembered_than_there_is_room_for() {
        let world = World::new();
        let (scope, ids) = accounts(&world, 100);
        let roomy = Reader::new(Arc::clone(&world.test.platform));
        let expected = roomy.read(&scope, &ids).unwrap();
        let room = roomy.remembered.bytes() / 10;
        let narrow = Reader::with_memory(Arc::clone(&world.test.platform), room);
        for _ in 0..3 {
            for (id, expected) in ids.iter().zip(&expected) {
                let answer = narrow.read(&scope, &[*id]).unwrap();
                assert_eq!(bodies(&answer)[0], &expected.as_ref().unwrap().body);
            }
        }
        let body = bodies(&expected)[0].len() + OVERHEAD;
        assert_eq!(roomy.remembered.bytes(), 100 * body);
        assert!((1..=room + body).contains(&narrow.remembered.bytes()));
    }
}
