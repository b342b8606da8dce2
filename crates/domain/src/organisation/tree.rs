use std::collections::HashMap;

use super::{OrgId, OrgKind, OrgUnit};

/// A whole organisation, to be looked through from top to bottom and along the assignments. Siblings are in order of code.
#[derive(Debug)]
pub struct OrgTree {
    units: Vec<OrgUnit>,
    by_id: HashMap<OrgId, usize>,
    below: HashMap<OrgId, Vec<usize>>,
    assigned_to: HashMap<OrgId, Vec<usize>>,
}

impl OrgTree {
    /// The organisation of these units, however ordered.
    pub fn new(mut units: Vec<OrgUnit>) -> Self {
        units.sort_by_cached_key(|unit| {
            (unit.kind(), unit.content.label().map(|label| label.code.clone()), unit.id)
        });
        let (mut below, mut assigned_to) = (HashMap::<_, Vec<_>>::new(), HashMap::<_, Vec<_>>::new());
        let mut by_id = HashMap::with_capacity(units.len());
        for (index, unit) in units.iter().enumerate() {
            by_id.insert(unit.id, index);
            if let Some(parent) = unit.content.parent() {
                below.entry(parent).or_default().push(index);
            }
            if let Some(target) = unit.content.target() {
                assigned_to.entry(target).or_default().push(index);
            }
        }
        Self { units, by_id, below, assigned_to }
    }

    /// The unit with this id.
    pub fn get(&self, id: OrgId) -> Option<&OrgUnit> {
        self.by_id.get(&id).map(|index| &self.units[*index])
    }

    /// Every unit, in order of kind, and of code within a kind.
    pub fn units(&self) -> &[OrgUnit] {
        &self.units
    }

    /// Every unit of this kind.
    pub fn of_kind(&self, kind: OrgKind) -> impl Iterator<Item = &OrgUnit> {
        let from = self.units.partition_point(|unit| unit.kind() < kind);
        self.units[from..].iter().take_while(move |unit| unit.kind() == kind)
    }

    /// The units of this kind that belong to this one.
    pub fn below(&self, id: OrgId, kind: OrgKind) -> impl Iterator<Item = &OrgUnit> {
        self.listed(&self.below, id).filter(move |unit| unit.kind() == kind)
    }

    /// The assignments to this unit.
    pub fn assigned_to(&self, id: OrgId) -> impl Iterator<Item = &OrgUnit> {
        self.listed(&self.assigned_to, id)
    }

    fn listed<'a>(
        &'a self,
        lists: &'a HashMap<OrgId, Vec<usize>>,
        id: OrgId,
    ) -> impl Iterator<Item = &'a OrgUnit> {
        lists.get(&id).into_iter().flatten().map(|index| &self.units[*index])
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use serde_json::{Value, json};
    use uuid::Uuid;

    use super::*;

    fn unit(uuid: u128, content: Value) -> OrgUnit {
        OrgUnit::create(Uuid::from_u128(uuid), serde_json::from_value(content).unwrap(), DateTime::UNIX_EPOCH)
    }

    fn labelled(uuid: u128, kind: &str, code: &str, parent: Option<(&str, &OrgUnit)>) -> OrgUnit {
        let mut content = json!({ "kind": kind, "code": code, "name": code });
        if let Some((member, parent)) = parent {
            content[member] = json!(parent.id);
        }
        unit(uuid, content)
    }

    #[test]
    fn siblings_are_in_order_of_code_and_assignments_are_found_at_both_ends() {
        let cc = labelled(9, "company_code", "CC", None);
        let plants = ["P2", "P10", "P1"];
        let plants: Vec<_> = (1..)
            .zip(plants)
            .map(|(n, code)| labelled(n, "plant", code, Some(("companyCodeId", &cc))))
            .collect();
        let porg = labelled(7, "purchasing_org", "PO", None);
        let group = labelled(8, "purchasing_group", "PG", Some(("purchasingOrgId", &porg)));
        let assignment =
            json!({ "kind": "porg_assignment", "purchasingOrgId": porg.id, "plantId": plants[0].id });
        let assignment = unit(6, assignment);
        let mut all = plants.clone();
        all.extend([group.clone(), assignment.clone(), porg.clone(), cc.clone()]);
        let tree = OrgTree::new(all);
        let codes = |units: Vec<&OrgUnit>| units.into_iter().map(OrgUnit::code).collect::<Vec<_>>();
        assert_eq!(codes(tree.below(cc.id, OrgKind::Plant).collect()), ["P1", "P10", "P2"]);
        assert_eq!(codes(tree.of_kind(OrgKind::PurchasingOrg).collect()), ["PO"]);
        assert_eq!(codes(tree.below(porg.id, OrgKind::PurchasingGroup).collect()), ["PG"]);
        assert_eq!(tree.below(porg.id, OrgKind::PorgAssignment).collect::<Vec<_>>(), [&assignment]);
        assert_eq!(tree.assigned_to(plants[0].id).collect::<Vec<_>>(), [&assignment]);
        assert_eq!(tree.assigned_to(cc.id).count() + tree.of_kind(OrgKind::StorageLocation).count(), 0);
        assert_eq!((tree.get(group.id), tree.units().len()), (Some(&group), 7));
    }
}
