//! Access tokens of machines: got with an API key (OAuth 2.0 client credentials), and good for what that key is good for.

use std::collections::BTreeSet;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use tenantry_domain::id::ApiKeyId;
use tenantry_ports::{MachineClaims, Scope, Secret, StoreError, StoreResult, Unopenable};

use crate::access::Principal;
use crate::{Platform, signing_keys};

/// The longest that a machine's token may work.
pub const LONGEST_TOKEN: TimeDelta = TimeDelta::minutes(15);

/// A token that was issued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issued {
    /// The token.
    pub token: Secret,
    /// How long it works.
    pub lives: TimeDelta,
    /// What it may do.
    pub scopes: BTreeSet<Scope>,
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// The client is no API key that works, or not the one it says it is.
    #[error("the client's id or secret is wrong")]
    InvalidClient,
    /// The operator's keys get no tokens: those belong to a tenant.
    #[error("the operator's keys get no tokens")]
    Unauthorized,
    /// The key lacks this scope.
    #[error("the key lacks the scope {0}")]
    MissingScope(Scope),
    /// No key signs at the moment.
    #[error("there is no signing key")]
    NoSigningKey,
    /// The signing key cannot be opened.
    #[error(transparent)]
    Unopenable(#[from] Unopenable),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Issues a token to the machine that the client turned out to be, for the scopes it asks for; for all that it has if it
/// asks for none. It does not outlive the key.
pub fn issue(
    platform: &Platform,
    client: &Principal,
    client_id: ApiKeyId,
    wanted: Option<BTreeSet<Scope>>,
) -> Result<Issued, IssueError> {
    let (tenant, key, own) = match client {
        Principal::Machine { tenant, key, scopes } => (*tenant, *key, scopes),
        Principal::Operator { key: Some(key) } if *key == client_id => return Err(IssueError::Unauthorized),
        _ => return Err(IssueError::InvalidClient),
    };
    if key != client_id {
        return Err(IssueError::InvalidClient);
    }
    let scopes = wanted.unwrap_or_else(|| own.clone());
    if let Some(missing) = scopes.difference(own).next() {
        return Err(IssueError::MissingScope(*missing));
    }
    let signer = signing_keys::signer(platform)?.ok_or(IssueError::NoSigningKey)?;
    // Whole seconds are what a token says.
    let now = platform.clock.now().trunc_subsecs(0);
    let lives = lifetime(platform, key, now)?;
    let claims = MachineClaims {
        key,
        tenant,
        scopes: scopes.clone(),
        token: platform.ids.random(),
        issued_at: now,
        expires_at: now + lives,
    };
    let token = platform.machine_tokens.sign(&signer, &platform.policy.public_url, &claims)?;
    Ok(Issued { token, lives, scopes })
}

/// How long a token of this key works: no longer than the key. Who the client is may have been found out a moment ago, so
/// the key is looked at once more.
fn lifetime(platform: &Platform, key: ApiKeyId, now: DateTime<Utc>) -> Result<TimeDelta, IssueError> {
    let record = platform.control.read(|tx| tx.api_keys().get(key))?;
    let record = record.filter(|key| key.revoked_at.is_none()).ok_or(IssueError::InvalidClient)?;
    let longest = platform.policy.machine_token_ttl.min(LONGEST_TOKEN);
    let left = record.expires_at.map_or(longest, |end| end.trunc_subsecs(0) - now);
    if left <= TimeDelta::zero() { Err(IssueError::InvalidClient) } else { Ok(longest.min(left)) }
}

/// Who presents this token, which names this key as the one that signed it. The API key it was got with has to work still,
/// and may by now do less than the token says.
pub(crate) fn authenticate(
    platform: &Platform,
    token: &str,
    kid: &str,
    now: DateTime<Utc>,
) -> StoreResult<Option<Principal>> {
    let Some(signer) = signing_keys::verifier(platform, kid)? else {
        return Ok(None);
    };
    let checked = platform.machine_tokens.check(&signer, &platform.policy.public_url, token, now);
    let Ok(claims) = checked else {
        return Ok(None);
    };
    let record = platform.control.read(|tx| tx.api_keys().get(claims.key))?;
    let live = record.filter(|key| key.tenant == Some(claims.tenant) && key.is_live(now));
    Ok(live.map(|key| {
        platform.key_uses.note(key.id);
        let scopes = claims.scopes.intersection(&key.scopes).copied().collect();
        Principal::Machine { tenant: claims.tenant, key: key.id, scopes }
    }))
}
