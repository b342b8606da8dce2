use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use tenantry_ports::PasswordHasher;

/// Hashes that cost nothing and protect nothing: a counter for a salt, and the password in hexadecimal.
///
/// The password is not in them in clear, so a test may search everything stored for it.
#[derive(Debug, Default)]
pub struct FakePasswords(AtomicU64);

impl FakePasswords {
    /// A hasher whose first salt is 1.
    pub const fn new() -> Self {
        Self(AtomicU64::new(0))
    }
}

impl PasswordHasher for FakePasswords {
    fn hash(&self, password: &str) -> String {
        let salt = self.0.fetch_add(1, Ordering::Relaxed) + 1;
        format!("$fake${salt}${}", hex(password))
    }

    fn verify(&self, password: &str, hash: Option<&str>) -> bool {
        let hashed = hash.and_then(|hash| hash.strip_prefix("$fake$")).and_then(|rest| rest.split_once('$'));
        hashed.is_some_and(|(_, hashed)| hashed == hex(password))
    }

    /// Where the salt is 0, which none that is made has.
    fn is_outdated(&self, hash: &str) -> bool {
        hash.starts_with("$fake$0$")
    }
}

fn hex(text: &str) -> String {
    text.bytes().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_hashed_password_verifies() {
        let passwords = FakePasswords::new();
        let hash = passwords.hash("correct horse");
        assert!(passwords.verify("correct horse", Some(&hash)));
        assert!(!passwords.verify("correct horsE", Some(&hash)));
        assert!(!passwords.verify("correct horse", None));
        assert!(!passwords.verify("", Some("$argon2id$v=19$")));
    }

    #[test]
    fn hashes_differ_and_do_not_show_the_password() {
        let passwords = FakePasswords::new();
        let (one, other) = (passwords.hash("correct horse"), passwords.hash("correct horse"));
        assert_ne!(one, other);
        assert!(!one.contains("correct horse"));
    }
}
