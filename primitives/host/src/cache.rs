// SPDX-License-Identifier: Apache-2.0

//! The datasets of this process: at most [`MAX_DATASETS`], and those being built. Node and runtime share
//! them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tos_vdf::{BuildError, Dataset, Hash, VdfParams};

/// The most datasets that are kept: the current epoch's and a neighbour's. Slots of the last epoch can be
/// disputed only at the beginning of an epoch, and the next epoch is fixed only at its end.
pub const MAX_DATASETS: usize = 2;

type Key = (VdfParams, Hash);

static CACHE: Cache = Cache::new();

/// The dataset of an epoch, built if it is not there: 0.4 s of one core and 256 MiB with real parameters.
/// Callers that ask at the same time wait for one build. To build an epoch's dataset ahead of time, ask for it.
///
/// `None` if the parameters are out of bounds or there is not enough memory.
pub fn dataset(params: &VdfParams, epoch_seed: &Hash) -> Option<Arc<Dataset>> {
    CACHE.get(params, epoch_seed, Dataset::build)
}

/// Whether a dataset is there, so that [`dataset`] answers at once.
pub fn is_cached(params: &VdfParams, epoch_seed: &Hash) -> bool {
    CACHE.lock().find(&(*params, *epoch_seed)).is_some()
}

/// Puts a dataset in place of the one of the same epoch, which faulty memory has spoilt. Who holds the old
/// one keeps it.
pub fn replace(dataset: Arc<Dataset>) {
    CACHE.lock().keep(dataset);
}

/// Datasets and the builds that are under way.
struct Table {
    /// The last used first.
    ready: Vec<Arc<Dataset>>,
    /// Whoever builds holds the gate.
    gates: Vec<(Key, Arc<Mutex<()>>)>,
}

impl Table {
    fn find(&mut self, key: &Key) -> Option<Arc<Dataset>> {
        let at = self
            .ready
            .iter()
            .position(|known| (known.params(), known.epoch_seed()) == (&key.0, &key.1))?;
        let found = self.ready.remove(at);
        self.ready.insert(0, Arc::clone(&found));
        Some(found)
    }

    fn keep(&mut self, dataset: Arc<Dataset>) {
        self.ready.retain(|known| {
            (known.params(), known.epoch_seed()) != (dataset.params(), dataset.epoch_seed())
        });
        self.ready.insert(0, dataset);
        self.ready.truncate(MAX_DATASETS);
    }

    fn gate(&mut self, key: &Key) -> Arc<Mutex<()>> {
        if let Some((_, gate)) = self.gates.iter().find(|(known, _)| known == key) {
            return Arc::clone(gate);
        }
        let gate = Arc::default();
        self.gates.push((*key, Arc::clone(&gate)));
        gate
    }
}

struct Cache(Mutex<Table>);

impl Cache {
    const fn new() -> Self {
        Self(Mutex::new(Table {
            ready: Vec::new(),
            gates: Vec::new(),
        }))
    }

    /// The table is consistent whenever it is not locked, so a panic elsewhere does not spoil it.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(
        &self,
        params: &VdfParams,
        epoch_seed: &Hash,
        build: impl Fn(&VdfParams, &Hash) -> Result<Dataset, BuildError>,
    ) -> Option<Arc<Dataset>> {
        params.check().ok()?;
        let key = (*params, *epoch_seed);
        let gate = {
            let mut table = self.lock();
            if let Some(found) = table.find(&key) {
                return Some(found);
            }
            table.gate(&key)
        };
        let _building = gate.lock().unwrap_or_else(PoisonError::into_inner);
        // Somebody else may have built it while this caller waited at the gate.
        if let Some(found) = self.lock().find(&key) {
            return Some(found);
        }
        // A node that builds the next epoch's dataset holds two; it need not hold a mask as well.
        crate::sealing::release();
        let built = build(params, epoch_seed).or_else(|error| match error {
            BuildError::OutOfMemory => {
                self.lock().ready.clear();
                build(params, epoch_seed)
            }
            error => Err(error),
        });
        let mut table = self.lock();
        table.gates.retain(|(known, _)| *known != key);
        match built {
            Ok(dataset) => {
                let dataset = Arc::new(dataset);
                table.keep(Arc::clone(&dataset));
                Some(dataset)
            }
            Err(error) => {
                drop(table);
                log::error!(
                    target: "tos::host",
                    "this machine cannot follow the beacon: the dataset of {} KiB is not built: {error}",
                    params.memory_kib(),
                );
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};

    const SMALL: VdfParams = VdfParams {
        log2_lines: 10,
        passes: 1,
        iterations_per_slot: 320,
    };

    #[test]
    fn a_dataset_is_built_once_however_many_ask_at_the_same_time() {
        let (cache, builds) = (Cache::new(), AtomicUsize::new(0));
        let build = |params: &VdfParams, seed: &Hash| {
            builds.fetch_add(1, Ordering::SeqCst);
            std::thread::sleep(std::time::Duration::from_millis(30));
            Dataset::build(params, seed)
        };
        let roots: Vec<Hash> = std::thread::scope(|scope| {
            let askers: Vec<_> = (0..8)
                .map(|_| scope.spawn(|| cache.get(&SMALL, &[1; 32], build).unwrap().root()))
                .collect();
            askers.into_iter().map(|it| it.join().unwrap()).collect()
        });
        assert_eq!(builds.load(Ordering::SeqCst), 1);
        let fresh = Dataset::build(&SMALL, &[1; 32]).unwrap().root();
        assert!(roots.iter().all(|root| *root == fresh));
        assert!(cache.lock().gates.is_empty());
    }

    #[test]
    fn the_one_used_longest_ago_makes_room() {
        let cache = Cache::new();
        let get = |seed| cache.get(&SMALL, &[seed; 32], Dataset::build).unwrap();
        let one = get(1);
        get(2);
        assert!(Arc::ptr_eq(&one, &get(1)));
        get(3);
        assert_eq!(cache.lock().ready.len(), MAX_DATASETS);
        assert!(Arc::ptr_eq(&one, &get(1)));
        assert!(cache.lock().find(&(SMALL, [2; 32])).is_none());
    }

    #[test]
    fn the_same_seed_with_other_parameters_is_another_dataset() {
        let cache = Cache::new();
        let longer = VdfParams {
            iterations_per_slot: 640,
            ..SMALL
        };
        let short = cache.get(&SMALL, &[1; 32], Dataset::build).unwrap();
        let long = cache.get(&longer, &[1; 32], Dataset::build).unwrap();
        assert_eq!((short.params(), long.params()), (&SMALL, &longer));
    }

    #[test]
    fn want_of_memory_gives_up_what_is_cached_and_tries_again() {
        let cache = Cache::new();
        cache.get(&SMALL, &[1; 32], Dataset::build).unwrap();
        let tries = AtomicUsize::new(0);
        let build = |params: &VdfParams, seed: &Hash| match tries.fetch_add(1, Ordering::SeqCst) {
            0 => Err(BuildError::OutOfMemory),
            _ => Dataset::build(params, seed),
        };
        assert!(cache.get(&SMALL, &[2; 32], build).is_some());
        assert_eq!(cache.lock().ready.len(), 1);
        let never = |_: &VdfParams, _: &Hash| Err(BuildError::OutOfMemory);
        assert!(cache.get(&SMALL, &[3; 32], never).is_none());
        assert!(cache.lock().gates.is_empty());
    }

    #[test]
    fn a_spoilt_dataset_is_replaced() {
        let cache = Cache::new();
        let spoilt = cache.get(&SMALL, &[1; 32], Dataset::build).unwrap();
        let sound = Arc::new(Dataset::build(&SMALL, &[1; 32]).unwrap());
        cache.lock().keep(Arc::clone(&sound));
        let found = cache.get(&SMALL, &[1; 32], Dataset::build).unwrap();
        assert!(Arc::ptr_eq(&sound, &found) && !Arc::ptr_eq(&spoilt, &found));
        assert_eq!(cache.lock().ready.len(), 1);
    }

    #[test]
    fn impossible_parameters_build_nothing() {
        let wrong = VdfParams {
            log2_lines: 63,
            ..SMALL
        };
        assert!(dataset(&wrong, &[0; 32]).is_none());
        assert!(!is_cached(&wrong, &[0; 32]));
    }
}
