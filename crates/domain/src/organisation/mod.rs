//! A tenant's organisation, as SAP has it: company codes with plants with storage locations, purchasing organisations with
//! purchasing groups, and which purchasing organisation buys for which company code or plant.

mod content;
mod id;
mod kind;
mod names;
mod plan;
mod tree;
mod unit;

pub use content::{Assignee, Label, OrgContent, OrgPlace};
pub use id::{OrgId, OrgIdKind};
pub use kind::{InvalidOrgKind, OrgKind};
pub use names::{UnitCode, UnitDescription, UnitName};
pub use plan::{OrgPlan, Tally, UnitDraft};
pub use tree::OrgTree;
pub use unit::OrgUnit;
