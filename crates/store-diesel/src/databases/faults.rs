use std::io;

use tenantry_ports::{DatabaseError, DatabaseFault, StoreError};

use crate::connect::ConnectError;

/// A [`DatabaseError`] that `?` makes from what the libraries report: what nobody foresaw counts as passing.
pub(super) struct Broken(pub(super) DatabaseError);

impl From<ConnectError> for Broken {
    fn from(error: ConnectError) -> Self {
        Self(DatabaseError::new(DatabaseFault::Passing, error))
    }
}

impl From<diesel::result::Error> for Broken {
    fn from(error: diesel::result::Error) -> Self {
        Self(DatabaseError::new(DatabaseFault::Passing, error))
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        let fault = match error.kind() {
            io::ErrorKind::PermissionDenied
            | io::ErrorKind::Unsupported
            | io::ErrorKind::ReadOnlyFilesystem
            | io::ErrorKind::InvalidFilename => DatabaseFault::Lasting,
            _ => DatabaseFault::Passing,
        };
        Self(DatabaseError::new(fault, error))
    }
}

impl From<Broken> for DatabaseError {
    fn from(broken: Broken) -> Self {
        broken.0
    }
}

impl From<DatabaseError> for Broken {
    fn from(error: DatabaseError) -> Self {
        Self(error)
    }
}

pub(super) fn unopened(error: diesel::ConnectionError) -> Broken {
    Broken(DatabaseError::new(DatabaseFault::Passing, error))
}

pub(super) fn unavailable(error: StoreError) -> DatabaseError {
    DatabaseError::new(DatabaseFault::Passing, error)
}

/// A migration that fails because the database is busy may pass; one that is wrong will not.
pub(super) fn migration_failed(error: &(dyn std::error::Error + 'static)) -> DatabaseError {
    let passing = match error.downcast_ref::<diesel::result::Error>() {
        Some(error) => crate::error::is_passing(error),
        None => crate::error::is_passing_text(&error.to_string()),
    };
    let fault = if passing { DatabaseFault::Passing } else { DatabaseFault::Lasting };
    DatabaseError::new(fault, format!("a migration failed: {error}"))
}
