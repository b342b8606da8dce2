use serde_json::Value;

use super::Event;
use crate::json;

/// The bytes whose SHA-256 chains an event to the one before it: that one's hash (32 zeros before the first), then the
/// event as canonical JSON.
///
/// A reader of a stored log computes the same bytes from the envelope it reads; a changed, missing or inserted event
/// gives others, from there to the end of the log.
///
/// Numbers in `data` are those of [`serde_json::Value`]; an amount of more than 15 significant digits belongs there as a
/// string, since a number would pass through a binary float.
pub fn chain_input(previous_hash: &[u8; 32], event: &Event) -> Vec<u8> {
    let document = serde_json::to_value(event).expect("an envelope has only string keys");
    chain_input_of(previous_hash, &document)
}

/// The same of an envelope as it is stored, with whatever it holds: what an [`Event`] would pass over is hashed, too.
pub fn chain_input_of(previous_hash: &[u8; 32], envelope: &Value) -> Vec<u8> {
    let mut bytes = previous_hash.to_vec();
    bytes.extend_from_slice(json::canonical(envelope).as_bytes());
    bytes
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::event::{EventType, NewEvent};

    fn event(data: Value) -> Event {
        let id = "evt_0195c0de00007000800000000000000a".parse().unwrap();
        let tenant_id: crate::id::TenantId = "ten_3fa85f6457174562b3fc2c963f66afa6".parse().unwrap();
        let at = "2025-01-10T15:00:00.123456Z".parse().unwrap();
        NewEvent::new(EventType::CONFIG_UPLOADED, data).seal(id, tenant_id, at, "trace-1")
    }

    #[test]
    fn the_bytes_are_fixed_for_ever() {
        let bytes = chain_input(&[7; 32], &event(json!({ "b": 0.08, "a": [1, null] })));
        assert_eq!(bytes[..32], [7; 32]);
        assert_eq!(
            std::str::from_utf8(&bytes[32..]).unwrap(),
            r#"{"data":{"a":[1,null],"b":0.08},"eventType":"config.uploaded","id":"evt_0195c0de00007000800000000000000a","meta":{"ruleEngineVersion":"1.0.0","schemaVersion":"1.0","traceId":"trace-1"},"tenantId":"ten_3fa85f6457174562b3fc2c963f66afa6","timestamp":"2025-01-10T15:00:00.123Z"}"#
        );
    }

    #[test]
    fn another_predecessor_or_another_fact_gives_other_bytes() {
        let bytes = chain_input(&[0; 32], &event(json!({ "a": 1 })));
        assert_ne!(bytes, chain_input(&[1; 32], &event(json!({ "a": 1 }))));
        assert_ne!(bytes, chain_input(&[0; 32], &event(json!({ "a": 2 }))));
    }

    proptest! {
        #[test]
        fn an_event_read_back_from_storage_gives_the_same_bytes(number in any::<f64>(), text in ".*", count in any::<i64>()) {
            let event = event(json!({ "number": number, "text": text, "count": count }));
            let stored = serde_json::to_string(&event).unwrap();
            let again: Event = serde_json::from_str(&stored).unwrap();
            prop_assert_eq!(chain_input(&[0; 32], &again), chain_input(&[0; 32], &event));
        }
    }
}
