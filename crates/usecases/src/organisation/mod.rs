//! A tenant's organisation, as its admins keep it and its people see it.

mod change;
mod create;
mod import;
mod read;

use std::collections::BTreeMap;

use tenantry_domain::organisation::{OrgId, OrgKind, OrgUnit, UnitCode};
use tenantry_ports::{Constraint, StoreError};

use crate::idempotency::Answer;

pub use change::{Change, remove, replace};
pub use create::{Create, Created, create};
pub use import::{Import, ImportError, MOST_UNITS, import};
pub use read::{find, list, whole};

/// Why a unit was not created, changed or deleted.
#[derive(Debug, thiserror::Error)]
pub enum OrgError {
    /// There is no such unit.
    #[error("there is no such unit")]
    NoSuchUnit,
    /// It is not the version the caller meant.
    #[error("the unit has changed since")]
    Stale {
        /// Which it is by now.
        version: i64,
    },
    /// What it is to belong to, or to be assigned to, is not there.
    #[error("what the unit is to hang on is not there")]
    Unknown(Vec<OrgId>),
    /// Another unit of the kind has the code; a purchasing group in the same purchasing organisation.
    #[error("the code is taken")]
    CodeTaken {
        /// Of which kind.
        kind: OrgKind,
        /// Which code.
        code: UnitCode,
    },
    /// The purchasing organisation is assigned to that company code or plant already.
    #[error("there is such an assignment")]
    Assigned,
    /// Other units hang on it.
    #[error("other units hang on it")]
    InUse(Vec<Dependents>),
    /// The idempotency key was used for another request.
    #[error("the idempotency key was used for a different request")]
    KeyReused,
    /// The same request was refused before, like this.
    #[error("the request was refused before")]
    RefusedBefore(Answer),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl OrgError {
    /// What the store said of putting this unit there, in better words if there are any.
    fn of(error: StoreError, unit: &OrgUnit) -> Self {
        match (error, unit.content.label()) {
            (StoreError::Conflict(Constraint::OrgCode), Some(label)) => {
                Self::CodeTaken { kind: unit.kind(), code: label.code.clone() }
            }
            (StoreError::Conflict(Constraint::OrgAssignment), _) => Self::Assigned,
            (other, _) => Self::Store(other),
        }
    }
}

/// Units of a kind that hang on another one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Dependents {
    /// Which kind.
    pub kind: OrgKind,
    /// How many.
    pub count: usize,
    /// The first of their codes in order; of assignments, their ids.
    pub codes: Vec<String>,
}

impl Dependents {
    /// How many codes are told.
    const TOLD: usize = 5;

    /// These units by kind.
    fn of(units: &[OrgUnit]) -> Vec<Self> {
        let mut kinds = BTreeMap::<OrgKind, Vec<String>>::new();
        for unit in units {
            kinds.entry(unit.kind()).or_default().push(unit.code());
        }
        let dependents = kinds.into_iter().map(|(kind, mut codes)| {
            let count = codes.len();
            codes.sort_unstable();
            codes.truncate(Self::TOLD);
            Self { kind, count, codes }
        });
        dependents.collect()
    }
}
