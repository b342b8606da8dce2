use std::fmt;
use std::sync::Arc;

use argon2::password_hash::phc::PasswordHash;
use argon2::{Algorithm, Argon2, Params, PasswordHasher as _, PasswordVerifier as _, Version};
use tenantry_ports::{Entropy, PasswordHasher};

/// What hashing one password costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Argon2Cost {
    /// KiB of memory; at least eight per lane.
    pub memory_kib: u32,
    /// Passes over the memory.
    pub passes: u32,
    /// Lanes that could be computed in parallel (they are computed one after the other).
    pub lanes: u32,
}

impl Default for Argon2Cost {
    /// 19 MiB, two passes, one lane: OWASP's recommendation.
    fn default() -> Self {
        Self { memory_kib: 19_456, passes: 2, lanes: 1 }
    }
}

/// Argon2 does not work with this cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "no password hashing costs memory_kib = {}, passes = {}, lanes = {}: there must be 8 to {} KiB for every lane, 1 to {} passes and 1 to {} lanes",
    .0.memory_kib, .0.passes, .0.lanes, MOST.memory_kib, MOST.passes, MOST.lanes
)]
pub struct InvalidCost(Argon2Cost);

/// The most a stored hash may ask for. A damaged hash must fail, not take all memory or run for hours.
const MOST: Argon2Cost = Argon2Cost { memory_kib: 1024 * 1024, passes: 64, lanes: 64 };
const SALT: usize = 16;

/// Passwords with Argon2id (version 1.3), as PHC strings with a salt of 128 bits.
///
/// A hash is verified with the cost it was made with, so the configured cost may change at any time.
pub struct Argon2Passwords {
    argon: Argon2<'static>,
    entropy: Arc<dyn Entropy>,
    /// Costs as much to verify as a real hash, and matches no password anybody could know.
    dummy: String,
}

impl Argon2Passwords {
    /// A hasher of this cost. Hashes once, to have something to compare with when there is no such user.
    pub fn new(cost: Argon2Cost, entropy: Arc<dyn Entropy>) -> Result<Self, InvalidCost> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, None);
        let params = params.ok().filter(affordable).ok_or(InvalidCost(cost))?;
        let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
        let mut unknowable = [0; 32];
        entropy.fill(&mut unknowable);
        let dummy = phc(&argon, &*entropy, &unknowable);
        Ok(Self { argon, entropy, dummy })
    }

    fn agrees(&self, password: &str, hash: &str) -> Option<bool> {
        let hash = PasswordHash::new(hash).ok()?;
        let supported = hash.algorithm.as_str() == Algorithm::Argon2id.as_str()
            && hash.salt.is_some()
            && hash.hash.is_some()
            && Params::try_from(&hash).is_ok_and(|params| affordable(&params));
        supported.then(|| self.argon.verify_password(password.as_bytes(), &hash).is_ok())
    }
}

impl PasswordHasher for Argon2Passwords {
    fn hash(&self, password: &str) -> String {
        phc(&self.argon, &*self.entropy, password.as_bytes())
    }

    fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        match hash.and_then(|hash| self.agrees(password, hash)) {
            Some(agrees) => agrees,
            None => {
                let _ = self.agrees(password, &self.dummy);
                false
            }
        }
    }

    /// Where it took less memory or fewer passes. Other lanes are no less.
    fn is_outdated(&self, hash: &str) -> bool {
        let params = PasswordHash::new(hash).ok().and_then(|hash| Params::try_from(&hash).ok());
        params.is_some_and(|made| {
            let now = self.argon.params();
            made.m_cost() < now.m_cost() || made.t_cost() < now.t_cost()
        })
    }
}

impl fmt::Debug for Argon2Passwords {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Argon2Passwords").field("params", self.argon.params()).finish_non_exhaustive()
    }
}

fn affordable(params: &Params) -> bool {
    params.m_cost() <= MOST.memory_kib && params.t_cost() <= MOST.passes && params.p_cost() <= MOST.lanes
}

fn phc(argon: &Argon2<'_>, entropy: &dyn Entropy, password: &[u8]) -> String {
    let mut salt = [0; SALT];
    entropy.fill(&mut salt);
    argon
        .hash_password_with_salt(password, &salt)
        .expect("the cost was checked, and passwords and this salt are of lengths that Argon2 takes")
        .to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::SystemEntropy;

    const CHEAP: Argon2Cost = Argon2Cost { memory_kib: 16, passes: 1, lanes: 1 };

    fn passwords() -> Argon2Passwords {
        Argon2Passwords::new(CHEAP, Arc::new(SystemEntropy)).unwrap()
    }

    #[test]
    fn a_password_verifies_against_its_own_hash_alone() {
        let passwords = passwords();
        for password in ["correct horse", "", "пароль 🔑", &"x".repeat(1_000), "with\0nul"] {
            let hash = passwords.hash(password);
            assert!(hash.starts_with("$argon2id$v=19$m=16,t=1,p=1$"), "{hash}");
            assert!(passwords.verify(password, Some(&hash)));
            assert!(!passwords.verify(&format!("{password}x"), Some(&hash)));
            assert!(!passwords.verify("other", Some(&hash)));
        }
    }

    #[test]
    fn every_hash_has_its_own_salt() {
        let passwords = passwords();
        assert_ne!(passwords.hash("same"), passwords.hash("same"));
    }

    #[test]
    fn nobodys_password_is_wrong_whatever_it_is() {
        let passwords = passwords();
        assert!(!passwords.verify("", None));
        assert!(!passwords.verify("anything", None));
    }

    #[test]
    fn the_dummy_costs_what_a_real_hash_costs() {
        let passwords = passwords();
        let real = passwords.hash("x");
        let cost = |hash: &str| hash.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(cost(&passwords.dummy), cost(&real));
        assert_eq!(passwords.agrees("x", &passwords.dummy), Some(false), "it is really computed");
    }

    #[test]
    fn hashes_made_at_another_cost_still_verify() {
        let dearer = Argon2Cost { memory_kib: 64, passes: 2, lanes: 2 };
        let earlier = Argon2Passwords::new(dearer, Arc::new(SystemEntropy)).unwrap();
        assert!(passwords().verify("kept", Some(&earlier.hash("kept"))));
    }

    #[test]
    fn only_what_took_less_is_outdated() {
        let cost = |memory_kib, passes, lanes| Argon2Cost { memory_kib, passes, lanes };
        let hasher = |cost| Argon2Passwords::new(cost, Arc::new(SystemEntropy)).unwrap();
        let now = hasher(cost(64, 2, 2));
        for (made, outdated) in [
            (cost(64, 2, 2), false),
            (cost(63, 2, 2), true),
            (cost(64, 1, 2), true),
            (cost(65, 1, 1), true),
            (cost(65, 3, 1), false),
        ] {
            assert_eq!(now.is_outdated(&hasher(made).hash("x")), outdated, "{made:?}");
        }
        assert!(!now.is_outdated("no hash"));
    }

    #[test]
    fn the_reference_implementations_hash_verifies() {
        // One of the reference implementation's own test vectors.
        let hash = "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
        assert!(passwords().verify("password", Some(hash)));
        assert!(!passwords().verify("passwore", Some(hash)));
    }

    #[test]
    fn damaged_and_foreign_hashes_verify_nothing() {
        let passwords = passwords();
        let good = passwords.hash("pw");
        for hash in [
            String::new(),
            "$".to_owned(),
            "plain text".to_owned(),
            "$argon2id$".to_owned(),
            "$argon2id$v=19$m=16,t=1,p=1".to_owned(),
            "$argon2id$v=19$m=16,t=1,p=1$c29tZXNhbHQ".to_owned(),
            "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW".to_owned(),
            good.replace("argon2id", "argon2i"),
            good.replace("argon2id", "scrypt"),
            good.replace("v=19", "v=18"),
            good.replace("m=16", "m=1"),
            good.replace("m=16", "m=4294967295"),
            good.replace("m=16", "m=99999999999"),
            good.replace("t=1", "t=0"),
            good.replace("t=1", "t=4294967295"),
            good.replace("p=1", "p=16777215"),
            good.replace("p=1", "p=0"),
            good[..good.len() - 1].to_owned(),
            format!("{good}$"),
            format!("{good}\0"),
            "é".repeat(10_000),
        ] {
            assert!(!passwords.verify("pw", Some(&hash)), "{hash:.100}");
        }
        assert!(passwords.verify("pw", Some(&good)));
    }

    #[test]
    fn impossible_costs_are_refused_with_the_limits() {
        let cost = |memory_kib, passes, lanes| Argon2Cost { memory_kib, passes, lanes };
        for wrong in [
            cost(7, 1, 1),
            cost(16, 0, 1),
            cost(16, 1, 0),
            cost(16, 1, 4),
            cost(u32::MAX, 1, 1),
            cost(16, 65, 1),
        ] {
            let error = Argon2Passwords::new(wrong, Arc::new(SystemEntropy)).unwrap_err();
            assert_eq!(error, InvalidCost(wrong));
            assert!(error.to_string().contains("8 to 1048576 KiB"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_stored_text_panics(hash in "(\\$argon2id\\$v=19\\$m=16,t=1,p=1\\$)?[$a-zA-Z0-9+/=,]{0,60}") {
            prop_assert!(!passwords().verify("pw", Some(&hash)));
        }
    }
}
