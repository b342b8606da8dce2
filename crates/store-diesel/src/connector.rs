use std::sync::{Arc, Mutex, PoisonError, Weak};

use diesel::r2d2::R2D2Connection;
use tenantry_domain::id::TenantId;
use tenantry_ports::StoreError;

use crate::ceiling::Permit;
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

/// Gives the right to one more connection, if that can be had at once.
pub(crate) type Permits = Box<dyn Fn(Need) -> Option<Permit> + Send + Sync>;

/// How much a connection is needed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// There is none to this database.
    First,
    /// There are others, which it could wait for.
    Another,
}

/// Makes the connections of a pool: as many as are permitted, and to nobody else's database.
pub(crate) struct Connector {
    source: Arc<Source>,
    permits: Permits,
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
    pub(crate) fn new(target: Target, owner: Option<TenantId>, permits: Permits) -> Self {
        Self { source: Arc::new(Source { target, owner }), permits, first: Mutex::default() }
    }

    pub(crate) fn is_sqlite(&self) -> bool {
        matches!(self.source.target, Target::Sqlite { .. })
    }

    /// Makes the first connection now, by this permit, to find out whether that can be done.
    pub(crate) fn probe(&self, permit: Permit) -> Result<(), ConnectError> {
        let first = self.connect_by(permit)?;
        *self.first.lock().unwrap_or_else(PoisonError::into_inner) = Some(first);
        Ok(())
    }

    fn connect_by(&self, permit: Permit) -> Result<Pooled, ConnectError> {
        let (db, source) = (self.source.connect()?, Arc::clone(&self.source));
        Ok(Pooled { db, dead: false, source, _permit: permit })
    }

    /// Gone once the pool and every connection are closed.
    pub(crate) fn source(&self) -> Weak<Source> {
        Arc::downgrade(&self.source)
    }
}

impl Pooled {
    /// Has the pool close it instead of taking it back.
    pub(crate) const fn give_up(&mut self) {
        self.dead = true;
    }

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
        let need = if Arc::strong_count(&self.source) > 1 { Need::Another } else { Need::First };
        let permit = (self.permits)(need);
        self.connect_by(permit.ok_or_else(|| ConnectError("too many connections are open".to_owned()))?)
    }

    fn is_valid(&self, pooled: &mut Pooled) -> Result<(), ConnectError> {
        pooled.db.ping().map_err(|error| ConnectError(error.to_string()))
    }

    fn has_broken(&self, pooled: &mut Pooled) -> bool {
        pooled.dead || pooled.db.is_broken()
    }
}
