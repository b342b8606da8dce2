use tenantry_domain::organisation::{OrgId, OrgKind, OrgUnit};
use tenantry_ports::{Constraint, OrgFilter, OrganisationRepository, StoreError, StoreResult};

use super::snapshot::Transaction;
use super::tenant::TenantState;

impl TenantState {
    /// Puts a unit where it fits: what it hangs on is there, and nobody else is in its place.
    fn place(&mut self, unit: &OrgUnit) -> StoreResult<()> {
        let (parent, target) = (unit.content.parent(), unit.content.target());
        let mut wanted = parent.into_iter().chain(target);
        if !wanted.all(|id| self.organisation.contains_key(&id)) {
            return Err(StoreError::Failed("a unit needs what it hangs on to be there".into()));
        }
        let place = unit.content.place();
        let mut others = self.organisation.values().filter(|other| other.id != unit.id);
        if others.any(|other| other.content.place() == place) {
            return Err(StoreError::Conflict(match unit.kind() {
                OrgKind::PorgAssignment => Constraint::OrgAssignment,
                _ => Constraint::OrgCode,
            }));
        }
        self.organisation.insert(unit.id, unit.clone());
        Ok(())
    }

    fn hanging_on(&self, id: OrgId) -> impl Iterator<Item = &OrgUnit> {
        let hangs = move |unit: &&OrgUnit| [unit.content.parent(), unit.content.target()].contains(&Some(id));
        self.organisation.values().filter(hangs)
    }
}

fn matches(filter: &OrgFilter, unit: &OrgUnit) -> bool {
    let contains = |text: &String| unit.folded().is_some_and(|folded| folded.contains(&text.to_lowercase()));
    unit.kind() == filter.kind
        && filter.parent.is_none_or(|parent| unit.content.parent() == Some(parent))
        && filter.target.is_none_or(|target| unit.content.target() == Some(target))
        && filter.text.as_ref().is_none_or(contains)
}

impl OrganisationRepository for Transaction<TenantState> {
    fn insert(&mut self, units: &[OrgUnit]) -> StoreResult<()> {
        self.change(|state| {
            units.iter().try_for_each(|unit| match state.organisation.contains_key(&unit.id) {
                true => Err(StoreError::Failed("there is a unit with this id".into())),
                false => state.place(unit),
            })
        })
    }

    fn update(&mut self, units: &[OrgUnit]) -> StoreResult<()> {
        self.change(|state| {
            units.iter().try_for_each(|unit| match state.organisation.get(&unit.id) {
                Some(before) if before.version == unit.version - 1 => state.place(unit),
                _ => Err(StoreError::Stale),
            })
        })
    }

    fn remove(&mut self, id: OrgId) -> StoreResult<()> {
        self.change(|state| {
            if state.hanging_on(id).next().is_some() {
                return Err(StoreError::Failed("something hangs on the unit".into()));
            }
            state.organisation.remove(&id).map(drop).ok_or(StoreError::Stale)
        })
    }

    fn get(&mut self, ids: &[OrgId]) -> StoreResult<Vec<OrgUnit>> {
        self.look(|state| {
            let ids: std::collections::BTreeSet<_> = ids.iter().collect();
            Ok(ids.into_iter().filter_map(|id| state.organisation.get(id)).cloned().collect())
        })
    }

    fn page(&mut self, filter: &OrgFilter, after: Option<OrgId>, limit: usize) -> StoreResult<Vec<OrgUnit>> {
        self.look(|state| {
            let rest = state.organisation.values().rev();
            let rest = rest.filter(|unit| after.is_none_or(|after| unit.id < after) && matches(filter, unit));
            Ok(rest.take(limit).cloned().collect())
        })
    }

    fn hanging_on(&mut self, id: OrgId) -> StoreResult<Vec<OrgUnit>> {
        self.look(|state| Ok(state.hanging_on(id).cloned().collect()))
    }

    fn all(&mut self) -> StoreResult<Vec<OrgUnit>> {
        self.look(|state| Ok(state.organisation.values().cloned().collect()))
    }
}
