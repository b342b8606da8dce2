use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::prelude::*;
use tenantry_domain::id::TenantId;
use tenantry_ports::{DatabaseError, DatabaseFault, Presence, TenantDatabases, TenantScope};

use super::{Broken, migrate, wait_until_gone};
use crate::connect::connect_sqlite;
use crate::owner;
use crate::pool::Shared;
use crate::registry::Registry;
use crate::url::sqlite_uri;

/// Tenants' databases as files of one directory, `<database name>.db`.
///
/// A file is made under another name, tagged with its owner, and gets its own name last: whatever has a tenant's name
/// has its tag. Making and unmaking hold a lock on the directory, so that a process that was suspended in the midst of
/// making a database cannot finish after somebody else has undone it.
pub(crate) struct SqliteDatabases {
    directory: PathBuf,
    registry: Arc<Registry>,
    busy_timeout: Duration,
    patience: Duration,
}

impl SqliteDatabases {
    pub(crate) fn new(directory: PathBuf, registry: Arc<Registry>, shared: &Shared) -> Self {
        let busy_timeout = shared.settings.lock_timeout;
        Self { directory, registry, busy_timeout, patience: shared.settings.lock_timeout }
    }

    fn file(&self, scope: &TenantScope) -> PathBuf {
        self.directory.join(format!("{}.db", scope.database()))
    }

    /// A name no database of a tenant can have, since it has a `~`.
    fn unfinished(&self, tenant: TenantId) -> PathBuf {
        self.directory.join(format!("~{tenant}.new"))
    }

    /// The lock on the directory, until the file is dropped.
    fn lock(&self) -> Result<File, Broken> {
        let file =
            File::options().create(true).truncate(false).write(true).open(self.directory.join("~lock"))?;
        let begun = Instant::now();
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(file),
                Err(TryLockError::Error(error)) => return Err(error.into()),
                Err(TryLockError::WouldBlock) if begun.elapsed() < self.patience => {
                    std::thread::sleep(Duration::from_millis(2));
                }
                Err(TryLockError::WouldBlock) => {
                    return Err(DatabaseError::new(
                        DatabaseFault::Passing,
                        "another process makes databases",
                    )
                    .into());
                }
            }
        }
    }

    fn look(&self, scope: &TenantScope) -> Result<Presence, Broken> {
        let file = self.file(scope);
        if !file.try_exists()? {
            return Ok(Presence::Absent);
        }
        // Read-only, so that what is not ours stays as it is.
        let tag = SqliteConnection::establish(&sqlite_uri(&file, "ro"))
            .ok()
            .and_then(|mut sqlite| owner::of_file(&mut sqlite).ok());
        let own = tag == Some(owner::tag(scope.tenant()));
        Ok(if own { Presence::Own } else { Presence::Foreign })
    }

    fn create(&self, scope: &TenantScope) -> Result<(), Broken> {
        let _lock = self.lock()?;
        match self.look(scope)? {
            Presence::Own => return Ok(()),
            Presence::Foreign => return Err(foreign().into()),
            Presence::Absent => {}
        }
        let (file, unfinished) = (self.file(scope), self.unfinished(scope.tenant()));
        remove(&unfinished)?;
        remove_companions(&file)?;
        let mut sqlite = connect_sqlite(&sqlite_uri(&unfinished, "rwc"), self.busy_timeout)?;
        owner::set_on_file(&mut sqlite, scope.tenant())?;
        drop(sqlite);
        File::open(&unfinished)?.sync_all()?;
        // Unlike a renaming, a second name never takes the place of what has it already.
        match fs::hard_link(&unfinished, &file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(foreign().into()),
            linked => linked?,
        }
        remove(&unfinished)?;
        self.sync()
    }

    fn remove(&self, scope: &TenantScope) -> Result<(), Broken> {
        // A connection that is closed later would take the log of the file's successor with it.
        let closed = self.registry.close(scope.tenant());
        wait_until_gone(closed.connections(), self.patience)?;
        let _lock = self.lock()?;
        remove(&self.unfinished(scope.tenant()))?;
        if self.look(scope)? == Presence::Own {
            remove(&self.file(scope))?;
        }
        self.sync()
    }

    fn sync(&self) -> Result<(), Broken> {
        Ok(File::open(&self.directory)?.sync_all()?)
    }
}

/// Removes a database. Its log goes first: a log without its database would be taken for that of the next one.
fn remove(file: &Path) -> io::Result<()> {
    remove_companions(file)?;
    remove_if_there(file)
}

fn remove_companions(file: &Path) -> io::Result<()> {
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut companion = file.as_os_str().to_owned();
        companion.push(suffix);
        remove_if_there(Path::new(&companion))?;
    }
    Ok(())
}

fn remove_if_there(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn foreign() -> DatabaseError {
    DatabaseError::new(
        DatabaseFault::Foreign,
        "a file of the database's name is there and is not the tenant's",
    )
}

impl TenantDatabases for SqliteDatabases {
    fn create(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        Ok(self.create(scope)?)
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        migrate(&self.registry, scope)
    }

    fn remove(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        Ok(self.remove(scope)?)
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        Ok(self.look(scope)?)
    }
}
