use tenantry_domain::organisation::{OrgId, OrgKind, OrgUnit};

use crate::StoreResult;

/// Which units of an organisation to list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrgFilter {
    /// Only those of this kind.
    pub kind: OrgKind,
    /// Only those that belong to this one.
    pub parent: Option<OrgId>,
    /// Only assignments to this one.
    pub target: Option<OrgId>,
    /// Only those whose code or name contains this, without regard to case; none of those that have neither.
    pub text: Option<String>,
}

impl OrgFilter {
    /// Every unit of this kind.
    pub const fn all(kind: OrgKind) -> Self {
        Self { kind, parent: None, target: None, text: None }
    }
}

/// The units of a tenant's organisation. Whoever changes them has locked the log, so that what was read before stays true;
/// that a unit never belongs to, or is assigned to, what is not there is seen to by the database, too.
pub trait OrganisationRepository {
    /// Adds units, in one statement where the database can; what one belongs to is there already, or comes before it.
    /// `Conflict(OrgCode)`, also for a code that another purchasing group of the same purchasing organisation has;
    /// `Conflict(OrgAssignment)`.
    fn insert(&mut self, units: &[OrgUnit]) -> StoreResult<()>;

    /// Replaces units whose versions are one less than these ones', in one statement where the database can; `Stale` if
    /// any is not. Conflicts as for [`insert`](Self::insert).
    fn update(&mut self, units: &[OrgUnit]) -> StoreResult<()>;

    /// Removes a unit, on which nothing hangs; `Stale` if there is none.
    fn remove(&mut self, id: OrgId) -> StoreResult<()>;

    /// The units with these ids, in any order; unknown ids are left out.
    fn get(&mut self, ids: &[OrgId]) -> StoreResult<Vec<OrgUnit>>;

    /// At most `limit` of these units, newest first (ids are time-ordered), after the unit `after`.
    fn page(&mut self, filter: &OrgFilter, after: Option<OrgId>, limit: usize) -> StoreResult<Vec<OrgUnit>>;

    /// What belongs to this unit or is assigned to it, in order of id.
    fn hanging_on(&mut self, id: OrgId) -> StoreResult<Vec<OrgUnit>>;

    /// Every unit, in order of id, in one round trip.
    fn all(&mut self) -> StoreResult<Vec<OrgUnit>>;
}
