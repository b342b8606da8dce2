//! Whether everything hangs on the secret key in force.

use tenantry_usecases::Platform;
use tenantry_usecases::doctor::Symptom;
use tenantry_usecases::master_keys::{Standing, standing};

use super::Finding;
use crate::commands::table::time;
use crate::commands::{rewrap, signing_keys};
use crate::settings::Settings;

const PLACE: &str = "secrets.previous_secret_keys";

/// How a change of the secret key stands.
pub(super) fn findings(settings: &Settings, platform: &Platform) -> Option<Finding> {
    let standing = standing(platform, rewrap::longest(settings));
    let symptom = match standing {
        // What is wrong with the control database is said elsewhere.
        Err(_) => return None,
        Ok(Standing::Alone) => return lost(platform),
        Ok(Standing::Unfinished) => {
            let what = "something may still hang on a former secret key";
            Symptom::warning("previous_secret_keys", PLACE, what, "run `tenantry keys rewrap`")
        }
        Ok(Standing::NeededUntil(until)) if platform.clock.now() < until => {
            let what = format!(
                "tokens that were signed with a former secret key are accepted until {}",
                time(until)
            );
            Symptom::ok("previous_secret_keys", PLACE, what)
        }
        Ok(Standing::NeededUntil(_)) => {
            let what = "nothing hangs on a former secret key any more";
            Symptom::warning("previous_secret_keys", PLACE, what, "remove TENANTRY_PREVIOUS_SECRET_KEYS")
        }
    };
    Some(symptom.into())
}

/// Values that were sealed with a key that nobody has given.
fn lost(platform: &Platform) -> Option<Finding> {
    let readable = signing_keys::hang_on_current(platform).unwrap_or(true);
    (!readable).then(|| {
        let what = "a signing key was sealed with another secret key";
        let next = "set that one in TENANTRY_PREVIOUS_SECRET_KEYS and run `tenantry keys rewrap`; if it is lost, `tenantry keys \
                    rotate-signing --compromised` makes a new signing key";
        Symptom::error("unknown_secret_key", "signing keys", what, next).into()
    })
}
