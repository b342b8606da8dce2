use diesel::prelude::*;
use tenantry_domain::tenant::{Direction, Run, RunKind};
use tenantry_ports::{StoreError, StoreResult};

use super::steps::StepRow;
use crate::convert::{named, number, parse};
use crate::schema::provisioning_runs as runs;

/// What is read of `provisioning_runs`.
#[derive(Debug, Clone, Queryable, Selectable)]
#[diesel(table_name = runs)]
pub(super) struct RunRow {
    pub(super) tenant_id: String,
    pub(super) number: i64,
    kind: String,
    with_admin: bool,
    direction: String,
    pub(super) admin: Option<String>,
    pub(super) fence: i64,
}

impl RunRow {
    pub(super) fn run(&self, journal: impl IntoIterator<Item = StepRow>) -> StoreResult<Run> {
        Ok(Run {
            tenant: parse("provisioning run", &self.tenant_id)?,
            number: number("provisioning run", self.number)?,
            kind: self.kind()?,
            direction: named("provisioning run", &self.direction, direction)?,
            journal: journal.into_iter().map(StepRow::record).collect::<StoreResult<_>>()?,
        })
    }

    fn kind(&self) -> StoreResult<RunKind> {
        match (self.kind.as_str(), self.with_admin) {
            (PROVISION, with_admin) => Ok(RunKind::Provision { with_admin }),
            (DEPROVISION, false) => Ok(RunKind::Deprovision),
            (kind, with_admin) => {
                let detail = format!("there is no {kind:?} where with_admin is {with_admin}");
                Err(StoreError::corrupt("provisioning run", detail))
            }
        }
    }
}

const PROVISION: &str = "Provision";
const DEPROVISION: &str = "Deprovision";

/// The columns `kind` and `with_admin`.
pub(super) const fn kind_columns(kind: RunKind) -> (&'static str, bool) {
    match kind {
        RunKind::Provision { with_admin } => (PROVISION, with_admin),
        RunKind::Deprovision => (DEPROVISION, false),
    }
}

const FORWARD: &str = "Forward";
const UNWIND: &str = "Unwind";

/// The column `direction`.
pub(super) const fn direction_column(direction: Direction) -> &'static str {
    match direction {
        Direction::Forward => FORWARD,
        Direction::Unwind => UNWIND,
    }
}

fn direction(name: &str) -> Option<Direction> {
    match name {
        FORWARD => Some(Direction::Forward),
        UNWIND => Some(Direction::Unwind),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::sample;

    use super::*;

    fn row() -> RunRow {
        RunRow {
            tenant_id: sample::tenant("acme").id.to_string(),
            number: 1,
            kind: PROVISION.to_owned(),
            with_admin: false,
            direction: FORWARD.to_owned(),
            admin: None,
            fence: 0,
        }
    }

    #[test]
    fn every_kind_and_direction_is_read_back() {
        let kinds = [
            RunKind::Provision { with_admin: false },
            RunKind::Provision { with_admin: true },
            RunKind::Deprovision,
        ];
        for kind in kinds {
            for direction in [Direction::Forward, Direction::Unwind] {
                let (name, with_admin) = kind_columns(kind);
                let direction_name = direction_column(direction).to_owned();
                let row = RunRow { kind: name.to_owned(), with_admin, direction: direction_name, ..row() };
                let run = row.run([]).unwrap();
                assert_eq!((run.kind, run.direction), (kind, direction));
            }
        }
    }

    #[test]
    fn a_run_that_makes_no_sense_is_corrupt() {
        let wrong = [
            RunRow { tenant_id: "ten_".to_owned(), ..row() },
            RunRow { number: -1, ..row() },
            RunRow { kind: "Dance".to_owned(), ..row() },
            RunRow { kind: DEPROVISION.to_owned(), with_admin: true, ..row() },
            RunRow { direction: "Sideways".to_owned(), ..row() },
        ];
        assert!(row().run([]).is_ok());
        for row in wrong {
            let read = row.run([]);
            assert!(
                matches!(read, Err(StoreError::Corrupt { what: "provisioning run", .. })),
                "{row:?}: {read:?}"
            );
        }
    }
}
