// SPDX-License-Identifier: Apache-2.0

//! `tos keys`.

use super::{global::first_line, Global};
use crate::output::{table, Output};
use serde_json::json;
use std::path::PathBuf;
use tos_sdk::{
    error::{Error, Result},
    keys::Keypair,
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
    /// Keep a key of the scheme --scheme that was made elsewhere.
    Import {
        /// Its name here.
        name: String,
        /// A file whose first line is the phrase or seed; asked for when missing.
        #[arg(long, value_name = "FILE")]
        secret_file: Option<PathBuf>,
    },
    /// List all keys.
    List,
    /// Show a key's account and public key: the one named, or that of --key or --suri.
    Show {
        /// Its name.
        name: Option<String>,
    },
    /// Show a key's secret.
    Export {
        /// Its name.
        name: String,
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
                        "{}\n\nWrite this phrase down; it is the key:\n{}",
                        file.address, *phrase
                    )
                });
            }
            Self::Import { name, secret_file } => {
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
                    let row = |file: &tos_sdk::keystore::KeyFile| {
                        let scheme = format!("{:?}", file.scheme).to_lowercase();
                        vec![file.name.clone(), scheme, file.address.clone()]
                    };
                    table(
                        &["NAME", "SCHEME", "ACCOUNT"],
                        &files.iter().map(row).collect::<Vec<_>>(),
                    )
                });
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
            Self::Export { name } => {
                keystore.file(&name)?;
                let secret = keystore.secret(&name, &global.password(false)?)?;
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

fn public(file: &tos_sdk::keystore::KeyFile) -> serde_json::Value {
    json!({
        "name": file.name, "scheme": file.scheme, "address": file.address,
        "publicKey": file.public_key,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::{Cli, Command};
    use clap::Parser;

    #[test]
    fn a_file_without_a_secret_in_its_first_line_imports_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(path("password"), "pw").unwrap();
        let import = |text: &str| {
            std::fs::write(path("secret"), text).unwrap();
            let (data, password, secret) = (path("data"), path("password"), path("secret"));
            let line = ["tos", "--data-dir", &data, "--password-file", &password]
                .into_iter()
                .chain(["keys", "import", "a", "--secret-file", &secret]);
            let cli = Cli::try_parse_from(line).unwrap();
            let Command::Keys(command) = cli.command else {
                panic!("not a command about keys");
            };
            command.run(&cli.global, Output { json: true })
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
}
