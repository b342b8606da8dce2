use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_ports::{ApiKey, ApiKeyRepository, IdempotencyKey, Scope, StoreError, StoreResult};

use crate::convert::{limit, micros, number, optional, optional_time, parse, sha256, time};
use crate::db::Db;
use crate::schema::{api_keys, tenants};
use crate::transaction::Transaction;

/// A row of `api_keys`.
#[derive(Debug, Queryable, Selectable, Insertable)]
#[diesel(table_name = api_keys, treat_none_as_default_value = false)]
struct ApiKeyRow {
    id: String,
    tenant_id: Option<String>,
    name: String,
    lookup: String,
    hash: Vec<u8>,
    last4: String,
    scopes: String,
    created_by: String,
    created_at: i64,
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    last_used_at: Option<i64>,
    version: i64,
    request: Option<String>,
    fingerprint: Option<Vec<u8>>,
}

/// What an update writes.
#[derive(AsChangeset)]
#[diesel(table_name = api_keys, treat_none_as_null = true)]
struct Changes {
    expires_at: Option<i64>,
    revoked_at: Option<i64>,
    version: i64,
    request: Option<String>,
    fingerprint: Option<Vec<u8>>,
}

impl ApiKeyRow {
    fn new(key: &ApiKey) -> Self {
        let scopes: Vec<_> = key.scopes.iter().map(|scope| scope.as_str()).collect();
        Self {
            id: key.id.to_string(),
            tenant_id: key.tenant.map(|tenant| tenant.to_string()),
            name: key.name.clone(),
            lookup: key.lookup.clone(),
            hash: key.hash.to_vec(),
            last4: key.last4.clone(),
            scopes: scopes.join(" "),
            created_by: key.created_by.clone(),
            created_at: micros(key.created_at),
            expires_at: key.expires_at.map(micros),
            revoked_at: key.revoked_at.map(micros),
            last_used_at: key.last_used_at.map(micros),
            version: key.version,
            request: key.request.as_ref().map(|request| request.scope.clone()),
            fingerprint: key.request.as_ref().map(|request| request.fingerprint.to_vec()),
        }
    }

    fn api_key(self) -> StoreResult<ApiKey> {
        Ok(ApiKey {
            id: parse("API key", &self.id)?,
            tenant: optional("API key", self.tenant_id.as_deref())?,
            name: self.name,
            lookup: self.lookup,
            hash: sha256("API key", &self.hash)?,
            last4: self.last4,
            scopes: self
                .scopes
                .split_whitespace()
                .map(|scope| parse::<Scope>("API key", scope))
                .collect::<Result<_, _>>()?,
            created_by: self.created_by,
            created_at: time("API key", self.created_at)?,
            expires_at: optional_time("API key", self.expires_at)?,
            revoked_at: optional_time("API key", self.revoked_at)?,
            last_used_at: optional_time("API key", self.last_used_at)?,
            request: request(self.request, self.fingerprint)?,
            version: self.version,
        })
    }
}

/// Both parts of a request, or none.
fn request(scope: Option<String>, fingerprint: Option<Vec<u8>>) -> StoreResult<Option<IdempotencyKey>> {
    match (scope, fingerprint) {
        (Some(scope), Some(fingerprint)) => {
            Ok(Some(IdempotencyKey { scope, fingerprint: sha256("API key", &fingerprint)? }))
        }
        (None, None) => Ok(None),
        _ => Err(StoreError::corrupt("API key", "half a request")),
    }
}

impl ApiKeyRepository for Transaction<'_> {
    fn insert(&mut self, key: &ApiKey) -> StoreResult<()> {
        self.write(|db| {
            diesel::insert_into(api_keys::table).values(ApiKeyRow::new(key)).execute(db)?;
            Ok(())
        })
    }

    fn find(&mut self, lookup: &str) -> StoreResult<Option<ApiKey>> {
        self.read(|db| {
            let query = api_keys::table.filter(api_keys::lookup.eq(lookup)).select(ApiKeyRow::as_select());
            Ok(query.first(db).optional()?.map(ApiKeyRow::api_key).transpose()?)
        })
    }

    fn get(&mut self, id: ApiKeyId) -> StoreResult<Option<ApiKey>> {
        self.read(|db| {
            let query = api_keys::table.find(id.to_string()).select(ApiKeyRow::as_select());
            Ok(query.first(db).optional()?.map(ApiKeyRow::api_key).transpose()?)
        })
    }

    fn count_live(&mut self, tenant: TenantId, now: DateTime<Utc>) -> StoreResult<u64> {
        let tenant = tenant.to_string();
        self.write(|db| {
            if let Db::Postgres(postgres) = db {
                // Puts in line who asks; not who reads the tenant, or adds what refers to it.
                let row = tenants::table.find(&tenant).select(tenants::id);
                row.for_no_key_update().get_result::<String>(postgres).optional()?;
            }
            let live = api_keys::table
                .filter(api_keys::tenant_id.eq(&tenant))
                .filter(api_keys::revoked_at.is_null())
                .filter(api_keys::expires_at.is_null().or(api_keys::expires_at.gt(micros(now))));
            Ok(number("number of API keys", live.count().get_result::<i64>(db)?)?)
        })
    }

    fn made_for(&mut self, scope: &str) -> StoreResult<Option<ApiKey>> {
        self.read(|db| {
            let query = api_keys::table.filter(api_keys::request.eq(scope)).select(ApiKeyRow::as_select());
            Ok(query.first(db).optional()?.map(ApiKeyRow::api_key).transpose()?)
        })
    }

    fn page(
        &mut self,
        owner: Option<TenantId>,
        after: Option<(DateTime<Utc>, ApiKeyId)>,
        most: usize,
    ) -> StoreResult<Vec<ApiKey>> {
        self.read(|db| {
            let mut query = api_keys::table
                .select(ApiKeyRow::as_select())
                .order((api_keys::created_at.desc(), api_keys::id.desc()))
                .limit(limit(most))
                .into_boxed();
            query = match owner {
                Some(owner) => query.filter(api_keys::tenant_id.eq(owner.to_string())),
                None => query.filter(api_keys::tenant_id.is_null()),
            };
            if let Some((created_at, id)) = after {
                let created_at = micros(created_at);
                let same_instant = api_keys::created_at.eq(created_at).and(api_keys::id.lt(id.to_string()));
                query = query.filter(api_keys::created_at.lt(created_at).or(same_instant));
            }
            Ok(query.load(db)?.into_iter().map(ApiKeyRow::api_key).collect::<StoreResult<_>>()?)
        })
    }

    fn update(&mut self, key: &ApiKey) -> StoreResult<()> {
        let ApiKeyRow { id, expires_at, revoked_at, version, request, fingerprint, .. } = ApiKeyRow::new(key);
        self.write(|db| {
            let updated = diesel::update(api_keys::table.find(id).filter(api_keys::version.eq(version - 1)))
                .set(Changes { expires_at, revoked_at, version, request, fingerprint })
                .execute(db)?;
            if updated == 1 { Ok(()) } else { Err(StoreError::Stale.into()) }
        })
    }

    fn note_use(&mut self, keys: &[ApiKeyId], at: DateTime<Utc>) -> StoreResult<()> {
        if keys.is_empty() {
            return Ok(());
        }
        // In one order, so that replicas that note the same keys do not wait for each other in a circle.
        let mut ids: Vec<_> = keys.iter().map(ToString::to_string).collect();
        ids.sort_unstable();
        let earlier = api_keys::last_used_at.is_null().or(api_keys::last_used_at.lt(micros(at)));
        self.write(|db| {
            diesel::update(api_keys::table.filter(api_keys::id.eq_any(ids)).filter(earlier))
                .set(api_keys::last_used_at.eq(micros(at)))
                .execute(db)?;
            Ok(())
        })
    }
}
