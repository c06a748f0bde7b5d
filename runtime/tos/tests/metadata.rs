// SPDX-License-Identifier: Apache-2.0

//! The metadata explains itself: clients show it to people who decide what to sign.

#![allow(clippy::unwrap_used)]

mod common;

use common::metadata;
use frame_metadata::v15::RuntimeMetadataV15;
use scale_info::{form::PortableForm, TypeDef};

const DOMAIN: [&str; 8] = [
    "Clock",
    "Miners",
    "Reputation",
    "Tasks",
    "Judges",
    "Rewards",
    "Beacon",
    "Storage",
];

fn without_docs(metadata: &RuntimeMetadataV15, ty: u32) -> Vec<String> {
    let ty = metadata.types.resolve(ty).unwrap();
    let TypeDef::<PortableForm>::Variant(variants) = &ty.type_def else {
        panic!("not an enum")
    };
    variants
        .variants
        .iter()
        .filter(|v| v.docs.is_empty())
        .map(|v| v.name.clone())
        .collect()
}

#[test]
fn every_call_event_error_constant_and_storage_item_of_the_domain_is_documented() {
    let metadata = metadata();
    let mut seen = 0;
    for pallet in metadata
        .pallets
        .iter()
        .filter(|p| DOMAIN.contains(&p.name.as_str()))
    {
        seen += 1;
        let enums = [
            ("call", pallet.calls.as_ref().map(|c| c.ty.id)),
            ("event", pallet.event.as_ref().map(|e| e.ty.id)),
            ("error", pallet.error.as_ref().map(|e| e.ty.id)),
        ];
        for (kind, ty) in enums {
            let missing = ty.map(|ty| without_docs(&metadata, ty)).unwrap_or_default();
            assert!(
                missing.is_empty(),
                "{}: {kind}s without docs: {missing:?}",
                pallet.name
            );
        }
        for item in pallet.storage.iter().flat_map(|s| &s.entries) {
            assert!(
                !item.docs.is_empty(),
                "{}.{} has no docs",
                pallet.name,
                item.name
            );
        }
        for constant in &pallet.constants {
            assert!(
                !constant.docs.is_empty(),
                "{}.{} has no docs",
                pallet.name,
                constant.name
            );
        }
    }
    assert_eq!(seen, DOMAIN.len());
}

#[test]
fn every_event_of_the_domain_names_its_fields() {
    let metadata = metadata();
    for pallet in metadata
        .pallets
        .iter()
        .filter(|p| DOMAIN.contains(&p.name.as_str()))
    {
        let Some(event) = &pallet.event else { continue };
        let ty = metadata.types.resolve(event.ty.id).unwrap();
        let TypeDef::Variant(variants) = &ty.type_def else {
            panic!("not an enum")
        };
        for variant in &variants.variants {
            assert!(
                variant.fields.iter().all(|field| field.name.is_some()),
                "{}.{} has nameless fields",
                pallet.name,
                variant.name
            );
        }
    }
}

#[test]
fn the_runtime_api_of_the_domain_is_documented() {
    let metadata = metadata();
    let api = metadata
        .apis
        .iter()
        .find(|api| api.name == "TosApi")
        .unwrap();
    for method in &api.methods {
        assert!(
            !method.docs.is_empty(),
            "TosApi.{} has no docs",
            method.name
        );
    }
    assert!(api.methods.len() >= 14);
}
