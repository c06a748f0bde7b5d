// SPDX-License-Identifier: Apache-2.0

//! The datasets of this process: at most [`MAX_DATASETS`] for consensus, those being built, and one for
//! questions. Node and runtime share them.
//!
//! A question that needs another dataset than those of consensus must not push one of them out, or the next block waits until it is
//! built again. Questions have one place of their own, and wait for one another there: however many are asked, they take the memory
//! of one dataset.

use crate::{memory::exhausted, purpose::Purpose};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tos_vdf::{BuildError, Dataset, Hash, VdfParams};

/// The most datasets that are kept: the current epoch's and a neighbour's. Slots of the last epoch can be
/// disputed only at the beginning of an epoch, and the next epoch is fixed only at its end.
pub const MAX_DATASETS: usize = 2;

type Key = (VdfParams, Hash);

static CACHE: Cache = Cache::new();
static ASIDE: Aside = Aside::new();

/// The dataset of an epoch, built if it is not there: 0.4 s of one core and 256 MiB with real parameters.
/// Callers that ask at the same time wait for one build. To build an epoch's dataset ahead of time, ask for it.
///
/// `None` if the parameters are out of bounds or there is not enough memory.
pub fn dataset(params: &VdfParams, epoch_seed: &Hash) -> Option<Arc<Dataset>> {
    CACHE.get(params, epoch_seed, Dataset::build)
}

/// The result of `work` on the dataset of an epoch. For consensus the dataset is built and kept as by [`dataset`]; for a question it
/// comes from there if it is there, and else from the one place that questions share, without a trace in the cache.
///
/// `None` where there is no dataset for these parameters, and for a question also where there is not enough memory; for consensus
/// the process ends then.
pub(crate) fn with_dataset<T>(
    params: &VdfParams,
    epoch_seed: &Hash,
    work: impl FnOnce(&Dataset) -> T,
) -> Option<T> {
    match Purpose::current() {
        Purpose::Consensus => match dataset(params, epoch_seed) {
            Some(dataset) => Some(work(&dataset)),
            // Other machines have one.
            None if params.check().is_ok() => {
                exhausted("the dataset of an epoch", params.memory_kib())
            }
            None => None,
        },
        Purpose::Question => ASIDE.with(&CACHE, params, epoch_seed, Dataset::build, work),
    }
}

/// `true` if a dataset is there, so that [`dataset`] answers at once.
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
    /// The gate of each build under way, held by its builder.
    gates: Vec<(Key, Arc<Mutex<()>>)>,
}

impl Table {
    fn find(&mut self, key: &Key) -> Option<Arc<Dataset>> {
        let at = self.ready.iter().position(|known| is_of(known, key))?;
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

fn is_of(dataset: &Dataset, key: &Key) -> bool {
    (dataset.params(), dataset.epoch_seed()) == (&key.0, &key.1)
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

    /// A dataset that is there. It grows no younger by it.
    fn peek(&self, key: &Key) -> Option<Arc<Dataset>> {
        let table = self.lock();
        table.ready.iter().find(|known| is_of(known, key)).cloned()
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
        // Another caller may have built it while this one waited at the gate.
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

/// The one dataset that is kept for questions. Its user holds the lock, so that there never are two.
struct Aside(Mutex<Option<Dataset>>);

impl Aside {
    const fn new() -> Self {
        Self(Mutex::new(None))
    }

    fn with<T>(
        &self,
        cache: &Cache,
        params: &VdfParams,
        epoch_seed: &Hash,
        build: impl FnOnce(&VdfParams, &Hash) -> Result<Dataset, BuildError>,
        work: impl FnOnce(&Dataset) -> T,
    ) -> Option<T> {
        params.check().ok()?;
        let key = (*params, *epoch_seed);
        if let Some(found) = cache.peek(&key) {
            return Some(work(&found));
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.as_ref().is_none_or(|known| !is_of(known, &key)) {
            // The old memory goes before the new one comes.
            *kept = None;
            *kept = build(params, epoch_seed)
                .inspect_err(|error| {
                    log::warn!(
                        target: "tos::host",
                        "a question is answered with no: the dataset of {} KiB that it needs is not built: {error}",
                        params.memory_kib(),
                    );
                })
                .ok();
        }
        kept.as_ref().map(work)
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
    fn questions_leave_the_datasets_of_consensus_where_they_are() {
        let (cache, aside) = (Cache::new(), Aside::new());
        let current = cache.get(&SMALL, &[1; 32], Dataset::build).unwrap();
        let next = cache.get(&SMALL, &[2; 32], Dataset::build).unwrap();
        // An archive is asked to execute blocks of many old epochs, and of the epoch before this one.
        for seed in (3..12).chain([1]) {
            let root = aside.with(&cache, &SMALL, &[seed; 32], Dataset::build, Dataset::root);
            let right = Dataset::build(&SMALL, &[seed; 32]).unwrap().root();
            assert_eq!(root, Some(right));
        }
        let kept: Vec<_> = cache.lock().ready.clone();
        assert_eq!(kept.len(), MAX_DATASETS);
        // The order has not changed either: the one used last makes room last.
        assert!(Arc::ptr_eq(&kept[0], &next) && Arc::ptr_eq(&kept[1], &current));
    }

    #[test]
    fn however_many_questions_there_are_they_take_the_memory_of_one_dataset() {
        let (cache, aside) = (Cache::new(), Aside::new());
        let (in_use, most) = (AtomicUsize::new(0), AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for seed in 0..12 {
                let (cache, aside, in_use, most) = (&cache, &aside, &in_use, &most);
                scope.spawn(move || {
                    let build = |params: &VdfParams, seed: &Hash| {
                        most.fetch_max(in_use.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                        Dataset::build(params, seed)
                    };
                    let work = |_: &Dataset| {
                        // Long enough that another one would come in if it could.
                        std::thread::yield_now();
                        in_use.fetch_sub(1, Ordering::SeqCst);
                    };
                    aside.with(cache, &SMALL, &[seed; 32], build, work).unwrap();
                });
            }
        });
        assert_eq!(most.load(Ordering::SeqCst), 1);
        assert!(cache.lock().ready.is_empty() && cache.lock().gates.is_empty());
    }

    #[test]
    fn a_question_without_memory_is_answered_with_none_and_costs_consensus_nothing() {
        let (cache, aside) = (Cache::new(), Aside::new());
        cache.get(&SMALL, &[1; 32], Dataset::build).unwrap();
        let never = |_: &VdfParams, _: &Hash| Err(BuildError::OutOfMemory);
        assert!(aside
            .with(&cache, &SMALL, &[2; 32], never, |_| ())
            .is_none());
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
