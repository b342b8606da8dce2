//! Facts about the units of an organisation.

use std::sync::{Arc, Barrier};

use tenantry_domain::organisation::{OrgContent, OrgId, OrgKind, OrgUnit};
use tenantry_ports::{Constraint, OrgFilter, StoreError, StoreResult, TenantStore};

use crate::contract::{Subject, conflict, store};
use crate::sample::{self, assignment, org_unit};

type Store = Arc<dyn TenantStore>;

/// One unit of every kind, and the assignments to both that there can be.
struct Organisation {
    company_code: OrgUnit,
    plant: OrgUnit,
    location: OrgUnit,
    purchasing_org: OrgUnit,
    group: OrgUnit,
    to_company: OrgUnit,
    to_plant: OrgUnit,
}

impl Organisation {
    fn new() -> Self {
        let company_code = org_unit(OrgKind::CompanyCode, "X1", None);
        let plant = org_unit(OrgKind::Plant, "X1", Some(company_code.id));
        let location = org_unit(OrgKind::StorageLocation, "X1", Some(plant.id));
        let purchasing_org = org_unit(OrgKind::PurchasingOrg, "X1", None);
        let group = org_unit(OrgKind::PurchasingGroup, "X1", Some(purchasing_org.id));
        let to_company = assignment(purchasing_org.id, company_code.id);
        let to_plant = assignment(purchasing_org.id, plant.id);
        Self { company_code, plant, location, purchasing_org, group, to_company, to_plant }
    }

    /// In order of id.
    fn units(&self) -> Vec<OrgUnit> {
        let Self { company_code, plant, location, purchasing_org, group, to_company, to_plant } = self;
        [company_code, plant, location, purchasing_org, group, to_company, to_plant].map(Clone::clone).into()
    }
}

fn organised(subject: &dyn Subject) -> (Store, Organisation) {
    let ((store, _), organisation) = (store(subject), Organisation::new());
    insert(&store, &organisation.units()).expect("the units are added");
    (store, organisation)
}

fn insert(store: &Store, units: &[OrgUnit]) -> StoreResult<()> {
    store.write(|tx| tx.organisation().insert(units))
}

fn update(store: &Store, units: &[OrgUnit]) -> StoreResult<()> {
    store.write(|tx| tx.organisation().update(units))
}

fn remove(store: &Store, id: OrgId) -> StoreResult<()> {
    store.write(|tx| tx.organisation().remove(id))
}

fn all(store: &Store) -> Vec<OrgUnit> {
    store.read(|tx| tx.organisation().all()).expect("all units")
}

/// The unit with another code, a version later.
fn recoded(unit: &OrgUnit, code: &str) -> OrgUnit {
    let mut label = unit.content.label().expect("a label").clone();
    (label.code, label.description) = (code.parse().expect("a code"), None);
    moved(unit, unit.content.parent(), Some(label))
}

/// The unit below another parent, a version later.
fn moved(
    unit: &OrgUnit,
    parent: Option<OrgId>,
    label: Option<tenantry_domain::organisation::Label>,
) -> OrgUnit {
    let content =
        OrgContent::of(unit.kind(), parent, unit.content.target(), label).expect("a fitting parent");
    unit.replaced(content, sample::at(9)).expect("other content")
}

/// Every member of every kind of unit comes back as it went in, whether asked for or among all.
pub fn units_of_every_kind_are_read_back_whole(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let units = organisation.units();
    assert_eq!(all(&store), units);
    for unit in &units {
        let found = store.read(|tx| tx.organisation().get(&[unit.id])).expect("a look-up");
        assert_eq!(found, std::slice::from_ref(unit));
    }
    let unknown = org_unit(OrgKind::CompanyCode, "other", None).id;
    let ids = [units[2].id, unknown, units[0].id, units[2].id];
    let found = store.read(|tx| tx.organisation().get(&ids)).expect("a look-up");
    assert_eq!(found.len(), 2);
    assert!(found.contains(&units[0]) && found.contains(&units[2]));
    assert!(store.read(|tx| tx.organisation().get(&[])).expect("a look-up").is_empty());
    insert(&store, &[]).and_then(|()| update(&store, &[])).expect("nothing to do");
}

/// A code has one unit of a kind, compared exactly; units of different kinds may share one.
pub fn a_code_that_is_taken_is_a_conflict(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let other_company = org_unit(OrgKind::CompanyCode, "x1", None);
    insert(&store, std::slice::from_ref(&other_company)).expect("another case is another code");
    for (kind, parent) in [
        (OrgKind::CompanyCode, None),
        (OrgKind::Plant, Some(other_company.id)),
        (OrgKind::StorageLocation, Some(organisation.plant.id)),
        (OrgKind::PurchasingOrg, None),
    ] {
        let second = org_unit(kind, "X1", parent);
        assert!(conflict(&insert(&store, &[second]), Constraint::OrgCode), "{kind}");
        let other = org_unit(kind, "X2", parent);
        insert(&store, std::slice::from_ref(&other)).expect("another code");
        assert!(conflict(&update(&store, &[recoded(&other, "X1")]), Constraint::OrgCode), "{kind}");
        update(&store, &[recoded(&other, "X3")]).expect("a free code");
    }
    assert_eq!(all(&store).len(), 12);
}

/// A purchasing group's code is its purchasing organisation's own affair.
pub fn a_groups_code_is_unique_within_its_purchasing_org(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let other_org = org_unit(OrgKind::PurchasingOrg, "X2", None);
    let elsewhere = org_unit(OrgKind::PurchasingGroup, "X1", Some(other_org.id));
    insert(&store, &[other_org, elsewhere.clone()]).expect("the same code elsewhere");
    let own = organisation.purchasing_org.id;
    let second = org_unit(OrgKind::PurchasingGroup, "X1", Some(own));
    assert!(conflict(&insert(&store, &[second]), Constraint::OrgCode));
    let label = elsewhere.content.label().cloned();
    assert!(conflict(&update(&store, &[moved(&elsewhere, Some(own), label)]), Constraint::OrgCode));
}

/// A purchasing organisation is assigned to a company code once, and to a plant once.
pub fn an_assignment_that_is_there_is_a_conflict(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let Organisation { company_code, plant, purchasing_org, .. } = &organisation;
    for to in [company_code.id, plant.id] {
        let second = assignment(purchasing_org.id, to);
        assert!(conflict(&insert(&store, &[second]), Constraint::OrgAssignment), "{to}");
    }
    let other_org = org_unit(OrgKind::PurchasingOrg, "X2", None);
    let other = assignment(other_org.id, plant.id);
    insert(&store, &[other_org, other.clone()]).expect("another purchasing org");
    let same = moved(&other, Some(purchasing_org.id), None);
    assert!(conflict(&update(&store, &[same]), Constraint::OrgAssignment));
}

/// What a unit belongs to, or is assigned to, is there.
pub fn a_unit_that_hangs_on_nothing_is_refused(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let before = all(&store);
    let nowhere = Organisation::new();
    for unit in [&nowhere.plant, &nowhere.location, &nowhere.group] {
        let refused = insert(&store, &[recoded(unit, "Y1")]);
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
    let half = [
        assignment(nowhere.purchasing_org.id, organisation.plant.id),
        assignment(organisation.purchasing_org.id, nowhere.plant.id),
    ];
    for unit in half {
        assert!(insert(&store, &[unit]).is_err());
    }
    let plant = &organisation.plant;
    let lost = moved(plant, Some(nowhere.company_code.id), plant.content.label().cloned());
    assert!(update(&store, &[lost]).is_err());
    assert_eq!(all(&store), before);
}

/// Nothing goes on which something hangs; what hangs on it is told.
pub fn what_something_hangs_on_is_not_removed(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let Organisation { company_code, plant, location, purchasing_org, group, to_company, to_plant } =
        organisation;
    let hanging = |unit: &OrgUnit| store.read(|tx| tx.organisation().hanging_on(unit.id)).expect("a list");
    assert_eq!(hanging(&company_code), [plant.clone(), to_company.clone()]);
    assert_eq!(hanging(&plant), [location.clone(), to_plant.clone()]);
    assert_eq!(hanging(&purchasing_org), [group.clone(), to_company.clone(), to_plant.clone()]);
    for unit in [&company_code, &plant, &purchasing_org] {
        let refused = remove(&store, unit.id);
        assert!(matches!(refused, Err(StoreError::Failed(_))), "{refused:?}");
    }
    for unit in [&to_plant, &to_company, &group, &purchasing_org, &location, &plant, &company_code] {
        assert!(hanging(unit).is_empty());
        remove(&store, unit.id).expect("nothing hangs on it");
        assert!(matches!(remove(&store, unit.id), Err(StoreError::Stale)));
    }
    assert!(all(&store).is_empty());
}

/// A change replaces every member but those of the beginning, and says which version it was made to; of a slice with one
/// that is stale nothing is kept.
pub fn units_are_changed_version_by_version(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let Organisation { plant, purchasing_org, to_plant, .. } = &organisation;
    let company = org_unit(OrgKind::CompanyCode, "X2", None);
    let other_org = org_unit(OrgKind::PurchasingOrg, "X2", None);
    insert(&store, &[company.clone(), other_org.clone()]).expect("the units are added");
    let label = recoded(plant, "X9").content.label().cloned();
    let changed = [
        moved(plant, Some(company.id), label),
        recoded(purchasing_org, "X8"),
        moved(to_plant, Some(other_org.id), None),
    ];
    update(&store, &changed).expect("the units are changed");
    let stored = |unit: &OrgUnit| store.read(|tx| tx.organisation().get(&[unit.id])).expect("a look-up");
    for unit in &changed {
        assert_eq!(stored(unit), std::slice::from_ref(unit));
    }
    assert!(matches!(update(&store, &changed[..1]), Err(StoreError::Stale)));
    let half = [recoded(&changed[1], "X7"), recoded(plant, "X7")];
    assert!(matches!(update(&store, &half), Err(StoreError::Stale)));
    assert_eq!(stored(&changed[1]), std::slice::from_ref(&changed[1]));
    let unknown = recoded(&org_unit(OrgKind::CompanyCode, "new", None), "newer");
    assert!(matches!(update(&store, &[unknown]), Err(StoreError::Stale)));
}

/// Lists are of one kind, newest first, go on after a unit, and are filtered by all that is said.
pub fn units_are_listed_newest_first_and_filtered(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let Organisation { company_code, plant, purchasing_org, to_company, to_plant, .. } = &organisation;
    let company = org_unit(OrgKind::CompanyCode, "Z_1", None);
    let mut plants: Vec<_> =
        ["P_1", "Px1", "p3"].map(|code| org_unit(OrgKind::Plant, code, Some(company.id))).into();
    insert(&store, std::slice::from_ref(&company)).expect("a company code");
    insert(&store, &plants).expect("the plants are added");
    plants.reverse();
    let list = |filter: &OrgFilter, after: Option<&OrgUnit>, limit| {
        store.read(|tx| tx.organisation().page(filter, after.map(|unit| unit.id), limit)).expect("a list")
    };
    let every = [plants.clone(), vec![plant.clone()]].concat();
    let all_plants = OrgFilter::all(OrgKind::Plant);
    assert_eq!(list(&all_plants, None, 10), every);
    assert_eq!(list(&all_plants, None, 2), every[..2]);
    assert_eq!(list(&all_plants, Some(&every[1]), 2), every[2..]);
    assert!(list(&all_plants, Some(&every[3]), 2).is_empty());
    let text = |text: &str| OrgFilter { text: Some(text.to_owned()), ..all_plants.clone() };
    let below = |parent: &OrgUnit| OrgFilter { parent: Some(parent.id), ..all_plants.clone() };
    for (filter, expected) in [
        (below(&company), &every[..3]),
        (below(company_code), &every[3..]),
        (text("P_"), &every[2..3]),
        (text("px"), &every[1..2]),
        (text("söhne"), &every[..]),
        (text("SÖHNE"), &every[..]),
        (text("%"), &every[..]),
        (text("100%"), &[]),
        (OrgFilter { text: Some("P3".to_owned()), ..below(&company) }, &every[..1]),
    ] {
        assert_eq!(list(&filter, None, 10), expected, "{filter:?}");
    }
    let assignments = OrgFilter::all(OrgKind::PorgAssignment);
    assert_eq!(list(&assignments, None, 10), [to_plant.clone(), to_company.clone()]);
    let of = OrgFilter { parent: Some(purchasing_org.id), target: Some(plant.id), ..assignments.clone() };
    assert_eq!(list(&of, None, 10), std::slice::from_ref(to_plant));
    let looked_for = OrgFilter { text: Some(String::new()), ..assignments };
    assert!(list(&looked_for, None, 10).is_empty());
}

/// Of many who want one code at once, one gets it.
pub fn of_concurrent_units_with_one_code_one_wins(subject: &dyn Subject) {
    let (store, organisation) = organised(subject);
    let start = Barrier::new(8);
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let contestants: Vec<_> = (0..8)
            .map(|_| {
                let (store, start, parent) = (&store, &start, organisation.company_code.id);
                scope.spawn(move || {
                    let unit = org_unit(OrgKind::Plant, "contested", Some(parent));
                    start.wait();
                    insert(store, &[unit])
                })
            })
            .collect();
        contestants.into_iter().map(|one| one.join().expect("no panic")).collect()
    });
    let winners = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    let losers = outcomes.iter().filter(|outcome| conflict(outcome, Constraint::OrgCode)).count();
    assert_eq!((winners, losers), (1, 7), "{outcomes:?}");
}
