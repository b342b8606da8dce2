use std::borrow::Cow;
use std::io::{self, Write};

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, de};
use serde_json::{Map, Value};
use tenantry_domain::{Finding, Pointer};

/// The most that may be remembered with an account, in bytes of JSON without white space: it is in every answer that has the
/// account, and twice in the event of its change.
pub(super) const MOST: usize = 16 * 1024;

/// What a website remembers with an account (`meta`), not too much.
#[derive(Debug)]
pub(super) struct Notes(pub(super) Map<String, Value>);

impl<'de> Deserialize<'de> for Notes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let notes = Map::deserialize(deserializer)?;
        if too_large(&notes) { Err(de::Error::custom(message())) } else { Ok(Self(notes)) }
    }
}

impl JsonSchema for Notes {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Notes".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Map::<String, Value>::json_schema(generator)
    }
}

/// That the `meta` of this document is too large, if it is: no schema can say it.
pub(super) fn faults(document: &Value) -> Vec<Finding> {
    let large = document.get("meta").and_then(Value::as_object).is_some_and(too_large);
    let finding = || Finding::new(Pointer::root().member("meta"), "too_large", message());
    large.then(finding).into_iter().collect()
}

fn message() -> String {
    format!("'meta' may have at most {MOST} bytes as JSON; keep more than that elsewhere, and its key here")
}

fn too_large(notes: &Map<String, Value>) -> bool {
    /// As much as may still come.
    struct Room(usize);

    impl Write for Room {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0 = self.0.checked_sub(bytes.len()).ok_or(io::ErrorKind::FileTooLarge)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    serde_json::to_writer(Room(MOST), notes).is_err()
}
