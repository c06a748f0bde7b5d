// SPDX-License-Identifier: Apache-2.0

//! The folder of key files, in both formats.

use super::*;
use crate::keys::Keypair;
use polkadot_sdk::sp_core::crypto::{Ss58Codec, DEV_PHRASE};
use serde_json::Value;
use std::os::unix::fs::PermissionsExt;

const SCHEMES: [(&str, Scheme); 3] = [
    ("a", Scheme::Sr25519),
    ("b", Scheme::Ed25519),
    ("c", Scheme::Ecdsa),
];

fn store() -> (tempfile::TempDir, Keystore) {
    let folder = tempfile::tempdir().unwrap();
    let store = Keystore {
        folder: folder.path().join("keys"),
        params: Params::STANDARD,
    };
    (folder, store)
}

/// A keystore with one key, `a`.
fn store_of_alice() -> (tempfile::TempDir, Keystore) {
    let (folder, store) = store();
    store
        .add("a", Scheme::Sr25519, "//Alice", "secret")
        .unwrap();
    (folder, store)
}

/// The files of a list of them, as texts.
fn texts(list: &str, field: Option<&str>) -> Vec<String> {
    let list: Vec<Value> = serde_json::from_str(list).unwrap();
    let text = |item: &Value| match field {
        Some(field) => item[field].to_string(),
        None => item.to_string(),
    };
    list.iter().map(text).collect()
}

fn argon2() -> Vec<String> {
    texts(include_str!("../../tests/keys/argon2.json"), None)
}

fn polkadot_js() -> Vec<String> {
    let list = include_str!("../../tests/keys/polkadot-js.json");
    texts(list, Some("file"))
}

/// Puts a file where it can be imported from.
fn put(folder: &tempfile::TempDir, text: &str) -> PathBuf {
    let path = folder.path().join("from elsewhere.json");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_development_name_that_is_no_key_is_told_how_it_signs() {
    let (_folder, store) = store();
    for name in ["Bob", "bob", "//Bob"] {
        let error = store.file(name).err().unwrap();
        assert_eq!(error.exit_code(), 2, "{name}");
        assert!(error.to_string().ends_with("--suri //Bob"), "{error}");
    }
    let error = store.file("bobby").err().unwrap();
    assert!(!error.to_string().contains("--suri"), "{error}");
}

#[test]
fn keys_of_every_scheme_round_trip() {
    let (_folder, store) = store();
    for (name, scheme) in SCHEMES {
        let file = store.add(name, scheme, "//Alice", "secret").unwrap();
        let key = store.open(name, "secret").unwrap();
        assert_eq!(key.pair.account().to_ss58check(), file.address);
        assert_eq!(tos_types::json::to_hex(&key.pair.public()), file.public_key);
        let again = Keypair::from_suri(scheme, &key.secret).unwrap();
        assert_eq!(again.account(), key.pair.account());
        assert_eq!(store.file(name).unwrap().format, Format::PolkadotJs);
    }
    let names: Vec<_> = store
        .list()
        .unwrap()
        .into_iter()
        .map(|file| file.name)
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    store.remove("b").unwrap();
    assert_eq!(store.list().unwrap().len(), 2);
}

#[test]
fn a_secret_is_a_seed_wherever_there_is_one() {
    let (_folder, store) = store();
    let phrase = Keypair::generate_phrase();
    for (name, scheme) in SCHEMES {
        store.add(name, scheme, &phrase, "secret").unwrap();
        assert_eq!(store.open(name, "secret").unwrap().secret.len(), 2 + 64);
    }
    let soft = format!("{phrase}/soft");
    store.add("soft", Scheme::Sr25519, &soft, "secret").unwrap();
    let key = store.open("soft", "secret").unwrap();
    assert_eq!(key.secret.len(), 2 + 128);
    let again = Keypair::from_suri(Scheme::Sr25519, &key.secret).unwrap();
    let made = Keypair::from_suri(Scheme::Sr25519, &soft).unwrap();
    assert_eq!(again.public(), made.public());
}

#[test]
fn a_wrong_password_opens_nothing() {
    let (_folder, store) = store_of_alice();
    let error = store.open("a", "Secret").err().unwrap();
    assert!(matches!(&error, Error::WrongPassword(name) if name == "a"));
    assert!(error.to_string().contains("wrong password"), "{error}");
    assert_eq!(error.exit_code(), 1);
}

#[test]
fn the_file_shows_no_secret_and_only_its_owner_may_read_it() {
    let (folder, store) = store();
    let phrase = Keypair::generate_phrase();
    store.add("a", Scheme::Sr25519, &phrase, "secret").unwrap();
    let path = store.path("a").unwrap();
    let text = fs::read_to_string(&path).unwrap();
    assert!(phrase
        .split(' ')
        .all(|word| !text.contains(&format!("{word} "))));
    let copy = folder.path().join("out").join("copy.json");
    store.export("a", &copy).unwrap();
    for path in [&path, &copy] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0);
    }
    assert_eq!(fs::read_to_string(&copy).unwrap(), text);
    let again = store.export("a", &copy).err().unwrap();
    assert!(again.to_string().contains("exists already"), "{again}");
}

#[test]
fn a_key_for_development_is_known_after_it_was_sealed() {
    let (folder, store) = store();
    let own = Keypair::generate_phrase();
    let known = [
        "//Alice".to_owned(),
        "//anything/below".to_owned(),
        DEV_PHRASE.to_owned(),
        format!("{DEV_PHRASE}//path"),
    ];
    for (i, (suri, development)) in known
        .into_iter()
        .map(|suri| (suri, true))
        .chain([(own.clone(), false), (format!("{own}//Alice"), false)])
        .enumerate()
    {
        let name = format!("key{i}");
        store.add(&name, Scheme::Sr25519, &suri, "secret").unwrap();
        let key = store.open(&name, "secret").unwrap();
        assert_eq!(key.development, development, "{suri}");
        // Also from one keystore into another.
        let from = put(
            &folder,
            &fs::read_to_string(store.path(&name).unwrap()).unwrap(),
        );
        let copied = format!("copy{i}");
        store.import(&copied, &from, "secret", "other").unwrap();
        let key = store.open(&copied, "other").unwrap();
        assert_eq!(key.development, development, "{suri}");
    }
}

#[test]
fn a_file_of_polkadot_js_is_imported_and_used_in_place() {
    let (folder, store) = store();
    fs::create_dir_all(&store.folder).unwrap();
    for (i, text) in polkadot_js().into_iter().enumerate() {
        let from = put(&folder, &text);
        let name = format!("key{i}");
        let file = store.import(&name, &from, "secret", "other").unwrap();
        let key = store.open(&name, "other").unwrap();
        assert_eq!(key.pair.account().to_ss58check(), file.address);
        assert!(store.open(&name, "secret").is_err());
        // A file that is put into the folder by hand.
        let by_hand = format!("by-hand{i}");
        fs::write(store.path(&by_hand).unwrap(), &text).unwrap();
        let key = store.open(&by_hand, "secret").unwrap();
        assert_eq!(key.pair.account().to_ss58check(), file.address);
        assert_eq!(store.file(&by_hand).unwrap().address, file.address);
    }
    // Development accounts are known, though polkadot.js does not mark them.
    let alice = Keypair::from_suri(Scheme::Sr25519, "//Alice").unwrap();
    let file = store.list().unwrap().into_iter().find(|file| {
        file.name.starts_with("by-hand") && file.address == alice.account().to_ss58check()
    });
    let name = file.unwrap().name;
    assert!(store.open(&name, "secret").unwrap().development);
}

#[test]
fn a_file_of_an_earlier_version_opens_and_is_imported() {
    let (folder, store) = store();
    fs::create_dir_all(&store.folder).unwrap();
    for (i, text) in argon2().into_iter().enumerate() {
        let old = format!("old{i}");
        fs::write(store.path(&old).unwrap(), &text).unwrap();
        let file = store.file(&old).unwrap();
        assert_eq!(file.format, Format::Argon2);
        let advice = store.advice(&file).unwrap();
        assert!(
            advice.contains(&format!("tos keys import {old} --json-file")),
            "{advice}"
        );
        let key = store.open(&old, "secret").unwrap();
        assert_eq!(key.pair.account().to_ss58check(), file.address);
        // All of them are below the development phrase.
        assert!(key.development);
        assert!(store.export(&old, &folder.path().join("no.json")).is_err());

        let from = put(&folder, &text);
        let new = store
            .import(&format!("new{i}"), &from, "secret", "other")
            .unwrap();
        assert_eq!(
            (new.address, new.public_key, new.scheme, new.format),
            (
                file.address,
                file.public_key,
                file.scheme,
                Format::PolkadotJs
            )
        );
        let again = store.open(&new.name, "other").unwrap();
        assert!(again.development);
        assert!(store.advice(&store.file(&new.name).unwrap()).is_none());
    }
}

#[test]
fn an_old_file_of_the_keystore_is_written_anew_in_its_place_and_kept() {
    let (_folder, store) = store();
    fs::create_dir_all(&store.folder).unwrap();
    let files = argon2();
    let text = &files[0];
    let path = store.path("a").unwrap();
    fs::write(&path, text).unwrap();
    let before = store.file("a").unwrap();
    assert!(store.import("a", &path, "wrong", "wrong").is_err());
    assert_eq!(&fs::read_to_string(&path).unwrap(), text);

    let kept = path.with_extension("json.old");
    for _ in 0..2 {
        fs::write(&path, text).unwrap();
        let file = store.import("a", &path, "secret", "secret").unwrap();
        assert_eq!(file.address, before.address);
        assert_eq!(store.file("a").unwrap().format, Format::PolkadotJs);
        assert_eq!(&fs::read_to_string(&kept).unwrap(), text);
    }
    for path in [&path, &kept] {
        assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o077, 0);
    }
    assert_eq!(store.list().unwrap().len(), 1);

    // The same changes the password of a file.
    store.import("a", &path, "secret", "other").unwrap();
    assert!(store.open("a", "other").is_ok());
    assert_eq!(&fs::read_to_string(&kept).unwrap(), text);

    // A kept file is never replaced by another.
    fs::write(&path, &files[3]).unwrap();
    let error = store.import("a", &path, "secret", "secret").err().unwrap();
    assert!(error.to_string().contains("exists already"), "{error}");
}

#[test]
fn what_other_programs_noted_in_a_file_stays_when_it_is_written_anew() {
    let (_folder, store) = store();
    fs::create_dir_all(&store.folder).unwrap();
    let path = store.path("a").unwrap();
    let noted = |length| {
        let mut file: Value = serde_json::from_str(&polkadot_js()[0]).unwrap();
        let meta = file["meta"].as_object_mut().unwrap();
        meta.insert("genesisHash".into(), "0x01".into());
        meta.insert("tags".into(), serde_json::json!(["cold"]));
        // One that opens no more.
        meta.insert("tosSeed".into(), "AAAA".into());
        meta.insert("notes".into(), serde_json::json!(vec![0; length]));
        file.to_string()
    };
    fs::write(&path, noted(1)).unwrap();
    for (before, after) in [("secret", "other"), ("other", "third")] {
        store.import("a", &path, before, after).unwrap();
        assert!(store.open("a", after).is_ok());
        let file: Value = serde_json::from_slice(&fs::read(&path).unwrap()).unwrap();
        let meta = file["meta"].as_object().unwrap();
        assert_eq!(meta["genesisHash"], "0x01");
        assert_eq!(meta["tags"], serde_json::json!(["cold"]));
        assert_eq!(meta["name"], "a");
        assert!(!meta.contains_key("tosSeed"));
    }

    // Nothing is written that could not be read again: the text of a list grows, a line an item.
    let long = noted(20_000);
    assert!(long.len() < file::MAX_LENGTH);
    fs::write(&path, &long).unwrap();
    let error = store.import("a", &path, "secret", "other").err().unwrap();
    assert!(error.to_string().contains("longer than"), "{error}");
    assert_eq!(fs::read_to_string(&path).unwrap(), long);
}

#[test]
fn a_file_that_is_no_key_file_imports_nothing() {
    let (folder, store) = store();
    for (text, says) in [
        ("", "cannot be read"),
        ("{}", "no key file"),
        ("bottom drive obey lake", "cannot be read"),
    ] {
        let from = put(&folder, text);
        let error = store.import("a", &from, "secret", "secret").err().unwrap();
        assert_eq!(error.exit_code(), 2, "{text}");
        assert!(error.to_string().contains(says), "{error}");
        assert!(!error.to_string().contains("obey"), "{error}");
    }
    let nowhere = folder.path().join("nowhere.json");
    let error = store.import("a", &nowhere, "secret", "secret");
    assert_eq!(error.err().unwrap().exit_code(), 2);
    let from = put(&folder, &polkadot_js()[0]);
    let error = store.import("a", &from, "Secret", "secret").err().unwrap();
    assert!(matches!(error, Error::WrongPassword(_)));
    let error = store.import("a", &from, "secret", "").err().unwrap();
    assert_eq!(error.exit_code(), 2);
    assert!(store.list().unwrap().is_empty());
}

#[test]
fn keys_are_never_replaced_and_names_never_leave_the_folder() {
    let (folder, store) = store_of_alice();
    assert!(store.add("a", Scheme::Sr25519, "//Bob", "secret").is_err());
    let from = put(&folder, &polkadot_js()[0]);
    assert!(store.import("a", &from, "secret", "secret").is_err());
    assert!(store.add("empty", Scheme::Sr25519, "//Bob", "").is_err());
    for secret in ["", " ", "///pw", "/soft"] {
        let error = store.add("empty", Scheme::Sr25519, secret, "secret");
        assert_eq!(error.err().unwrap().exit_code(), 2, "{secret}");
    }
    assert_eq!(store.list().unwrap().len(), 1);
    for name in ["", "../a", "a/b", "a.b", &"x".repeat(65)] {
        assert!(store.file(name).is_err(), "{name}");
        assert!(store.import(name, &from, "secret", "secret").is_err());
    }
}
