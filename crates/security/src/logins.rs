use tenantry_ports::Secret;
use uuid::Uuid;

use crate::MasterKey;
use crate::master_key::hmac_sha256;

/// The passwords of the logins that tenants' databases are entered with. Whoever has the master key can tell them, so they
/// are stored nowhere.
pub struct DatabaseLogins([u8; 32]);

impl DatabaseLogins {
    /// Those of an installation with this master key.
    pub fn new(master: &MasterKey) -> Self {
        Self(master.derive("database-login"))
    }

    /// The password of this login: 64 hexadecimal digits.
    pub fn password(&self, login: Uuid) -> Secret {
        use std::fmt::Write as _;
        let password = hmac_sha256(&self.0, &[login.as_bytes()]);
        Secret::new(password.iter().fold(String::with_capacity(64), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        }))
    }
}

impl std::fmt::Debug for DatabaseLogins {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("DatabaseLogins(…)")
    }
}

impl Drop for DatabaseLogins {
    fn drop(&mut self) {
        zeroize::Zeroize::zeroize(&mut self.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logins(byte: u8) -> DatabaseLogins {
        let key: [u8; 32] = std::array::from_fn(|i| byte.wrapping_add(i as u8));
        let base64 = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, key);
        DatabaseLogins::new(&MasterKey::from_base64(&base64).unwrap())
    }

    /// Computed with an independent implementation. Databases outlive the program: a version that derives other passwords locks every tenant out.
    #[test]
    fn passwords_never_change() {
        let password = logins(0).password(Uuid::from_u128(1));
        assert_eq!(password.expose(), "f854c9a20f28332153fb8d4a0e03a94d0fb50b78f13648cf72012be9a4bad450");
    }

    #[test]
    fn every_login_and_every_master_key_has_its_own() {
        let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
        assert_ne!(logins(0).password(one), logins(0).password(two));
        assert_ne!(logins(0).password(one), logins(1).password(one));
        assert_eq!(format!("{:?}", logins(0)), "DatabaseLogins(…)");
    }
}
