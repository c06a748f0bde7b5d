// SPDX-License-Identifier: Apache-2.0

//! `tos keys`.

use super::{global::first_line, Global};
use crate::output::{table, Output};
use serde_json::json;
use std::path::PathBuf;
use tos_sdk::{
    error::{Error, Result},
    keys::Keypair,
    keystore::KeyFile,
};
use zeroize::Zeroizing;

/// See `tos keys --help`.
#[derive(clap::Subcommand)]
pub enum Keys {
    /// Make a key of the scheme --scheme. Its phrase is shown once: write it down.
    New {
        /// Its name here.
        name: String,
    },
    /// Keep a key that was made elsewhere: from a phrase or seed of the scheme --scheme, or from a
    /// JSON file.
    Import {
        /// Its name here.
        name: String,
        /// A file whose first line is the phrase or seed; asked for when missing.
        #[arg(long, value_name = "FILE", conflicts_with = "json_file")]
        secret_file: Option<PathBuf>,
        /// A key file of polkadot.js or of an earlier version of this program. A file of the keystore
        /// itself is written anew in its place.
        #[arg(long, value_name = "FILE")]
        json_file: Option<PathBuf>,
        /// A file whose first line is the password of --json-file, where that is not the keystore's.
        #[arg(long, value_name = "FILE", requires = "json_file")]
        json_password_file: Option<PathBuf>,
    },
    /// List all keys.
    List,
    /// Show a key's account and public key: the one named, or that of --key or --suri.
    Show {
        /// Its name.
        name: Option<String>,
    },
    /// Show a key's secret as hexadecimal digits, for --suri and for the keystore of a node; or write
    /// its encrypted file, which polkadot.js opens.
    Export {
        /// Its name.
        name: String,
        /// Write the encrypted file to this path, and show no secret. Needs no password.
        #[arg(long, value_name = "FILE")]
        json_file: Option<PathBuf>,
    },
    /// Remove a key for good. Without its phrase, its money is lost.
    Remove {
        /// Its name.
        name: String,
        /// Do not ask whether this is meant.
        #[arg(long)]
        yes: bool,
    },
}

impl Keys {
    /// Runs the command.
    pub(crate) fn run(self, global: &Global, output: Output) -> Result<()> {
        let keystore = global.keystore()?;
        match self {
            Self::New { name } => {
                let phrase = Zeroizing::new(Keypair::generate_phrase());
                let file = keystore.add(&name, global.scheme, &phrase, &global.password(true)?)?;
                let value = json!({
                    "name": file.name, "scheme": file.scheme, "address": file.address,
                    "publicKey": file.public_key, "phrase": *phrase,
                });
                output.show(&value, || {
                    format!(
                        "{}\n\nWrite this phrase down; it is the key, and is kept nowhere:\n{}",
                        file.address, *phrase
                    )
                });
            }
            Self::Import {
                name,
                json_file: Some(path),
                json_password_file,
                ..
            } => {
                let file = match json_password_file {
                    Some(file_password) => {
                        let of_file = first_line(&file_password, "the password")?;
                        keystore.import(&name, &path, &of_file, &global.password(true)?)?
                    }
                    None => {
                        let password = global.password(false)?;
                        keystore.import(&name, &path, &password, &password)?
                    }
                };
                output.show(&public(&file), || file.address.clone());
            }
            Self::Import {
                name, secret_file, ..
            } => {
                let secret = match secret_file {
                    Some(path) => first_line(&path, "the phrase or seed")?,
                    None => rpassword::prompt_password("Phrase or seed: ")
                        .map(Zeroizing::new)
                        .map_err(|e| Error::Usage(format!("{e}: use --secret-file")))?,
                };
                // A bad secret is told before a password is asked for.
                Keypair::from_suri(global.scheme, &secret)?;
                let file = keystore.add(&name, global.scheme, &secret, &global.password(true)?)?;
                output.show(&public(&file), || file.address.clone());
            }
            Self::List => {
                let files = keystore.list()?;
                let values: Vec<_> = files.iter().map(public).collect();
                output.show(&values, || {
                    let row = |file: &KeyFile| {
                        let scheme = format!("{:?}", file.scheme).to_lowercase();
                        vec![file.name.clone(), scheme, file.address.clone()]
                    };
                    table(
                        &["NAME", "SCHEME", "ACCOUNT"],
                        &files.iter().map(row).collect::<Vec<_>>(),
                    )
                });
                for advice in files.iter().filter_map(|file| keystore.advice(file)) {
                    output.hint(&advice);
                }
            }
            Self::Show { name } => {
                let value = match (name.as_ref().or(global.key.as_ref()), &global.suri) {
                    (None, Some(suri)) => {
                        let pair = Keypair::from_suri(global.scheme, suri)?;
                        json!({
                            "name": null, "scheme": global.scheme, "address": pair.account(),
                            "publicKey": tos_types::json::to_hex(&pair.public()),
                        })
                    }
                    (Some(name), _) => public(&keystore.file(name)?),
                    (None, None) => {
                        return Err(Error::Usage("say which: a name or --suri SECRET".into()))
                    }
                };
                output.show(&value, || {
                    let text = |field: &str| value[field].as_str().unwrap_or_default().to_owned();
                    let (address, key) = (text("address"), text("publicKey"));
                    format!("account     {address}\npublic key  {key}")
                });
            }
            Self::Export {
                name,
                json_file: Some(path),
            } => {
                keystore.export(&name, &path)?;
                output.show(&json!({"name": name, "file": path}), || {
                    path.display().to_string()
                });
            }
            Self::Export {
                name,
                json_file: None,
            } => {
                // A wrong name is told before a password is asked for.
                keystore.file(&name)?;
                let secret = keystore.open(&name, &global.password(false)?)?.secret;
                output.show(&json!({"name": name, "secret": *secret}), || {
                    secret.to_string()
                });
            }
            Self::Remove { name, yes } => {
                let file = keystore.file(&name)?;
                if !yes {
                    let question =
                        format!("Type the name of the key to remove ({}): ", file.address);
                    let typed = rpassword::prompt_password(question)
                        .map_err(|e| Error::Usage(format!("{e}: use --yes")))?;
                    if typed != name {
                        return Err(Error::Failed("nothing was removed".into()));
                    }
                }
                keystore.remove(&name)?;
                output.show(&public(&file), || format!("removed {name}"));
            }
        }
        Ok(())
    }
}

fn public(file: &KeyFile) -> serde_json::Value {
    json!({
        "name": file.name, "scheme": file.scheme, "address": file.address,
        "publicKey": file.public_key, "format": file.format,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{Cli, Command};
    use clap::Parser;

    /// Runs `tos keys` with the keystore in `folder` and the password `pw`.
    fn keys(folder: &std::path::Path, words: &[&str]) -> Result<()> {
        let path = |name: &str| folder.join(name).to_str().unwrap().to_owned();
        std::fs::write(path("password"), "pw").unwrap();
        let (data, password) = (path("data"), path("password"));
        let line = [
            "tos",
            "--data-dir",
            &data,
            "--password-file",
            &password,
            "keys",
        ];
        let cli = Cli::try_parse_from(line.iter().chain(words)).unwrap();
        let Command::Keys(command) = cli.command else {
            panic!("not a command about keys");
        };
        command.run(&cli.global, Output { json: true })
    }

    #[test]
    fn a_file_without_a_secret_in_its_first_line_imports_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let import = |text: &str| {
            std::fs::write(path("secret"), text).unwrap();
            let secret = path("secret");
            keys(folder.path(), &["import", "a", "--secret-file", &secret])
        };
        let phrase = Keypair::generate_phrase();
        for text in [
            "",
            "\n",
            &format!("\n{phrase}"),
            " \t\r\n",
            "///pw",
            "/soft",
        ] {
            let error = import(text).err().unwrap();
            assert_eq!(error.exit_code(), 2, "{text:?}");
            assert!(!error.to_string().contains(&phrase), "{text:?}");
        }
        let error = import("\n").err().unwrap().to_string();
        assert!(
            error.contains("first line") && error.contains("secret"),
            "{error}"
        );
        import(&format!(" {phrase} \r\n")).unwrap();
    }

    #[test]
    fn an_exported_file_is_imported_with_its_own_password() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        let run = |words: &[&str]| keys(folder.path(), words);
        let (file, other) = (path("a.json"), path("other"));
        run(&["new", "a"]).unwrap();
        run(&["export", "a"]).unwrap();
        run(&["export", "a", "--json-file", &file]).unwrap();
        run(&["import", "b", "--json-file", &file]).unwrap();
        std::fs::write(&other, "other").unwrap();
        let with = ["--json-file", &file, "--json-password-file", &other];
        let error = run(&[&["import", "c"], &with[..]].concat()).err().unwrap();
        assert!(matches!(error, Error::WrongPassword(_)), "{error}");
        std::fs::write(&other, "pw").unwrap();
        run(&[&["import", "c"], &with[..]].concat()).unwrap();
        run(&["list"]).unwrap();
        let address = |name: &str| {
            let text = std::fs::read(path(&format!("data/keys/{name}.json"))).unwrap();
            let value: serde_json::Value = serde_json::from_slice(&text).unwrap();
            value["address"].clone()
        };
        assert_eq!(address("a"), address("b"));
        assert_eq!(address("a"), address("c"));
    }
}
