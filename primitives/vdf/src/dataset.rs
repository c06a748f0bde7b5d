// SPDX-License-Identifier: Apache-2.0

//! The dataset that the walk reads.

use crate::{backend::Backend, memory::Memory, Hash, ParamsError, VdfParams};
use argon2::{Algorithm, Argon2, ParamsBuilder, Version};

/// The reasons for which a dataset could not be built.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuildError {
    /// The parameters are out of bounds.
    Params(ParamsError),
    /// There is not so much memory.
    OutOfMemory,
    /// Argon2 refused its inputs.
    Fill,
}

impl core::fmt::Display for BuildError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Params(error) => error.fmt(f),
            Self::OutOfMemory => f.write_str("not enough memory for the dataset"),
            Self::Fill => f.write_str("Argon2 refused its inputs"),
        }
    }
}

impl core::error::Error for BuildError {}

const SALT: &[u8] = b"POSC-VDF";

/// `2^log2_lines` lines of 64 bytes that depend on an epoch's seed: memory of Argon2d.
pub struct Dataset {
    params: VdfParams,
    epoch_seed: Hash,
    memory: Memory,
    /// Available on this machine, always.
    backend: Backend,
}

impl core::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Dataset")
            .field("params", &self.params)
            .field("epoch_seed", &self.epoch_seed)
            .field("backend", &self.backend)
            .finish_non_exhaustive()
    }
}

impl Dataset {
    /// Fills the dataset: about 0.4 s of one core and 256 MiB with [`VdfParams::MAINNET`].
    pub fn build(params: &VdfParams, epoch_seed: &Hash) -> Result<Self, BuildError> {
        params.check().map_err(BuildError::Params)?;
        let lines = 1usize
            .checked_shl(params.log2_lines.into())
            .ok_or(BuildError::OutOfMemory)?;
        let mut memory = Memory::new(lines).ok_or(BuildError::OutOfMemory)?;
        fill(&mut memory, params, epoch_seed, SALT)?;
        Ok(Self {
            params: *params,
            epoch_seed: *epoch_seed,
            memory,
            backend: Backend::best(),
        })
    }

    /// The BLAKE3 hash of the bytes, computed anew: about 0.04 s for 256 MiB. If it differs from an
    /// earlier one, the machine's memory is faulty.
    pub fn root(&self) -> Hash {
        *blake3::hash(self.memory.bytes()).as_bytes()
    }

    /// The parameters it was built with.
    pub fn params(&self) -> &VdfParams {
        &self.params
    }

    /// The seed it was built from.
    pub fn epoch_seed(&self) -> &Hash {
        &self.epoch_seed
    }

    /// All lines, one after the other.
    pub fn bytes(&self) -> &[u8] {
        self.memory.bytes()
    }

    /// The backend with which this dataset is walked.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// Walks with another backend from now on; `false`, and no change, where this machine cannot.
    pub fn set_backend(&mut self, backend: Backend) -> bool {
        if !backend.is_available() {
            return false;
        }
        self.backend = backend;
        true
    }

    /// Walks `count` iterations; `None` where the iteration number would overflow.
    pub(crate) fn walk(&self, state: &mut crate::State, first: u64, count: u32) -> Option<()> {
        first.checked_add(count.into())?;
        // SAFETY: `backend` is available: `best` and `set_backend` see to it.
        unsafe { self.backend.walk(self.memory.lines(), state, first, count) };
        Some(())
    }

    /// Walks `count` iterations from each state, side by side; `None`, and no change, where an
    /// iteration number would overflow or there are more than 32 states or not as many numbers.
    pub(crate) fn walk_many(
        &self,
        states: &mut [crate::State],
        first: &[u64],
        count: u32,
    ) -> Option<()> {
        for first in first {
            first.checked_add(count.into())?;
        }
        if states.len() > crate::walk::WIDTH || states.len() != first.len() {
            return None;
        }
        // SAFETY: `backend` is available: `best` and `set_backend` see to it.
        unsafe {
            self.backend
                .walk_many(self.memory.lines(), states, first, count);
        }
        Some(())
    }
}

fn fill(
    memory: &mut Memory,
    params: &VdfParams,
    password: &[u8],
    salt: &[u8],
) -> Result<(), BuildError> {
    let cost = ParamsBuilder::new()
        .m_cost(params.memory_kib())
        .t_cost(params.passes.into())
        .p_cost(1)
        .build()
        .map_err(|_| BuildError::Fill)?;
    Argon2::new(Algorithm::Argon2d, Version::V0x13, cost)
        .fill_memory(password, salt, memory.blocks_mut())
        .map_err(|_| BuildError::Fill)?;
    // Argon2 defines its blocks as little-endian words.
    #[cfg(target_endian = "big")]
    for block in memory.blocks_mut() {
        for word in block.as_mut() {
            *word = word.to_le();
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_published_randomx_cache_words_come_out() {
        // RandomX fills its cache of 256 MiB in the same way; its tests publish three words of it.
        let mut memory = Memory::new(1 << 22).unwrap();
        fill(
            &mut memory,
            &VdfParams::MAINNET,
            b"test key 000",
            b"RandomX\x03",
        )
        .unwrap();
        let word = |i: usize| {
            let bytes = &memory.bytes()[8 * i..8 * i + 8];
            u64::from_le_bytes(bytes.try_into().unwrap())
        };
        assert_eq!(word(0), 0x191e_0e1d_23c0_2186);
        assert_eq!(word(1_568_413), 0xf1b6_2fe6_210b_f8b1);
        assert_eq!(word(33_554_431), 0x1f47_f056_d05c_d99b);
    }

    #[test]
    fn the_dataset_depends_on_seed_and_parameters() {
        let small = VdfParams {
            log2_lines: 10,
            passes: 1,
            iterations_per_slot: 320,
        };
        let root = |params: &VdfParams, seed| Dataset::build(params, &[seed; 32]).unwrap().root();
        assert_eq!(root(&small, 1), root(&small, 1));
        assert_ne!(root(&small, 1), root(&small, 2));
        assert_ne!(root(&small, 1), root(&VdfParams { passes: 2, ..small }, 1));
        let larger = VdfParams {
            log2_lines: 11,
            ..small
        };
        assert_ne!(root(&small, 1), root(&larger, 1));
    }

    #[test]
    fn parameters_out_of_bounds_build_nothing() {
        let wrong = VdfParams {
            log2_lines: 40,
            ..VdfParams::TEST
        };
        assert_eq!(
            Dataset::build(&wrong, &[0; 32]).err(),
            Some(BuildError::Params(ParamsError::Lines))
        );
    }

    #[test]
    fn a_dataset_may_be_shared_between_threads() {
        fn shared<T: Send + Sync>() {}
        shared::<Dataset>();
    }
}
