use std::fmt;

use subtle::{Choice, ConstantTimeEq as _};
use tenantry_ports::{MacPurpose, Macs};
use zeroize::Zeroizing;

use crate::MasterKey;
use crate::master_key::hmac_sha256;

/// Keyed hashes with HMAC-SHA256, each purpose under a key of its own derived from the master key.
pub struct DerivedMacs {
    keys: Keys,
    former: Vec<Keys>,
}

/// A key for each purpose, in the order of [`MacPurpose::ALL`].
struct Keys(Zeroizing<[[u8; 32]; MacPurpose::ALL.len()]>);

impl Keys {
    fn of(master: &MasterKey) -> Self {
        Self(Zeroizing::new(MacPurpose::ALL.map(|purpose| master.derive(label(purpose)))))
    }

    fn make(&self, purpose: MacPurpose, parts: &[&[u8]]) -> [u8; 32] {
        hmac_sha256(&self.0[purpose as usize], parts)
    }
}

const fn label(purpose: MacPurpose) -> &'static str {
    match purpose {
        MacPurpose::RefreshToken => "mac/refresh-token",
        MacPurpose::Device => "mac/device",
        MacPurpose::Attempts => "mac/attempts",
        MacPurpose::Fingerprint => "mac/fingerprint",
        MacPurpose::LogHead => "mac/log-head",
        MacPurpose::LogFloor => "mac/log-floor",
    }
}

impl DerivedMacs {
    /// Keyed hashes under keys derived from `master`.
    pub fn new(master: &MasterKey) -> Self {
        Self { keys: Keys::of(master), former: Vec::new() }
    }

    /// Also takes what was made under `former`, for as long as that lives after the master key was replaced.
    #[must_use]
    pub fn accepting(mut self, former: &MasterKey) -> Self {
        self.former.push(Keys::of(former));
        self
    }
}

impl Macs for DerivedMacs {
    fn make(&self, purpose: MacPurpose, parts: &[&[u8]]) -> [u8; 32] {
        self.keys.make(purpose, parts)
    }

    fn check(&self, purpose: MacPurpose, parts: &[&[u8]], mac: &[u8; 32]) -> bool {
        // All of them are tried, whichever it is: how long it takes says nothing.
        let all = std::iter::once(&self.keys).chain(&self.former);
        all.map(|keys| keys.make(purpose, parts).ct_eq(mac))
            .fold(Choice::from(0), |any, this| any | this)
            .into()
    }
}

impl fmt::Debug for DerivedMacs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DerivedMacs(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::master;

    #[test]
    fn every_replica_makes_the_same_and_nobody_else_does() {
        let (one, other) = (DerivedMacs::new(&master(1)), DerivedMacs::new(&master(2)));
        for purpose in MacPurpose::ALL {
            let mac = one.make(purpose, &[b"a", b"b"]);
            assert_eq!(mac, DerivedMacs::new(&master(1)).make(purpose, &[b"ab"]));
            assert!(one.check(purpose, &[b"ab"], &mac) && !other.check(purpose, &[b"ab"], &mac));
            assert!(!one.check(purpose, &[b"ac"], &mac));
            for wrong in MacPurpose::ALL.into_iter().filter(|wrong| *wrong != purpose) {
                assert!(!one.check(wrong, &[b"ab"], &mac), "{purpose:?} passes for {wrong:?}");
            }
            for bit in 0..256 {
                let mut altered = mac;
                altered[bit / 8] ^= 1 << (bit % 8);
                assert!(!one.check(purpose, &[b"ab"], &altered), "{bit}");
            }
        }
    }

    #[test]
    fn a_replaced_master_key_is_honoured_only_where_it_was_named() {
        let old = DerivedMacs::new(&master(1)).make(MacPurpose::Device, &[b"a"]);
        let new = DerivedMacs::new(&master(2)).accepting(&master(1));
        assert!(new.check(MacPurpose::Device, &[b"a"], &old));
        assert_ne!(new.make(MacPurpose::Device, &[b"a"]), old);
    }

    #[test]
    fn debug_shows_no_key() {
        assert_eq!(format!("{:?}", DerivedMacs::new(&master(1))), "DerivedMacs(…)");
    }
}
