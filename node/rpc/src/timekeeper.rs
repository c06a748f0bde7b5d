// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The node's own part in the beacon: no read of the chain, so by hand.

use std::sync::Arc;

use jsonrpsee::{core::RpcResult, proc_macros::rpc};
use tos_node_beacon::{Beacon, Statistics};

/// The method.
#[rpc(server, namespace = "tos")]
pub trait TimekeeperApi {
    /// Slots that this node has computed and verified since it started, and its speed.
    #[method(name = "timekeeper")]
    fn timekeeper(&self) -> RpcResult<Statistics>;
}

/// Answers from the node's own beacon.
pub struct TimekeeperRpc {
    beacon: Arc<Beacon>,
}

impl TimekeeperRpc {
    /// Answers from `beacon`.
    pub fn new(beacon: Arc<Beacon>) -> Self {
        Self { beacon }
    }
}

impl TimekeeperApiServer for TimekeeperRpc {
    fn timekeeper(&self) -> RpcResult<Statistics> {
        Ok(Statistics::of(&self.beacon))
    }
}
