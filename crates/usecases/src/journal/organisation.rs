//! What happens to an organisation. Every change is an event with the unit before and after it, also those of an import.

use tenantry_domain::event::EventType;
use tenantry_domain::organisation::{OrgContent, OrgPlan, OrgUnit, Tally};

use super::{Traced, event};
use crate::events::data;

/// `org.created`.
pub(crate) fn unit_created(unit: &OrgUnit, actor: &str, trace: String) -> Traced {
    about(EventType::ORG_CREATED, unit, (None, Some(&unit.content)), actor, trace)
}

/// `org.updated`.
pub(crate) fn unit_updated(before: &OrgUnit, after: &OrgUnit, actor: &str, trace: String) -> Traced {
    about(EventType::ORG_UPDATED, after, (Some(&before.content), Some(&after.content)), actor, trace)
}

/// `org.deleted`.
pub(crate) fn unit_deleted(unit: &OrgUnit, actor: &str, trace: String) -> Traced {
    about(EventType::ORG_DELETED, unit, (Some(&unit.content), None), actor, trace)
}

/// What an import changes, one by one, and `org.imported` with how many that were.
pub(crate) fn imported(plan: &OrgPlan, actor: &str, trace: &str) -> Vec<Traced> {
    let created = plan.created.iter().map(|unit| unit_created(unit, actor, trace.to_owned()));
    let updated = plan.updated.iter();
    let updated = updated.map(|(before, after)| unit_updated(before, after, actor, trace.to_owned()));
    let units = plan.tallies.iter().map(|(kind, &Tally { created, updated, unchanged })| {
        (kind.to_string(), data::UnitsImported { created, updated, unchanged })
    });
    let data = data::OrganisationImported { units: units.collect(), by: actor };
    let whole = Traced { event: event(EventType::ORG_IMPORTED, &data), trace: trace.to_owned() };
    created.chain(updated).chain([whole]).collect()
}

fn about(
    event_type: EventType,
    unit: &OrgUnit,
    (before, after): (Option<&OrgContent>, Option<&OrgContent>),
    actor: &str,
    trace: String,
) -> Traced {
    let data =
        data::UnitChanged { kind: unit.kind(), id: unit.id, version: unit.version, before, after, by: actor };
    Traced { event: event(event_type, &data), trace }
}
