//! What a password has to be like. The policy looks at passwords that pass by; nothing here keeps one.

use super::guessable;
use crate::{Finding, Pointer};

/// The product's own name, which is the first thing somebody tries.
const PRODUCT: &str = "tenantry";

/// Which passwords are good enough.
///
/// Length is what makes a password strong, so nothing is demanded of its characters; what everybody would try first
/// is refused instead (NIST SP 800-63B §3.1.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PasswordPolicy {
    min_length: usize,
}

/// What is known of the person and the tenant, and therefore no good as a password.
#[derive(Debug, Clone, Copy, Default)]
pub struct PasswordContext<'a> {
    /// The tenant's slug.
    pub tenant_slug: Option<&'a str>,
    /// The tenant's name.
    pub tenant_name: Option<&'a str>,
    /// The person's email address.
    pub email: Option<&'a str>,
    /// The person's username.
    pub username: Option<&'a str>,
}

/// The setting is outside what a policy may demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the minimum length of passwords must be between {min} and {max}", min = PasswordPolicy::LEAST, max = PasswordPolicy::MOST)]
pub struct InvalidPasswordPolicy;

impl PasswordPolicy {
    /// The fewest characters a policy may ask for, and the default.
    pub const LEAST: usize = 8;

    /// The most characters a password may have.
    pub const MOST: usize = 128;

    /// A policy that asks for at least `min_length` characters, 8 to 128.
    pub const fn new(min_length: usize) -> Result<Self, InvalidPasswordPolicy> {
        if min_length < Self::LEAST || min_length > Self::MOST {
            return Err(InvalidPasswordPolicy);
        }
        Ok(Self { min_length })
    }

    /// Everything that is wrong with this password, at `pointer`: `too_short` or `too_long` (in Unicode scalar values),
    /// `common_password` or `guessable_password`. No message repeats the password.
    pub fn check(&self, password: &str, context: &PasswordContext<'_>, pointer: &Pointer) -> Vec<Finding> {
        let mut findings = Vec::new();
        let mut report = |code, message: String| findings.push(Finding::new(pointer.clone(), code, message));
        let length = password.chars().count();
        if length < self.min_length {
            report("too_short", format!("The password must have at least {} characters", self.min_length));
        } else if length > Self::MOST {
            report("too_long", format!("The password must have at most {} characters", Self::MOST));
        }
        let folded = password.to_lowercase();
        if guessable::is_common(&folded) {
            report("common_password", "This is one of the best-known passwords; choose another".to_owned());
        }
        if context.words().any(|word| guessable::is_made_of(&folded, &word.to_lowercase())) {
            let message = "The password must not be the name of the person, the tenant or the product, also not with a \
                           number; choose another";
            report("guessable_password", message.to_owned());
        }
        findings
    }
}

impl Default for PasswordPolicy {
    fn default() -> Self {
        Self { min_length: Self::LEAST }
    }
}

impl<'a> PasswordContext<'a> {
    fn words(&self) -> impl Iterator<Item = &'a str> {
        let local_part = self.email.and_then(|email| email.split('@').next());
        [Some(PRODUCT), self.tenant_slug, self.tenant_name, self.email, local_part, self.username]
            .into_iter()
            .flatten()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CONTEXT: PasswordContext<'static> = PasswordContext {
        tenant_slug: Some("acme-corp"),
        tenant_name: Some("Acme Corporation"),
        email: Some("john.doe@acme.com"),
        username: Some("Johnny-Doe"),
    };

    fn codes(password: &str) -> Vec<String> {
        let findings =
            PasswordPolicy::default().check(password, &CONTEXT, &Pointer::root().member("password"));
        assert!(findings.iter().all(|finding| finding.pointer.as_str() == "/password"));
        findings.into_iter().map(|finding| finding.code.into_owned()).collect()
    }

    #[test]
    fn the_passwords_of_the_source_pass() {
        for password in
            ["ChangeMe123!", "SecurePassword123!", "correct horse battery staple", "пароль-из-слов"]
        {
            assert_eq!(codes(password), [""; 0], "{password}");
        }
    }

    #[test]
    fn length_is_counted_in_characters_not_bytes() {
        assert_eq!(codes("éééééé7"), ["too_short"]);
        assert_eq!(codes("éééééé78"), [""; 0]);
        assert_eq!(codes(&format!("{}x", "é".repeat(127))), [""; 0]);
        assert_eq!(codes(&format!("{}x", "é".repeat(128))), ["too_long"]);
        assert_eq!(codes(""), ["too_short"]);
    }

    #[test]
    fn what_everybody_tries_first_is_refused_in_any_case() {
        for password in ["password", "PassWord1", "12345678", "QWERTYUIOP", "iloveyou1"] {
            assert_eq!(codes(password), ["common_password"], "{password}");
        }
        assert_eq!(codes("123456"), ["too_short", "common_password"]);
    }

    #[test]
    fn names_that_are_known_are_refused() {
        for password in
            ["acme-corp", "ACME CORPORATION", "john.doe", "john.doe@acme.com", "johnny-doe", "Tenantry"]
        {
            assert_eq!(codes(password), ["guessable_password"], "{password}");
        }
        for password in ["acme-corp1", "johnny-doe1990", "1tenantry", "tenantry2026"] {
            assert_eq!(codes(password), ["guessable_password"], "{password}");
        }
        assert_eq!(codes("john.doe rides again"), [""; 0], "only the whole password counts");
    }

    #[test]
    fn a_stricter_minimum_can_be_set_but_no_laxer_one() {
        let strict = PasswordPolicy::new(15).unwrap();
        let findings = strict.check("ChangeMe123!", &CONTEXT, &Pointer::root());
        assert_eq!(findings[0].message, "The password must have at least 15 characters");
        assert_eq!(strict.check("SecurePassword123!", &CONTEXT, &Pointer::root()), []);
        assert_eq!(PasswordPolicy::new(7), Err(InvalidPasswordPolicy));
        assert_eq!(PasswordPolicy::new(129), Err(InvalidPasswordPolicy));
    }

    proptest! {
        #[test]
        fn no_message_repeats_the_password(password in "[!-~]{12,140}") {
            for finding in PasswordPolicy::new(128).unwrap().check(&password, &CONTEXT, &Pointer::root()) {
                prop_assert!(!finding.message.contains(&password));
            }
        }
    }
}
