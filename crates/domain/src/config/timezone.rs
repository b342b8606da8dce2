use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, NaiveDate, NaiveTime, TimeDelta, TimeZone, Utc};
use chrono_tz::Tz;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::text::InvalidText;
use crate::timestamp;

/// The clock of the trading day: a time zone by its IANA name, as in `America/New_York`; `UTC` by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Timezone(Tz);

impl Timezone {
    /// The IANA name.
    pub fn as_str(self) -> &'static str {
        self.0.name()
    }

    /// The trading day in which this instant lies: the date on this clock.
    pub fn trading_day(self, at: DateTime<Utc>) -> NaiveDate {
        at.with_timezone(&self.0).date_naive()
    }

    /// The first instant on this clock whose date is later than `day`: midnight, or, where clocks are put forward over
    /// midnight, the moment they are. Where midnight comes twice, it is the first.
    pub fn day_after(self, day: NaiveDate) -> DateTime<Utc> {
        let Some(midnight) = day.succ_opt().map(|next| next.and_time(NaiveTime::MIN)) else {
            return DateTime::<Utc>::MAX_UTC;
        };
        if let Some(at) = self.0.from_local_datetime(&midnight).earliest() {
            return at.to_utc();
        }
        // Between these two, the date becomes a later one exactly once: no offset is a day or more, and clocks are
        // put forward here.
        let (mut before, mut after) =
            (midnight.and_utc() - TimeDelta::days(1), midnight.and_utc() + TimeDelta::days(2));
        while after - before > TimeDelta::milliseconds(1) {
            let between = timestamp::whole_millis(before + (after - before) / 2);
            if self.trading_day(between) > day { after = between } else { before = between }
        }
        after
    }
}

impl Default for Timezone {
    fn default() -> Self {
        Self(Tz::UTC)
    }
}

impl fmt::Display for Timezone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Timezone {
    type Err = InvalidText;

    fn from_str(name: &str) -> Result<Self, InvalidText> {
        name.parse().map(Self).map_err(|_| {
            let message =
                format!("'{name}' is not the name of a time zone; use an IANA name such as America/New_York");
            InvalidText::new("unknown_timezone", message)
        })
    }
}

impl Serialize for Timezone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> Deserialize<'de> for Timezone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = Cow::<str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timezone {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Timezone".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1, "maxLength": 64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_trading_day_is_the_date_on_the_configs_clock() {
        let new_york: Timezone = "America/New_York".parse().unwrap();
        let before: DateTime<Utc> = "2025-01-10T04:59:59Z".parse().unwrap();
        let after: DateTime<Utc> = "2025-01-10T05:00:00Z".parse().unwrap();
        assert_eq!(new_york.trading_day(before).to_string(), "2025-01-09");
        assert_eq!(new_york.trading_day(after).to_string(), "2025-01-10");
        assert_eq!(Timezone::default().trading_day(before).to_string(), "2025-01-10");
    }

    #[test]
    fn a_day_begins_at_the_first_instant_of_its_date_whatever_the_clocks_do() {
        for (zone, day, begins) in [
            ("UTC", "2025-01-10", "2025-01-11T00:00:00Z"),
            ("America/New_York", "2025-03-08", "2025-03-09T05:00:00Z"),
            ("America/New_York", "2025-03-09", "2025-03-10T04:00:00Z"),
            ("America/New_York", "2025-11-02", "2025-11-03T05:00:00Z"),
            // Put forward at midnight: the day begins at one o'clock.
            ("Africa/Cairo", "2025-04-24", "2025-04-24T22:00:00Z"),
            // Put back at midnight: eleven o'clock comes twice, midnight once.
            ("Africa/Cairo", "2025-10-30", "2025-10-30T22:00:00Z"),
            // Put back a minute after midnight, which therefore comes twice.
            ("America/St_Johns", "2006-10-28", "2006-10-29T02:30:00Z"),
            // A day that was left out.
            ("Pacific/Apia", "2011-12-29", "2011-12-30T10:00:00Z"),
        ] {
            let clock: Timezone = zone.parse().unwrap();
            let day: NaiveDate = day.parse().unwrap();
            let next = clock.day_after(day);
            assert_eq!(next, begins.parse::<DateTime<Utc>>().unwrap(), "{zone} {day}");
            assert!(clock.trading_day(next) > day, "{zone} {day}");
            assert!(clock.trading_day(next - TimeDelta::milliseconds(1)) <= day, "{zone} {day}");
        }
        assert_eq!(Timezone::default().day_after(NaiveDate::MAX), DateTime::<Utc>::MAX_UTC);
    }

    #[test]
    fn only_iana_names_are_time_zones() {
        for wrong in ["", "EST5", "New York", "europe/berlin", "+02:00"] {
            assert_eq!(wrong.parse::<Timezone>().unwrap_err().code, "unknown_timezone", "{wrong:?}");
        }
        assert_eq!("Europe/Berlin".parse::<Timezone>().unwrap().to_string(), "Europe/Berlin");
    }
}
