// SPDX-License-Identifier: Apache-2.0

//! The beacon, as nodes and clients read it.

use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use serde::{Deserialize, Serialize};
use tos_types::{
    beacon::{BeaconConfig, Slot},
    json,
};
use tos_vdf::{Hash, State, VdfParams};

/// The most records one answer of the runtime API holds, whatever the caller asks for.
pub const MAX_BEACON_RECORDS: u32 = 64;

/// An epoch that is fixed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EpochView {
    /// Its number, from 0.
    pub number: u64,
    /// The seed of its dataset.
    #[serde(with = "json::hash")]
    pub seed: Hash,
    /// The parameters of its dataset and its slots.
    pub params: VdfParams,
}

/// Entropy that goes into the start of a slot to come.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InjectionView {
    /// The slot.
    pub slot: Slot,
    /// The entropy that goes in.
    #[serde(with = "json::hash")]
    pub entropy: Hash,
}

/// The beacon after one block: all that is needed to compute the slots that follow.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BeaconView {
    /// The lengths of its periods. `params` are those of the first epoch.
    pub config: BeaconConfig,
    /// The last slot included; 0 before the first.
    pub head: Slot,
    /// The state it ends in, before anything is injected.
    #[serde(with = "json::hash")]
    pub end: State,
    /// The number of the first iteration after it.
    pub next_iteration: u64,
    /// The state the next slot starts from, entropy injected; `None` while its entropy or its epoch
    /// is not fixed.
    #[serde(with = "optional_state")]
    pub next_start: Option<State>,
    /// The window of the head.
    pub window: u64,
    /// The epochs that are fixed and not forgotten, oldest first; at most four. The last one may lie
    /// in the future.
    pub epochs: Vec<EpochView>,
    /// Entropy known now that goes into slots after the head, in their order.
    pub injections: Vec<InjectionView>,
    /// Time of the genesis slot, in milliseconds since 1970; `None` before the first slot.
    pub genesis_ms: Option<u64>,
    /// `true` if the beacon stands still, so that randomness comes from VRF outputs alone.
    pub degraded: bool,
    /// The last block that included a slot; `None` before the first.
    pub last_progress: Option<u32>,
    /// Parameters that governance set for the next epoch that is not fixed yet.
    pub next_params: Option<VdfParams>,
}

/// A slot that the chain has included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SlotRecordView {
    /// The slot.
    pub slot: Slot,
    /// The state it ends in.
    #[serde(with = "json::hash")]
    pub end: State,
    /// The Merkle root of the end states of its fine segments.
    #[serde(with = "json::hash")]
    pub fine_root: Hash,
    /// The number of its first iteration.
    pub first_iteration: u64,
    /// The block that included it.
    pub block: u32,
    /// Its output.
    #[serde(with = "json::hash")]
    pub output: Hash,
}

/// A state that may be missing, as `0x…` or `null`.
mod optional_state {
    use super::*;
    use alloc::{format, string::String};
    use serde::{de::Error as _, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(state: &Option<State>, to: S) -> Result<S::Ok, S::Error> {
        match state {
            Some(state) => to.serialize_some(&json::to_hex(state)),
            None => to.serialize_none(),
        }
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<State>, D::Error> {
        let Some(text) = Option::<String>::deserialize(from)? else {
            return Ok(None);
        };
        json::from_hex(&text)
            .and_then(|bytes| bytes.try_into().ok())
            .map(Some)
            .ok_or_else(|| D::Error::custom(format!("expected 0x and {} bytes of hex", 64)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_seeds_read_as_hex() {
        let view = BeaconView {
            config: BeaconConfig::FAST,
            head: 24,
            end: [0xab; 64],
            next_iteration: 30_720,
            next_start: None,
            window: 2,
            epochs: [EpochView {
                number: 0,
                seed: [1; 32],
                params: VdfParams::TEST,
            }]
            .to_vec(),
            injections: [InjectionView {
                slot: 25,
                entropy: [2; 32],
            }]
            .to_vec(),
            genesis_ms: Some(5),
            degraded: false,
            last_progress: Some(9),
            next_params: None,
        };
        let json = serde_json::to_value(&view).unwrap();
        assert_eq!(json["end"].as_str().unwrap().len(), 130);
        assert_eq!(json["nextIteration"], 30_720);
        assert_eq!(json["nextStart"], serde_json::Value::Null);
        assert_eq!(json["epochs"][0]["params"]["iterationsPerSlot"], 1_280);
        assert_eq!(serde_json::from_value::<BeaconView>(json).unwrap(), view);

        let started = BeaconView {
            next_start: Some([7; 64]),
            ..view
        };
        let json = serde_json::to_value(&started).unwrap();
        assert_eq!(
            serde_json::from_value::<BeaconView>(json.clone()).unwrap(),
            started
        );
        let mut short = json;
        short["nextStart"] = "0x07".into();
        assert!(serde_json::from_value::<BeaconView>(short).is_err());
    }
}
