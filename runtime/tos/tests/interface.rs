// SPDX-License-Identifier: Apache-2.0

//! What others rely on: the calls, storage, events, errors, constants, extensions and APIs of the
//! runtime. A listing of each version is kept in `runtime/interface/`; a change that breaks signers
//! or readers cannot happen unnoticed.
//!
//! Rewrite the listing of the version in the works with
//! `UPDATE_DOCS=1 cargo nextest run --release --workspace -E 'binary(interface)'`. The listing of a
//! version that has been released never changes: raise `spec_version` instead.

#![allow(clippy::unwrap_used)]

mod common;

use common::metadata;
use polkadot_sdk::*;

use frame_metadata::v14::StorageEntryType;
use scale_info::{form::PortableForm, Field, PortableRegistry, TypeDef};
use sp_crypto_hashing::blake2_256;
use std::{collections::BTreeMap, fs, path::PathBuf};
use tos_runtime::VERSION;

/// Enums that every pallet adds to. They are known by name, or one new call would change them all.
const OPEN: [&str; 8] = [
    "RuntimeCall",
    "RuntimeEvent",
    "RuntimeError",
    "RuntimeTask",
    "OriginCaller",
    "RuntimeHoldReason",
    "RuntimeFreezeReason",
    "DispatchError",
];

/// Enums that got variants behind the ones they had: what was signed before means the same. Name,
/// number of variants before, and how it and what holds it read before and read after.
const GROWN: [(&str, usize, Readings); 1] = [(
    "ProxyType",
    5,
    &[
        ("ProxyType#e35fe0b9", "ProxyType#606957f3"),
        ("Option#a9264fc5", "Option#d1987f0a"),
    ],
)];

/// Readings before and after.
type Readings = &'static [(&'static str, &'static str)];

/// A listing: what it is, and how it looks.
type Listing = BTreeMap<String, String>;

/// An entry of a listing as it reads now that enums have grown.
fn grown(how: &str) -> String {
    let readings = GROWN.iter().flat_map(|(_, _, readings)| readings.iter());
    readings.fold(how.to_owned(), |how, (old, new)| how.replace(old, new))
}

/// The whole shape of a type, whatever its number in the registry. `path` is what is being
/// described already.
fn shape(types: &PortableRegistry, id: u32, path: &mut Vec<u32>) -> String {
    let ty = types.resolve(id).unwrap();
    let name = ty.path.ident().unwrap_or_default();
    if OPEN.contains(&name.as_str()) {
        return name;
    }
    if path.contains(&id) {
        return format!("^{name}");
    }
    path.push(id);
    let mut fields = |fields: &[Field<PortableForm>]| -> String {
        let one = |field: &Field<PortableForm>| {
            let name = field.name.clone().unwrap_or_default();
            format!("{name}:{}", shape(types, field.ty.id, path))
        };
        fields.iter().map(one).collect::<Vec<_>>().join(",")
    };
    let shape = match &ty.type_def {
        TypeDef::Composite(of) => format!("{name}{{{}}}", fields(&of.fields)),
        TypeDef::Variant(of) => {
            let variant = |v: &scale_info::Variant<PortableForm>| {
                format!("{}={}({})", v.index, v.name, fields(&v.fields))
            };
            let all: Vec<_> = of.variants.iter().map(variant).collect();
            format!("{name}<{}>", all.join("|"))
        }
        TypeDef::Sequence(of) => format!("[{}]", shape(types, of.type_param.id, path)),
        TypeDef::Array(of) => format!("[{};{}]", shape(types, of.type_param.id, path), of.len),
        TypeDef::Tuple(of) => {
            let all: Vec<_> = of.fields.iter().map(|f| shape(types, f.id, path)).collect();
            format!("({})", all.join(","))
        }
        TypeDef::Primitive(of) => format!("{of:?}"),
        TypeDef::Compact(of) => format!("Compact<{}>", shape(types, of.type_param.id, path)),
        TypeDef::BitSequence(_) => "bits".into(),
    };
    path.pop();
    shape
}

/// A type as it reads in the listing: short ones in full, others by name and fingerprint.
fn named(types: &PortableRegistry, id: u32) -> String {
    let full = shape(types, id, &mut Vec::new());
    if full.len() <= 24 {
        return full;
    }
    let name = types.resolve(id).unwrap().path.ident().unwrap_or_default();
    fingerprint(&name, &full)
}

fn fingerprint(name: &str, full: &str) -> String {
    let hash = blake2_256(full.as_bytes());
    format!(
        "{name}#{:02x}{:02x}{:02x}{:02x}",
        hash[0], hash[1], hash[2], hash[3]
    )
}

fn arguments(types: &PortableRegistry, fields: &[Field<PortableForm>]) -> String {
    let one = |field: &Field<PortableForm>| {
        let name = field.name.clone().unwrap_or_default();
        format!("{name}: {}", named(types, field.ty.id))
    };
    fields.iter().map(one).collect::<Vec<_>>().join(", ")
}

fn listing() -> Listing {
    let metadata = metadata();
    let types = &metadata.types;
    let mut all = Listing::new();
    for pallet in &metadata.pallets {
        let (name, index) = (&pallet.name, pallet.index);
        let variants = |ty: u32| match &types.resolve(ty).unwrap().type_def {
            TypeDef::Variant(of) => of.variants.clone(),
            _ => panic!("not an enum"),
        };
        let kinds = [
            ("call", pallet.calls.as_ref().map(|of| of.ty.id)),
            ("event", pallet.event.as_ref().map(|of| of.ty.id)),
            ("error", pallet.error.as_ref().map(|of| of.ty.id)),
        ];
        for (kind, ty) in kinds {
            for v in ty.map(variants).unwrap_or_default() {
                let shape = format!("{name}.{}({})", v.name, arguments(types, &v.fields));
                all.insert(format!("{kind} {index:02}.{:02}", v.index), shape);
            }
        }
        for item in pallet.storage.iter().flat_map(|storage| &storage.entries) {
            let shape = match &item.ty {
                StorageEntryType::Plain(value) => named(types, value.id),
                StorageEntryType::Map {
                    hashers,
                    key,
                    value,
                } => format!(
                    "{hashers:?} {} -> {}",
                    named(types, key.id),
                    named(types, value.id)
                ),
            };
            all.insert(format!("storage {name}.{}", item.name), shape);
        }
        for constant in &pallet.constants {
            let key = format!("constant {name}.{}", constant.name);
            all.insert(key, named(types, constant.ty.id));
        }
    }
    for (place, extension) in metadata.extrinsic.signed_extensions.iter().enumerate() {
        let shape = format!(
            "{}({}; {})",
            extension.identifier,
            named(types, extension.ty.id),
            named(types, extension.additional_signed.id)
        );
        all.insert(format!("extension {place:02}"), shape);
    }
    for api in &metadata.apis {
        for method in &api.methods {
            let inputs: Vec<_> = method
                .inputs
                .iter()
                .map(|input| format!("{}: {}", input.name, named(types, input.ty.id)))
                .collect();
            let shape = format!(
                "({}) -> {}",
                inputs.join(", "),
                named(types, method.output.id)
            );
            all.insert(format!("api {}.{}", api.name, method.name), shape);
        }
    }
    all
}

/// A version's listing as it is kept.
struct Kept {
    spec: u32,
    transaction: u32,
    listing: Listing,
}

fn write(spec: u32, transaction: u32, listing: &Listing) -> String {
    let mut text = format!("spec_version {spec}, transaction_version {transaction}\n");
    for (what, how) in listing {
        text.push_str(&format!("{what} = {how}\n"));
    }
    text
}

fn read(text: &str) -> Kept {
    let (head, rest) = text.split_once('\n').unwrap();
    let number = |name: &str| -> u32 {
        let part = head.split(", ").find_map(|part| part.strip_prefix(name));
        part.unwrap().trim().parse().unwrap()
    };
    let entry = |line: &str| {
        let (what, how) = line.split_once(" = ").unwrap();
        (what.to_owned(), how.to_owned())
    };
    Kept {
        spec: number("spec_version "),
        transaction: number("transaction_version "),
        listing: rest.lines().map(entry).collect(),
    }
}

/// What speaks against the step from one version to the next.
fn broken(old: &Kept, new: &Kept) -> Vec<String> {
    let mut wrong = Vec::new();
    if new.spec <= old.spec && new.listing != old.listing {
        wrong.push("the interface differs, and spec_version has not risen".to_owned());
    }
    if new.transaction > old.transaction {
        return wrong;
    }
    // What somebody has signed must mean the same, or nothing at all to a newer version. An addition
    // to the end of the extensions changes what everybody signs.
    let signed = |kind: &str| ["call ", "extension "].iter().any(|k| kind.starts_with(k));
    for (what, how) in old.listing.iter().filter(|(what, _)| signed(what)) {
        match new.listing.get(what) {
            Some(now) if now == how || *now == grown(how) => {}
            Some(now) => wrong.push(format!("{what} was {how} and is {now}")),
            None => wrong.push(format!("{what}, {how}, is gone")),
        }
    }
    let added = |what: &&String| what.starts_with("extension ") && !old.listing.contains_key(*what);
    wrong.extend(
        new.listing
            .keys()
            .filter(added)
            .map(|what| format!("{what} is new")),
    );
    if wrong.len() > usize::from(new.spec <= old.spec) {
        wrong.push("raise transaction_version, or leave these as they were".to_owned());
    }
    wrong
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../interface")
}

fn kept() -> Vec<Kept> {
    let mut all: Vec<Kept> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| read(&fs::read_to_string(entry.unwrap().path()).unwrap()))
        .collect();
    all.sort_by_key(|kept| kept.spec);
    all
}

#[test]
fn the_interface_is_the_one_that_is_kept_for_this_version() {
    let path = folder().join(format!("{}.txt", VERSION.spec_version));
    let now = write(
        VERSION.spec_version,
        VERSION.transaction_version,
        &listing(),
    );
    if std::env::var_os("UPDATE_DOCS").is_some() {
        fs::create_dir_all(folder()).unwrap();
        fs::write(&path, &now).unwrap();
    }
    let before = fs::read_to_string(&path).unwrap_or_default();
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (now, before) = (lines(&now), lines(&before));
    let new: Vec<_> = now.iter().filter(|line| !before.contains(line)).collect();
    let gone: Vec<_> = before.iter().filter(|line| !now.contains(line)).collect();
    assert!(
        now == before,
        "the interface is not the one kept for spec_version {}.\nnew: {new:#?}\ngone: {gone:#?}\nIf \
         that version has been released, raise spec_version. Then run UPDATE_DOCS=1 cargo nextest \
         run --release --workspace -E 'binary(interface)'",
        VERSION.spec_version
    );
}

#[test]
fn every_version_kept_follows_from_the_one_before() {
    for pair in kept().windows(2) {
        let wrong = broken(&pair[0], &pair[1]);
        assert!(
            wrong.is_empty(),
            "{} to {}: {wrong:#?}",
            pair[0].spec,
            pair[1].spec
        );
    }
}

#[test]
fn a_change_of_what_people_sign_needs_a_new_transaction_version() {
    let version = |spec, transaction, lines: &[(&str, &str)]| Kept {
        spec,
        transaction,
        listing: lines
            .iter()
            .map(|(a, b)| (a.to_string(), b.to_string()))
            .collect(),
    };
    let first = [
        ("call 01.00", "A.x(n: U8)"),
        ("extension 00", "Nonce"),
        ("storage A.S", "U8"),
    ];
    let old = version(1, 1, &first);
    assert!(broken(&old, &version(1, 1, &first)).is_empty());
    // Additions, and storage that changes with a migration, need a new spec_version only.
    let added = [
        first[0],
        first[1],
        ("storage A.S", "U16"),
        ("call 01.01", "A.y()"),
    ];
    assert!(broken(&old, &version(2, 1, &added)).is_empty());
    assert_eq!(broken(&old, &version(1, 1, &added)).len(), 1);
    // An enum that has grown at its end means the same.
    let (before, after) = GROWN[0].2[0];
    let small = version(1, 1, &[("call 01.00", before)]);
    assert!(broken(&small, &version(2, 1, &[("call 01.00", after)])).is_empty());
    assert!(!broken(&small, &version(2, 1, &[("call 01.00", "ProxyType#0")])).is_empty());
    for breaking in [
        vec![("call 01.00", "A.x(n: U16)"), first[1], first[2]],
        vec![("call 01.00", "A.z(n: U8)"), first[1], first[2]],
        vec![first[1], first[2]],
        vec![first[0], first[2]],
        vec![first[0], first[1], first[2], ("extension 01", "Tip")],
    ] {
        assert!(
            !broken(&old, &version(2, 1, &breaking)).is_empty(),
            "{breaking:?}"
        );
        assert!(
            broken(&old, &version(2, 2, &breaking)).is_empty(),
            "{breaking:?}"
        );
    }
}

#[test]
fn an_enum_that_has_grown_has_its_old_variants_where_they_were() {
    let types = metadata().types;
    for (name, before, readings) in GROWN {
        let ((old, new), holders) = readings.split_first().unwrap();
        let found = types
            .types
            .iter()
            .find(|ty| ty.ty.path.ident().as_deref() == Some(name));
        let id = found.unwrap().id;
        assert_eq!(named(&types, id), *new);
        let full = shape(&types, id, &mut Vec::new());
        let variants: Vec<_> = full.split('|').collect();
        assert!(variants.len() > before, "{full}");
        // Without fields, so that no variant has a `|` inside.
        assert!(variants
            .iter()
            .all(|variant| variant.trim_end_matches('>').ends_with("()")));
        let first = format!("{}>", variants[..before].join("|"));
        assert_eq!(fingerprint(name, &first), *old);
        // What holds it differs in nothing else.
        for (old, new) in holders {
            let holder = types.types.iter().find(|ty| named(&types, ty.id) == *new);
            let holder = holder.expect("a type of this reading");
            let shape = shape(&types, holder.id, &mut Vec::new());
            let name = holder.ty.path.ident().unwrap();
            assert_eq!(fingerprint(&name, &shape.replace(&full, &first)), *old);
        }
    }
}

#[test]
fn a_listing_reads_as_it_was_written_and_sees_every_kind_of_thing() {
    let now = listing();
    let text = write(7, 3, &now);
    let back = read(&text);
    assert_eq!((back.spec, back.transaction), (7, 3));
    assert_eq!(back.listing, now);
    for kind in [
        "call ",
        "event ",
        "error ",
        "storage ",
        "constant ",
        "extension ",
        "api ",
    ] {
        assert!(
            now.keys().filter(|what| what.starts_with(kind)).count() > 5,
            "{kind}"
        );
    }
    let reveal = now
        .values()
        .find(|how| how.starts_with("Judges.reveal_vote("));
    assert!(reveal.unwrap().contains("salt: [U8;32]"), "{reveal:?}");
}
