// SPDX-License-Identifier: Apache-2.0

//! Compares the shapes this program encodes and decodes with those in a chain's metadata, so that
//! a mismatch is found at start-up and named, not met later as garbage.

use scale_info::{form::PortableForm, Field, MetaType, PortableRegistry, Registry, TypeDef};
use std::collections::HashSet;
use subxt::Metadata;

/// Shapes this program knows, by number.
pub struct Known {
    types: PortableRegistry,
}

/// Collects [`Known`] shapes.
#[derive(Default)]
pub struct Collector(Registry);

impl Collector {
    /// Adds a shape and returns its number.
    pub fn add(&mut self, shape: &MetaType) -> u32 {
        self.0.register_type(shape).id
    }

    /// Ends the collection.
    pub fn finish(self) -> Known {
        Known {
            types: self.0.into(),
        }
    }
}

impl Known {
    /// Checks that the shape numbered `ours` encodes as `theirs` does. The error says where not.
    pub fn matches(&self, ours: u32, theirs: (&PortableRegistry, u32)) -> Result<(), String> {
        let mut seen = HashSet::new();
        self.compare(ours, theirs.0, theirs.1, &mut seen)
    }

    /// Checks that the structure numbered `ours` has the same fields as `theirs`.
    pub fn matches_fields(
        &self,
        ours: u32,
        (types, theirs): (&PortableRegistry, &[Field<PortableForm>]),
    ) -> Result<(), String> {
        let mut seen = HashSet::new();
        match self.types.resolve(ours).map(|ty| &ty.type_def) {
            Some(TypeDef::Composite(ours)) => fields(&ours.fields, theirs, |a, b| {
                self.compare(a, types, b, &mut seen)
            }),
            _ => Err(": not a structure".into()),
        }
    }

    fn compare(
        &self,
        ours: u32,
        types: &PortableRegistry,
        theirs: u32,
        seen: &mut HashSet<(u32, u32)>,
    ) -> Result<(), String> {
        // What is being compared already is equal if nothing else differs.
        if !seen.insert((ours, theirs)) {
            return Ok(());
        }
        let (Some(a), Some(b)) = (self.types.resolve(ours), types.resolve(theirs)) else {
            return Err(": missing from the type registry".into());
        };
        let mut inner = |a: u32, b: u32| self.compare(a, types, b, seen);
        match (&a.type_def, &b.type_def) {
            (TypeDef::Composite(a), TypeDef::Composite(b)) => fields(&a.fields, &b.fields, inner),
            (TypeDef::Variant(a), TypeDef::Variant(b)) => {
                if a.variants.len() != b.variants.len() {
                    let names = |variants: &[scale_info::Variant<PortableForm>]| {
                        variants
                            .iter()
                            .map(|v| v.name.as_str())
                            .collect::<Vec<_>>()
                            .join(", ")
                    };
                    let (a, b) = (names(&a.variants), names(&b.variants));
                    return Err(format!(": variants [{a}] here, [{b}] on chain"));
                }
                a.variants.iter().try_for_each(|a| {
                    let Some(b) = b.variants.iter().find(|b| b.index == a.index) else {
                        return Err(format!(".{}: not on chain", a.name));
                    };
                    if a.name != b.name {
                        return Err(format!(": variant {} is {} on chain", a.name, b.name));
                    }
                    fields(&a.fields, &b.fields, &mut inner)
                        .map_err(|why| format!(".{}{why}", a.name))
                })
            }
            (TypeDef::Sequence(a), TypeDef::Sequence(b)) => {
                inner(a.type_param.id, b.type_param.id).map_err(|why| format!("[]{why}"))
            }
            (TypeDef::Array(a), TypeDef::Array(b)) if a.len == b.len => {
                inner(a.type_param.id, b.type_param.id).map_err(|why| format!("[]{why}"))
            }
            (TypeDef::Tuple(a), TypeDef::Tuple(b)) if a.fields.len() == b.fields.len() => {
                let pairs = a.fields.iter().zip(&b.fields).enumerate();
                pairs.into_iter().try_for_each(|(i, (a, b))| {
                    inner(a.id, b.id).map_err(|why| format!(".{i}{why}"))
                })
            }
            (TypeDef::Primitive(a), TypeDef::Primitive(b)) if a == b => Ok(()),
            (TypeDef::Compact(a), TypeDef::Compact(b)) => inner(a.type_param.id, b.type_param.id),
            (a, b) => Err(format!(": {} here, {} on chain", kind(a), kind(b))),
        }
    }
}

/// Checks that the chain has a call with arguments of these names, and in the same pallet an event
/// with fields of these names. The error names the one that it lacks.
pub fn check_names(
    metadata: &Metadata,
    (pallet, call): (&str, &str),
    arguments: &[&str],
    event: &str,
    fields: &[&str],
) -> Result<(), String> {
    let lacks = |what: &str| format!("{pallet}.{what}: missing, or with other fields on chain");
    let named = |found: &[Field<PortableForm>], names: &[&str]| {
        let found = found.iter().filter_map(|field| field.name.as_deref());
        found.eq(names.iter().copied())
    };
    let found = metadata.pallet_by_name(pallet);
    let found = found.ok_or_else(|| lacks(call))?;
    match found.call_variant_by_name(call) {
        Some(variant) if named(&variant.fields, arguments) => {}
        _ => return Err(lacks(call)),
    }
    let mut events = found.event_variants().unwrap_or_default().iter();
    match events.find(|variant| variant.name == event) {
        Some(variant) if named(&variant.fields, fields) => Ok(()),
        _ => Err(lacks(event)),
    }
}

/// Checks that the chain has an entry of the storage: read by a key made by hand, one that is
/// missing would be taken for empty.
pub fn check_entry(metadata: &Metadata, pallet: &str, entry: &str) -> Result<(), String> {
    let storage = metadata.pallet_by_name(pallet).and_then(|p| p.storage());
    match storage.and_then(|storage| storage.entry_by_name(entry)) {
        Some(_) => Ok(()),
        None => Err(format!("storage {pallet}.{entry}: missing")),
    }
}

fn fields(
    ours: &[Field<PortableForm>],
    theirs: &[Field<PortableForm>],
    mut inner: impl FnMut(u32, u32) -> Result<(), String>,
) -> Result<(), String> {
    let name = |field: &Field<PortableForm>| field.name.clone().unwrap_or_default();
    let names = |fields: &[Field<PortableForm>]| fields.iter().map(name).collect::<Vec<_>>();
    if names(ours) != names(theirs) {
        let (ours, theirs) = (names(ours).join(", "), names(theirs).join(", "));
        return Err(format!(": fields ({ours}) here, ({theirs}) on chain"));
    }
    ours.iter()
        .zip(theirs)
        .try_for_each(|(a, b)| inner(a.ty.id, b.ty.id).map_err(|why| format!(".{}{why}", name(a))))
}

fn kind(def: &TypeDef<PortableForm>) -> String {
    match def {
        TypeDef::Composite(_) => "a structure".into(),
        TypeDef::Variant(_) => "an enumeration".into(),
        TypeDef::Sequence(_) => "a list".into(),
        TypeDef::Array(array) => format!("{} items", array.len),
        TypeDef::Tuple(tuple) => format!("a tuple of {}", tuple.fields.len()),
        TypeDef::Primitive(primitive) => format!("{primitive:?}").to_lowercase(),
        TypeDef::Compact(_) => "a compact number".into(),
        TypeDef::BitSequence(_) => "bits".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use polkadot_sdk::sp_core::{bounded::BoundedVec, ConstU32};
    use scale_info::{meta_type, TypeInfo};

    fn compare(ours: MetaType, theirs: MetaType) -> Result<(), String> {
        let mut collector = Collector::default();
        let ours = collector.add(&ours);
        let mut chain = Registry::new();
        // Numbers differ between registries.
        chain.register_type(&meta_type::<(u8, u16, u32)>());
        let theirs = chain.register_type(&theirs).id;
        collector.finish().matches(ours, (&chain.into(), theirs))
    }

    #[allow(dead_code)]
    mod old {
        use super::*;
        #[derive(TypeInfo)]
        pub enum Kind {
            A,
            B { size: u32 },
        }
        #[derive(TypeInfo)]
        pub struct Thing {
            pub kind: Kind,
            pub next: Option<Box<Thing>>,
        }
    }

    #[allow(dead_code)]
    mod new {
        use super::*;
        #[derive(TypeInfo)]
        pub enum Kind {
            A,
            B { size: u64 },
        }
        #[derive(TypeInfo)]
        pub struct Thing {
            pub kind: Kind,
            pub next: Option<Box<Thing>>,
        }
    }

    #[test]
    fn equal_shapes_match_whatever_their_bounds() {
        compare(meta_type::<old::Thing>(), meta_type::<old::Thing>()).unwrap();
        let ours = meta_type::<BoundedVec<u8, ConstU32<10>>>();
        compare(ours, meta_type::<BoundedVec<u8, ConstU32<20>>>()).unwrap();
        compare(meta_type::<Result<(), u8>>(), meta_type::<Result<(), u8>>()).unwrap();
    }

    #[test]
    fn a_difference_is_named_with_its_place() {
        let error = compare(meta_type::<old::Thing>(), meta_type::<new::Thing>())
            .err()
            .unwrap();
        assert_eq!(error, ".kind.B.size: u32 here, u64 on chain");
        let error = compare(meta_type::<[u8; 4]>(), meta_type::<[u8; 5]>())
            .err()
            .unwrap();
        assert_eq!(error, ": 4 items here, 5 items on chain");
        let error = compare(meta_type::<codec::Compact<u128>>(), meta_type::<u128>());
        assert_eq!(
            error.err().unwrap(),
            ": a compact number here, u128 on chain"
        );
        let error = compare(meta_type::<Option<u8>>(), meta_type::<Result<u8, u8>>());
        assert!(error.is_err());
    }

    #[test]
    fn different_field_names_do_not_match() {
        #[derive(TypeInfo)]
        struct A {
            #[allow(dead_code)]
            x: u8,
        }
        #[derive(TypeInfo)]
        struct B {
            #[allow(dead_code)]
            y: u8,
        }
        let error = compare(meta_type::<A>(), meta_type::<B>()).err().unwrap();
        assert_eq!(error, ": fields (x) here, (y) on chain");
    }
}
