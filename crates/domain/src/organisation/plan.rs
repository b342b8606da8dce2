use std::collections::{BTreeMap, HashMap, HashSet};
use std::str::FromStr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Label, OrgContent, OrgId, OrgKind, OrgPlace, OrgTree, OrgUnit, UnitCode};
use crate::text::InvalidText;
use crate::{Finding, Pointer};

/// A unit as a document has it, which names others by their codes.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs, reason = "the members of the unit it becomes")]
pub struct UnitDraft {
    /// Where it is in the document.
    pub at: Pointer,
    pub kind: OrgKind,
    pub code: Option<String>,
    pub name: Option<String>,
    pub description: Option<String>,
    pub company_code: Option<String>,
    pub plant: Option<String>,
    pub purchasing_org: Option<String>,
}

/// How many units of a kind a document makes, changes and leaves.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "what their names say")]
pub struct Tally {
    pub created: usize,
    pub updated: usize,
    pub unchanged: usize,
}

/// What a document makes of an organisation. What it does not mention stays as it is.
#[derive(Debug, Default)]
pub struct OrgPlan {
    /// Units to be, what others hang on before them.
    pub created: Vec<OrgUnit>,
    /// Units that become others: as they are, and as they are going to be.
    pub updated: Vec<(OrgUnit, OrgUnit)>,
    /// How many of each kind.
    pub tallies: BTreeMap<OrgKind, Tally>,
}

impl OrgPlan {
    /// What the drafts make of the organisation, or everything that is wrong with them. Units with the same code (groups: in
    /// the same purchasing organisation; assignments: with the same ends) are the same; new ones get their ids from `uuid`.
    pub fn of(
        tree: &OrgTree,
        drafts: &[UnitDraft],
        uuid: impl FnMut() -> Uuid,
        at: DateTime<Utc>,
    ) -> Result<Self, Vec<Finding>> {
        let mut planner = Planner::new(tree, drafts, uuid);
        let mut plan = Self::default();
        let mut drafts: Vec<_> = drafts.iter().collect();
        // What is hung on comes first; otherwise in the document's order.
        drafts.sort_by_key(|draft| draft.kind);
        for draft in drafts {
            let Some((content, uuid)) = planner.judge(draft) else { continue };
            let tally = plan.tallies.entry(draft.kind).or_default();
            match planner.existing.get(&content.place()) {
                None => {
                    tally.created += 1;
                    plan.created.push(OrgUnit::create(uuid, content, at));
                }
                Some(before) => match before.replaced(content, at) {
                    None => tally.unchanged += 1,
                    Some(after) => {
                        tally.updated += 1;
                        plan.updated.push(((*before).clone(), after));
                    }
                },
            }
        }
        if planner.findings.is_empty() { Ok(plan) } else { Err(planner.findings) }
    }
}

struct Planner<'a, F> {
    /// By code, what a draft may name: what is there, and what the document is going to make.
    known: HashMap<(OrgKind, &'a str), OrgId>,
    existing: HashMap<OrgPlace, &'a OrgUnit>,
    mentioned: HashSet<OrgPlace>,
    findings: Vec<Finding>,
    uuid: F,
}

impl<'a, F: FnMut() -> Uuid> Planner<'a, F> {
    fn new(tree: &'a OrgTree, drafts: &'a [UnitDraft], mut uuid: F) -> Self {
        let existing = tree.units().iter().map(|unit| (unit.content.place(), unit)).collect();
        let labels = tree.units().iter().filter_map(|unit| Some((unit, unit.content.label()?)));
        let mut known: HashMap<_, _> =
            labels.map(|(unit, label)| ((unit.kind(), label.code.as_str()), unit.id)).collect();
        for draft in drafts {
            if let Some(code) = &draft.code {
                known.entry((draft.kind, code.as_str())).or_insert_with(|| OrgId::new(draft.kind, uuid()));
            }
        }
        Self { known, existing, mentioned: HashSet::new(), findings: Vec::new(), uuid }
    }

    fn find(&mut self, draft: &UnitDraft, member: &str, code: &'static str, message: impl Into<String>) {
        self.findings.push(Finding::new(draft.at.member(member), code, message));
    }

    /// What the draft says, with the UUID of the unit should it be new; none if anything is wrong with it.
    fn judge(&mut self, draft: &UnitDraft) -> Option<(OrgContent, Uuid)> {
        let kind = draft.kind;
        let before = self.findings.len();
        let label = if kind == OrgKind::PorgAssignment { None } else { self.label(draft) };
        let parent = kind.parent().and_then(|parent| self.reference(draft, parent));
        let target = if kind == OrgKind::PorgAssignment { self.target(draft) } else { None };
        self.refuse_others(draft);
        let content = OrgContent::of(kind, parent, target, label)?;
        if !self.mentioned.insert(content.place()) {
            let member = if kind == OrgKind::PorgAssignment { "purchasingOrg" } else { "code" };
            self.find(
                draft,
                member,
                "duplicate",
                format!("The document has this {} more than once", kind.noun()),
            );
        }
        let named = draft.code.as_deref().filter(|_| kind != OrgKind::PurchasingGroup);
        let id = named.and_then(|code| self.known.get(&(kind, code)).copied());
        let uuid = id.map_or_else(&mut self.uuid, OrgId::uuid);
        (self.findings.len() == before).then_some((content, uuid))
    }

    fn label(&mut self, draft: &UnitDraft) -> Option<Label> {
        let code = self.text::<UnitCode>(draft, "code", draft.code.as_deref(), true);
        let name = self.text(draft, "name", draft.name.as_deref(), true);
        let description = self.text(draft, "description", draft.description.as_deref(), false);
        Some(Label { code: code?, name: name?, description })
    }

    fn text<T: FromStr<Err = InvalidText>>(
        &mut self,
        draft: &UnitDraft,
        member: &str,
        text: Option<&str>,
        needed: bool,
    ) -> Option<T> {
        match text.map(str::parse) {
            Some(Ok(value)) => return Some(value),
            Some(Err(error)) => self.findings.push(error.at(draft.at.member(member))),
            None if needed => self.find(draft, member, "required", format!("The {member} is missing")),
            None => {}
        }
        None
    }

    /// What a draft names of this kind, and has to.
    fn reference(&mut self, draft: &UnitDraft, kind: OrgKind) -> Option<OrgId> {
        let (member, code) = named(draft, kind)?;
        let Some(code) = code else {
            let message = format!("The code of a {} is missing", kind.noun());
            self.find(draft, member, "required", message);
            return None;
        };
        let found = self.known.get(&(kind, code)).copied();
        if found.is_none() {
            let message = format!(
                "There is no {} '{code}', neither in the document nor in the organisation",
                kind.noun()
            );
            self.find(draft, member, "unknown_org_unit", message);
        }
        found
    }

    fn target(&mut self, draft: &UnitDraft) -> Option<OrgId> {
        match (&draft.company_code, &draft.plant) {
            (Some(_), None) => self.reference(draft, OrgKind::CompanyCode),
            (None, Some(_)) => self.reference(draft, OrgKind::Plant),
            (None, None) | (Some(_), Some(_)) => {
                for member in ["companyCode", "plant"] {
                    let message = "Exactly one of companyCode and plant has to be given";
                    self.find(draft, member, "exactly_one", message);
                }
                None
            }
        }
    }

    /// What is given and means nothing for the kind is a mistake somewhere.
    fn refuse_others(&mut self, draft: &UnitDraft) {
        let kind = draft.kind;
        let assignment = kind == OrgKind::PorgAssignment;
        let given = [
            ("code", draft.code.is_some() && assignment),
            ("name", draft.name.is_some() && assignment),
            ("description", draft.description.is_some() && assignment),
        ];
        let named = [OrgKind::CompanyCode, OrgKind::Plant, OrgKind::PurchasingOrg].map(|other| {
            let (member, code) = named(draft, other).unwrap_or_default();
            (member, code.is_some() && !assignment && kind.parent() != Some(other))
        });
        for (member, _) in given.into_iter().chain(named).filter(|(_, wrong)| *wrong) {
            self.find(draft, member, "unknown_member", format!("No {} has a {member}", kind.noun()));
        }
    }
}

/// The member that names a unit of this kind, and what the draft says there.
fn named(draft: &UnitDraft, kind: OrgKind) -> Option<(&'static str, Option<&str>)> {
    match kind {
        OrgKind::CompanyCode => Some(("companyCode", draft.company_code.as_deref())),
        OrgKind::Plant => Some(("plant", draft.plant.as_deref())),
        OrgKind::PurchasingOrg => Some(("purchasingOrg", draft.purchasing_org.as_deref())),
        OrgKind::StorageLocation | OrgKind::PurchasingGroup | OrgKind::PorgAssignment => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A document, a line of `kind code companyCode plant purchasingOrg` each, with `-` for what is not given.
    fn drafts(lines: &[&str]) -> Vec<UnitDraft> {
        let draft = |(index, line): (usize, &&str)| {
            let mut cells = line.split(' ').map(|cell| (cell != "-").then(|| cell.to_owned()));
            let kind = cells.next().flatten().unwrap().parse().unwrap();
            let code = cells.next().flatten();
            UnitDraft {
                at: Pointer::root().index(index),
                kind,
                name: code.as_ref().map(|code| format!("Name of {code}")),
                code,
                description: None,
                company_code: cells.next().flatten(),
                plant: cells.next().flatten(),
                purchasing_org: cells.next().flatten(),
            }
        };
        lines.iter().enumerate().map(draft).collect()
    }

    fn plan(tree: &OrgTree, drafts: &[UnitDraft]) -> Result<OrgPlan, Vec<Finding>> {
        // No unit has the id of one that is there.
        let mut number = 1000 * tree.units().len() as u128;
        let uuid = || {
            number += 1;
            Uuid::from_u128(number)
        };
        OrgPlan::of(tree, drafts, uuid, DateTime::UNIX_EPOCH)
    }

    fn findings(tree: &OrgTree, lines: &[&str]) -> Vec<(String, String)> {
        let found = plan(tree, &drafts(lines)).unwrap_err();
        found.into_iter().map(|finding| (finding.pointer.to_string(), finding.code.into_owned())).collect()
    }

    fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
        expected.iter().map(|(pointer, code)| ((*pointer).to_owned(), (*code).to_owned())).collect()
    }

    /// In no good order, with one code in several kinds, and one group code in two purchasing organisations.
    const WHOLE: [&str; 9] = [
        "porg_assignment - - P1 PO1",
        "porg_assignment - CC1 - PO1",
        "purchasing_group PG1 - - PO1",
        "purchasing_group PG1 - - PO2",
        "storage_location P1 - P1 -",
        "plant P1 CC1 - -",
        "company_code CC1 - - -",
        "purchasing_org PO1 - - -",
        "purchasing_org PO2 - - -",
    ];

    fn whole() -> OrgTree {
        OrgTree::new(plan(&OrgTree::new(Vec::new()), &drafts(&WHOLE)).unwrap().created)
    }

    #[test]
    fn a_document_makes_an_organisation_and_the_same_again_changes_nothing() {
        let tree = whole();
        assert_eq!(tree.units().len(), WHOLE.len());
        let plant = tree.of_kind(OrgKind::Plant).next().unwrap();
        let company = tree.of_kind(OrgKind::CompanyCode).next().unwrap();
        assert_eq!(plant.content.parent(), Some(company.id));
        assert_eq!(tree.assigned_to(plant.id).count() + tree.assigned_to(company.id).count(), 2);
        let again = plan(&tree, &drafts(&WHOLE)).unwrap();
        assert!(again.created.is_empty() && again.updated.is_empty());
        assert_eq!(again.tallies[&OrgKind::PurchasingGroup], Tally { unchanged: 2, ..Tally::default() });
    }

    #[test]
    fn what_has_changed_is_updated_and_what_is_not_mentioned_stays() {
        let tree = whole();
        let made = plan(&tree, &drafts(&["company_code CC2 - - -", "plant P1 CC2 - -"])).unwrap();
        let [(before, after)] = made.updated.as_slice() else { panic!("{:?}", made.updated) };
        assert_eq!((before.id, after.version), (after.id, 2));
        assert_eq!(after.content.parent(), Some(made.created[0].id));
        assert_eq!(made.tallies[&OrgKind::Plant], Tally { updated: 1, ..Tally::default() });
    }

    #[test]
    fn everything_that_is_wrong_is_found_at_once() {
        let lines = [
            "company_code CC1 - - -",
            "company_code CC1 - - -",
            "plant =P1 CC1 - -",
            "plant P2 CC9 P1 -",
            "plant P3 - - -",
            "storage_location S1 - P2 -",
            "porg_assignment X CC1 P2 PO9",
            "porg_assignment - - - PO9",
        ];
        assert_eq!(
            findings(&OrgTree::new(Vec::new()), &lines),
            pairs(&[
                ("/1/code", "duplicate"),
                ("/2/code", "invalid_code"),
                ("/3/companyCode", "unknown_org_unit"),
                ("/3/plant", "unknown_member"),
                ("/4/companyCode", "required"),
                ("/6/purchasingOrg", "unknown_org_unit"),
                ("/6/companyCode", "exactly_one"),
                ("/6/plant", "exactly_one"),
                ("/6/code", "unknown_member"),
                ("/6/name", "unknown_member"),
                ("/7/purchasingOrg", "unknown_org_unit"),
                ("/7/companyCode", "exactly_one"),
                ("/7/plant", "exactly_one"),
            ])
        );
    }
}
