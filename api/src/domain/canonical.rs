//! One way to write JSON down, for what is hashed.

use serde_json::Value;

/// JSON with sorted keys: neither PostgreSQL's `jsonb` nor a client keeps the order of an object's fields.
pub(crate) fn canonical(value: &Value) -> String {
    let mut out = String::new();
    write(value, &mut out);
    out
}

fn write(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut keys: Vec<_> = map.keys().collect();
            keys.sort_unstable();
            out.push('{');
            for key in keys {
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                write(&map[key], out);
                out.push(',');
            }
            out.push('}');
        }
        Value::Array(items) => {
            out.push('[');
            for item in items {
                write(item, out);
                out.push(',');
            }
            out.push(']');
        }
        // `jsonb` keeps no sign of nothing.
        Value::Number(number) if number.as_f64() == Some(0.0) && number.is_f64() => {
            out.push_str("0.0");
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn nothing_has_no_sign() {
        assert_eq!(canonical(&json!([-0.0, 0.0])), "[0.0,0.0,]");
        assert_ne!(canonical(&json!(-0.5)), canonical(&json!(0.5)));
    }

    #[test]
    fn only_the_order_of_fields_does_not_matter() {
        let text = r#"{"b": [1, {"d": null, "c": "x"}], "a": 2}"#;
        let read = serde_json::from_str::<Value>(text).unwrap();
        assert_eq!(
            canonical(&read),
            canonical(&json!({ "a": 2, "b": [1, { "c": "x", "d": null }] }))
        );
        for other in [
            json!({ "a": 2, "b": [1, { "c": "x" }] }),
            json!({ "a": 2, "b": [{ "c": "x", "d": null }, 1] }),
            json!({ "a": "2", "b": [1, { "c": "x", "d": null }] }),
        ] {
            assert_ne!(canonical(&read), canonical(&other));
        }
    }
}
