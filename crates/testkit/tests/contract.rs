//! The in-memory adapters keep the contract.

use tenantry_testkit::contract::MemorySubject;

fn subject() -> MemorySubject {
    MemorySubject::default()
}

tenantry_testkit::contract_tests!(subject);
