/// What a keyed hash is for: each purpose has a key of its own, so that what was made for one is worth nothing for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MacPurpose {
    /// Refresh tokens.
    RefreshToken,
    /// The cookies by which a device that has signed in before is known again.
    Device,
    /// Names under which attempts to sign in are counted, so that no e-mail address is stored.
    Attempts,
    /// Fingerprints of requests in which there is a password: a plain hash could be searched for it.
    Fingerprint,
    /// Statements of how far an event log had come.
    LogHead,
    /// Statements of where an event log begins of which the beginning was let go of.
    LogFloor,
}

impl MacPurpose {
    /// Every purpose.
    pub const ALL: [Self; 6] =
        [Self::RefreshToken, Self::Device, Self::Attempts, Self::Fingerprint, Self::LogHead, Self::LogFloor];
}

/// Keyed hashes (message authentication codes) that only this installation can make, the same on every replica.
pub trait Macs: Send + Sync {
    /// The code of the concatenation of `parts`; they have to be of fixed lengths, or separated, but for one.
    fn make(&self, purpose: MacPurpose, parts: &[&[u8]]) -> [u8; 32];

    /// Whether this is the code of these parts. Compares in constant time. Also takes what was made under a key that was
    /// replaced, while that is honoured.
    fn check(&self, purpose: MacPurpose, parts: &[&[u8]], mac: &[u8; 32]) -> bool;
}
