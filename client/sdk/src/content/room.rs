// SPDX-License-Identifier: Apache-2.0

//! A bound on what content of others takes on the disk.

use super::{Listed, Store, Why};
use crate::error::{Error, Result};

impl Store {
    /// Makes room for so many bytes within `limit`: content of tasks that are over goes before its
    /// time, what has been over for longest first.
    ///
    /// # Errors
    /// Content that is still needed, or was never for the program to remove, leaves no room.
    pub fn make_room(&self, bytes: u64, limit: u64) -> Result<()> {
        let mut all = self.list()?;
        let mut used = all.iter().map(|l| l.size).fold(0, u64::saturating_add);
        let fits = |used: u64| used.saturating_add(bytes) <= limit;
        if fits(used) {
            return Ok(());
        }
        all.retain(is_over);
        all.sort_by_key(|listed| listed.pins.iter().filter_map(|pin| pin.over).max());
        for listed in all {
            if fits(used) {
                return Ok(());
            }
            for pin in &listed.pins {
                used = used.saturating_sub(self.unpin(&pin.hash, pin.why)?);
            }
        }
        match fits(used) {
            true => Ok(()),
            false => Err(Error::Failed(format!(
                "content takes {used} bytes, and {bytes} more do not fit into the {limit} of \
                 --content-limit: raise it, or look with `tos content list` for what can go"
            ))),
        }
    }
}

/// `true` if content is here for tasks alone, and all of them are over.
fn is_over(listed: &Listed) -> bool {
    let over = |pin: &super::Pin| matches!(pin.why, Why::Task(..)) && pin.over.is_some();
    !listed.pins.is_empty() && listed.pins.iter().all(over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{content::Part, testing::content_store};
    use std::time::{Duration, SystemTime};
    use tos_types::{content::content_hash, TaskId};

    #[test]
    fn room_is_made_of_what_is_over_for_longest_and_of_nothing_else() {
        let (_folder, store) = content_store();
        let time = |seconds| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
        let put = |number: u8, why: &[Why], over: Option<u64>| {
            let bytes = [number; 100];
            let hash = content_hash(&bytes);
            why.iter().for_each(|why| store.pin(&hash, *why).unwrap());
            store.put(&bytes).unwrap();
            for pin in store.pins().unwrap().iter().filter(|pin| pin.hash == hash) {
                if let (Why::Task(..), Some(over)) = (pin.why, over) {
                    store.pin_is_over(pin, time(over)).unwrap();
                }
            }
            hash
        };
        let task = |number| Why::Task(Part::Answer, [7; 8], TaskId([number; 16]));
        let late = put(1, &[task(1)], Some(2_000));
        let early = put(2, &[task(2)], Some(1_000));
        let open = put(3, &[task(3)], None);
        let own = put(4, &[task(4), Why::Put], Some(500));
        let unknown = put(5, &[], None);
        assert!(store.make_room(100, 600).is_ok());
        assert_eq!(store.list().unwrap().len(), 5);
        store.make_room(100, 500).unwrap();
        let left = |store: &Store| -> Vec<_> {
            let all = [late, early, open, own, unknown].into_iter();
            all.filter(|hash| store.get(hash).unwrap().is_some())
                .collect()
        };
        assert_eq!(left(&store), [late, open, own, unknown]);
        let error = store.make_room(200, 400).unwrap_err().to_string();
        assert!(error.contains("--content-limit"), "{error}");
        assert_eq!(left(&store), [open, own, unknown]);
    }
}
