//! `keys`: API keys, made and looked after where the databases are.

use std::collections::BTreeSet;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tenantry_domain::id::TenantId;
use tenantry_ports::{ApiKey, Secret};
use tenantry_usecases::Platform;
use tenantry_usecases::api_keys::{self, ChangeKeyError, LONGEST_OVERLAP, NewKey, NewKeyError, Rotation};

use super::table::{table, time};
use super::{print, print_json, tenant_id};
use crate::cli::{CreateKey, ListKeys, Owner, RevokeKey, RotateKey};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Makes a key. With `--quiet` its text alone is printed.
pub(crate) fn create(platform: &Platform, wish: CreateKey) -> Result<(), Failure> {
    let owner = owner(platform, &wish.owner)?;
    let new = NewKey {
        owner,
        name: wish.name,
        scopes: BTreeSet::from_iter(wish.scopes),
        expires_at: wish.expires_at,
        created_by: "cli".to_owned(),
    };
    let (key, text) = api_keys::create(platform, new).map_err(|error| match error {
        NewKeyError::Store(error) => store_failure(&error),
        NewKeyError::QuotaExceeded(exceeded) => Failure::new(
            exceeded,
            "revoke a key that is not needed, or raise maxApiKeys in the tenant's settings",
        ),
        error @ NewKeyError::IdempotencyKeyReused => Failure::new(error, "run the command again"),
        NewKeyError::Invalid(findings) => {
            let what = findings.into_iter().map(|finding| finding.message).collect();
            Failure::several(what, "see `tenantry keys create --help`")
        }
    })?;
    show(platform, &key, &text, wish.quiet, wish.json)
}

/// Replaces a key. With `--quiet` the new one's text alone is printed.
pub(crate) fn rotate(platform: &Platform, wish: &RotateKey) -> Result<(), Failure> {
    let overlap = TimeDelta::from_std(wish.overlap).ok().filter(|overlap| *overlap <= LONGEST_OVERLAP);
    let too_long = || Failure::new("the overlap is too long", "say at most --overlap 30d");
    let rotation = Rotation {
        owner: owner(platform, &wish.owner)?,
        key: wish.id,
        version: None,
        overlap: overlap.ok_or_else(too_long)?,
        created_by: "cli".to_owned(),
    };
    let (key, text) = api_keys::rotate(platform, &rotation).map_err(|error| match error {
        ChangeKeyError::New(NewKeyError::Store(error)) => store_failure(&error),
        ChangeKeyError::Ended => Failure::new(error, "make a new one with `tenantry keys create`"),
        error => Failure::new(error, "`tenantry keys list` shows the keys there are"),
    })?;
    show(platform, &key, &text, wish.quiet, wish.json)
}

/// Prints a key that was made just now.
fn show(platform: &Platform, key: &ApiKey, text: &Secret, quiet: bool, json: bool) -> Result<(), Failure> {
    if quiet {
        return print(&format!("{}\n", text.expose()));
    }
    if json {
        let mut record = as_json(key, platform.clock.now());
        record["key"] = text.expose().into();
        return print_json(&record);
    }
    let scopes = if key.tenant.is_some() { scopes(key) } else { "everything".to_owned() };
    print(&format!("{}\n", text.expose()))?;
    eprintln!("{} may do: {scopes}. The key is shown this once; only its hash is kept.", key.id);
    Ok(())
}

/// Lists the keys of an owner, newest first.
pub(crate) fn list(platform: &Platform, wish: &ListKeys) -> Result<(), Failure> {
    let owner = owner(platform, &wish.owner)?;
    let keys = api_keys::list(platform, owner).map_err(|error| store_failure(&error))?;
    let now = platform.clock.now();
    if wish.json {
        return print_json(&keys.iter().map(|key| as_json(key, now)).collect());
    }
    if keys.is_empty() {
        eprintln!("There are no keys.");
    }
    print(&rows(&keys, now))
}

/// Revokes a key of an owner.
pub(crate) fn revoke(platform: &Platform, wish: &RevokeKey) -> Result<(), Failure> {
    let owner = owner(platform, &wish.owner)?;
    match api_keys::revoke(platform, owner, wish.id, "cli").map_err(|error| store_failure(&error))? {
        true => print(&format!("{} is revoked.\n", wish.id)),
        false => Err(Failure::new(
            format!("there is no key {} of this owner that still works", wish.id),
            "`tenantry keys list` shows the keys there are",
        )),
    }
}

fn owner(platform: &Platform, owner: &Owner) -> Result<Option<TenantId>, Failure> {
    owner.tenant.as_deref().map(|text| tenant_id(platform, text)).transpose()
}

fn state(key: &ApiKey, now: DateTime<Utc>) -> &'static str {
    match key.revoked_at {
        Some(_) => "revoked",
        None if key.is_live(now) => "live",
        None => "expired",
    }
}

fn scopes(key: &ApiKey) -> String {
    key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>().join(",")
}

fn rows(keys: &[ApiKey], now: DateTime<Utc>) -> String {
    let row = |key: &ApiKey| {
        let scopes = if key.tenant.is_some() { scopes(key) } else { "everything".to_owned() };
        [
            key.id.to_string(),
            format!("{}…{}", key.lookup, key.last4),
            state(key, now).to_owned(),
            key.name.clone(),
            scopes,
            time(key.created_at),
            key.expires_at.map_or("never".to_owned(), time),
            key.last_used_at.map_or("never".to_owned(), time),
        ]
    };
    table(["ID", "KEY", "STATE", "NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED"], keys.iter().map(row))
}

fn as_json(key: &ApiKey, now: DateTime<Utc>) -> Value {
    json!({
        "id": key.id,
        "tenantId": key.tenant,
        "name": key.name,
        "prefix": key.lookup,
        "last4": key.last4,
        "scopes": key.scopes.iter().map(|scope| scope.as_str()).collect::<Vec<_>>(),
        "state": state(key, now),
        "createdBy": key.created_by,
        "createdAt": time(key.created_at),
        "expiresAt": key.expires_at.map(time),
        "revokedAt": key.revoked_at.map(time),
        "lastUsedAt": key.last_used_at.map(time),
    })
}
