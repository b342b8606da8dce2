use std::collections::{BTreeSet, HashSet};

use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_ports::{
    Constraint, IdempotencyKey, IdempotencyRepository, StoreError, StoreResult, StoredResponse,
};

use crate::bulk::{Bind, Bulk, Sql};
use crate::convert::{limit, micros, number, sha256, time};
use crate::db::Db;
use crate::error::Answer;
use crate::schema::idempotency;
use crate::transaction::Transaction;

/// A row of `idempotency`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = idempotency)]
struct ResponseRow {
    scope: String,
    fingerprint: Vec<u8>,
    status: i64,
    body: Vec<u8>,
    created_at: i64,
}

impl ResponseRow {
    fn new(response: &StoredResponse) -> Self {
        Self {
            scope: response.key.scope.clone(),
            fingerprint: response.key.fingerprint.to_vec(),
            status: i64::from(response.status),
            body: response.body.clone(),
            created_at: micros(response.created_at),
        }
    }

    fn response(self) -> StoreResult<StoredResponse> {
        Ok(StoredResponse {
            key: IdempotencyKey {
                scope: self.scope,
                fingerprint: sha256("stored response", &self.fingerprint)?,
            },
            status: number("stored response", self.status)?,
            body: self.body,
            created_at: time("stored response", self.created_at)?,
        })
    }
}

impl IdempotencyRepository for Transaction<'_> {
    fn find(&mut self, scopes: &[&str], since: DateTime<Utc>) -> StoreResult<Vec<StoredResponse>> {
        if scopes.is_empty() {
            return Ok(Vec::new());
        }
        self.read(|db| {
            let rows = match db {
                // A statement with as many parameters as scopes would be compiled anew each time; this one is kept.
                Db::Sqlite(sqlite) => {
                    let mut rows = Vec::new();
                    for &scope in scopes.iter().collect::<BTreeSet<_>>() {
                        let query = idempotency::table.find(scope);
                        let query = query.filter(idempotency::created_at.ge(micros(since)));
                        rows.extend(query.select(ResponseRow::as_select()).get_result(sqlite).optional()?);
                    }
                    rows
                }
                Db::Postgres(postgres) => {
                    let query = idempotency::table.filter(idempotency::scope.eq_any(scopes.iter().copied()));
                    let query = query.filter(idempotency::created_at.ge(micros(since)));
                    query.select(ResponseRow::as_select()).load(postgres)?
                }
            };
            Ok(rows.into_iter().map(ResponseRow::response).collect::<StoreResult<_>>()?)
        })
    }

    fn insert(&mut self, responses: &[StoredResponse], since: DateTime<Utc>) -> StoreResult<()> {
        if responses.is_empty() {
            return Ok(());
        }
        self.write(|db| {
            // Two answers in one scope are a conflict too, and PostgreSQL would call it something else.
            let scopes: HashSet<_> = responses.iter().map(|response| response.key.scope.as_str()).collect();
            if scopes.len() < responses.len() {
                return Err(StoreError::Conflict(Constraint::IdempotencyKey).into());
            }
            match db {
                Db::Sqlite(sqlite) => insert_one_by_one(sqlite, responses, micros(since)),
                Db::Postgres(postgres) => insert_at_once(postgres, responses, micros(since)),
            }
        })
    }

    fn forget(&mut self, since: DateTime<Utc>, most: usize) -> StoreResult<()> {
        self.write(|db| {
            let outdated = idempotency::table.filter(idempotency::created_at.lt(micros(since)));
            let outdated = outdated.order(idempotency::created_at).limit(limit(most));
            let outdated = outdated.select(idempotency::scope);
            let scopes: Vec<String> = match db {
                Db::Sqlite(sqlite) => outdated.load(sqlite)?,
                Db::Postgres(postgres) => outdated.for_update().skip_locked().load(postgres)?,
            };
            remove(db, &scopes)?;
            Ok(())
        })
    }

    fn sweep(&mut self, since: DateTime<Utc>, most: usize) -> StoreResult<usize> {
        self.write(|db| {
            // In no order: nothing is sorted, and who finds enough stops looking.
            let outdated = idempotency::table.filter(idempotency::created_at.lt(micros(since)));
            let outdated = outdated.limit(limit(most)).select(idempotency::scope);
            let scopes: Vec<String> = match db {
                Db::Sqlite(sqlite) => outdated.load(sqlite)?,
                Db::Postgres(postgres) => outdated.for_update().skip_locked().load(postgres)?,
            };
            remove(db, &scopes)
        })
    }
}

fn remove(db: &mut Db, scopes: &[String]) -> Answer<usize> {
    if scopes.is_empty() {
        return Ok(0);
    }
    Ok(diesel::delete(idempotency::table.filter(idempotency::scope.eq_any(scopes))).execute(db)?)
}

fn insert_one_by_one(sqlite: &mut SqliteConnection, responses: &[StoredResponse], since: i64) -> Answer<()> {
    for response in responses {
        let outdated = idempotency::table.find(&response.key.scope).filter(idempotency::created_at.lt(since));
        diesel::delete(outdated).execute(sqlite)?;
        diesel::insert_into(idempotency::table).values(ResponseRow::new(response)).execute(sqlite)?;
    }
    Ok(())
}

struct InsertResponses;

impl Sql for InsertResponses {
    const TEXT: &'static str = "\
        INSERT INTO idempotency (scope, fingerprint, status, body, created_at) \
        SELECT * FROM unnest(?, ?, ?, ?, ?) \
        ON CONFLICT (scope) DO UPDATE \
        SET fingerprint = excluded.fingerprint, status = excluded.status, \
            body = excluded.body, created_at = excluded.created_at \
        WHERE idempotency.created_at < ?";
}

/// An answer that is there already and not outdated is left as it is, and not counted.
fn insert_at_once(postgres: &mut PgConnection, responses: &[StoredResponse], since: i64) -> Answer<()> {
    let statement = Bulk::<InsertResponses>::new([
        Bind::Texts(responses.iter().map(|response| response.key.scope.as_str()).collect()),
        Bind::Blobs(responses.iter().map(|response| &response.key.fingerprint[..]).collect()),
        Bind::Numbers(responses.iter().map(|response| i64::from(response.status)).collect()),
        Bind::Blobs(responses.iter().map(|response| response.body.as_slice()).collect()),
        Bind::Numbers(responses.iter().map(|response| micros(response.created_at)).collect()),
        Bind::Number(since),
    ]);
    if statement.execute(postgres)? < responses.len() {
        return Err(StoreError::Conflict(Constraint::IdempotencyKey).into());
    }
    Ok(())
}
