//! What is wrong with an installation: the registry and reality compared both ways, and the work that nobody does.
//!
//! Looking changes nothing. What can be put right safely comes with a [`Remedy`], for [`cure`] to apply.

mod cure;
mod databases;
mod notices;
mod pool;
mod queue;
mod registry;

pub use cure::{CureError, cure};

use tenantry_domain::id::TenantId;
use tenantry_ports::StoreResult;
use uuid::Uuid;

use self::registry::Registry;
use crate::{Platform, fleet};

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It is as it should be.
    Ok,
    /// It works, but somebody should see to it.
    Warning,
    /// Something does not work, or is not what the registry says.
    Error,
}

impl Severity {
    /// `ok`, `warning` or `error`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// Something that was looked at, and how it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symptom {
    /// What kind of thing; stable, snake_case.
    pub code: &'static str,
    /// How bad it is.
    pub severity: Severity,
    /// Where: a tenant, a database, a file.
    pub place: String,
    /// What is the matter, in one sentence.
    pub what: String,
    /// What to do about it, if anything is to be done.
    pub next: Option<String>,
    /// What puts it right, where that is safe.
    pub remedy: Option<Remedy>,
}

impl Symptom {
    /// Something is as it should be.
    pub fn ok(code: &'static str, place: impl Into<String>, what: impl Into<String>) -> Self {
        let (place, what) = (place.into(), what.into());
        Self { code, severity: Severity::Ok, place, what, next: None, remedy: None }
    }

    /// Somebody should see to it.
    pub fn warning(
        code: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Warning, next: Some(next.into()), ..Self::ok(code, place, what) }
    }

    /// Something does not work.
    pub fn error(
        code: &'static str,
        place: impl Into<String>,
        what: impl Into<String>,
        next: impl Into<String>,
    ) -> Self {
        Self { severity: Severity::Error, ..Self::warning(code, place, what, next) }
    }

    fn with(self, remedy: Remedy) -> Self {
        Self { remedy: Some(remedy), ..self }
    }

    /// Whether both tell of the same thing, each at its moment.
    fn is_still(&self, other: &Self) -> bool {
        (self.code, &self.place) == (other.code, &other.place)
    }
}

/// What is safe to do about a symptom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// Drop what this tenant, at this version, must not have any more.
    DropLeftover {
        /// Whose.
        tenant: TenantId,
        /// As it was when that was found.
        version: i64,
    },
    /// Let workers claim the run (again).
    Enqueue {
        /// Whose run.
        tenant: TenantId,
        /// Which run of that tenant.
        number: u32,
    },
    /// Let go of the tenants that nobody confirmed in time.
    Expire,
    /// Carry on with, or remove, the pooled databases that were left in the midst of work.
    TendPool,
    /// Make the pooled database again.
    Remake(Uuid),
    /// Bring every database up to date.
    Migrate,
}

/// Looks at everything that the control database and the servers tell; what is as it should be is said, too.
///
/// The registry and reality cannot be read at one moment. What seems wrong is therefore looked at a second time, and only
/// counts if it still is: whatever was in the midst of being made or unmade is then something else.
pub fn examine(platform: &Platform) -> Vec<Symptom> {
    let first = look(platform);
    if first.iter().all(|symptom| symptom.severity == Severity::Ok) {
        return first;
    }
    let mut second = look(platform);
    second.retain(|symptom| {
        symptom.severity == Severity::Ok || first.iter().any(|before| symptom.is_still(before))
    });
    second
}

fn look(platform: &Platform) -> Vec<Symptom> {
    // In this order: what is registered is registered before it is made.
    let inventory = platform.databases.inventory();
    let now = platform.clock.now();
    let registry = match Registry::read(platform) {
        Ok(registry) => registry,
        Err(error) => {
            let next = "mend or restore the control database; what is stored there cannot be read";
            return vec![Symptom::error("registry_unreadable", "control database", error.to_string(), next)];
        }
    };
    let (clusters, settled) = (platform.policy.placement.clusters(), now - platform.policy.lease);
    let mut symptoms = databases::compare(&registry, inventory, clusters, settled);
    symptoms.extend(registry.symptoms());
    symptoms.extend(queue::symptoms(platform, &registry, now));
    symptoms.extend(pool::symptoms(platform, &registry, now));
    symptoms.extend(schema(platform));
    symptoms.extend(notices::symptom(platform));
    symptoms
}

fn schema(platform: &Platform) -> Option<Symptom> {
    let place = "tenant databases";
    let behind: StoreResult<_> = fleet::behind(platform);
    let schema = platform.databases.schema();
    match behind {
        Ok(behind) if behind.is_empty() => {
            Some(Symptom::ok("schema", place, format!("all have schema {schema}, as far as was noted")))
        }
        Ok(behind) => {
            let names = few(behind.iter().map(|member| {
                format!("{} ({})", member.name(), member.schema.as_deref().unwrap_or("none noted"))
            }));
            let what = format!("schema {schema} is missing in {}: {names}", count(behind.len(), "database"));
            let behind = Symptom::warning("behind_in_schema", place, what, "run `tenantry migrate`");
            Some(behind.with(Remedy::Migrate))
        }
        // The registry was readable a moment ago.
        Err(error) => {
            let next = "look again; the control database did not answer";
            Some(Symptom::error("registry_unreadable", "control database", error.to_string(), next))
        }
    }
}

/// As in "1 run" and "3 runs".
fn count(number: usize, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

/// The first few of them, and how many more there are.
fn few(names: impl ExactSizeIterator<Item = String>) -> String {
    const FEW: usize = 5;
    let more = names.len().saturating_sub(FEW);
    let mut text = names.take(FEW).collect::<Vec<_>>().join(", ");
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
