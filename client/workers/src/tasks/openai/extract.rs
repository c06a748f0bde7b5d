// SPDX-License-Identifier: Apache-2.0

//! Finds the JSON object that was asked for in what a model says.

use serde_json::{Map, Value};

/// Number of places, at which a JSON object may begin, that are tried. What follows is not read.
const MAX_TRIES: usize = 1_000;
/// Bytes that are read in all tries together, each of which may read to the end.
const MAX_READ: usize = 256 * 1024 * 1024;
/// Tags between which models think aloud.
const THOUGHTS: [(&str, &str); 3] = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
];

/// The first JSON object in a text, outside of thoughts, that has a field of this name.
pub fn object(text: &str, field: &str) -> Option<Map<String, Value>> {
    let wanted = |value| match value {
        Value::Object(object) if object.contains_key(field) => Some(object),
        _ => None,
    };
    if let Some(object) = serde_json::from_str(text.trim()).ok().and_then(wanted) {
        return Some(object);
    }
    let text = spoken(text);
    let mut rest = text.as_str();
    let tries = (MAX_READ / text.len().max(1)).clamp(1, MAX_TRIES);
    for _ in 0..tries {
        let (_, after) = rest.split_once('{')?;
        let at = rest.len().checked_sub(after.len())?.checked_sub(1)?;
        let from = rest.get(at..)?;
        let mut values = serde_json::Deserializer::from_str(from).into_iter::<Value>();
        rest = match values.next() {
            Some(Ok(value)) => {
                let end = values.byte_offset();
                if let Some(object) = wanted(value) {
                    return Some(object);
                }
                from.get(end..)?
            }
            _ => after,
        };
    }
    None
}

/// The JSON value that a text is, alone or as the whole of a code fence.
pub fn value(text: &str) -> Option<Value> {
    let text = spoken(text);
    let text = text.trim();
    let fenced = || {
        let (_, fenced) = text.split_once("```")?;
        let (block, _) = fenced.split_once("```")?;
        // The first line names the language, if anything.
        let named = block.split_once('\n').map(|(_, code)| code);
        let code = [Some(block), named].into_iter().flatten();
        code.into_iter()
            .find_map(|code| serde_json::from_str(code.trim()).ok())
    };
    let structured = |value: &Value| value.is_object() || value.is_array();
    let found = serde_json::from_str(text).ok().or_else(fenced);
    found.filter(structured)
}

/// A text without the thoughts in it. A thought that does not end takes the rest with it; of one
/// whose beginning the server swallowed only the end is seen.
pub fn spoken(text: &str) -> String {
    let mut text = text.to_owned();
    for (open, close) in THOUGHTS {
        let mut kept = String::new();
        let mut rest = text.as_str();
        while let Some((before, after)) = rest.split_once(open) {
            // An end without a beginning.
            kept.push_str(before.rsplit_once(close).map_or(before, |(_, said)| said));
            rest = after.split_once(close).map_or("", |(_, said)| said);
        }
        kept.push_str(rest.rsplit_once(close).map_or(rest, |(_, said)| said));
        text = kept;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer(text: &str) -> Option<Value> {
        object(text, "answer").and_then(|mut object| object.remove("answer"))
    }

    #[test]
    fn the_first_object_with_an_answer_is_found_wherever_it_stands() {
        for text in [
            r#"{"answer": 42}"#,
            "  {\"answer\": 42}\n",
            r#"Here is my answer: {"answer": 42} Hope this {helps}!"#,
            "Sure {really}!\n```json\n{\"answer\": 42}\n```\nGood luck.",
            "```{\"answer\": 42}```",
            "~~~\n{\"answer\": 42}\n~~~",
            r#"{"plan": {"answer": 1}} {"answer": 42} {"answer": 43}"#,
            r#"{broken {"answer": 42}"#,
            r#"[{"answer": 42}]"#,
        ] {
            assert_eq!(answer(text), Some(json!(42)), "{text}");
        }
        for text in [
            "",
            "prose",
            "[1]",
            r#"{"x": 1}"#,
            r#"{"answer": "cut in the mid"#,
        ] {
            assert_eq!(answer(text), None, "{text}");
        }
    }

    #[test]
    fn a_draft_in_a_thought_is_never_the_answer() {
        let think = "<think>maybe ```json\n{\"answer\": \"draft\"}\n``` no, wait</think>\n";
        assert_eq!(answer(&format!("{think}{{\"answer\": 1}}")), Some(json!(1)));
        assert_eq!(answer(think), None);
        assert_eq!(answer("<think>{\"answer\": 1}"), None);
        assert_eq!(
            answer("{\"answer\": 1} no </think> {\"answer\": 2}"),
            Some(json!(2))
        );
        assert_eq!(
            answer("<thinking>{\"answer\": 1}</thinking><thought>{\"answer\": 2}</thought>{\"answer\": 3}"),
            Some(json!(3))
        );
        // What an answer says about thoughts stays in it.
        let quoted = r#"{"answer": "a <think> tag, and </think>"}"#;
        assert_eq!(answer(quoted), Some(json!("a <think> tag, and </think>")));
    }

    #[test]
    fn a_text_of_braces_costs_no_more_than_the_limit() {
        assert_eq!(answer(&"{".repeat(1_000_000)), None);
        assert_eq!(answer(&"{\"a\":".repeat(200_000)), None);
    }

    #[test]
    fn a_reply_that_is_json_is_read_as_json() {
        assert_eq!(
            value("```\n{\"tour\": [0]}\n```"),
            Some(json!({"tour": [0]}))
        );
        assert_eq!(value(" [1] "), Some(json!([1])));
        assert_eq!(value("just ```text``` {broken"), None);
        assert_eq!(value("42"), None);
    }
}
