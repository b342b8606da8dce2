use std::sync::{Arc, Mutex, PoisonError, Weak};

use diesel::r2d2::R2D2Connection;
use tenantry_domain::id::TenantId;
use tenantry_ports::StoreError;

use crate::ceiling::{Ceiling, Permit};
use crate::connect::{ConnectError, Target};
use crate::db::Db;
use crate::error::{Answer, Fault, is_disconnected};
use crate::owner;

/// What a pool's connections are to. Held by the pool and by each of its connections: once it is gone, nothing is open
/// any more.
pub(crate) struct Source {
    target: Target,
    owner: Option<TenantId>,
}

/// Makes the connections of a pool: as many as the ceiling allows, and to nobody else's database.
pub(crate) struct Connector {
    source: Arc<Source>,
    ceiling: Arc<Ceiling>,
    /// The connection that showed that the database can be opened; the pool's first.
    first: Mutex<Option<Pooled>>,
}

/// An open connection of a pool.
pub(crate) struct Pooled {
    pub(crate) db: Db,
    /// Known to be dead. Diesel itself does not notice if that shows while it prepares a query.
    dead: bool,
    source: Arc<Source>,
    _permit: Permit,
}

impl Source {
    fn connect(&self) -> Result<Db, ConnectError> {
        let mut db = self.target.connect()?;
        if let Some(tenant) = self.owner
            && owner::of(&mut db).map_err(|error| ConnectError(error.to_string()))?
                != Some(owner::tag(tenant))
        {
            return Err(ConnectError("the database is not the tenant's".to_owned()));
        }
        Ok(db)
    }
}

impl Connector {
    /// Connects to this database; with an owner, only if it carries that tenant's tag.
    pub(crate) fn new(target: Target, owner: Option<TenantId>, ceiling: Arc<Ceiling>) -> Self {
        Self { source: Arc::new(Source { target, owner }), ceiling, first: Mutex::default() }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.source.target, Target::Sqlite { .. })
    }

    /// Makes the first connection now, to find out whether that can be done.
    pub(crate) fn probe(&self) -> Result<(), ConnectError> {
        let first = r2d2::ManageConnection::connect(self)?;
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
        Ok(())
    }

    /// Gone once the pool and every connection are closed.
    pub(crate) fn source(&self) -> Weak<Source> {
        Arc::downgrade(&self.source)
    }
}

impl Pooled {
    /// Does something, and remembers if the connection turns out to be dead.
    pub(crate) fn attempt<T>(&mut self, act: impl FnOnce(&mut Db) -> Answer<T>) -> Answer<T> {
        let answer = act(&mut self.db);
        if let Err(Fault::Database(error)) = &answer {
            self.dead |= is_disconnected(error);
        }
        answer
    }

    /// Does something that may be done again as long as nothing came of it. After a server's restart every connection of
    /// a pool is dead, which shows when it is used: then it is replaced.
    pub(crate) fn attempt_repeatable<T>(&mut self, mut act: impl FnMut(&mut Db) -> Answer<T>) -> Answer<T> {
        let answer = self.attempt(&mut act);
        if !self.dead {
            return answer;
        }
        self.db = self.source.connect().map_err(|error| StoreError::Unavailable(error.to_string()))?;
        self.dead = false;
        self.attempt(act)
    }
}

impl r2d2::ManageConnection for Connector {
    type Connection = Pooled;
    type Error = ConnectError;

    fn connect(&self) -> Result<Pooled, ConnectError> {
        if let Some(first) = self.first.lock().unwrap_or_else(PoisonError::into_inner).take() {
            return Ok(first);
        }
        let permit = self.ceiling.permit();
        let permit = permit.ok_or_else(|| ConnectError("too many connections are open".to_owned()))?;
        Ok(Pooled {
            db: self.source.connect()?,
            dead: false,
            source: Arc::clone(&self.source),
            _permit: permit,
        })
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), ConnectError> {
        pooled.db.ping().map_err(|error| ConnectError(error.to_string()))
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.dead || pooled.db.is_broken()
    }
}
