//! `keys rewrap`: carries over to the secret key in force what hangs on those before it.

use std::time::Duration;

use chrono::TimeDelta;
use serde_json::json;
use tenantry_usecases::master_keys::{self, CarryError, Standing, Step};

use super::table::time;
use super::{print, print_json};
use crate::cli::Rewrap;
use crate::compose::{Installation, store_failure};
use crate::failure::Failure;
use crate::settings::Settings;

/// A confirmation token works this long.
const CONFIRMING: Duration = Duration::from_secs(15 * 60);

/// Does what is left to do, and says until when the keys before are needed.
pub(crate) fn rewrap(installation: &Installation, settings: &Settings, wish: &Rewrap) -> Result<(), Failure> {
    let platform = &installation.platform;
    let (mut sealed, mut logins) = (0, 0);
    let completed = master_keys::carry_over(platform, |step| {
        match step {
            Step::Sealed(_) => sealed += 1,
            Step::Logins(count) => logins += count,
        }
        if !wish.json {
            eprintln!("Sealed anew: {sealed} values; logins with new passwords: {logins}");
        }
    });
    let completed = completed.map_err(|error| failure(&error))?;
    let standing =
        master_keys::standing(platform, longest(settings)).map_err(|error| store_failure(&error))?;
    let needed = match standing {
        Standing::NeededUntil(until) => Some(time(until)),
        Standing::Alone | Standing::Unfinished => None,
    };
    if wish.json {
        return print_json(&json!({
            "sealed": sealed,
            "logins": logins,
            "completedAt": time(completed),
            "previousKeysNeededUntil": needed,
        }));
    }
    print(&match (standing, needed) {
        (_, Some(needed)) => {
            format!(
                "Everything hangs on the key in force. Remove TENANTRY_PREVIOUS_SECRET_KEYS after {needed}.\n"
            )
        }
        (Standing::Unfinished, None) => "Something came in between: run it once more.\n".to_owned(),
        _ => "Everything hangs on the key in force; there is no other one.\n".to_owned(),
    })
}

/// How long the longest-lived token works that is signed with a key derived from the secret key, and half a minute for
/// clocks that differ.
pub(crate) fn longest(settings: &Settings) -> TimeDelta {
    let longest = settings.auth.access_token_ttl.max(CONFIRMING) + Duration::from_secs(30);
    TimeDelta::from_std(longest).unwrap_or(TimeDelta::MAX)
}

fn failure(error: &CarryError) -> Failure {
    match error {
        CarryError::Store(error) => store_failure(error),
        CarryError::Busy(_) => {
            Failure::new(error, "run the same command again in a moment; what was done stays done")
        }
        CarryError::Unopenable { .. } => Failure::new(
            error,
            "set the key it was sealed with in TENANTRY_PREVIOUS_SECRET_KEYS; if it is lost, `tenantry keys rotate-signing \
             --compromised` makes a new signing key",
        ),
        CarryError::Login { .. } => {
            Failure::new(error, "mend that and run the same command again; what was done stays done")
        }
    }
}
