use tenantry_domain::organisation::{
    Label, OrgContent, OrgId, OrgKind, OrgUnit, UnitCode, UnitDescription, UnitName,
};
use tenantry_ports::Ids as _;

use super::{IDS, ODD_TEXT, now};

/// A unit of this kind with this code, below `parent` where its kind has parents.
///
/// # Panics
/// If the code is none, or the parent is none for this kind.
pub fn org_unit(kind: OrgKind, code: &str, parent: Option<OrgId>) -> OrgUnit {
    let label = Label {
        code: UnitCode::new(code).expect("a valid code"),
        name: UnitName::new(ODD_TEXT).expect("a valid name"),
        description: Some(
            UnitDescription::new(format!("{ODD_TEXT}\n\n{code}")).expect("a valid description"),
        ),
    };
    let content = OrgContent::of(kind, parent, None, Some(label)).expect("a fitting parent");
    OrgUnit::create(IDS.time_ordered(), content, now())
}

/// The assignment of a purchasing organisation to a company code or a plant.
///
/// # Panics
/// If they are of other kinds.
pub fn assignment(purchasing_org: OrgId, to: OrgId) -> OrgUnit {
    let content = OrgContent::of(OrgKind::PorgAssignment, Some(purchasing_org), Some(to), None);
    OrgUnit::create(IDS.time_ordered(), content.expect("fitting ends"), now())
}
