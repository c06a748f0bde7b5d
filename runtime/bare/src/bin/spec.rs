// SPDX-License-Identifier: Apache-2.0

//! Prints the raw chain specification of a network that is the yardstick of load runs.
//!
//! ```sh
//! tos-bare-spec --validators 2 > bare.json
//! tos-node --chain bare.json --alice --validator
//! ```

use clap::Parser;
use tos_bare_runtime::{genesis::Network, WASM_BINARY};

/// Print the raw chain specification of a chain that only moves money.
#[derive(Parser)]
#[command(version)]
struct Arguments {
    /// Number of validators: Alice, Bob, Charlie, Dave, Eve, Ferdie, One and Two, in this order.
    #[arg(long, default_value_t = 1)]
    validators: usize,

    /// Milliseconds between two slots.
    #[arg(long, default_value_t = 2_000)]
    slot_ms: u64,
}

fn main() -> Result<(), String> {
    let Arguments {
        validators,
        slot_ms,
    } = Arguments::parse();
    let network = Network {
        validators,
        slot_ms,
    };
    let code = WASM_BINARY.ok_or("this program was built without the WASM runtime")?;
    println!("{:#}", network.specification(code)?);
    Ok(())
}
