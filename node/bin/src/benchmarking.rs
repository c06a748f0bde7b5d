// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The `benchmark` subcommand.

use crate::cli::Cli;
use polkadot_sdk::*;

use std::{sync::Arc, time::Duration};

use frame_benchmarking_cli::{BenchmarkCmd, ExtrinsicFactory, SUBSTRATE_REFERENCE_HARDWARE};
use sc_cli::SubstrateCli;
use sc_client_api::UsageProvider;
use sc_service::PartialComponents;
use sp_core::{crypto::Pair, Encode};
use sp_inherents::InherentDataProvider;
use sp_keyring::Sr25519Keyring;
use sp_runtime::{traits::HashingFor, OpaqueExtrinsic};
use tos_node_common::{FullClient, HostFunctions};
use tos_node_service as service;
use tos_runtime::{
    extension, opaque::Block, AccountId, Balance, BalancesCall, Runtime, RuntimeCall,
    SignedPayload, SystemCall, UncheckedExtrinsic, VERSION,
};

/// Measure what `cmd` asks for.
pub fn run(cli: &Cli, cmd: &BenchmarkCmd) -> sc_cli::Result<()> {
    cli.create_runner(cmd)?.sync_run(|config| match cmd {
        BenchmarkCmd::Pallet(cmd) => {
            cmd.run_with_spec::<HashingFor<Block>, HostFunctions>(Some(config.chain_spec))
        }
        BenchmarkCmd::Block(cmd) => {
            let PartialComponents { client, .. } = service::new_partial(&config)?;
            cmd.run(client)
        }
        BenchmarkCmd::Storage(cmd) => {
            let PartialComponents {
                client, backend, ..
            } = service::new_partial(&config)?;
            let db = backend.expose_db();
            let storage = backend.expose_storage();
            let shared_cache = backend.expose_shared_trie_cache();
            cmd.run(config, client, db, storage, shared_cache)
        }
        BenchmarkCmd::Overhead(cmd) => {
            let PartialComponents { client, .. } = service::new_partial(&config)?;
            let builder = Transactions::remarks(&client);
            cmd.run(
                config.chain_spec.name().into(),
                client,
                inherents()?,
                Vec::new(),
                &builder,
                false,
            )
        }
        BenchmarkCmd::Extrinsic(cmd) => {
            let PartialComponents { client, .. } = service::new_partial(&config)?;
            let factory = ExtrinsicFactory(vec![
                Box::new(Transactions::remarks(&client)),
                Box::new(Transactions::transfers(&client)),
            ]);
            cmd.run(client, inherents()?, Vec::new(), &factory)
        }
        BenchmarkCmd::Machine(cmd) => cmd.run(&config, SUBSTRATE_REFERENCE_HARDWARE.clone()),
    })
}

/// The inherents of the first block.
fn inherents() -> sc_cli::Result<sp_inherents::InherentData> {
    let mut data = sp_inherents::InherentData::new();
    let time = sp_timestamp::InherentDataProvider::new(Duration::ZERO.into());
    futures::executor::block_on(time.provide_inherent_data(&mut data))
        .map_err(|error| format!("inherents: {error:?}"))?;
    Ok(data)
}

/// Builds transactions of one call.
struct Transactions {
    client: Arc<FullClient>,
    /// Pallet and name of the call, in lower case.
    names: (&'static str, &'static str),
    call: RuntimeCall,
}

impl Transactions {
    /// Of calls that do nothing.
    fn remarks(client: &Arc<FullClient>) -> Self {
        Self {
            client: Arc::clone(client),
            names: ("system", "remark"),
            call: SystemCall::remark { remark: vec![] }.into(),
        }
    }

    /// Of transfers to an account of every development network.
    fn transfers(client: &Arc<FullClient>) -> Self {
        let value: Balance = 1_000_000_000_000_000;
        let dest = Sr25519Keyring::Alice.to_account_id().into();
        let call = BalancesCall::transfer_keep_alive { dest, value };
        Self {
            client: Arc::clone(client),
            names: ("balances", "transfer_keep_alive"),
            call: call.into(),
        }
    }
}

impl frame_benchmarking_cli::ExtrinsicBuilder for Transactions {
    fn pallet(&self) -> &str {
        self.names.0
    }

    fn extrinsic(&self) -> &str {
        self.names.1
    }

    fn build(&self, nonce: u32) -> Result<OpaqueExtrinsic, &'static str> {
        Ok(signed(&self.client, self.call.clone(), nonce))
    }
}

/// `call`, signed by Bob, who owns something in every development network.
fn signed(client: &FullClient, call: RuntimeCall, nonce: u32) -> OpaqueExtrinsic {
    let genesis = client.usage_info().chain.genesis_hash;
    let sender = Sr25519Keyring::Bob.pair();
    let extension = extension::<Runtime>(nonce);
    let implicit = (
        (),
        (),
        VERSION.spec_version,
        VERSION.transaction_version,
        genesis,
        genesis,
        (),
        (),
        (),
        None,
        (),
    );
    let payload = SignedPayload::from_raw(call.clone(), extension.clone(), implicit);
    let signature = payload.using_encoded(|bytes| sender.sign(bytes));
    UncheckedExtrinsic::new_signed(
        call,
        AccountId::from(sender.public()).into(),
        signature.into(),
        extension,
    )
    .into()
}
