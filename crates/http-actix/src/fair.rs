//! A queue in which nobody waits behind another one's crowd.

use std::collections::{HashMap, VecDeque};

use tenantry_domain::id::TenantId;
use tenantry_ports::TenantScope;
use tenantry_usecases::Log;

/// On whose account something waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Party {
    /// Nobody's in particular: the operator's, or somebody's of whom it is not known yet who they are.
    Common,
    /// A tenant's.
    Tenant(TenantId),
}

impl From<&Log> for Party {
    fn from(log: &Log) -> Self {
        log.owner().map_or(Self::Common, Self::Tenant)
    }
}

impl From<&TenantScope> for Party {
    fn from(scope: &TenantScope) -> Self {
        Self::Tenant(scope.tenant())
    }
}

/// First come, first served among one party's, and party after party: after each one that is served it is the next party's turn.
/// So whoever comes waits for at most one of everybody else's before the first of their own.
pub(crate) struct FairQueue<T> {
    /// Only of those who have something here, and each has.
    waiting: HashMap<Party, VecDeque<T>>,
    /// Whose turn it is, once each.
    turns: VecDeque<Party>,
    len: usize,
    /// An empty one, so that a party that comes and goes costs no memory each time.
    spare: Option<VecDeque<T>>,
}

impl<T> FairQueue<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: HashMap::new(), turns: VecDeque::new(), len: 0, spare: None }
    }

    /// How many wait.
    pub(crate) const fn len(&self) -> usize {
        self.len
    }

    /// How many of this party wait.
    pub(crate) fn len_of(&self, party: Party) -> usize {
        self.waiting.get(&party).map_or(0, VecDeque::len)
    }

    /// At the end of its party's.
    pub(crate) fn push(&mut self, party: Party, item: T) {
        let waiting = self.waiting.entry(party).or_insert_with(|| self.spare.take().unwrap_or_default());
        if waiting.is_empty() {
            self.turns.push_back(party);
        }
        waiting.push_back(item);
        self.len += 1;
    }

    /// The first of whose turn it is.
    pub(crate) fn pop(&mut self) -> Option<T> {
        let party = self.turns.pop_front()?;
        let waiting = self.waiting.get_mut(&party)?;
        let item = waiting.pop_front();
        if waiting.is_empty() {
            self.spare = self.waiting.remove(&party);
        } else {
            self.turns.push_back(party);
        }
        self.len -= usize::from(item.is_some());
        item
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn tenant(number: u128) -> Party {
        Party::Tenant(TenantId::new(Uuid::from_u128(number)))
    }

    fn drained(queue: &mut FairQueue<u32>) -> Vec<u32> {
        std::iter::from_fn(|| queue.pop()).collect()
    }

    #[test]
    fn one_partys_come_in_their_order() {
        let mut queue = FairQueue::new();
        for item in 0..5 {
            queue.push(tenant(1), item);
        }
        assert_eq!((queue.len(), queue.len_of(tenant(1)), queue.len_of(tenant(2))), (5, 5, 0));
        assert_eq!(drained(&mut queue), [0, 1, 2, 3, 4]);
        assert_eq!(queue.len(), 0);
    }

    #[test]
    fn party_after_party_has_its_turn_however_many_one_of_them_brings() {
        let mut queue = FairQueue::new();
        for item in 0..100 {
            queue.push(tenant(1), item);
        }
        queue.push(tenant(2), 200);
        queue.push(tenant(2), 201);
        queue.push(Party::Common, 300);
        let order = drained(&mut queue);
        assert_eq!(order[..6], [0, 200, 300, 1, 201, 2]);
        assert_eq!(order.len(), 103);
    }

    #[test]
    fn whoever_comes_again_and_again_does_not_overtake() {
        let mut queue = FairQueue::new();
        queue.push(tenant(1), 10);
        queue.push(tenant(2), 20);
        let mut order = Vec::new();
        for round in 0..4 {
            order.extend(queue.pop());
            queue.push(tenant(1), 11 + round);
        }
        assert_eq!(order, [10, 20, 11, 12]);
        assert_eq!(drained(&mut queue), [13, 14]);
    }

    #[test]
    fn nothing_is_kept_of_who_has_gone() {
        let mut queue = FairQueue::new();
        for number in 0..1000 {
            queue.push(tenant(number), 1);
        }
        assert_eq!(drained(&mut queue).len(), 1000);
        assert!(queue.waiting.is_empty() && queue.turns.is_empty());
    }
}
