// SPDX-License-Identifier: Apache-2.0

//! Options that every command takes, and what follows from them: keys, the connection, how a call is
//! sent.

use crate::output::Output;
use clap::Args;
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{path::PathBuf, time::Duration};
use tos_sdk::{
    chain::{Call, Connection, Included, Wait},
    error::{Error, Result},
    keys::{Keypair, Scheme, Signer},
    keystore::{Keystore, PASSWORD_VARIABLE},
};
use tos_types::{json::to_hex, Balance};
use zeroize::Zeroizing;

// `-h` shows those that people need from the first day on, `--help` all of them.
#[derive(Args)]
pub(crate) struct Global {
    /// The configuration file. [default: $XDG_CONFIG_HOME/tos/tos.toml or ~/.config/tos/tos.toml,
    /// otherwise /etc/tos/tos.toml; `/dev/null` for none]
    #[arg(long, global = true, hide_short_help = true, env = "TOS_CONFIG", value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The node to talk to.
    #[arg(long, global = true, env = "TOS_URL", default_value = "ws://127.0.0.1:9944")]
    pub url: String,
    /// Print results as JSON, one value per line, and errors as JSON on stderr.
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Folder of keys, journals and content. [default: $XDG_DATA_HOME/tos or ~/.local/share/tos]
    #[arg(long, global = true, env = "TOS_DATA_DIR", value_name = "FOLDER")]
    pub(super) data_dir: Option<PathBuf>,
    /// The key to sign with, by its name in the keystore.
    #[arg(long, global = true, env = "TOS_KEY", value_name = "NAME", conflicts_with = "suri")]
    pub(super) key: Option<String>,
    /// Sign with this secret instead: a phrase, what `tos keys export` prints, or a development key
    /// such as //Alice. Other users of this machine can see it.
    #[arg(long, global = true, value_name = "SECRET")]
    pub(super) suri: Option<String>,
    /// The account to act for, as a proxy it has appointed: an address, or a key's name. The key
    /// signs and pays the fee. See docs/keys.md.
    #[arg(long = "for", global = true, hide_short_help = true, value_name = "ACCOUNT")]
    pub(super) acts_for: Option<String>,
    /// Print the encoded call and send nothing, so that several can sign for it
    /// (`tos accounts multisig`). For commands that send one call and do nothing else.
    #[arg(long, global = true, hide_short_help = true)]
    pub(super) print_call: bool,
    /// The scheme of --suri, and of keys made or imported.
    #[arg(long, global = true, hide_short_help = true, value_enum, default_value_t)]
    pub(super) scheme: Scheme,
    /// A file whose first line is the keystore's password. Otherwise TOS_PASSWORD, or asked for.
    #[arg(long, global = true, hide_short_help = true, value_name = "FILE")]
    pub(super) password_file: Option<PathBuf>,
    /// State to wait for after sending a transaction.
    #[arg(long, global = true, hide_short_help = true, value_enum, default_value_t)]
    pub(super) wait: Wait,
    /// Seconds to wait for it.
    #[arg(
        long,
        global = true,
        hide_short_help = true,
        default_value_t = 120,
        value_name = "SECONDS"
    )]
    pub(super) timeout: u64,
    /// Amount that each transaction offers the block's author beyond its fee, such as 0.01 (TOS).
    /// Transactions that offer most go first when there are more than fit into a block.
    #[arg(long, global = true, hide_short_help = true, value_name = "AMOUNT",
        value_parser = tos_sdk::amount::parse, default_value = "0")]
    pub(super) tip: Balance,
    /// Filter of the log on stderr, such as `debug` or `tos_workers=trace`. [default: info for workers,
    /// warn otherwise]
    #[arg(long, global = true, hide_short_help = true, env = "TOS_LOG", value_name = "FILTER")]
    pub(super) log: Option<String>,
    /// Log as JSON, one object per line.
    #[arg(long, global = true, hide_short_help = true)]
    pub(super) log_json: bool,
}

impl Global {
    /// The folder everything is kept in.
    pub fn folder(&self) -> Result<PathBuf> {
        if let Some(folder) = &self.data_dir {
            return Ok(folder.clone());
        }
        let set = |name: &str| {
            std::env::var_os(name)
                .filter(|v| !v.is_empty())
                .map(PathBuf::from)
        };
        set("XDG_DATA_HOME")
            .or_else(|| set("HOME").map(|home| home.join(".local").join("share")))
            .map(|folder| folder.join("tos"))
            .ok_or_else(|| Error::Usage("no home directory: say --data-dir".into()))
    }

    /// The keystore.
    pub fn keystore(&self) -> Result<Keystore> {
        Ok(Keystore::new(self.folder()?.join("keys")))
    }

    /// The keystore's password. Asked for twice when it is `new`. It is never empty.
    pub fn password(&self, new: bool) -> Result<Zeroizing<String>> {
        if let Some(path) = &self.password_file {
            return first_line(path, "the password");
        }
        if let Ok(password) = std::env::var(PASSWORD_VARIABLE) {
            return not_empty(Zeroizing::new(password), || {
                format!(
                    "{PASSWORD_VARIABLE} is empty: set it to the password, or unset it to be asked"
                )
            });
        }
        let ask = |prompt: &str| {
            rpassword::prompt_password(prompt)
                .map(Zeroizing::new)
                .map_err(|e| {
                    Error::Usage(format!(
                    "cannot ask for the password ({e}): use --password-file or {PASSWORD_VARIABLE}"
                ))
                })
        };
        let password = not_empty(ask("Password: ")?, || {
            "an empty password protects nothing".into()
        })?;
        if new && *ask("Again: ")? != *password {
            return Err(Error::Usage("the passwords differ".into()));
        }
        Ok(password)
    }

    /// The key to sign with, and what its transactions offer. None with `--print-call`: nothing is
    /// signed then.
    pub fn signer(&self) -> Result<Signer> {
        if self.print_call {
            return Err(Error::Usage(
                "--print-call: this command does more than send one call".into(),
            ));
        }
        let (pair, development) = match (&self.suri, &self.key) {
            (Some(suri), _) => (
                Keypair::from_suri(self.scheme, suri)?,
                Keypair::is_development(self.scheme, suri),
            ),
            (None, Some(name)) => {
                let keystore = self.keystore()?;
                // A wrong name is told before a password is asked for.
                keystore.file(name)?;
                let key = keystore.open(name, &self.password(false)?)?;
                (key.pair, key.development)
            }
            (None, None) => {
                return Err(Error::Usage(
                    "say whose: --key NAME or --suri SECRET".into(),
                ))
            }
        };
        Ok(Signer {
            pair,
            tip: self.tip,
            development,
            acts_for: self.acts_for()?,
        })
    }

    /// The account to act for, if one was named. Needs no password.
    pub fn acts_for(&self) -> Result<Option<AccountId32>> {
        let named = self.acts_for.as_deref();
        named.map(|named| self.named_account(named)).transpose()
    }

    /// The account that an address, 32 bytes of hex or the name of a key in the keystore stands for.
    pub fn named_account(&self, named: &str) -> Result<AccountId32> {
        if let Ok(account) = tos_sdk::keys::parse_account(named) {
            return Ok(account);
        }
        let file = self.keystore()?.file(named).map_err(|error| {
            Error::Usage(format!("{named} is no address, and no key's name: {error}"))
        })?;
        tos_sdk::keys::parse_account(&file.address).map_err(Error::Failed)
    }

    /// The account a reading command is about: the one named, the one to act for, or the key's.
    /// Needs no password.
    pub fn account(&self, named: &Option<AccountId32>) -> Result<AccountId32> {
        if let (None, Some(real)) = (named, self.acts_for()?) {
            return Ok(real);
        }
        match (named, &self.suri, &self.key) {
            (Some(account), ..) => Ok(account.clone()),
            (None, Some(suri), _) => Ok(Keypair::from_suri(self.scheme, suri)?.account()),
            (None, None, Some(name)) => {
                let address = self.keystore()?.file(name)?.address;
                tos_sdk::keys::parse_account(&address).map_err(Error::Failed)
            }
            (None, None, None) => Err(Error::Usage(
                "say whose: an account, --key NAME or --suri SECRET".into(),
            )),
        }
    }

    /// Returns `true` if a key was named.
    pub fn has_key(&self) -> bool {
        self.suri.is_some() || self.key.is_some()
    }

    /// A connection to the node.
    pub async fn connect(&self) -> Result<Connection> {
        Connection::open(&self.url).await
    }

    /// Signs, sends and waits: [`Connection::submit`].
    pub async fn submit(&self, call: Call) -> Result<Included> {
        let signer = self.signer()?;
        let connection = self.connect().await?;
        connection
            .submit(&signer, &call, self.wait, self.time())
            .await
    }

    /// Time to wait for a transaction.
    pub(super) fn time(&self) -> Duration {
        Duration::from_secs(self.timeout)
    }

    /// [`Self::submit`], and shows where it went.
    pub async fn submit_and_show(&self, call: Call, output: Output) -> Result<()> {
        if self.print_call {
            return self.show_call(call, output).await;
        }
        self.send_and_show(&self.signer()?, call, output).await
    }

    /// Shows the encoded call instead of sending it.
    async fn show_call(&self, call: Call, output: Output) -> Result<()> {
        let best = self.connect().await?.best().await?;
        let call = match self.acts_for()? {
            Some(real) => best.proxied(&real, &call)?,
            None => call,
        };
        let encoded = best.encode(&call)?;
        self.show_encoded(&call, &encoded, output)
    }

    fn show_encoded(&self, call: &Call, encoded: &[u8], output: Output) -> Result<()> {
        let (pallet, name) = call.name();
        let hash = to_hex(&polkadot_sdk::sp_crypto_hashing::blake2_256(encoded));
        let encoded = to_hex(encoded);
        let value = serde_json::json!({
            "call": format!("{pallet}.{name}"), "encoded": encoded, "hash": hash,
        });
        output.show(&value, || {
            format!("{pallet}.{name}\nencoded  {encoded}\nhash     {hash}")
        });
        Ok(())
    }

    /// [`Self::submit_and_show`] as the key's own account, also with `--for`.
    pub async fn submit_own_and_show(&self, call: Call, output: Output) -> Result<()> {
        if self.print_call {
            let best = self.connect().await?.best().await?;
            let encoded = best.encode(&call)?;
            return self.show_encoded(&call, &encoded, output);
        }
        let own = Signer {
            acts_for: None,
            ..self.signer()?
        };
        self.send_and_show(&own, call, output).await
    }

    async fn send_and_show(&self, signer: &Signer, call: Call, output: Output) -> Result<()> {
        let (pallet, name) = call.name();
        let connection = self.connect().await?;
        let included = connection
            .submit(signer, &call, self.wait, self.time())
            .await?;
        output.show(&included, || {
            let state = if included.finalised {
                "finalised"
            } else {
                "in a best block"
            };
            format!(
                "{pallet}.{name}: {state}, block {}",
                to_hex(&included.block)
            )
        });
        Ok(())
    }
}

/// The first line of a file that holds `what`.
pub(super) fn first_line(path: &std::path::Path, what: &str) -> Result<Zeroizing<String>> {
    let text = std::fs::read_to_string(path).map(Zeroizing::new);
    let text = text.map_err(|e| Error::Usage(format!("reading {}: {e}", path.display())))?;
    let line = Zeroizing::new(text.lines().next().unwrap_or_default().to_owned());
    not_empty(line, || {
        format!(
            "the first line of {} is empty: it must be {what}",
            path.display()
        )
    })
}

/// Refuses a secret that is blank. `why` says where it was looked for.
fn not_empty(secret: Zeroizing<String>, why: impl FnOnce() -> String) -> Result<Zeroizing<String>> {
    match secret.trim().is_empty() {
        true => Err(Error::Usage(why())),
        false => Ok(secret),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commands::Cli;
    use clap::Parser;

    #[test]
    fn keys_come_from_one_place_at_a_time() {
        let parse = |line: &str| Cli::try_parse_from(line.split(' ')).map(|cli| cli.global);
        assert!(parse("tos chain status --key a --suri //Alice").is_err());
        let global = parse("tos chain status --suri //Alice --scheme ecdsa").unwrap();
        assert!(matches!(global.signer().unwrap().pair, Keypair::Ecdsa(_)));
        let global = parse("tos chain status").unwrap();
        assert_eq!(global.signer().err().unwrap().exit_code(), 2);
    }

    #[test]
    fn the_password_is_the_first_line_of_its_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("password");
        std::fs::write(&file, "pass word\nmore").unwrap();
        let line = [
            "tos",
            "chain",
            "status",
            "--password-file",
            file.to_str().unwrap(),
        ];
        let global = Cli::try_parse_from(line).unwrap().global;
        assert_eq!(global.password(true).unwrap().as_str(), "pass word");
        for blank in ["", "\n", "\npass word", " \t\npass word"] {
            std::fs::write(&file, blank).unwrap();
            let error = global.password(false).err().unwrap();
            assert_eq!(error.exit_code(), 2);
            assert!(error.to_string().contains("is empty"), "{error}");
        }
    }

    #[test]
    fn an_empty_secret_signs_nothing() {
        for secret in ["", " ", "///pw", "/soft"] {
            let line = ["tos", "chain", "status", "--suri", secret];
            let global = Cli::try_parse_from(line).unwrap().global;
            for error in [global.signer().err(), global.account(&None).err()] {
                assert_eq!(error.unwrap().exit_code(), 2, "{secret}");
            }
        }
    }

    #[test]
    fn the_signer_knows_a_development_key() {
        let signer = |suri: &str| {
            let line = ["tos", "chain", "status", "--suri", suri];
            Cli::try_parse_from(line).unwrap().global.signer().unwrap()
        };
        assert!(signer("//Alice").development);
        assert!(!signer(&Keypair::generate_phrase()).development);
    }

    #[test]
    fn a_key_acts_for_the_account_that_is_named() {
        let real = AccountId32::new([7; 32]);
        let line = format!("tos miner run --solver-cmd true --suri //Alice --for {real}");
        let global = Cli::try_parse_from(line.split(' ')).unwrap().global;
        assert_eq!(global.signer().unwrap().account(), real);
        assert_eq!(global.account(&None).unwrap(), real);
        let other = AccountId32::new([8; 32]);
        assert_eq!(global.account(&Some(other.clone())).unwrap(), other);
        let line = "tos chain status --suri //Alice --for nobody --data-dir /nonexistent";
        let global = Cli::try_parse_from(line.split(' ')).unwrap().global;
        assert_eq!(global.signer().err().unwrap().exit_code(), 2);
    }

    #[test]
    fn nothing_is_signed_when_the_call_is_only_printed() {
        let line = "tos accounts add-proxy x --kind worker --suri //Alice --print-call";
        let global = Cli::try_parse_from(line.split(' ')).unwrap().global;
        let error = global.signer().err().unwrap();
        assert_eq!(error.exit_code(), 2);
        assert!(error.to_string().contains("--print-call"), "{error}");
    }
}
