use diesel::prelude::*;
use tenantry_ports::{Algorithm, SigningKey, SigningKeyRepository, StoreError, StoreResult};

use crate::convert::{micros, named, optional_time, time};
use crate::schema::signing_keys;
use crate::transaction::Transaction;

/// A row of `signing_keys`.
#[derive(Queryable, Selectable, Insertable)]
#[diesel(table_name = signing_keys, treat_none_as_default_value = false)]
struct SigningKeyRow {
    kid: String,
    number: i64,
    algorithm: String,
    public_jwk: String,
    sealed_private: Option<String>,
    created_at: i64,
    signs_from: i64,
    signs_until: Option<i64>,
    verifies_until: Option<i64>,
    version: i64,
}

/// What an update writes.
#[derive(AsChangeset)]
#[diesel(table_name = signing_keys, treat_none_as_null = true)]
struct Changes {
    sealed_private: Option<String>,
    signs_from: i64,
    signs_until: Option<i64>,
    verifies_until: Option<i64>,
    version: i64,
}

impl SigningKeyRow {
    fn new(key: &SigningKey) -> Self {
        Self {
            kid: key.kid.clone(),
            number: key.number,
            algorithm: key.algorithm.as_str().to_owned(),
            public_jwk: key.public_jwk.clone(),
            sealed_private: key.sealed_private.clone(),
            created_at: micros(key.created_at),
            signs_from: micros(key.signs_from),
            signs_until: key.signs_until.map(micros),
            verifies_until: key.verifies_until.map(micros),
            version: key.version,
        }
    }

    fn signing_key(self) -> StoreResult<SigningKey> {
        Ok(SigningKey {
            kid: self.kid,
            number: self.number,
            algorithm: named("signing key", &self.algorithm, Algorithm::parse)?,
            public_jwk: self.public_jwk,
            sealed_private: self.sealed_private,
            created_at: time("signing key", self.created_at)?,
            signs_from: time("signing key", self.signs_from)?,
            signs_until: optional_time("signing key", self.signs_until)?,
            verifies_until: optional_time("signing key", self.verifies_until)?,
            version: self.version,
        })
    }
}

impl SigningKeyRepository for Transaction<'_> {
    fn insert(&mut self, key: &SigningKey) -> StoreResult<()> {
        self.write(|db| {
            diesel::insert_into(signing_keys::table).values(SigningKeyRow::new(key)).execute(db)?;
            Ok(())
        })
    }

    fn all(&mut self) -> StoreResult<Vec<SigningKey>> {
        self.read(|db| {
            let query = signing_keys::table.select(SigningKeyRow::as_select()).order(signing_keys::number);
            Ok(query.load(db)?.into_iter().map(SigningKeyRow::signing_key).collect::<StoreResult<_>>()?)
        })
    }

    fn update(&mut self, key: &SigningKey) -> StoreResult<()> {
        let row = SigningKeyRow::new(key);
        let changes = Changes {
            sealed_private: row.sealed_private,
            signs_from: row.signs_from,
            signs_until: row.signs_until,
            verifies_until: row.verifies_until,
            version: row.version,
        };
        self.write(|db| {
            let stored = signing_keys::table.find(row.kid).filter(signing_keys::version.eq(row.version - 1));
            let updated = diesel::update(stored).set(changes).execute(db)?;
            if updated == 1 { Ok(()) } else { Err(StoreError::Stale.into()) }
        })
    }
}
