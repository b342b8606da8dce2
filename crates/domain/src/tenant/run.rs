use std::time::Duration;

use chrono::{DateTime, Utc};

use super::{StepError, StepKind, StepRecord, StepStatus};
use crate::id::TenantId;

/// Which way a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Towards `Active`.
    Forward,
    /// Back to where nothing exists, because a step failed for good.
    Unwind,
}

/// What a run does next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NextStep {
    /// Do this step. It may have been begun before (a crash); doing a step twice is doing it once.
    Do(StepKind),
    /// Undo this step, which was begun and may or may not have taken effect.
    Undo(StepKind),
    /// Every step has succeeded.
    Succeeded,
    /// Every step that was begun is undone.
    Unwound,
}

/// What follows from a failed attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterFailure {
    /// Try again after about this long.
    Retry(Duration),
    /// Give up and undo.
    Unwind,
}

/// What a run is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RunKind {
    /// The tenant gets a database with everything in it.
    Provision {
        /// And a first admin.
        with_admin: bool,
    },
    /// The tenant's database is dropped.
    Deprovision,
}

impl RunKind {
    /// The steps of such a run, in order.
    pub const fn steps(self) -> &'static [StepKind] {
        use StepKind::{ApplyMigrations, CreateAdmin, CreateDatabase, DropDatabase, Init, SeedData};
        match self {
            Self::Provision { with_admin: false } => &[Init, CreateDatabase, ApplyMigrations, SeedData],
            Self::Provision { with_admin: true } => {
                &[Init, CreateDatabase, ApplyMigrations, SeedData, CreateAdmin]
            }
            Self::Deprovision => &[DropDatabase],
        }
    }
}

/// One run of a tenant's provisioning (or deprovisioning) steps: the plan and the journal, and nothing of who executes it.
///
/// The journal is the truth: a crashed run continues by asking [`Run::next`] again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Whose run.
    pub tenant: TenantId,
    /// 1 for the tenant's first run; a retry by an operator is the next one, and so is a deprovisioning.
    pub number: u32,
    /// What it is for.
    pub kind: RunKind,
    /// Which way it goes.
    pub direction: Direction,
    /// Every attempt, oldest first.
    pub journal: Vec<StepRecord>,
}

/// The longest wait of a run that never gives up.
const LONGEST_WAIT: Duration = Duration::from_secs(600);

/// When an attempt is repeated: exponential backoff with full jitter, capped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many attempts a step gets in one run.
    pub max_attempts: u32,
    /// The longest wait after the first failure; doubled after each further one.
    pub base: Duration,
    /// No wait is longer than this.
    pub cap: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 6, base: Duration::from_millis(200), cap: Duration::from_secs(10) }
    }
}

impl RetryPolicy {
    /// The wait after the failure of `attempt` (1 for the first): a `jitter` in 0..=1 times the capped exponential, in
    /// whole microseconds, which is what stores keep.
    pub fn wait(&self, attempt: u32, jitter: f64) -> Duration {
        let doubled = self.base.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
        let micros = doubled.min(self.cap).mul_f64(jitter.clamp(0.0, 1.0)).as_micros();
        Duration::from_micros(u64::try_from(micros).unwrap_or(u64::MAX))
    }
}

impl Run {
    /// A run whose `Init` step is done.
    pub fn announced(tenant: TenantId, number: u32, with_admin: bool, log: &str, now: DateTime<Utc>) -> Self {
        let mut init = StepRecord::begun(StepKind::Init, 1, now);
        init.succeed(log, now);
        let kind = RunKind::Provision { with_admin };
        Self { tenant, number, kind, direction: Direction::Forward, journal: vec![init] }
    }

    /// A run that makes an end of the tenant's database.
    pub const fn deprovisioning(tenant: TenantId, number: u32) -> Self {
        let kind = RunKind::Deprovision;
        Self { tenant, number, kind, direction: Direction::Forward, journal: Vec::new() }
    }

    /// The steps of this run, in order.
    pub fn plan(&self) -> impl DoubleEndedIterator<Item = StepKind> + use<> {
        self.kind.steps().iter().copied()
    }

    /// What to do next, from the journal alone.
    pub fn next(&self) -> NextStep {
        match self.direction {
            Direction::Forward => self
                .plan()
                .find(|kind| self.last(*kind).is_none_or(|record| record.status != StepStatus::Success))
                .map_or(NextStep::Succeeded, NextStep::Do),
            Direction::Unwind => self
                .plan()
                .rev()
                .filter(|kind| *kind != StepKind::Init)
                .find(|kind| self.last(*kind).is_some_and(|record| record.undone_at.is_none()))
                .map_or(NextStep::Unwound, NextStep::Undo),
        }
    }

    /// Notes that an attempt at `kind` begins. An attempt that a crash interrupted is carried on, not added to.
    pub fn begin(&mut self, kind: StepKind, now: DateTime<Utc>) {
        let attempts = self.journal.iter().filter(|record| record.kind == kind).count();
        let interrupted = self.last(kind).is_some_and(|record| record.status == StepStatus::InProgress);
        if !interrupted {
            let attempt = u32::try_from(attempts).unwrap_or(u32::MAX).saturating_add(1);
            self.journal.push(StepRecord::begun(kind, attempt, now));
        }
    }

    /// Notes that the step took effect.
    pub fn succeed(&mut self, kind: StepKind, log: impl Into<String>, now: DateTime<Utc>) {
        if let Some(record) = self.last_mut(kind) {
            record.succeed(log, now);
        }
    }

    /// Notes that the attempt failed, and decides what follows: a passing fault is tried again until the policy
    /// says it is enough, anything else turns the run around. A deprovisioning has nowhere to turn to: it is tried again
    /// until it succeeds, after ever longer waits.
    pub fn fail(
        &mut self,
        kind: StepKind,
        error: StepError,
        passing: bool,
        policy: &RetryPolicy,
        jitter: f64,
        now: DateTime<Utc>,
    ) -> AfterFailure {
        let mut attempt = 1;
        if let Some(record) = self.last_mut(kind) {
            record.fail(error, now);
            attempt = record.attempt;
        }
        if passing && attempt < policy.max_attempts {
            return AfterFailure::Retry(policy.wait(attempt, jitter));
        }
        if self.kind == RunKind::Deprovision {
            let patient = RetryPolicy { cap: policy.cap.max(LONGEST_WAIT), ..*policy };
            return AfterFailure::Retry(patient.wait(attempt, jitter));
        }
        self.direction = Direction::Unwind;
        AfterFailure::Unwind
    }

    /// Notes that nothing is left of any attempt at this step.
    pub fn undone(&mut self, kind: StepKind, now: DateTime<Utc>) {
        for record in self.journal.iter_mut().filter(|record| record.kind == kind) {
            record.undo(now);
        }
    }

    /// The error that turned the run around, or the latest one.
    pub fn failure(&self) -> Option<&StepError> {
        self.journal.iter().rev().find_map(|record| record.error.as_ref())
    }

    fn last(&self, kind: StepKind) -> Option<&StepRecord> {
        self.journal.iter().rev().find(|record| record.kind == kind)
    }

    fn last_mut(&mut self, kind: StepKind) -> Option<&mut StepRecord> {
        self.journal.iter_mut().rev().find(|record| record.kind == kind)
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn run(with_admin: bool) -> Run {
        Run::announced(TenantId::new(Uuid::from_u128(1)), 1, with_admin, "announced", NOW)
    }

    fn error() -> StepError {
        StepError::new("database_unavailable", "Failed to connect to database server")
    }

    fn until(run: &mut Run, stop: StepKind) {
        while let NextStep::Do(kind) = run.next() {
            run.begin(kind, NOW);
            if kind == stop {
                return;
            }
            run.succeed(kind, "done", NOW);
        }
    }

    #[test]
    fn steps_run_in_order_and_end_in_success() {
        for (with_admin, steps) in [(false, 3), (true, 4)] {
            let mut run = run(with_admin);
            let mut done = Vec::new();
            while let NextStep::Do(kind) = run.next() {
                run.begin(kind, NOW);
                run.succeed(kind, "done", NOW);
                done.push(kind);
            }
            assert_eq!(done, StepKind::ALL[1..=steps], "{with_admin}");
            assert_eq!(run.next(), NextStep::Succeeded);
        }
    }

    #[test]
    fn a_failure_for_good_at_any_step_undoes_what_was_begun_in_reverse() {
        for (i, stop) in run(true).plan().enumerate().skip(1) {
            let mut run = run(true);
            until(&mut run, stop);
            let after = run.fail(stop, error(), false, &RetryPolicy::default(), 0.5, NOW);
            assert_eq!(after, AfterFailure::Unwind);
            let mut undone = Vec::new();
            while let NextStep::Undo(kind) = run.next() {
                run.undone(kind, NOW);
                undone.push(kind);
            }
            let mut expected = StepKind::ALL[1..=i].to_vec();
            expected.reverse();
            assert_eq!(undone, expected);
            assert_eq!(run.next(), NextStep::Unwound);
            assert_eq!(run.journal[i].status, StepStatus::Failed, "the step at fault stays visible");
            assert!(run.journal[1..i].iter().all(|record| record.status == StepStatus::RolledBack));
            assert_eq!(run.failure(), Some(&error()));
        }
    }

    #[test]
    fn a_passing_fault_is_tried_again_and_every_attempt_is_kept() {
        let policy = RetryPolicy { max_attempts: 3, ..RetryPolicy::default() };
        let mut run = run(false);
        for attempt in 1..=3 {
            run.begin(StepKind::CreateDatabase, NOW + TimeDelta::seconds(attempt));
            let after = run.fail(StepKind::CreateDatabase, error(), true, &policy, 1.0, NOW);
            let expected = match attempt {
                1 => AfterFailure::Retry(Duration::from_millis(200)),
                2 => AfterFailure::Retry(Duration::from_millis(400)),
                _ => AfterFailure::Unwind,
            };
            assert_eq!(after, expected);
        }
        let attempts: Vec<_> = run.journal.iter().skip(1).map(|record| record.attempt).collect();
        assert_eq!(attempts, [1, 2, 3]);
    }

    #[test]
    fn a_deprovisioning_drops_and_never_gives_up() {
        let mut run = Run::deprovisioning(TenantId::new(Uuid::from_u128(1)), 2);
        for attempt in 1..=40 {
            assert_eq!(run.next(), NextStep::Do(StepKind::DropDatabase));
            run.begin(StepKind::DropDatabase, NOW);
            let after = run.fail(
                StepKind::DropDatabase,
                error(),
                attempt % 2 == 0,
                &RetryPolicy::default(),
                1.0,
                NOW,
            );
            let AfterFailure::Retry(wait) = after else { panic!("gave up after {attempt}") };
            assert!(wait <= LONGEST_WAIT);
        }
        run.begin(StepKind::DropDatabase, NOW);
        run.succeed(StepKind::DropDatabase, "dropped", NOW);
        assert_eq!(run.next(), NextStep::Succeeded);
    }

    #[test]
    fn an_interrupted_attempt_is_carried_on() {
        let mut run = run(false);
        run.begin(StepKind::CreateDatabase, NOW);
        run.begin(StepKind::CreateDatabase, NOW + TimeDelta::seconds(9));
        assert_eq!(run.journal.len(), 2);
        assert_eq!(run.next(), NextStep::Do(StepKind::CreateDatabase));
    }

    proptest! {
        #[test]
        fn waits_stay_within_the_cap(attempt in 0_u32..100, jitter in -1.0_f64..2.0) {
            let policy = RetryPolicy::default();
            prop_assert!(policy.wait(attempt, jitter) <= policy.cap);
        }
    }
}
