// SPDX-License-Identifier: Apache-2.0

//! The command line.

mod accounts;
mod chain;
mod config;
mod content;
mod governance;
mod help;
mod keys;
mod lint;
mod log;
mod model;
mod multisig;
pub(crate) mod node;
mod notify;
mod parse;
mod quote;
mod rewards;
mod roles;
mod run;
mod show;
mod storage;
mod task;
mod watch;

pub(crate) use parse::type_name;

use crate::{
    chain::{Call, Connection, Included, Wait},
    config::Failure,
    error::{Context, Error, Result},
    keys::{Keypair, Scheme, Signer},
    keystore::Keystore,
    output::Output,
};
use clap::{Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use polkadot_sdk::sp_core::crypto::AccountId32;
use std::{path::PathBuf, process::ExitCode, time::Duration};
use tos_primitives::{json::to_hex, Balance};
use zeroize::Zeroizing;

/// The environment variable that may hold the keystore's password. No child process sees it.
pub const PASSWORD_VARIABLE: &str = "TOS_PASSWORD";

/// Publish tasks, solve them, judge the answers, store files and get paid, on a TOS chain.
///
/// Exit codes: 0 success; 1 failure; 2 the command line or a file it names makes no sense;
/// 3 refused by the chain; 4 no node answers; 5 timed out.
#[derive(Parser)]
#[command(name = "tos", version, propagate_version = true)]
struct Cli {
    #[command(flatten, next_help_heading = help::GLOBAL_OPTIONS)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Args)]
pub(crate) struct Global {
    /// The configuration file. [default: $XDG_CONFIG_HOME/tos/tos.toml or ~/.config/tos/tos.toml,
    /// otherwise /etc/tos/tos.toml; `/dev/null` for none]
    #[arg(long, global = true, env = "TOS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// The node to talk to.
    #[arg(
        long,
        global = true,
        env = "TOS_URL",
        default_value = "ws://127.0.0.1:9944"
    )]
    pub url: String,
    /// Print results as JSON, one value per line, and errors as JSON on stderr.
    #[arg(long, global = true)]
    json: bool,
    /// Where keys, journals and content are kept. [default: $XDG_DATA_HOME/tos or ~/.local/share/tos]
    #[arg(long, global = true, env = "TOS_DATA_DIR", value_name = "FOLDER")]
    data_dir: Option<PathBuf>,
    /// The key to sign with, by its name in the keystore.
    #[arg(
        long,
        global = true,
        env = "TOS_KEY",
        value_name = "NAME",
        conflicts_with = "suri"
    )]
    key: Option<String>,
    /// Sign with this secret instead: a phrase, a hexadecimal seed or a development key such as
    /// //Alice. Other users of this machine can see it.
    #[arg(long, global = true, value_name = "SECRET")]
    suri: Option<String>,
    /// The account to act for, as a proxy it has appointed: an address, or a key's name. The key
    /// signs and pays the fee. See docs/keys.md.
    #[arg(long = "for", global = true, value_name = "ACCOUNT")]
    acts_for: Option<String>,
    /// Print the encoded call and send nothing, so that several can sign for it
    /// (`tos accounts multisig`). For commands that send one call and do nothing else.
    #[arg(long, global = true)]
    print_call: bool,
    /// The scheme of --suri, and of keys made or imported.
    #[arg(long, global = true, value_enum, default_value_t)]
    scheme: Scheme,
    /// A file whose first line is the keystore's password. Otherwise TOS_PASSWORD, or asked for.
    #[arg(long, global = true, value_name = "FILE")]
    password_file: Option<PathBuf>,
    /// What to wait for after sending a transaction.
    #[arg(long, global = true, value_enum, default_value_t)]
    wait: Wait,
    /// How many seconds to wait for it.
    #[arg(long, global = true, default_value_t = 120, value_name = "SECONDS")]
    timeout: u64,
    /// Amount that each transaction offers the block's author beyond its fee, such as 0.01 (TOS).
    /// Transactions that offer most go first when there are more than fit into a block.
    #[arg(long, global = true, value_name = "AMOUNT", value_parser = crate::amount::parse,
        default_value = "0")]
    tip: Balance,
    /// What to log to stderr, such as `debug` or `tos_client=trace`. [default: info for workers,
    /// warn otherwise]
    #[arg(long, global = true, env = "TOS_LOG", value_name = "FILTER")]
    log: Option<String>,
    /// Log as JSON, one object per line.
    #[arg(long, global = true)]
    log_json: bool,
}

#[derive(Subcommand)]
enum Command {
    /// Keys: make, import, list, show, export and remove them.
    #[command(subcommand)]
    Keys(keys::Keys),
    /// Tasks: publish, list, show, follow, cancel and challenge them.
    #[command(subcommand)]
    Task(task::Task),
    /// Mine: register, run a solver, leave.
    #[command(subcommand)]
    Miner(roles::Miner),
    /// Judge: register, run a judge, leave.
    #[command(subcommand)]
    Validator(roles::Validator),
    /// Rewards: list and claim them.
    #[command(subcommand)]
    Rewards(rewards::Rewards),
    /// Accounts that act for others: list, appoint and dismiss proxies.
    #[command(subcommand)]
    Accounts(accounts::Accounts),
    /// The chain and its accounts.
    #[command(subcommand)]
    Chain(chain::Chain),
    /// What panels check with: tools of task types, and who plants known answers.
    #[command(subcommand)]
    Governance(governance::Governance),
    /// Content by hash: keep, get and serve it.
    #[command(subcommand)]
    Content(content::Content),
    /// Storage: pay to have files kept, or keep them, prove it and be paid.
    #[command(subcommand)]
    Storage(storage::Storage),
    /// The configuration file: write one, check it, show which values are in effect.
    #[command(subcommand)]
    Config(config::Config),
    /// Notices of the workers: try where they go.
    #[command(subcommand)]
    Notify(notify::Notify),
    /// Print a completion-friendly list of all commands.
    #[command(hide = true)]
    Commands,
}

/// Runs the program.
pub fn main() -> ExitCode {
    let parsed = crate::config::parse(
        command(),
        std::env::args_os().collect(),
        &crate::config::places(),
    );
    let parsed = parsed.and_then(|parsed| {
        let cli = Cli::from_arg_matches(&parsed.matches)?;
        Ok((cli, parsed))
    });
    let (cli, parsed) = match parsed {
        Ok(parsed) => parsed,
        Err(Failure::Clap(error, note)) => {
            // Help and version are successes; anything else is a usage error, code 2.
            let _ = error.print();
            if let Some(note) = note {
                eprintln!("\n{note}");
            }
            return ExitCode::from(if error.use_stderr() { 2 } else { 0 });
        }
        Err(Failure::File(error, json)) => {
            Output { json }.error(&error);
            return ExitCode::from(error.exit_code());
        }
    };
    let output = Output {
        json: cli.global.json,
    };
    let done = match &cli.command {
        Command::Config(command) => command.run(&cli.global, &parsed, output),
        _ => start(cli, output),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            output.error(&error);
            ExitCode::from(error.exit_code())
        }
    }
}

fn start(cli: Cli, output: Output) -> Result<()> {
    log::to_stderr(&cli.global, works(&cli.command))?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .context("starting")?;
    let done = runtime.block_on(dispatch(cli, output));
    // A thread that waits for a password or a pipe must not keep the program.
    runtime.shutdown_timeout(Duration::from_secs(1));
    done
}

async fn dispatch(cli: Cli, output: Output) -> Result<()> {
    let global = &cli.global;
    match cli.command {
        Command::Keys(command) => command.run(global, output),
        Command::Task(command) => command.run(global, output).await,
        Command::Miner(command) => command.run(global, output).await,
        Command::Validator(command) => command.run(global, output).await,
        Command::Rewards(command) => command.run(global, output).await,
        Command::Accounts(command) => command.run(global, output).await,
        Command::Chain(command) => command.run(global, output).await,
        Command::Governance(command) => command.run(global, output).await,
        Command::Content(command) => command.run(global, output).await,
        Command::Storage(command) => command.run(global, output).await,
        Command::Notify(command) => command.run(output).await,
        // Done before: it needs to know where values come from.
        Command::Config(_) => Ok(()),
        Command::Commands => {
            let list = command_list(&command(), "tos");
            output.show(&list, || list.join("\n"));
            Ok(())
        }
    }
}

/// The definition of the command line.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

fn command_list(command: &clap::Command, path: &str) -> Vec<String> {
    let mut all = Vec::new();
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        let path = format!("{path} {}", sub.get_name());
        if sub.has_subcommands() {
            all.extend(command_list(sub, &path));
        } else {
            all.push(path);
        }
    }
    all
}

/// Returns `true` for a command that goes on working and logs its progress.
fn works(command: &Command) -> bool {
    matches!(
        command,
        Command::Miner(roles::Miner::Run(_))
            | Command::Validator(roles::Validator::Run(_))
            | Command::Content(content::Content::Serve { .. })
    ) || matches!(command, Command::Storage(command) if command.works())
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
        let (scheme, secret) = match (&self.suri, &self.key) {
            (Some(suri), _) => (self.scheme, Zeroizing::new(suri.clone())),
            (None, Some(name)) => {
                let keystore = self.keystore()?;
                // A wrong name is told before a password is asked for.
                let scheme = keystore.file(name)?.scheme;
                (scheme, keystore.secret(name, &self.password(false)?)?)
            }
            (None, None) => {
                return Err(Error::Usage(
                    "say whose: --key NAME or --suri SECRET".into(),
                ))
            }
        };
        Ok(Signer {
            pair: Keypair::from_suri(scheme, &secret)?,
            tip: self.tip,
            development: Keypair::is_development(scheme, &secret),
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
        if let Ok(account) = crate::keys::parse_account(named) {
            return Ok(account);
        }
        let file = self.keystore()?.file(named).map_err(|error| {
            Error::Usage(format!("{named} is no address, and no key's name: {error}"))
        })?;
        crate::keys::parse_account(&file.address).map_err(Error::Failed)
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
                crate::keys::parse_account(&address).map_err(Error::Failed)
            }
            (None, None, None) => Err(Error::Usage(
                "say whose: an account, --key NAME or --suri SECRET".into(),
            )),
        }
    }

    /// Whether a key was named.
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
    fn time(&self) -> Duration {
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
fn first_line(path: &std::path::Path, what: &str) -> Result<Zeroizing<String>> {
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

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_help() {
        fn check(command: &clap::Command, path: &str) {
            let path = format!("{path} {}", command.get_name());
            assert!(command.get_about().is_some(), "{path}");
            for argument in command.get_arguments() {
                let builtin = ["help", "version"].contains(&argument.get_id().as_str());
                assert!(
                    builtin || argument.get_help().is_some(),
                    "{path} {}",
                    argument.get_id()
                );
            }
            command.get_subcommands().for_each(|sub| check(sub, &path));
        }
        check(&Cli::command(), "");
    }

    #[test]
    fn all_documented_commands_exist() {
        let commands = command_list(&Cli::command(), "tos");
        for wanted in [
            "keys new",
            "keys import",
            "keys list",
            "keys show",
            "keys export",
            "keys remove",
            "task publish",
            "task quote",
            "task lint",
            "task list",
            "task show",
            "task watch",
            "task cancel",
            "task challenge",
            "task crank",
            "miner register",
            "miner status",
            "miner run",
            "miner leave",
            "miner withdraw",
            "miner endorse",
            "miner unendorse",
            "miner review",
            "validator register",
            "validator status",
            "validator run",
            "validator leave",
            "validator withdraw",
            "rewards list",
            "rewards claim",
            "rewards auto-claim",
            "accounts proxies",
            "accounts add-proxy",
            "accounts remove-proxy",
            "accounts multisig address",
            "accounts multisig show",
            "accounts multisig propose",
            "accounts multisig approve",
            "accounts multisig cancel",
            "chain status",
            "chain account",
            "chain events",
            "governance parameters",
            "governance set-parameter",
            "governance set-type",
            "governance planter",
            "notify test",
            "config show",
            "config check",
            "config init",
            "content put",
            "content get",
            "content list",
            "content remove",
            "content serve",
            "storage init",
            "storage publish",
            "storage offers",
            "storage deals",
            "storage show",
            "storage status",
            "storage accept",
            "storage seal",
            "storage run",
            "storage audit",
            "storage retrieve",
            "storage verify",
            "storage exit",
            "storage leave",
            "storage top-up",
            "storage withdraw",
            "storage pause",
            "storage resume",
            "storage settle",
            "storage challenge",
        ] {
            assert!(commands.contains(&format!("tos {wanted}")), "{wanted}");
        }
    }

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
    fn every_signing_command_takes_a_tip() {
        for command in [
            "task publish --type general --difficulty beginner --reward 1 --spec f --open-for 9",
            "rewards claim",
            "miner run --solver-cmd true",
            "validator run --judge-cmd true",
            "storage run",
            "storage audit",
        ] {
            let line = format!("tos {command} --suri //Alice --tip 0.5");
            let global = Cli::try_parse_from(line.split(' ')).unwrap().global;
            assert_eq!(global.signer().unwrap().tip, tos_primitives::TOS / 2);
        }
    }

    #[test]
    fn every_worker_can_forget_the_height_it_has_seen() {
        for command in [
            "miner run --solver-cmd true",
            "validator run --judge-cmd true",
            "storage run",
            "storage audit",
        ] {
            let line = format!("tos {command} --forget-height");
            assert!(Cli::try_parse_from(line.split(' ')).is_ok(), "{command}");
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

    #[test]
    fn a_call_of_a_multisig_is_given_once() {
        let parse = |end: &str| {
            let line = format!("tos accounts multisig approve --threshold 2 --signatory a{end}");
            Cli::try_parse_from(line.split(' ')).is_ok()
        };
        assert!(parse(" --signatory b --call 0x00"));
        assert!(parse(" --signatory b --call-file f"));
        assert!(!parse(" --signatory b"));
        assert!(!parse(" --call 0x00 --call-file f"));
        assert!(!parse(" --call-hash 0x00"));
    }
}
