use std::net::IpAddr;

use chrono::{DateTime, TimeDelta, Utc};

use crate::id::{SessionId, UserId};

/// A sign-in. What goes on with it is a refresh token that is exchanged for the next one every time it is used; the session
/// knows which one is current by its number and its hash, never the token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// Its id, also the family id of its refresh tokens.
    pub id: SessionId,
    /// Who signed in.
    pub user: UserId,
    /// SHA-256 of the current refresh token.
    pub token_hash: [u8; 32],
    /// The number of the current refresh token, from 1.
    pub generation: u32,
    /// When they signed in.
    pub created_at: DateTime<Utc>,
    /// When the current refresh token was made: the last sign of life.
    pub refreshed_at: DateTime<Utc>,
    /// When the current refresh token stops working.
    pub expires_at: DateTime<Utc>,
    /// When the session is over however much it is used.
    pub ends_at: DateTime<Utc>,
    /// Where it was last seen.
    pub device: Device,
    /// Whether it was ended before its time.
    pub ended: Option<Ended>,
}

/// Where somebody signs in from, so that they recognise it in a list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Device {
    /// What the program calls itself; see [`Device::new`].
    pub user_agent: Option<String>,
    /// The address it called from, if that is not this very machine.
    pub address: Option<IpAddr>,
}

impl Device {
    /// The most characters that are kept of what a program calls itself.
    pub const LONGEST: usize = 200;

    /// A device; what its program calls itself is cut to [`Device::LONGEST`] characters, without control characters.
    pub fn new(user_agent: Option<&str>, address: Option<IpAddr>) -> Self {
        let printable =
            |text: &str| -> String { text.chars().filter(|c| !c.is_control()).take(Self::LONGEST).collect() };
        Self { user_agent: user_agent.map(printable).filter(|text| !text.trim().is_empty()), address }
    }
}

/// The early end of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ended {
    /// When.
    pub at: DateTime<Utc>,
    /// Why.
    pub reason: EndReason,
}

/// Why a session ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// They signed out.
    SignedOut,
    /// It was taken from the list of sessions, by themselves or an admin.
    Revoked,
    /// The password was changed in another session.
    PasswordChanged,
    /// The user was disabled.
    UserDisabled,
    /// A refresh token came a second time: somebody else may have it.
    TokenReused,
}

impl EndReason {
    /// Every reason.
    pub const ALL: [Self; 5] =
        [Self::SignedOut, Self::Revoked, Self::PasswordChanged, Self::UserDisabled, Self::TokenReused];

    /// Its name in storage and in events.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SignedOut => "signed_out",
            Self::Revoked => "revoked",
            Self::PasswordChanged => "password_changed",
            Self::UserDisabled => "user_disabled",
            Self::TokenReused => "token_reused",
        }
    }

    /// The reason of this name.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == text)
    }
}

/// What a refresh token is to its session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// The current one: it is exchanged.
    Current,
    /// The one before, a moment after it was exchanged, perhaps because the answer was lost: the current one is given again.
    Again,
    /// One that was exchanged before: two have it, and one of them should not.
    Reused,
    /// The session is over, or never gave it out.
    Over,
}

impl Session {
    /// A sign-in that begins now. A token may go unused for `idle`; after `longest` the session is over in any case.
    pub fn begin(
        id: SessionId,
        user: UserId,
        token_hash: [u8; 32],
        device: Device,
        now: DateTime<Utc>,
        (idle, longest): (TimeDelta, TimeDelta),
    ) -> Self {
        let ends_at = now + longest;
        Self {
            id,
            user,
            token_hash,
            generation: 1,
            created_at: now,
            refreshed_at: now,
            expires_at: ends_at.min(now + idle),
            ends_at,
            device,
            ended: None,
        }
    }

    /// Whether it can go on at `now`.
    pub fn is_live(&self, now: DateTime<Utc>) -> bool {
        self.ended.is_none() && now < self.expires_at && now < self.ends_at
    }

    /// What its token of that number is at `now`, when a token counts as lost for `grace` after it was exchanged.
    pub fn presented(&self, generation: u32, now: DateTime<Utc>, grace: TimeDelta) -> Presented {
        if !self.is_live(now) || generation == 0 || generation > self.generation {
            Presented::Over
        } else if generation == self.generation {
            Presented::Current
        } else if generation + 1 == self.generation && now - self.refreshed_at < grace {
            Presented::Again
        } else {
            Presented::Reused
        }
    }

    /// Goes on with the next token, which has this hash.
    pub fn rotate(&mut self, token_hash: [u8; 32], device: Device, now: DateTime<Utc>, idle: TimeDelta) {
        self.generation += 1;
        self.token_hash = token_hash;
        self.refreshed_at = now;
        self.expires_at = self.ends_at.min(now + idle);
        self.device = device;
    }

    /// Ends it, unless that was done before.
    pub fn end(&mut self, reason: EndReason, now: DateTime<Utc>) {
        self.ended.get_or_insert(Ended { at: now, reason });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRACE: TimeDelta = TimeDelta::seconds(10);

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    fn session() -> Session {
        let (id, user) = (
            "ses_0195c0de00007000800000000000000c".parse().unwrap(),
            "usr_0195c0de00007000800000000000000b".parse().unwrap(),
        );
        let lifetimes = (TimeDelta::seconds(100), TimeDelta::seconds(250));
        Session::begin(id, user, [1; 32], Device::default(), at(0), lifetimes)
    }

    fn rotated(times: u32) -> Session {
        let mut session = session();
        for n in 0..times {
            session.rotate([2; 32], Device::default(), at(i64::from(n) * 50), TimeDelta::seconds(100));
        }
        session
    }

    #[test]
    fn what_a_token_is_depends_on_its_number_and_the_time() {
        use Presented::{Again, Current, Over, Reused};
        // The third token was made at second 50.
        let third = rotated(2);
        for (generation, now, grace, expected) in [
            (3, 50, GRACE, Current),
            (3, 149, GRACE, Current),
            (3, 150, GRACE, Over),
            (2, 50, GRACE, Again),
            (2, 59, GRACE, Again),
            (2, 60, GRACE, Reused),
            (2, 50, TimeDelta::zero(), Reused),
            (1, 50, GRACE, Reused),
            (4, 50, GRACE, Over),
            (0, 50, GRACE, Over),
            (2, 150, GRACE, Over),
        ] {
            assert_eq!(third.presented(generation, at(now), grace), expected, "{generation} at {now}");
        }
    }

    #[test]
    fn using_it_prolongs_it_to_its_end_and_no_further() {
        assert_eq!(session().expires_at, at(100));
        assert_eq!(rotated(3).expires_at, at(200));
        let last = rotated(5);
        assert_eq!((last.expires_at, last.ends_at), (at(250), at(250)));
        assert!(last.is_live(at(249)) && !last.is_live(at(250)));
    }

    #[test]
    fn an_ended_session_knows_the_first_reason_and_none_of_its_tokens() {
        let mut session = rotated(2);
        session.end(EndReason::SignedOut, at(55));
        session.end(EndReason::TokenReused, at(56));
        assert_eq!(session.ended, Some(Ended { at: at(55), reason: EndReason::SignedOut }));
        for generation in 1..4 {
            assert_eq!(session.presented(generation, at(57), GRACE), Presented::Over);
        }
    }

    #[test]
    fn reasons_are_read_back() {
        for reason in EndReason::ALL {
            assert_eq!(EndReason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(EndReason::parse("bored"), None);
    }

    #[test]
    fn a_device_is_bounded_and_printable() {
        let long = "x".repeat(1000);
        let device = Device::new(Some(&long), None);
        assert_eq!(device.user_agent.map(|text| text.len()), Some(Device::LONGEST));
        assert_eq!(Device::new(Some("a\r\nb\u{1b}"), None).user_agent.as_deref(), Some("ab"));
        assert_eq!(Device::new(Some(" \t"), None), Device::default());
    }
}
