// SPDX-License-Identifier: Apache-2.0

//! Reasons that content is in a store, so that what is needed no more can go.
//!
//! A *pin* is one reason: a small file `pins/HASH/REASON` in the store's folder, written before the
//! content is. Several programs use one folder, so there is a file for each reason instead of a
//! database that one of them would lock. The file of a task's pin is empty while the task goes on;
//! afterwards it holds the time at which the task was seen to be over. Content goes with its last
//! pin, and only then: what has none is not this program's to remove.

use super::{why::Why, Store};
use crate::error::{Context, Error, Result};
use std::{
    fs, io,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};
use tos_types::{json, ContentHash};

/// Folder of the pins.
const PINS: &str = "pins";
/// Locked while pins change.
const LOCK: &str = "lock";
/// Beginning of the name of a file that is being written.
const UNFINISHED: &str = ".tmp";
/// Age at which a file that is being written was left behind by a program that was killed.
const LEFT_BEHIND: Duration = Duration::from_secs(24 * 3_600);

/// A pin as it is on disk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pin {
    /// The content.
    pub hash: ContentHash,
    /// The reason.
    pub why: Why,
    /// Time at which its task was seen to be over.
    pub over: Option<SystemTime>,
}

impl Pin {
    /// `true` if something may still ask for the content.
    pub fn needed(&self) -> bool {
        match self.why {
            Why::Task(..) => self.over.is_none(),
            Why::Published | Why::Unknown => true,
            Why::Put => false,
        }
    }
}

/// Content as `tos content list` shows it.
#[derive(Clone, Debug)]
pub struct Listed {
    /// The hash that the file is named by.
    pub hash: ContentHash,
    /// Its length.
    pub size: u64,
    /// Time at which it was stored.
    pub stored: SystemTime,
    /// Reasons that it is here. None for content that older versions stored.
    pub pins: Vec<Pin>,
}

impl Listed {
    /// `true` if something may still ask for it, or nothing is known about it.
    pub fn needed(&self) -> bool {
        self.pins.is_empty() || self.pins.iter().any(Pin::needed)
    }
}

/// Keeps others from changing pins until it is dropped.
struct Locked(#[allow(dead_code)] fs::File);

impl Store {
    /// Notes a reason to keep content, before the content is stored. Content that is there already
    /// and of which nothing is known keeps that as a reason of its own.
    pub fn pin(&self, hash: &ContentHash, why: Why) -> Result<()> {
        let (folder, doing) = (self.pins_of(hash), "noting why content is kept");
        let _locked = self.lock_pins()?;
        let unknown = !folder.exists() && self.file(hash)?.is_some();
        make_folder(&folder).context(doing)?;
        if unknown && why != Why::Put {
            note(&folder, Why::Unknown).context(doing)?;
        }
        note(&folder, why).context(doing)
    }

    /// All pins.
    pub fn pins(&self) -> Result<Vec<Pin>> {
        let doing = "reading why content is kept";
        let mut all = Vec::new();
        for (name, path) in entries(&self.folder().join(PINS)).context(doing)? {
            if let Ok(hash) = crate::hex::parse_hex::<32>(&name) {
                all.extend(pins_in(&path, hash).context(doing)?);
            }
        }
        all.sort_by_key(|pin| (pin.hash, pin.why));
        Ok(all)
    }

    /// Notes that a pin's task is over since `now`. What was noted first stays.
    pub fn pin_is_over(&self, pin: &Pin, now: SystemTime) -> Result<()> {
        let doing = "noting that a task is over";
        let _locked = self.lock_pins()?;
        let path = self.pins_of(&pin.hash).join(pin.why.to_string());
        let seconds = now.duration_since(SystemTime::UNIX_EPOCH);
        let text = seconds.unwrap_or_default().as_secs().to_string();
        match over(&path).context(doing)? {
            None => crate::files::replace(&path, text.as_bytes()).context(doing),
            Some(_) => Ok(()),
        }
    }

    /// Removes a pin, and the content with its last one. Returns the bytes that this freed.
    pub fn unpin(&self, hash: &ContentHash, why: Why) -> Result<u64> {
        let folder = self.pins_of(hash);
        let _locked = self.lock_pins()?;
        match fs::remove_file(folder.join(why.to_string())) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(0),
            removed => removed.context("removing a pin")?,
        }
        // Fails while there are others in it.
        match fs::remove_dir(&folder) {
            Ok(()) => self.remove_file(hash),
            Err(_) => Ok(0),
        }
    }

    /// Removes content with all its pins. Returns the bytes that this freed.
    pub fn remove(&self, hash: &ContentHash) -> Result<u64> {
        let _locked = self.lock_pins()?;
        match fs::remove_dir_all(self.pins_of(hash)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(error).context("removing pins")
            }
            _ => self.remove_file(hash),
        }
    }

    /// All content, by hash.
    pub fn list(&self) -> Result<Vec<Listed>> {
        let doing = format!("reading {}", self.folder().display());
        let mut all = Vec::new();
        for (name, path) in entries(self.folder()).context(&doing)? {
            let Ok(hash) = crate::hex::parse_hex::<32>(&name) else {
                continue;
            };
            // Another program may remove it meanwhile.
            let Ok(found) = fs::metadata(&path) else {
                continue;
            };
            all.push(Listed {
                hash,
                size: found.len(),
                stored: found.modified().unwrap_or(SystemTime::UNIX_EPOCH),
                pins: pins_in(&self.pins_of(&hash), hash).context(&doing)?,
            });
        }
        all.sort_by_key(|listed| listed.hash);
        Ok(all)
    }

    /// Removes what programs that were killed have left half written. Returns the bytes freed.
    pub fn remove_left_behind(&self, now: SystemTime) -> Result<u64> {
        let mut freed = 0u64;
        for (name, path) in entries(self.folder()).context("content folder")? {
            let Ok(found) = fs::metadata(&path) else {
                continue;
            };
            let age = found
                .modified()
                .ok()
                .and_then(|m| now.duration_since(m).ok());
            let old = age.is_some_and(|age| age > LEFT_BEHIND);
            if name.starts_with(UNFINISHED) && found.is_file() && old {
                fs::remove_file(&path).context(path.display())?;
                freed = freed.saturating_add(found.len());
            }
        }
        Ok(freed)
    }

    fn pins_of(&self, hash: &ContentHash) -> PathBuf {
        let name = json::to_hex(hash);
        let pins = self.folder().join(PINS);
        pins.join(name.trim_start_matches("0x"))
    }

    /// Removes the file of some content, if there is one.
    fn remove_file(&self, hash: &ContentHash) -> Result<u64> {
        let path = self.path(hash);
        let size = fs::metadata(&path).map(|found| found.len());
        match fs::remove_file(&path) {
            Ok(()) => Ok(size.unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
            Err(error) => Err(Error::Failed(format!(
                "removing {}: {error}",
                path.display()
            ))),
        }
    }

    fn lock_pins(&self) -> Result<Locked> {
        let folder = self.folder().join(PINS);
        let doing = format!("locking {}", folder.display());
        make_folder(&folder).context(&doing)?;
        let mut options = fs::OpenOptions::new();
        options.write(true).create(true).truncate(false);
        let file = options.open(folder.join(LOCK)).context(&doing)?;
        file.lock().context(&doing)?;
        Ok(Locked(file))
    }
}

/// Makes a folder in one that exists: where the store itself is gone, as when its disk is not mounted,
/// another one is not begun in its place.
fn make_folder(path: &Path) -> io::Result<()> {
    match fs::create_dir(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made,
    }
}

/// Makes the file of a pin, where there is none.
fn note(folder: &Path, why: Why) -> io::Result<()> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    options.open(folder.join(why.to_string())).map(|_| ())
}

/// Entries of a folder with their names; none where it does not exist.
fn entries(folder: &Path) -> io::Result<Vec<(String, PathBuf)>> {
    let found = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        found => found?,
    };
    let named = |entry: io::Result<fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name().to_string_lossy().into(), entry.path()))
    };
    found.map(named).collect()
}

/// The pins in the folder of some content. What another version wrote is left alone, and keeps the
/// content from going.
fn pins_in(folder: &Path, hash: ContentHash) -> io::Result<Vec<Pin>> {
    let mut pins = Vec::new();
    for (name, path) in entries(folder)? {
        if let Ok(why) = name.parse() {
            let over = over(&path)?;
            pins.push(Pin { hash, why, over });
        }
    }
    pins.sort_by_key(|pin| pin.why);
    Ok(pins)
}

/// Time at which the task of a pin was seen to be over.
fn over(path: &Path) -> io::Result<Option<SystemTime>> {
    let text = crate::files::load(path)?.unwrap_or_default();
    let seconds = String::from_utf8_lossy(&text).trim().parse().ok();
    Ok(seconds.and_then(|s| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(s))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Part;
    use tos_types::TaskId;

    const TASK: Why = Why::Task(Part::Answer, [7; 8], TaskId([1; 16]));
    const OTHER: Why = Why::Task(Part::Spec, [7; 8], TaskId([2; 16]));

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(folder.path().join("content")).unwrap();
        (folder, store)
    }

    fn kept(store: &Store, bytes: &[u8], why: Why) -> ContentHash {
        let hash = tos_types::content::content_hash(bytes);
        store.pin(&hash, why).unwrap();
        store.put(bytes).unwrap()
    }

    #[test]
    fn content_goes_with_its_last_pin() {
        let (_folder, store) = store();
        let hash = kept(&store, b"an honest answer", TASK);
        store.pin(&hash, OTHER).unwrap();
        assert_eq!(store.unpin(&hash, TASK).unwrap(), 0);
        assert!(store.get(&hash).unwrap().is_some());
        assert_eq!(store.unpin(&hash, TASK).unwrap(), 0);
        assert_eq!(store.unpin(&hash, OTHER).unwrap(), 16);
        assert!(store.get(&hash).unwrap().is_none());
        assert!(store.pins().unwrap().is_empty());
        // Pinned and stored again, it is there again.
        assert_eq!(kept(&store, b"an honest answer", TASK), hash);
        assert!(store.get(&hash).unwrap().is_some());
    }

    #[test]
    fn content_of_which_nothing_was_known_outlives_the_tasks_that_need_it() {
        let (_folder, store) = store();
        let hash = store.put(b"somebody's own file").unwrap();
        assert!(store.list().unwrap()[0].needed());
        store.pin(&hash, TASK).unwrap();
        store.unpin(&hash, TASK).unwrap();
        assert!(store.get(&hash).unwrap().is_some());
        assert_eq!(store.pins().unwrap()[0].why, Why::Unknown);
        // Another version's reason, which this one cannot read, keeps content as well.
        let hash = kept(&store, b"of a later version", TASK);
        fs::write(store.pins_of(&hash).join("reason-of-2031"), b"").unwrap();
        store.unpin(&hash, TASK).unwrap();
        assert!(store.get(&hash).unwrap().is_some());
    }

    #[test]
    fn content_is_listed_with_its_reasons_and_removed_with_them() {
        let (_folder, store) = store();
        let own = kept(&store, b"put by hand", Why::Put);
        let answer = kept(&store, b"an answer", TASK);
        let listed = store.list().unwrap();
        assert_eq!(listed.len(), 2);
        let find = |hash| listed.iter().find(|l| l.hash == hash).unwrap();
        assert_eq!((find(own).size, find(own).needed()), (11, false));
        assert!(find(answer).needed());
        let pin = find(answer).pins[0].clone();
        let now = SystemTime::UNIX_EPOCH + Duration::from_secs(1_000);
        store.pin_is_over(&pin, now).unwrap();
        store.pin_is_over(&pin, SystemTime::now()).unwrap();
        let pins = store.pins().unwrap();
        let pin = pins.iter().find(|pin| pin.hash == answer).unwrap();
        assert_eq!((pin.over, pin.needed()), (Some(now), false));
        assert_eq!(store.remove(&answer).unwrap(), 9);
        assert_eq!(store.remove(&answer).unwrap(), 0);
        assert_eq!(store.list().unwrap().len(), 1);
    }

    #[test]
    fn reasons_are_read_as_they_were_written() {
        for why in [Why::Put, Why::Published, Why::Unknown, TASK, OTHER] {
            assert_eq!(why.to_string().parse(), Ok(why));
        }
        for bad in [
            "",
            "lock",
            "answer",
            "answer.07",
            "answer.0707070707070707.x",
        ] {
            assert_eq!(bad.parse::<Why>(), Err(()), "{bad}");
        }
    }

    #[test]
    fn what_a_killed_program_left_half_written_goes_after_a_day() {
        let (_folder, store) = store();
        let (_file, path) = store.incoming().unwrap().keep().unwrap();
        fs::write(&path, b"half of an ans").unwrap();
        let now = SystemTime::now();
        assert_eq!(store.remove_left_behind(now).unwrap(), 0);
        let later = now + LEFT_BEHIND + Duration::from_secs(60);
        assert_eq!(store.remove_left_behind(later).unwrap(), 14);
        assert!(!path.exists());
    }
}
