// SPDX-License-Identifier: Apache-2.0

//! Lists the tasks that are open, and sends one transaction.

use std::time::Duration;
use tos_sdk::{
    amount::{about, format},
    chain::{Call, Connection, Wait},
    error::Result,
    keys::{Keypair, Scheme, Signer},
};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1);
    let chain = Connection::open(url.as_deref().unwrap_or("ws://127.0.0.1:9944")).await?;

    // Reads are of one block.
    let best = chain.best().await?;
    println!("block {}", best.number());
    for task in best.open_tasks(None, None, 20).await? {
        let free = task.max_participants.saturating_sub(task.joined);
        println!("{} pays {}, {free} free", task.id, format(task.reward));
    }

    // A key for development; those of your own come from `tos_sdk::keystore`.
    let signer = Signer {
        pair: Keypair::from_suri(Scheme::Sr25519, "//Bob")?,
        tip: 0,
        development: true,
        acts_for: None,
    };
    let call = Call::SetAutoClaim { enabled: true };
    println!("the fee is {}", about(best.fee(&call, signer.tip).await?));

    // In the chain once, or the error says what is known of it.
    let time = Duration::from_secs(60);
    let included = chain.submit(&signer, &call, Wait::Best, time).await?;
    let block = chain.at_block(included.block).await?;
    println!("paid out by itself from block {} on", block.number());
    Ok(())
}
