use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use tenantry_testkit::postgres::{self, Server};

/// Where a test's data is kept.
#[derive(Debug, Clone, Copy)]
pub enum Backend {
    /// Files in the installation's directory.
    Sqlite,
    /// This server; every installation has a control database and a prefix for tenant databases of its own.
    Postgres(&'static Server),
}

impl fmt::Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "SQLite",
            Self::Postgres(_) => "PostgreSQL",
        })
    }
}

impl Backend {
    /// PostgreSQL, where there is one to test with; if not, that is said, or a failure, as
    /// [`postgres::shared`] has it.
    pub fn postgres() -> Option<Self> {
        postgres::shared().map(Self::Postgres)
    }
}

/// Runs a test on every backend, SQLite first; a failure says on which.
///
/// # Panics
/// If the test does.
pub fn for_each_backend(test: impl Fn(Backend)) {
    for backend in [Some(Backend::Sqlite), Backend::postgres()].into_iter().flatten() {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| test(backend))) {
            eprintln!("this happened on {backend}");
            resume_unwind(panic);
        }
    }
}
