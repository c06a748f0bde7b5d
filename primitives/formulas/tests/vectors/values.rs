// SPDX-License-Identifier: Apache-2.0

//! Values of vectors.

use serde_json::Value;

/// The vectors of a file.
macro_rules! vectors {
    ($file:literal) => {
        serde_json::from_str::<Value>(include_str!(concat!("../../../../testing/vectors/", $file)))
            .unwrap()
    };
}

/// The cases of a list, which has at least so many.
pub fn cases(vectors: &Value, at_least: usize) -> &[Value] {
    let cases = vectors.as_array().unwrap();
    assert!(cases.len() >= at_least, "only {} cases", cases.len());
    cases
}

/// An integer.
pub fn number<T: TryFrom<i64>>(value: &Value) -> T {
    T::try_from(value.as_i64().unwrap()).ok().unwrap()
}

/// Integers.
pub fn numbers<T: TryFrom<i64>>(value: &Value) -> Vec<T> {
    value.as_array().unwrap().iter().map(number).collect()
}

/// Amounts and weights are decimal text: JSON readers lose digits beyond 2^53.
pub fn amount<T: std::str::FromStr>(value: &Value) -> T {
    value.as_str().unwrap().parse().ok().unwrap()
}

/// Amounts or weights.
pub fn amounts<T: std::str::FromStr>(value: &Value) -> Vec<T> {
    value.as_array().unwrap().iter().map(amount).collect()
}
