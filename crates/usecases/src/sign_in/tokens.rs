//! What browsers are given to keep: texts that only this installation can make, and that it can make again.

use tenantry_domain::id::{SessionId, TenantId};
use tenantry_domain::people::Email;
use tenantry_ports::{MacPurpose, Macs, Secret, hexadecimal};
use uuid::Uuid;

/// Which refresh token of which session. Written as 32 hexadecimal digits of the session's id, 8 of the number, and 64 of a
/// keyed hash over tenant and both: it needs to be stored nowhere, since it can be computed again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RefreshToken {
    pub(super) tenant: TenantId,
    pub(super) session: SessionId,
    pub(super) generation: u32,
}

impl RefreshToken {
    /// Its text.
    pub(super) fn write(self, macs: &dyn Macs) -> Secret {
        let (tenant, session, generation) =
            (self.tenant.uuid(), self.session.uuid(), self.generation.to_be_bytes());
        let parts: [&[u8]; 3] = [tenant.as_bytes(), session.as_bytes(), &generation];
        let mac = macs.make(MacPurpose::RefreshToken, &parts);
        Secret::new(format!("{}{:08x}{}", session.simple(), self.generation, hexadecimal(&mac)))
    }

    /// The token of this text, if it is one of this tenant's.
    pub(super) fn read(macs: &dyn Macs, tenant: TenantId, text: &str) -> Option<Self> {
        let (session, rest) = text.split_at_checked(32)?;
        let (generation, mac) = rest.split_at_checked(8)?;
        let session = Uuid::from_bytes(bytes(session)?);
        let generation: [u8; 4] = bytes(generation)?;
        let owner = tenant.uuid();
        let parts: [&[u8]; 3] = [owner.as_bytes(), session.as_bytes(), &generation];
        let genuine = macs.check(MacPurpose::RefreshToken, &parts, &bytes(mac)?);
        let generation = u32::from_be_bytes(generation);
        genuine.then_some(Self { tenant, session: SessionId::new(session), generation })
    }
}

/// A device that has signed in to an account before (the OWASP's "device cookie"). Written as 32 hexadecimal digits of a random
/// number, and 64 of a keyed hash over it, tenant and e-mail address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct KnownDevice(pub(super) [u8; 16]);

impl KnownDevice {
    /// Its text for this account.
    pub(super) fn write(self, macs: &dyn Macs, tenant: TenantId, email: &Email) -> Secret {
        let (tenant, email) = (tenant.uuid(), email.folded());
        let mac = macs.make(MacPurpose::Device, &[tenant.as_bytes(), &self.0, email.as_bytes()]);
        Secret::new(format!("{}{}", Uuid::from_bytes(self.0).simple(), hexadecimal(&mac)))
    }

    /// The device of this text, if it has signed in to this account.
    pub(super) fn read(macs: &dyn Macs, tenant: TenantId, email: &Email, text: &str) -> Option<Self> {
        let (number, mac) = text.split_at_checked(32)?;
        let (number, tenant, email) = (bytes::<16>(number)?, tenant.uuid(), email.folded());
        let parts: [&[u8]; 3] = [tenant.as_bytes(), &number, email.as_bytes()];
        macs.check(MacPurpose::Device, &parts, &bytes(mac)?).then_some(Self(number))
    }
}

/// The bytes that are written as lower-case hexadecimal digits.
fn bytes<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    if pairs.len() != N || !rest.is_empty() {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, [high, low]) in bytes.iter_mut().zip(pairs) {
        *byte = digit(*high)? << 4 | digit(*low)?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use tenantry_testkit::{FakeMacs, sample};

    use super::*;

    #[test]
    fn a_refresh_token_is_read_back_by_its_own_tenant_alone_and_is_the_same_when_made_again() {
        let token = RefreshToken { tenant: sample::id(), session: sample::id(), generation: 300 };
        let text = token.write(&FakeMacs);
        assert_eq!(text, token.write(&FakeMacs));
        assert_eq!(RefreshToken::read(&FakeMacs, token.tenant, text.expose()), Some(token));
        assert_eq!(RefreshToken::read(&FakeMacs, sample::id(), text.expose()), None);
        let next = RefreshToken { generation: 301, ..token };
        assert_ne!(next.write(&FakeMacs), text);
    }

    #[test]
    fn no_altered_token_is_read() {
        let token = RefreshToken { tenant: sample::id(), session: sample::id(), generation: 1 };
        let text = token.write(&FakeMacs).expose().to_owned();
        for place in 0..text.len() {
            let mut altered = text.clone().into_bytes();
            altered[place] = if altered[place] == b'0' { b'1' } else { b'0' };
            let altered = String::from_utf8(altered).unwrap();
            assert_eq!(RefreshToken::read(&FakeMacs, token.tenant, &altered), None, "{altered}");
        }
        for wrong in ["", "x", &text[1..], &format!("{text}0"), &text.to_uppercase(), &"é".repeat(52)] {
            assert_eq!(RefreshToken::read(&FakeMacs, token.tenant, wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_device_is_known_at_its_own_account_alone() {
        let (tenant, email) = (sample::id(), sample::email("Ann@acme.example"));
        let device = KnownDevice([7; 16]);
        let text = device.write(&FakeMacs, tenant, &email);
        let read = |tenant, email: &str, text: &str| {
            KnownDevice::read(&FakeMacs, tenant, &sample::email(email), text)
        };
        assert_eq!(read(tenant, "ann@ACME.example", text.expose()), Some(device));
        assert_eq!(read(tenant, "bob@acme.example", text.expose()), None);
        assert_eq!(read(sample::id(), "ann@acme.example", text.expose()), None);
        for wrong in ["", &text.expose()[1..], &text.expose().replace('7', "8")] {
            assert_eq!(read(tenant, "ann@acme.example", wrong), None, "{wrong}");
        }
    }
}
