//! Facts about how far a change of the master key has come.

use tenantry_ports::Carryover;

use crate::contract::Subject;
use crate::sample;

fn get(subject: &dyn Subject) -> Option<Carryover> {
    subject.control().read(|tx| tx.carryover().get()).expect("it is read")
}

/// Nobody has changed the master key yet.
pub fn there_is_no_carryover_at_first(subject: &dyn Subject) {
    assert_eq!(get(subject), None);
}

/// There is one, the last that was written, with every member.
pub fn a_carryover_takes_the_place_of_the_one_before(subject: &dyn Subject) {
    let first = Carryover {
        plan: sample::ODD_TEXT.to_owned(),
        begun_at: sample::at(1),
        after: Some(sample::id()),
        completed_at: Some(sample::at(2)),
    };
    let second =
        Carryover { plan: "b<-a".to_owned(), begun_at: sample::at(3), after: None, completed_at: None };
    for carryover in [first, second] {
        let put = subject.control().write(|tx| tx.carryover().put(&carryover));
        put.expect("it is written");
        assert_eq!(get(subject), Some(carryover));
    }
}
