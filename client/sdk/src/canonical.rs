// SPDX-License-Identifier: Apache-2.0

//! Canonical answers: the same answer must always be the same bytes, because equal answers are
//! recognised by their hash.

use serde_json::{Map, Value};

/// The bytes an answer is committed to: a string as it is, anything else as compact JSON with
/// sorted keys.
pub fn answer_bytes(answer: Value) -> Vec<u8> {
    match answer {
        Value::String(text) => text.into_bytes(),
        other => sorted(other).to_string().into_bytes(),
    }
}

/// Compact JSON with the keys of every object in order of their code points.
pub fn json(value: &Value) -> String {
    // Sorted here, so that it does not matter whether serde_json keeps insertion order.
    sorted(value.clone()).to_string()
}

/// Moves what it sorts: an answer may take a large part of the memory there is.
fn sorted(value: Value) -> Value {
    match value {
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.into_iter().collect();
            fields.sort_by(|a, b| a.0.cmp(&b.0));
            let fields = fields.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(fields.collect::<Map<_, _>>())
        }
        plain => plain,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_order_and_white_space_do_not_change_an_answer() {
        let a: Value = serde_json::from_str(r#"{"b": [1, {"y": 2, "x": 1}], "a": "ü"}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"a":"ü","b":[1,{"x":1,"y":2}]}"#).unwrap();
        assert_eq!(json(&a), json(&b));
        assert_eq!(json(&a), r#"{"a":"ü","b":[1,{"x":1,"y":2}]}"#);
    }

    #[test]
    fn text_answers_are_taken_as_they_are() {
        assert_eq!(answer_bytes(Value::from("{\"b\": 1}")), b"{\"b\": 1}");
        assert_eq!(
            answer_bytes(serde_json::json!({"b": 1, "a": null})),
            br#"{"a":null,"b":1}"#
        );
        assert_eq!(answer_bytes(Value::from(7)), b"7");
    }
}
