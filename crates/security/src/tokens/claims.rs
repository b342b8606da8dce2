use biscuit::CompactJson;
use chrono::{DateTime, Duration, SubsecRound, Utc};
use serde::{Deserialize, Serialize};
use tenantry_domain::id::{SessionId, TenantId, UserId};
use tenantry_domain::people::Role;
use tenantry_domain::tenant::Slug;
use tenantry_ports::{AccessClaims, ConfirmClaims, TokenError};
use uuid::Uuid;

const ISSUER: &str = "tenantry";
const CONFIRM: &str = "tenantry:confirm";
const CONFIRM_TYPE: &str = "confirm_provisioning";
const ACCESS: &str = "tenantry:access";

/// The claims of a confirmation token as they are written. Times are Unix seconds.
#[derive(Serialize, Deserialize)]
pub(super) struct ConfirmWire {
    iss: String,
    aud: String,
    sub: String,
    slug: Slug,
    r#type: String,
    jti: String,
    iat: i64,
    exp: i64,
}

impl CompactJson for ConfirmWire {}

impl From<&ConfirmClaims> for ConfirmWire {
    fn from(claims: &ConfirmClaims) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: CONFIRM.to_owned(),
            sub: claims.tenant.uuid().hyphenated().to_string(),
            slug: claims.slug.clone(),
            r#type: CONFIRM_TYPE.to_owned(),
            jti: claims.token.hyphenated().to_string(),
            iat: claims.issued_at.timestamp(),
            exp: seconds_up(claims.expires_at),
        }
    }
}

impl ConfirmWire {
    /// The claims, if they hold at `now`.
    pub(super) fn check(self, now: DateTime<Utc>, leeway: Duration) -> Result<ConfirmClaims, TokenError> {
        if self.iss != ISSUER || self.aud != CONFIRM || self.r#type != CONFIRM_TYPE {
            return Err(TokenError);
        }
        let (issued_at, expires_at) = lifetime(self.iat, self.exp, now, leeway)?;
        let uuid = |text: &str| Uuid::try_parse(text).map_err(|_| TokenError);
        Ok(ConfirmClaims {
            tenant: TenantId::new(uuid(&self.sub)?),
            slug: self.slug,
            token: uuid(&self.jti)?,
            issued_at,
            expires_at,
        })
    }
}

/// The claims of an access token as they are written. Times are Unix seconds.
#[derive(Serialize, Deserialize)]
pub(super) struct AccessWire {
    iss: String,
    aud: String,
    sub: UserId,
    tenant_id: TenantId,
    role: Role,
    sid: SessionId,
    iat: i64,
    nbf: i64,
    exp: i64,
}

impl CompactJson for AccessWire {}

impl From<&AccessClaims> for AccessWire {
    fn from(claims: &AccessClaims) -> Self {
        Self {
            iss: ISSUER.to_owned(),
            aud: ACCESS.to_owned(),
            sub: claims.user,
            tenant_id: claims.tenant,
            role: claims.role,
            sid: claims.session,
            iat: claims.issued_at.timestamp(),
            nbf: claims.issued_at.timestamp(),
            exp: seconds_up(claims.expires_at),
        }
    }
}

impl AccessWire {
    /// The claims, if they hold at `now`.
    pub(super) fn check(self, now: DateTime<Utc>, leeway: Duration) -> Result<AccessClaims, TokenError> {
        if self.iss != ISSUER || self.aud != ACCESS {
            return Err(TokenError);
        }
        lifetime(self.nbf, self.exp, now, leeway)?;
        let (issued_at, expires_at) = lifetime(self.iat, self.exp, now, leeway)?;
        Ok(AccessClaims {
            user: self.sub,
            tenant: self.tenant_id,
            role: self.role,
            session: self.sid,
            issued_at,
            expires_at,
        })
    }
}

/// Begin and end, if `now` lies between them: begin − leeway ≤ now < end + leeway.
pub(super) fn lifetime(
    begin: i64,
    end: i64,
    now: DateTime<Utc>,
    leeway: Duration,
) -> Result<(DateTime<Utc>, DateTime<Utc>), TokenError> {
    let begin = DateTime::from_timestamp(begin, 0).ok_or(TokenError)?;
    let end = DateTime::from_timestamp(end, 0).ok_or(TokenError)?;
    // Differences of instants always fit; an instant plus a leeway might not.
    let valid = begin < end && begin - now <= leeway && now - end < leeway;
    if valid { Ok((begin, end)) } else { Err(TokenError) }
}

/// Unix seconds, rounded up: a token must not end before the instant it was promised until.
pub(super) fn seconds_up(instant: DateTime<Utc>) -> i64 {
    instant.timestamp() + i64::from(instant.trunc_subsecs(0) < instant)
}
