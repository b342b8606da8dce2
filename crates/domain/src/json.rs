//! One canonical text for a JSON document, so that equal documents have equal bytes (and hashes).

use serde_json::Value;

/// The document with object members sorted by name and no white space.
pub fn canonical(document: &Value) -> String {
    let mut out = String::new();
    write(document, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(members) => {
            let mut sorted: Vec<_> = members.iter().collect();
            sorted.sort_unstable_by_key(|(name, _)| *name);
            out.push('{');
            for (i, (name, member)) in sorted.into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&Value::from(name.as_str()).to_string());
                out.push(':');
                write(member, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write(item, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn member_order_and_white_space_do_not_matter() {
        let a: Value = serde_json::from_str(r#"{ "b": [1, {"z":null,"y":"\"q\""}], "a": 0.05 }"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"a":0.05,"b":[1,{"y":"\"q\"","z":null}]}"#).unwrap();
        assert_eq!(canonical(&a), canonical(&b));
        assert_eq!(canonical(&a), r#"{"a":0.05,"b":[1,{"y":"\"q\"","z":null}]}"#);
    }
}
