//! Facts about the processes that answer requests.

use std::collections::BTreeMap;

use tenantry_ports::Replica;

use crate::contract::Subject;
use crate::sample;

fn replica(id: &str, seconds: i64) -> Replica {
    let rates = BTreeMap::from([(sample::id(), 7), (sample::id(), u32::MAX)]);
    Replica { id: id.to_owned(), seen_at: sample::at(seconds), rates }
}

fn announce(subject: &dyn Subject, replica: &Replica, since: i64) -> Vec<Replica> {
    let others = subject.control().write(|tx| tx.replicas().announce(replica, sample::at(since)));
    let mut others = others.expect("the replica is kept");
    others.sort_by(|one, other| one.id.cmp(&other.id));
    others
}

/// Everybody is told of the others, and never of itself.
pub fn replicas_are_told_of_each_other(subject: &dyn Subject) {
    let [a, b, c] = ["a", "b", "c"].map(|id| replica(id, 0));
    assert_eq!(announce(subject, &a, -10), []);
    assert_eq!(announce(subject, &b, -10), std::slice::from_ref(&a));
    assert_eq!(announce(subject, &c, -10), [a.clone(), b.clone()]);
    assert_eq!(announce(subject, &a, -10), [b, c]);
}

/// What a replica says takes the place of what it said.
pub fn the_last_word_of_a_replica_counts(subject: &dyn Subject) {
    announce(subject, &replica("a", 0), -10);
    let last = Replica { rates: BTreeMap::new(), ..replica("a", 3) };
    announce(subject, &last, -7);
    assert_eq!(announce(subject, &replica("b", 3), -7), [last]);
}

/// Who was silent for too long is forgotten, and who stops at once.
pub fn silent_and_stopped_replicas_are_forgotten(subject: &dyn Subject) {
    let (a, b) = (replica("a", 0), replica("b", 5));
    announce(subject, &a, -10);
    announce(subject, &b, -5);
    assert_eq!(announce(subject, &replica("c", 10), 0), [a, b.clone()], "who was seen just then is there");
    assert_eq!(announce(subject, &replica("c", 11), 1), [b]);
    subject.control().write(|tx| tx.replicas().withdraw("b")).expect("the replica is forgotten");
    assert_eq!(announce(subject, &replica("c", 11), 1), []);
    subject.control().write(|tx| tx.replicas().withdraw("b")).expect("nothing is to be forgotten");
}

/// Who only asks is told of the others that were not silent for too long, and changes nothing.
pub fn the_others_can_be_asked_for(subject: &dyn Subject) {
    let (a, b, c) = (replica("a", 0), replica("b", 5), replica("c", 9));
    for replica in [&a, &b, &c] {
        announce(subject, replica, -10);
    }
    let others = |id: &str, since| {
        let others = subject.control().read(|tx| tx.replicas().others(id, sample::at(since)));
        let mut others = others.expect("an answer");
        others.sort_by(|one, other| one.id.cmp(&other.id));
        others
    };
    assert_eq!(others("c", 0), [a.clone(), b.clone()]);
    assert_eq!(others("c", 1), std::slice::from_ref(&b));
    assert_eq!(others("unknown", 6), std::slice::from_ref(&c));
    assert_eq!(others("c", 6), []);
    assert_eq!(others("c", 0), [a, b]);
}
