use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use diesel::prelude::*;
use diesel::sql_types::Text;
use tenantry_domain::tenant::ClusterName;
use tenantry_ports::{
    DatabaseError, DatabaseFault, FoundDatabase, Inventory, Permit, Presence, StoreResult, TenantDatabases,
    TenantScope, TenantStore, TenantStores as _,
};

use super::directory::{Directory, Lock, remove, remove_companions, tag};
use super::faults::{Broken, migration_failed, unavailable, unopened};
use super::report::{self, DirectoryReport};
use super::{migrate, permitted, wait_until_gone};
use crate::connect::connect_sqlite;
use crate::migrations::{self, Schema};
use crate::naming::Naming;
use crate::owner;
use crate::pool::Shared;
use crate::registry::{OpenTenants, Registry};
use crate::url::sqlite_uri;

/// Tenants' databases as files of one directory.
///
/// A file is made under another name, tagged with its owner, and gets its own name last: whatever has a tenant's name
/// has its tag. Making and unmaking hold a lock on that name, so that a process that was suspended in the midst of making
/// a database cannot finish after somebody else has undone it: until it goes on or dies, whoever wants to do anything about
/// this database waits. All others go on.
pub(crate) struct SqliteDatabases {
    directory: Directory,
    naming: Naming,
    registry: Arc<Registry>,
    schema: String,
    patience: Duration,
}

#[derive(QueryableByName)]
struct Mode {
    #[diesel(sql_type = Text)]
    journal_mode: String,
}

impl SqliteDatabases {
    pub(crate) fn new(directory: PathBuf, registry: Arc<Registry>, shared: &Shared) -> Self {
        Self {
            directory: Directory::new(directory),
            naming: Naming::new(&shared.settings),
            registry,
            schema: migrations::tenant_schema_of_files(),
            patience: shared.settings.lock_timeout,
        }
    }

    fn file(&self, scope: &TenantScope) -> PathBuf {
        self.directory.file(scope.database().as_str())
    }

    fn unfinished(&self, scope: &TenantScope) -> PathBuf {
        self.directory.file(&self.naming.unfinished(scope))
    }

    fn adopted(&self, scope: &TenantScope) -> PathBuf {
        self.directory.file(&self.naming.adopted(scope))
    }

    /// The lock on the scope's database, if it is permitted to go on then.
    fn lock(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<Lock, Broken> {
        here(scope)?;
        let lock = self.directory.lock(scope.database().as_str(), self.patience)?;
        permitted(permit)?;
        Ok(lock)
    }

    fn look(&self, scope: &TenantScope) -> Result<Presence, Broken> {
        here(scope)?;
        let file = self.file(scope);
        if !file.try_exists()? {
            return Ok(Presence::Absent);
        }
        let own = tag(&file, self.patience)? == Some(owner::tag(scope.tenant()));
        Ok(if own { Presence::Own } else { Presence::Foreign })
    }

    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), Broken> {
        let _lock = self.lock(scope, permit)?;
        let (file, unfinished) = (self.file(scope), self.unfinished(scope));
        match self.look(scope)? {
            Presence::Own => return self.clear(scope),
            Presence::Foreign => return Err(foreign().into()),
            Presence::Absent => self.remove_unnamed(scope)?,
        }
        remove_companions(&file)?;
        let mut sqlite = connect_sqlite(&sqlite_uri(&unfinished, "rwc"), self.patience)?;
        owner::set_on_file(&mut sqlite, scope.tenant())?;
        drop(sqlite);
        self.name(&unfinished, scope)
    }

    /// Gives a file that is complete and tagged the tenant's name.
    fn name(&self, from: &Path, scope: &TenantScope) -> Result<(), Broken> {
        File::open(from)?.sync_all()?;
        // Unlike a renaming, a second name never takes the place of what has it already.
        match fs::hard_link(from, self.file(scope)) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Err(foreign().into()),
            linked => linked?,
        }
        self.clear(scope)
    }

    /// Removes what was on its way to becoming the tenant's database, and has that and all before survive a crash.
    fn clear(&self, scope: &TenantScope) -> Result<(), Broken> {
        self.remove_unnamed(scope)?;
        Ok(self.directory.sync()?)
    }

    fn remove_unnamed(&self, scope: &TenantScope) -> io::Result<()> {
        remove(&self.unfinished(scope))?;
        remove(&self.adopted(scope))
    }

    /// The pooled file is put aside for the tenant, by one renaming, then tagged, and named last. Whoever finds it aside
    /// carries on; and whatever is aside is the tenant's to remove.
    fn adopt(&self, pooled: &TenantScope, scope: &TenantScope, permit: Permit<'_>) -> Result<bool, Broken> {
        let closed = self.registry.close(pooled.tenant());
        wait_until_gone(closed.connections(), self.patience)?;
        // Nobody who has the one waits for the other.
        let _pools = self.directory.lock(pooled.database().as_str(), self.patience)?;
        let _lock = self.lock(scope, permit)?;
        match self.look(scope)? {
            Presence::Own => return self.clear(scope).map(|()| true),
            Presence::Foreign => return Err(foreign().into()),
            Presence::Absent => {}
        }
        let (from, aside) = (self.file(pooled), self.adopted(scope));
        if self.look(pooled)? == Presence::Own {
            self.remove_unnamed(scope)?;
            self.settle(&from)?;
            fs::rename(&from, &aside)?;
        } else if !aside.try_exists()? {
            return Ok(false);
        }
        remove_companions(&self.file(scope))?;
        let mut sqlite = SqliteConnection::establish(&sqlite_uri(&aside, "rw")).map_err(unopened)?;
        owner::change_on_file(&mut sqlite, scope.tenant())?;
        drop(sqlite);
        self.name(&aside, scope).map(|()| true)
    }

    /// Has the file hold everything that was written to its log, and no log left beside it. That fails as long as anybody
    /// else, in whatever process, has it open.
    fn settle(&self, file: &Path) -> Result<(), Broken> {
        let mut sqlite = connect_sqlite(&sqlite_uri(file, "rw"), self.patience)?;
        let Mode { journal_mode } =
            diesel::sql_query("PRAGMA journal_mode = DELETE").get_result(&mut sqlite)?;
        if journal_mode != "delete" {
            return Err(DatabaseError::new(DatabaseFault::Passing, "the database is still in use").into());
        }
        Ok(())
    }

    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), Broken> {
        // A connection that is closed later would take the log of the file's successor with it.
        let closed = self.registry.close(scope.tenant());
        wait_until_gone(closed.connections(), self.patience)?;
        let _lock = self.lock(scope, permit)?;
        match self.look(scope)? {
            // From one moment to the next it has no name any more: without its log it could be taken for a whole database.
            Presence::Own => {
                self.remove_unnamed(scope)?;
                fs::rename(self.file(scope), self.unfinished(scope))?;
                remove_companions(&self.file(scope))?;
            }
            Presence::Absent => remove_companions(&self.file(scope))?,
            Presence::Foreign => {}
        }
        self.clear(scope)
    }

    fn close(&self, scope: &TenantScope) -> Result<(), Broken> {
        let closed = self.registry.close(scope.tenant());
        Ok(wait_until_gone(closed.connections(), self.patience)?)
    }

    /// Whether databases can be made, and what interrupted makings left.
    pub(crate) fn examine(&self) -> DirectoryReport {
        report::directory(&self.directory)
    }

    fn inventory(&self) -> Result<Vec<FoundDatabase>, Broken> {
        let mut inventory = Vec::new();
        for name in self.directory.names()? {
            let file = self.directory.file(&name);
            match tag(&file, self.patience) {
                Ok(tag) => {
                    let owner = tag.and_then(|tag| owner::of_tag(&tag));
                    let cluster = ClusterName::default();
                    // Removing a file cannot be interrupted.
                    inventory.push(FoundDatabase { cluster, name, owner, ruined: false });
                }
                // It has gone since.
                Err(_) if !file.try_exists()? => {}
                Err(error) => return Err(error),
            }
        }
        Ok(inventory)
    }
}

/// An error if the scope's database is somewhere else: the directory is the only place there is.
pub(crate) fn here(scope: &TenantScope) -> Result<(), DatabaseError> {
    if *scope.cluster() == ClusterName::default() {
        return Ok(());
    }
    let detail = format!(
        "there is no server '{}': with a SQLite control database all databases are files in data_dir",
        scope.cluster()
    );
    Err(DatabaseError::new(DatabaseFault::Lasting, detail))
}

fn foreign() -> DatabaseError {
    DatabaseError::new(
        DatabaseFault::Foreign,
        "a file of the database's name is there and is not the tenant's",
    )
}

impl TenantDatabases for SqliteDatabases {
    fn create(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        Ok(self.create(scope, permit)?)
    }

    fn adopt(
        &self,
        pooled: &TenantScope,
        scope: &TenantScope,
        permit: Permit<'_>,
    ) -> Result<bool, DatabaseError> {
        Ok(self.adopt(pooled, scope, permit)?)
    }

    fn migrate(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        migrate(&self.registry, scope)
    }

    fn pending(&self, scope: &TenantScope) -> Result<usize, DatabaseError> {
        let database = self.registry.database(scope).map_err(unavailable)?;
        let mut connection = database.connection().map_err(unavailable)?;
        migrations::pending(&mut connection.db, Schema::Tenant).map_err(|error| migration_failed(&*error))
    }

    fn renew_login(&self, _scope: &TenantScope) -> Result<(), DatabaseError> {
        Ok(())
    }

    /// There are no logins: whoever opens the file owns it, and its writers pass one gate.
    fn as_owner(&self, scope: &TenantScope) -> StoreResult<Arc<dyn TenantStore>> {
        OpenTenants(Arc::clone(&self.registry)).open(scope)
    }

    fn close(&self, scope: &TenantScope) -> Result<(), DatabaseError> {
        Ok(self.close(scope)?)
    }

    fn remove(&self, scope: &TenantScope, permit: Permit<'_>) -> Result<(), DatabaseError> {
        Ok(self.remove(scope, permit)?)
    }

    fn presence(&self, scope: &TenantScope) -> Result<Presence, DatabaseError> {
        Ok(self.look(scope)?)
    }

    fn schema(&self) -> &str {
        &self.schema
    }

    fn inventory(&self) -> Vec<Inventory> {
        let found = self.inventory().map_err(DatabaseError::from);
        vec![Inventory { cluster: ClusterName::default(), found }]
    }
}
