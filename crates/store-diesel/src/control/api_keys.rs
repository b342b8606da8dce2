use chrono::{DateTime, Utc};
use diesel::prelude::*;
use tenantry_domain::id::{ApiKeyId, TenantId};
use tenantry_ports::{ApiKey, ApiKeyRepository, Scope, StoreResult};

use crate::convert::{micros, number, optional, optional_time, parse, sha256, time};
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
        })
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

    fn of(&mut self, tenant: Option<TenantId>) -> StoreResult<Vec<ApiKey>> {
        self.read(|db| {
            let query = api_keys::table
                .select(ApiKeyRow::as_select())
                .order((api_keys::created_at.desc(), api_keys::id.desc()))
                .into_boxed();
            let query = match tenant {
                Some(tenant) => query.filter(api_keys::tenant_id.eq(tenant.to_string())),
                None => query.filter(api_keys::tenant_id.is_null()),
            };
            let rows = query.load(db)?;
            Ok(rows.into_iter().map(ApiKeyRow::api_key).collect::<StoreResult<_>>()?)
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

    fn revoke(&mut self, owner: Option<TenantId>, id: ApiKeyId, now: DateTime<Utc>) -> StoreResult<bool> {
        self.write(|db| {
            let key = api_keys::table.find(id.to_string()).into_boxed();
            let key = match owner {
                Some(owner) => key.filter(api_keys::tenant_id.eq(owner.to_string())),
                None => key.filter(api_keys::tenant_id.is_null()),
            };
            let Some(revoked_at) = key.select(api_keys::revoked_at).first::<Option<i64>>(db).optional()?
            else {
                return Ok(false);
            };
            if revoked_at.is_none() {
                diesel::update(api_keys::table.find(id.to_string()).filter(api_keys::revoked_at.is_null()))
                    .set(api_keys::revoked_at.eq(micros(now)))
                    .execute(db)?;
            }
            Ok(true)
        })
    }
}
