//! `keys signing` and `keys rotate-signing`: what machines' tokens are signed with.

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::{Value, json};
use tenantry_ports::{SigningKey, StoreError};
use tenantry_usecases::Platform;
use tenantry_usecases::signing_keys::{self, RotateError, Rotation};

use super::table::{table, time};
use super::{print, print_json};
use crate::cli::{ListSigning, RotateSigning};
use crate::compose::store_failure;
use crate::failure::Failure;

/// Lists every signing key there ever was, in order.
pub(crate) fn list(platform: &Platform, wish: &ListSigning) -> Result<(), Failure> {
    let keys = signing_keys::list(platform).map_err(|error| store_failure(&error))?;
    let now = platform.clock.now();
    if wish.json {
        return print_json(&keys.iter().map(|key| as_json(key, now)).collect());
    }
    if keys.is_empty() {
        eprintln!("There are none yet: the first server to start makes one.");
    }
    let row = |key: &SigningKey| {
        [
            key.kid.clone(),
            key.state(now).as_str().to_owned(),
            key.algorithm.as_str().to_owned(),
            time(key.created_at),
            time(key.signs_from),
            key.signs_until.map_or("-".to_owned(), time),
            key.verifies_until.map_or("-".to_owned(), time),
        ]
    };
    let titles = ["KID", "STATE", "ALGORITHM", "PUBLISHED", "SIGNS FROM", "SIGNS UNTIL", "ACCEPTED UNTIL"];
    print(&table(titles, keys.iter().map(row)))
}

/// Replaces the signing key.
pub(crate) fn rotate(platform: &Platform, wish: &RotateSigning) -> Result<(), Failure> {
    let lead = TimeDelta::from_std(wish.lead).ok().filter(|lead| *lead <= TimeDelta::days(30));
    let rotation = match (wish.compromised, lead) {
        (true, _) => Rotation::Compromised,
        (false, Some(lead)) => Rotation::After(lead),
        (false, None) => return Err(Failure::new("the lead is too long", "say at most --lead 30d")),
    };
    let key = signing_keys::rotate(platform, rotation, "cli").map_err(|error| match error {
        RotateError::Store(error) => store_failure(&error),
        RotateError::UnderWay { .. } => {
            Failure::new(error, "wait until it signs; if a key was stolen, say --compromised")
        }
        RotateError::Beaten => Failure::new(error, "`tenantry keys signing` shows what came of that"),
    })?;
    let now = platform.clock.now();
    if wish.json {
        return print_json(&as_json(&key, now));
    }
    let told = match rotation {
        Rotation::Compromised => "It signs at once; what other keys have signed is refused.".to_owned(),
        Rotation::After(_) => {
            format!("It is published, and signs from {}; servers need no restart.", time(key.signs_from))
        }
    };
    print(&format!("{}\n", key.kid))?;
    eprintln!("{told}");
    Ok(())
}

/// Whether every signing key's private part hangs on the master key in force.
pub(crate) fn hang_on_current(platform: &Platform) -> Result<bool, StoreError> {
    let keys = signing_keys::list(platform)?;
    Ok(keys.iter().all(|key| matches!(platform.machine_tokens.rewrap(key), Ok(None))))
}

fn as_json(key: &SigningKey, now: DateTime<Utc>) -> Value {
    json!({
        "kid": key.kid,
        "state": key.state(now).as_str(),
        "algorithm": key.algorithm.as_str(),
        "publishedAt": time(key.created_at),
        "signsFrom": time(key.signs_from),
        "signsUntil": key.signs_until.map(time),
        "acceptedUntil": key.verifies_until.map(time),
    })
}
