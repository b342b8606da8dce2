use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::account::Rule;
use crate::text::{InvalidText, check_length};

/// What kind of thing happened: lower-case words joined by dots, as in `account.provisioned`, at most 100 characters.
///
/// The constants are the types this version writes. Any well-formed type is read, since during an upgrade another
/// replica may already write new ones.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventType(Cow<'static, str>);

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $text:literal;)*) => {
        impl EventType {
            $($(#[$doc])* pub const $name: Self = Self(Cow::Borrowed($text));)*

            /// Every type but those of rule violations, which [`EventType::rule_violation`] gives.
            pub const FIXED: &'static [Self] = &[$(Self::$name),*];
        }
    };
}

event_types! {
    /// A tenant was announced and waits to be confirmed.
    TENANT_ANNOUNCED = "tenant.announced";
    /// A tenant that was announced was never confirmed.
    TENANT_EXPIRED = "tenant.expired";
    /// A tenant was confirmed and waits for a worker.
    TENANT_PROVISIONING_QUEUED = "tenant.provisioning.queued";
    /// A worker began to provision a tenant.
    TENANT_PROVISIONING_STARTED = "tenant.provisioning.started";
    /// A provisioning step succeeded.
    TENANT_PROVISIONING_STEP_COMPLETED = "tenant.provisioning.step_completed";
    /// Provisioning failed for good and was undone.
    TENANT_PROVISIONING_FAILED = "tenant.provisioning.failed";
    /// A tenant can be used.
    TENANT_ACTIVATED = "tenant.activated";
    /// A tenant was suspended.
    TENANT_SUSPENDED = "tenant.suspended";
    /// A suspended tenant can be used again.
    TENANT_RESUMED = "tenant.resumed";
    /// A tenant's name, plan or contact address changed.
    TENANT_UPDATED = "tenant.updated";
    /// A tenant's database is dropped once its time of grace is over.
    TENANT_DEPROVISIONING_QUEUED = "tenant.deprovisioning.queued";
    /// A tenant that was to be deleted stays as it was before, which was not in service.
    TENANT_DEPROVISIONING_CANCELLED = "tenant.deprovisioning.cancelled";
    /// A tenant took over what another one was exported with; what its log holds before happened there.
    TENANT_IMPORTED = "tenant.imported";
    /// A tenant and its database are gone.
    TENANT_DELETED = "tenant.deleted";
    /// An API key was made.
    API_KEY_CREATED = "api_key.created";
    /// An API key was replaced by a new one.
    API_KEY_ROTATED = "api_key.rotated";
    /// An API key was revoked.
    API_KEY_REVOKED = "api_key.revoked";
    /// The first key that machines' tokens are signed with was made.
    SIGNING_KEY_CREATED = "signing_key.created";
    /// The key that machines' tokens are signed with was replaced.
    SIGNING_KEY_ROTATED = "signing_key.rotated";
    /// What hung on a former secret key hangs on the one in force.
    SECRET_KEY_REPLACED = "secret_key.replaced";
    /// Notices that were given up are sent again.
    NOTICES_RESENT = "notices.resent";
    /// A tenant's settings were changed.
    SETTINGS_UPDATED = "settings.updated";
    /// Four fifths of what a tenant may have of something are used.
    QUOTA_WARNING = "quota.warning";
    /// A tenant has as many of something as it may have.
    QUOTA_REACHED = "quota.reached";
    /// A tenant's basis was configured, changed or taken back to what it was.
    CONFIG_BASIS_UPDATED = "config.basis.updated";
    /// A process was configured, or taken back after it was removed.
    CONFIG_PROCESS_CREATED = "config.process.created";
    /// A process was changed.
    CONFIG_PROCESS_UPDATED = "config.process.updated";
    /// A process was removed.
    CONFIG_PROCESS_DELETED = "config.process.deleted";
    /// A config version was stored.
    CONFIG_UPLOADED = "config.uploaded";
    /// An account is ready for trades.
    ACCOUNT_PROVISIONED = "account.provisioned";
    /// An account's notes or config changed.
    ACCOUNT_UPDATED = "account.updated";
    /// An account's status changed.
    ACCOUNT_STATE_CHANGED = "account.state_changed";
    /// Trades were applied to an account.
    ACCOUNT_TRADED = "account.traded";
    /// An account was closed.
    ACCOUNT_CLOSED = "account.closed";
    /// An account was mapped to a website user.
    ACCOUNT_MAPPED = "account.mapped";
    /// A website user's mapping to an account was removed.
    ACCOUNT_UNMAPPED = "account.unmapped";
    /// An account passed a stage.
    CHALLENGE_MILESTONE = "challenge.milestone";
    /// An account was breached.
    CHALLENGE_FAILED = "challenge.failed";
    /// Open positions of accounts were revalued at new prices.
    PRICES_MARKED = "prices.marked";
    /// Trading days began, and stages ran out of time, without anybody's doing.
    DAYS_ROLLED = "days.rolled";
    /// A payout is due.
    PAYOUT_ELIGIBLE = "payout.eligible";
    /// A webhook endpoint was created.
    WEBHOOK_ENDPOINT_CREATED = "webhook.endpoint.created";
    /// A webhook endpoint was changed, disabled or enabled by hand.
    WEBHOOK_ENDPOINT_UPDATED = "webhook.endpoint.updated";
    /// A webhook endpoint was removed.
    WEBHOOK_ENDPOINT_DELETED = "webhook.endpoint.deleted";
    /// A webhook endpoint got a new secret.
    WEBHOOK_ENDPOINT_SECRET_ROTATED = "webhook.endpoint.secret_rotated";
    /// What did not arrive at a webhook endpoint is sent again, from some time on.
    WEBHOOK_ENDPOINT_RECOVERED = "webhook.endpoint.recovered";
    /// A delivery to a webhook endpoint is made anew.
    WEBHOOK_DELIVERY_REDELIVERED = "webhook.delivery.redelivered";
    /// Somebody tries a webhook endpoint out. It is sent to that one alone, and is in no log.
    WEBHOOK_TEST = "webhook.test";
    /// A webhook endpoint wants no more, or failed for so long that nothing is delivered to it any more.
    WEBHOOK_ENDPOINT_DISABLED = "webhook.endpoint.disabled";
    /// A unit of the organisation was created.
    ORG_CREATED = "org.created";
    /// A unit of the organisation was changed.
    ORG_UPDATED = "org.updated";
    /// A unit of the organisation was deleted.
    ORG_DELETED = "org.deleted";
    /// A document about the organisation was imported; what it changed is told before.
    ORG_IMPORTED = "org.imported";
    /// A person who can sign in was created.
    USER_CREATED = "user.created";
    /// A person's names, role, abilities or right to sign in changed.
    USER_UPDATED = "user.updated";
    /// A person changed their password.
    USER_PASSWORD_CHANGED = "user.password_changed";
    /// A person was signed out of all their sessions at once.
    USER_SIGNED_OUT = "user.signed_out";
    /// A person signed in.
    SESSION_STARTED = "session.started";
    /// A sign-in was ended before its time.
    SESSION_REVOKED = "session.revoked";
    /// A refresh token that was exchanged before came again, so its session was ended.
    SESSION_REUSE_DETECTED = "session.reuse_detected";
}

impl EventType {
    /// Checks length and form.
    pub fn new(text: impl Into<String>) -> Result<Self, InvalidText> {
        let text = text.into();
        check_length("The event type", &text, 1, 100)?;
        let is_word = |word: &str| {
            !word.is_empty() && word.bytes().all(|b| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'_'))
        };
        if !text.split('.').all(is_word) {
            return Err(InvalidText::new(
                "invalid_event_type",
                "An event type is made of words of a-z, 0-9 and '_', joined by dots",
            ));
        }
        Ok(Self(Cow::Owned(text)))
    }

    /// The type of the event that says that this rule was broken: `rule.violation.<rule>`.
    pub fn rule_violation(rule: Rule) -> Self {
        Self(Cow::Owned(format!("rule.violation.{}", rule.as_str())))
    }

    /// The text itself.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for EventType {
    type Err = InvalidText;

    fn from_str(text: &str) -> Result<Self, InvalidText> {
        Self::new(text)
    }
}

impl Serialize for EventType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for EventType {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for EventType {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "EventType".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "maxLength": 100, "pattern": r"^[a-z0-9_]+(\.[a-z0-9_]+)*$" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_types_are_those_of_the_domain_and_read_back() {
        let listed: Vec<&str> = EventType::FIXED.iter().map(EventType::as_str).collect();
        assert_eq!(listed.len(), 60);
        for (family, members) in [
            ("tenant.provisioning", "queued|started|step_completed|failed"),
            ("tenant.deprovisioning", "queued|cancelled"),
            ("tenant", "announced|expired|activated|suspended|resumed|updated|imported|deleted"),
            ("api_key", "created|rotated|revoked"),
            ("signing_key", "created|rotated"),
            ("secret_key", "replaced"),
            ("notices", "resent"),
            ("settings", "updated"),
            ("quota", "warning|reached"),
            ("config", "uploaded"),
            ("config.basis", "updated"),
            ("config.process", "created|updated|deleted"),
            ("account", "provisioned|updated|state_changed|traded|closed|mapped|unmapped"),
            ("challenge", "milestone|failed"),
            ("payout", "eligible"),
            ("prices", "marked"),
            ("days", "rolled"),
            ("webhook", "test"),
            ("webhook.delivery", "redelivered"),
            ("webhook.endpoint", "created|updated|deleted|secret_rotated|recovered|disabled"),
            ("user", "created|updated|password_changed|signed_out"),
            ("org", "created|updated|deleted|imported"),
            ("user", "created|updated|password_changed"),
            ("session", "started|revoked|reuse_detected"),
        ] {
            for member in members.split('|') {
                let text = format!("{family}.{member}");
                assert!(listed.contains(&text.as_str()), "{text}");
            }
        }
        for event_type in EventType::FIXED {
            assert_eq!(event_type.as_str().parse().as_ref(), Ok(event_type));
        }
    }

    #[test]
    fn violations_name_their_rule() {
        assert_eq!(EventType::rule_violation(Rule::DailyLoss).as_str(), "rule.violation.daily_loss");
        for rule in Rule::ALL {
            let event_type = EventType::rule_violation(rule);
            assert_eq!(EventType::new(event_type.as_str()), Ok(event_type));
        }
    }

    #[test]
    fn malformed_types_are_refused() {
        for wrong in ["", ".", "account.", ".x", "a..b", "Account.x", "a b", "account.*"] {
            assert!(EventType::new(wrong).is_err(), "{wrong:?}");
        }
    }
}
