use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, Utc};
use tenantry_domain::id::TenantId;
use tenantry_ports::{LogHead, MacPurpose, Macs, SignedHead, hexadecimal};

/// A signed head as text, to be kept where nobody can change it: `tenantry-head.v1.<tenant>.<sequence>.<hash>.<when>.<code>`;
/// of the platform's log, `platform` stands in the place of the tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Statement(pub SignedHead);

const PREFIX: &str = "tenantry-head.v1.";
/// What the platform's log is called.
const PLATFORM: &str = "platform";

/// The text is no statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no statement of a log's head: it begins with `tenantry-head.v1.` and was copied whole")]
pub struct InvalidStatement;

impl fmt::Display for Statement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SignedHead { tenant, head, at, mac } = &self.0;
        let tenant = tenant.map_or_else(|| PLATFORM.to_owned(), |id| id.to_string());
        let (hash, when, mac) = (hexadecimal(&head.hash), at.timestamp_micros(), hexadecimal(mac));
        write!(f, "{PREFIX}{tenant}.{}.{hash}.{when}.{mac}", head.sequence)
    }
}

impl FromStr for Statement {
    type Err = InvalidStatement;

    fn from_str(text: &str) -> Result<Self, InvalidStatement> {
        let rest = text.strip_prefix(PREFIX).ok_or(InvalidStatement)?;
        let parts: Vec<_> = rest.split('.').collect();
        let [tenant, sequence, hash, when, mac] = parts[..] else { return Err(InvalidStatement) };
        let parsed = || {
            Some(Self(SignedHead {
                tenant: if tenant == PLATFORM { None } else { Some(tenant.parse().ok()?) },
                head: LogHead { sequence: sequence.parse().ok()?, hash: bytes(hash)? },
                at: DateTime::from_timestamp_micros(when.parse().ok()?)?,
                mac: bytes(mac)?,
            }))
        };
        parsed().ok_or(InvalidStatement)
    }
}

fn bytes(hex: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if hex.len() != 64 || !hex.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..64).step_by(2)) {
        *byte = u8::from_str_radix(&hex[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

/// The statements in a text, whatever is around them: a log, a mail, a file of them.
pub fn statements_in(text: &str) -> Vec<Statement> {
    let end = |c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-'));
    let found = text.match_indices(PREFIX).filter_map(|(at, _)| {
        let token = text[at..].split(end).next()?;
        token.trim_end_matches('.').parse().ok()
    });
    found.collect()
}

/// The code of what is said about a place in a log. What it is said for is part of it: what a head's statement says is no floor.
pub(super) fn code(
    macs: &dyn Macs,
    purpose: MacPurpose,
    tenant: Option<TenantId>,
    head: &LogHead,
    at: DateTime<Utc>,
) -> [u8; 32] {
    parts(tenant, head, at, |parts| macs.make(purpose, parts))
}

/// Whether this installation made the code.
pub(super) fn is_code(
    macs: &dyn Macs,
    purpose: MacPurpose,
    tenant: Option<TenantId>,
    head: &LogHead,
    at: DateTime<Utc>,
    mac: &[u8; 32],
) -> bool {
    parts(tenant, head, at, |parts| macs.check(purpose, parts, mac))
}

fn parts<T>(
    tenant: Option<TenantId>,
    head: &LogHead,
    at: DateTime<Utc>,
    of: impl FnOnce(&[&[u8]]) -> T,
) -> T {
    // The platform's name is shorter than any id, and the rest is of fixed length.
    let id = tenant.map(TenantId::uuid);
    let owner = id.as_ref().map_or(PLATFORM.as_bytes(), |id| id.as_bytes());
    of(&[owner, &head.sequence.to_be_bytes(), &head.hash, &at.timestamp_micros().to_be_bytes()])
}

/// Whether this installation made the statement.
pub(super) fn is_ours(macs: &dyn Macs, signed: &SignedHead) -> bool {
    is_code(macs, MacPurpose::LogHead, signed.tenant, &signed.head, signed.at, &signed.mac)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn statement() -> Statement {
        Statement(SignedHead {
            tenant: Some("ten_3fa85f6457174562b3fc2c963f66afa6".parse().unwrap()),
            head: LogHead { sequence: 17, hash: [0xab; 32] },
            at: DateTime::from_timestamp_micros(1_736_521_200_123_456).unwrap(),
            mac: [0x0f; 32],
        })
    }

    #[test]
    fn a_statement_reads_back_and_its_form_is_fixed() {
        let text = statement().to_string();
        let expected = format!(
            "tenantry-head.v1.ten_3fa85f6457174562b3fc2c963f66afa6.17.{}.1736521200123456.{}",
            "ab".repeat(32),
            "0f".repeat(32)
        );
        assert_eq!((&text, text.parse()), (&expected, Ok(statement())));
        for wrong in ["", "tenantry-head.v1.", &text[1..], &text[..text.len() - 1], &format!("{text}.1")] {
            assert_eq!(wrong.parse::<Statement>(), Err(InvalidStatement), "{wrong}");
        }
    }

    #[test]
    fn the_platforms_statement_names_it() {
        let platform = Statement(SignedHead { tenant: None, ..statement().0 });
        let text = platform.to_string();
        assert!(text.starts_with("tenantry-head.v1.platform.17."), "{text}");
        assert_eq!(text.parse(), Ok(platform));
    }

    #[test]
    fn statements_are_found_wherever_they_stand() {
        let text = statement().to_string();
        let log =
            format!("INFO head=\"{text}\" x\n{{\"statement\":\"{text}\"}} It was {text}. tenantry-head.v1.x");
        assert_eq!(statements_in(&log), [statement(); 3]);
        assert_eq!(statements_in("nothing here"), []);
    }
}
