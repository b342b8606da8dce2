use std::fmt;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// One kind of step of a run, in the order they run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum StepKind {
    /// The tenant was announced; has no effect to undo.
    Init,
    /// Its database is created and tagged as its own; undone by dropping it.
    CreateDatabase,
    /// The tenant schema is brought up to date; gone with the database.
    ApplyMigrations,
    /// Role templates, default settings and a demonstration config; gone with the database.
    SeedData,
    /// The first admin; only where the tenant was created together with one. Gone with the database.
    CreateAdmin,
    /// The one step of a deprovisioning: its database is dropped. Cannot be undone.
    DropDatabase,
}

impl StepKind {
    /// Every kind, in order.
    pub const ALL: [Self; 6] = [
        Self::Init,
        Self::CreateDatabase,
        Self::ApplyMigrations,
        Self::SeedData,
        Self::CreateAdmin,
        Self::DropDatabase,
    ];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Init => "Init",
            Self::CreateDatabase => "CreateDatabase",
            Self::ApplyMigrations => "ApplyMigrations",
            Self::SeedData => "SeedData",
            Self::CreateAdmin => "CreateAdmin",
            Self::DropDatabase => "DropDatabase",
        }
    }

    /// The kind with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == text)
    }
}

impl fmt::Display for StepKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How one attempt at a step stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
pub enum StepStatus {
    /// Not begun.
    Pending,
    /// Begun; whether it took effect is unknown until it is recorded.
    InProgress,
    /// Took effect.
    Success,
    /// Did not succeed.
    Failed,
    /// Took effect, and the effect was undone.
    RolledBack,
}

impl StepStatus {
    const ALL: [Self; 5] = [Self::Pending, Self::InProgress, Self::Success, Self::Failed, Self::RolledBack];

    /// The name on the wire and in storage.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::InProgress => "InProgress",
            Self::Success => "Success",
            Self::Failed => "Failed",
            Self::RolledBack => "RolledBack",
        }
    }

    /// The status with this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == text)
    }
}

/// What went wrong in a step, said so that a stranger may read it: never SQL, a path or a host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct StepError {
    /// Stable, snake_case.
    pub code: String,
    /// One sentence.
    pub message: String,
}

impl StepError {
    /// An error with this code and sentence.
    pub fn new(code: impl Into<String>, message: impl Into<String>) -> Self {
        Self { code: code.into(), message: message.into() }
    }
}

/// One attempt at one step. Attempts are only ever added; an attempt is never overwritten by the next one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StepRecord {
    /// Which step.
    pub kind: StepKind,
    /// 1 for the first attempt in its run.
    pub attempt: u32,
    /// How it stands.
    pub status: StepStatus,
    /// When it was begun.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended, well or not.
    pub completed_at: Option<DateTime<Utc>>,
    /// What was done, once it succeeded.
    pub log: Option<String>,
    /// What went wrong, once it failed.
    pub error: Option<StepError>,
    /// When its effect, if it had any, was confirmed gone.
    pub undone_at: Option<DateTime<Utc>>,
}

impl StepRecord {
    /// An attempt that begins at `now`.
    pub fn begun(kind: StepKind, attempt: u32, now: DateTime<Utc>) -> Self {
        Self {
            kind,
            attempt,
            status: StepStatus::InProgress,
            started_at: Some(now),
            completed_at: None,
            log: None,
            error: None,
            undone_at: None,
        }
    }

    /// Ends the attempt well.
    pub fn succeed(&mut self, log: impl Into<String>, now: DateTime<Utc>) {
        self.status = StepStatus::Success;
        self.completed_at = Some(now);
        self.log = Some(log.into());
    }

    /// Ends the attempt with an error.
    pub fn fail(&mut self, error: StepError, now: DateTime<Utc>) {
        self.status = StepStatus::Failed;
        self.completed_at = Some(now);
        self.error = Some(error);
    }

    /// Notes that nothing of the attempt is left. What had succeeded is now `RolledBack`; what failed stays `Failed`.
    pub fn undo(&mut self, now: DateTime<Utc>) {
        if matches!(self.status, StepStatus::Success | StepStatus::InProgress) {
            self.status = StepStatus::RolledBack;
        }
        self.completed_at = self.completed_at.or(Some(now));
        self.undone_at = Some(now);
    }
}
