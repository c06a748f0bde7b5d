// SPDX-License-Identifier: Apache-2.0

//! SCALE to JSON by the chain's own metadata, in the style of the runtime API's views: accounts as
//! addresses, task identifiers as UUIDs, bytes as `0x…`, numbers of 64 bits and more as text.

use codec::{Compact, Decode, Error, Input};
use polkadot_sdk::sp_core::crypto::{AccountId32, Ss58Codec};
use scale_info::{
    form::PortableForm, Field, PortableRegistry, TypeDef, TypeDefPrimitive as Primitive, Variant,
};
use serde_json::{json, Map, Value};
use tos_types::{json::to_hex, TaskId};

/// Decodes the fields of an event or a call.
pub fn fields(
    types: &PortableRegistry,
    fields: &[Field<PortableForm>],
    input: &mut &[u8],
) -> Result<Value, Error> {
    let mut decoded = Vec::new();
    for field in fields {
        let name = field.name.as_deref().map(camel_case);
        decoded.push((name, value(types, field.ty.id, input)?));
    }
    if decoded.iter().all(|(name, _)| name.is_some()) && !decoded.is_empty() {
        let named = decoded
            .into_iter()
            .filter_map(|(name, value)| Some((name?, value)));
        return Ok(Value::Object(named.collect::<Map<_, _>>()));
    }
    let mut values: Vec<_> = decoded.into_iter().map(|(_, value)| value).collect();
    // A wrapper reads as what it wraps.
    Ok(match (values.pop(), values.is_empty()) {
        (None, _) => Value::Null,
        (Some(only), true) => only,
        (Some(last), false) => {
            values.push(last);
            Value::Array(values)
        }
    })
}

/// Decodes one value of the type numbered `id`.
pub fn value(types: &PortableRegistry, id: u32, input: &mut &[u8]) -> Result<Value, Error> {
    let ty = types
        .resolve(id)
        .ok_or("a type that is not in the metadata")?;
    match ty.path.ident().as_deref() {
        Some("AccountId32") => return Ok(json!(AccountId32::decode(input)?.to_ss58check())),
        // Identifiers look alike.
        Some("TaskId" | "DealId" | "ReplicaId") => return Ok(json!(TaskId::decode(input)?)),
        _ => {}
    }
    match &ty.type_def {
        TypeDef::Composite(composite) => fields(types, &composite.fields, input),
        TypeDef::Variant(variant) => {
            let index = input.read_byte()?;
            let found = variant.variants.iter().find(|v| v.index == index);
            let found = found.ok_or("a variant that is not in the metadata")?;
            variant_value(types, ty.path.ident().as_deref(), found, input)
        }
        TypeDef::Sequence(sequence) => {
            let length = Compact::<u32>::decode(input)?.0;
            items(types, sequence.type_param.id, length, input)
        }
        TypeDef::Array(array) => items(types, array.type_param.id, array.len, input),
        TypeDef::Tuple(tuple) => {
            let values = tuple.fields.iter().map(|ty| value(types, ty.id, input));
            Ok(match values.collect::<Result<Vec<_>, _>>()? {
                values if values.is_empty() => Value::Null,
                values => Value::Array(values),
            })
        }
        TypeDef::Primitive(kind) => primitive(kind, input),
        TypeDef::Compact(compact) => compact_value(types, compact.type_param.id, input),
        TypeDef::BitSequence(_) => Err("bit sequences are not read".into()),
    }
}

fn variant_value(
    types: &PortableRegistry,
    of: Option<&str>,
    variant: &Variant<PortableForm>,
    input: &mut &[u8],
) -> Result<Value, Error> {
    match (of, variant.name.as_str()) {
        (Some("Option"), "None") => Ok(Value::Null),
        (Some("Option"), "Some") => fields(types, &variant.fields, input),
        (_, name) if variant.fields.is_empty() => Ok(json!(lower_first(name))),
        (_, name) => {
            let inner = fields(types, &variant.fields, input)?;
            Ok(json!({ lower_first(name): inner }))
        }
    }
}

fn items(types: &PortableRegistry, of: u32, count: u32, input: &mut &[u8]) -> Result<Value, Error> {
    let item = types.resolve(of).map(|ty| &ty.type_def);
    if matches!(item, Some(TypeDef::Primitive(Primitive::U8))) {
        let count = usize::try_from(count).map_err(|_| "a length beyond memory")?;
        let all = *input;
        let (bytes, rest) = all.split_at_checked(count).ok_or("too few bytes")?;
        *input = rest;
        return Ok(json!(to_hex(bytes)));
    }
    // Grows with what is read, not with what is promised.
    let mut values = Vec::new();
    for _ in 0..count {
        values.push(value(types, of, input)?);
    }
    Ok(Value::Array(values))
}

fn primitive(kind: &Primitive, input: &mut &[u8]) -> Result<Value, Error> {
    Ok(match kind {
        Primitive::Bool => json!(bool::decode(input)?),
        Primitive::Char => json!(char::from_u32(u32::decode(input)?)),
        Primitive::Str => json!(String::decode(input)?),
        Primitive::U8 => json!(u8::decode(input)?),
        Primitive::U16 => json!(u16::decode(input)?),
        Primitive::U32 => json!(u32::decode(input)?),
        Primitive::U64 => json!(u64::decode(input)?.to_string()),
        Primitive::U128 => json!(u128::decode(input)?.to_string()),
        Primitive::I8 => json!(i8::decode(input)?),
        Primitive::I16 => json!(i16::decode(input)?),
        Primitive::I32 => json!(i32::decode(input)?),
        Primitive::I64 => json!(i64::decode(input)?.to_string()),
        Primitive::I128 => json!(i128::decode(input)?.to_string()),
        Primitive::U256 | Primitive::I256 => json!(to_hex(&<[u8; 32]>::decode(input)?)),
    })
}

/// A compact number; also inside wrappers.
fn compact_value(types: &PortableRegistry, of: u32, input: &mut &[u8]) -> Result<Value, Error> {
    match types.resolve(of).map(|ty| &ty.type_def) {
        Some(TypeDef::Composite(wrapper)) => match wrapper.fields.as_slice() {
            [field] => compact_value(types, field.ty.id, input),
            _ => Err("a compact value that is no number".into()),
        },
        Some(TypeDef::Tuple(unit)) if unit.fields.is_empty() => Ok(Value::Null),
        Some(TypeDef::Primitive(kind)) => {
            let number = Compact::<u128>::decode(input)?.0;
            Ok(match kind {
                Primitive::U64 | Primitive::U128 => json!(number.to_string()),
                _ => json!(u32::try_from(number).map_err(|_| "a number too large for its type")?),
            })
        }
        _ => Err("a compact value that is no number".into()),
    }
}

/// `open_until` as `openUntil`.
fn camel_case(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |all, word| {
        let mut letters = word.chars();
        let initial = letters.next().map(|c| c.to_ascii_uppercase());
        all.chars().chain(initial).chain(letters).collect()
    })
}

fn lower_first(name: &str) -> String {
    let mut letters = name.chars();
    let initial = letters.next().map(|c| c.to_ascii_lowercase());
    initial.into_iter().chain(letters).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use codec::Encode;
    use scale_info::{meta_type, Registry, TypeInfo};
    use tos_types::{Closure, ContentRef, Phase, TaskParams, TOS};

    fn decode<T: Encode + TypeInfo + 'static>(it: &T) -> Value {
        let mut registry = Registry::new();
        let id = registry.register_type(&meta_type::<T>()).id;
        let bytes = it.encode();
        let input = &mut bytes.as_slice();
        let decoded = value(&registry.into(), id, input).unwrap();
        assert!(input.is_empty());
        decoded
    }

    #[test]
    fn values_read_as_the_runtime_api_writes_them() {
        let id = TaskId([7; 16]);
        assert_eq!(decode(&id), json!(id));
        let alice = AccountId32::new([1; 32]);
        assert_eq!(decode(&alice), json!(alice));
        assert_eq!(decode(&(10 * TOS)), json!("10000000000000000000"));
        assert_eq!(decode(&Compact(10 * TOS)), json!("10000000000000000000"));
        assert_eq!(decode(&Compact(7u32)), json!(7));
        for phase in [Phase::AnswerReveal, Phase::Closed(Closure::Settled)] {
            assert_eq!(decode(&phase), serde_json::to_value(phase).unwrap());
        }
        assert_eq!(decode(&(1u8, Some(2u16), None::<u8>)), json!([1, 2, null]));
        assert_eq!(decode(&vec![1u8, 255]), json!("0x01ff"));
        assert_eq!(decode(&vec![1u16, 255]), json!([1, 255]));
        let params = TaskParams::General {
            subject: b"hi".to_vec().try_into().unwrap(),
        };
        assert_eq!(decode(&params), json!({"general": {"subject": "0x6869"}}));
        let content = decode(&ContentRef::inline(b"an honest answer").unwrap());
        assert_eq!(content["size"], 16);
        assert_eq!(content["inline"], "0x616e20686f6e65737420616e73776572");
    }

    #[test]
    fn cut_off_or_lying_bytes_are_errors() {
        let mut registry = Registry::new();
        let list = registry.register_type(&meta_type::<Vec<u32>>()).id;
        let phase = registry.register_type(&meta_type::<Phase>()).id;
        let types = registry.into();
        assert!(value(&types, list, &mut &u32::MAX.encode()[..]).is_err());
        assert!(value(&types, list, &mut &Compact(u32::MAX).encode()[..]).is_err());
        assert!(value(&types, phase, &mut &[99u8][..]).is_err());
        assert!(value(&types, 1_000, &mut &[][..]).is_err());
    }

    #[test]
    fn names_are_in_camel_case() {
        assert_eq!(camel_case("open_until"), "openUntil");
        assert_eq!(camel_case("who"), "who");
        assert_eq!(lower_first("AlreadyJoined"), "alreadyJoined");
    }
}
