// SPDX-License-Identifier: Apache-2.0

//! The memory of a dataset: aligned lines, on huge pages where the system gives them.
//!
//! Pages of 4 KiB cost the walk a miss in the TLB with almost every read; the kernel is therefore
//! asked for pages of 2 MiB.

use crate::walk::Line;
use argon2::Block;

/// Zeroed lines, from the operating system or from the allocator.
pub(crate) struct Memory(
    #[cfg(all(feature = "std", target_os = "linux"))] mapping::Mapping,
    #[cfg(not(all(feature = "std", target_os = "linux")))] alloc::vec::Vec<Line>,
);

const LINES_PER_BLOCK: usize = 16;

// A block is its 128 words and nothing else, and aligned as lines are.
const _: () = assert!(size_of::<Block>() == LINES_PER_BLOCK * size_of::<Line>());
const _: () = assert!(size_of::<Block>() == 1024 && align_of::<Block>() == align_of::<Line>());

impl Memory {
    /// So many lines of zeros; `None` where there is not so much memory.
    pub(crate) fn new(lines: usize) -> Option<Self> {
        #[cfg(all(feature = "std", target_os = "linux"))]
        return mapping::Mapping::new(lines).map(Self);
        #[cfg(not(all(feature = "std", target_os = "linux")))]
        {
            let mut memory = alloc::vec::Vec::new();
            memory.try_reserve_exact(lines).ok()?;
            memory.resize(lines, Line([0; 64]));
            Some(Self(memory))
        }
    }

    pub(crate) fn lines(&self) -> &[Line] {
        self.0.as_ref()
    }

    pub(crate) fn lines_mut(&mut self) -> &mut [Line] {
        self.0.as_mut()
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        self.lines().as_flattened_bytes()
    }

    /// The memory as the blocks of 1 KiB that Argon2 fills.
    pub(crate) fn blocks_mut(&mut self) -> &mut [Block] {
        let lines = self.lines_mut();
        let blocks = lines.len() / LINES_PER_BLOCK;
        // SAFETY: size and alignment of a block are those of sixteen lines (asserted above); a
        // block is an array of 128 u64, for which all bits are valid; `blocks` of them fit the
        // lines, which stay borrowed.
        unsafe { core::slice::from_raw_parts_mut(lines.as_mut_ptr().cast(), blocks) }
    }
}

/// Lines as bytes.
trait Flatten {
    fn as_flattened_bytes(&self) -> &[u8];
}

impl Flatten for [Line] {
    fn as_flattened_bytes(&self) -> &[u8] {
        // SAFETY: a line is 64 bytes without padding, and the slice stays borrowed.
        unsafe { core::slice::from_raw_parts(self.as_ptr().cast(), size_of_val(self)) }
    }
}

#[cfg(all(feature = "std", target_os = "linux"))]
mod mapping {
    use super::Line;
    use core::ptr::NonNull;

    /// The size of a huge page, which memory must be aligned to in order to lie on one.
    const HUGE: usize = 2 << 20;

    /// An anonymous private mapping.
    pub(crate) struct Mapping {
        base: NonNull<libc::c_void>,
        mapped: usize,
        start: NonNull<Line>,
        lines: usize,
    }

    // SAFETY: the mapping belongs to this value alone, like the buffer of a Vec.
    unsafe impl Send for Mapping {}
    // SAFETY: as above; shared references only read.
    unsafe impl Sync for Mapping {}

    impl Mapping {
        pub(crate) fn new(lines: usize) -> Option<Self> {
            let length = lines.checked_mul(size_of::<Line>())?;
            let mapped = length.checked_add(HUGE)?;
            // SAFETY: asks for new memory and touches no other.
            let base = unsafe {
                libc::mmap(
                    core::ptr::null_mut(),
                    mapped,
                    libc::PROT_READ | libc::PROT_WRITE,
                    libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
                    -1,
                    0,
                )
            };
            if base == libc::MAP_FAILED {
                return None;
            }
            let base = NonNull::new(base)?;
            let skip = base.as_ptr().align_offset(HUGE);
            // SAFETY: the offset to the next multiple of HUGE is below HUGE, the reserve mapped
            // beyond `length`.
            let start = unsafe { base.byte_add(skip) };
            // A refusal costs speed, not correctness, so the result does not matter.
            // SAFETY: the range lies in the mapping just made, which belongs to this function.
            let _ = unsafe { libc::madvise(start.as_ptr(), length, libc::MADV_HUGEPAGE) };
            Some(Self {
                base,
                mapped,
                start: start.cast(),
                lines,
            })
        }
    }

    impl AsRef<[Line]> for Mapping {
        fn as_ref(&self) -> &[Line] {
            // SAFETY: `lines` lines from `start` lie in the mapping, aligned to a page, zeroed by
            // the kernel or written since; it lives as long as `self`.
            unsafe { core::slice::from_raw_parts(self.start.as_ptr(), self.lines) }
        }
    }

    impl AsMut<[Line]> for Mapping {
        fn as_mut(&mut self) -> &mut [Line] {
            // SAFETY: as for `as_ref`, and `self` is borrowed exclusively.
            unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.lines) }
        }
    }

    impl Drop for Mapping {
        fn drop(&mut self) {
            // SAFETY: exactly what was mapped, and nothing borrows it any more.
            unsafe { libc::munmap(self.base.as_ptr(), self.mapped) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_zeroed_aligned_and_writable_to_its_ends() {
        let mut memory = Memory::new(1 << 10).unwrap();
        assert_eq!(memory.lines().len(), 1 << 10);
        assert!(memory.bytes().iter().all(|byte| *byte == 0));
        assert_eq!(memory.bytes().len(), 64 << 10);
        assert_eq!(memory.blocks_mut().len(), 64);
        memory.blocks_mut()[63].as_mut()[127] = u64::MAX;
        memory.lines_mut()[0].0[0] = 1;
        assert_eq!(memory.bytes()[0], 1);
        assert_eq!(memory.bytes()[(64 << 10) - 8..], [0xff; 8]);
    }

    #[test]
    fn more_memory_than_there_is_is_refused() {
        assert!(Memory::new(usize::MAX / 64).is_none());
        assert!(Memory::new(usize::MAX).is_none());
    }
}
