// SPDX-License-Identifier: Apache-2.0

//! The same walk on different CPUs. Every backend gives the same bits.

mod portable;

#[cfg(target_arch = "aarch64")]
mod armv8;
#[cfg(target_arch = "x86_64")]
mod x86_aes;
#[cfg(target_arch = "x86_64")]
mod x86_vaes;

use crate::{walk::Line, State};

/// The implementations of the permutation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Backend {
    /// Tables; every CPU.
    Portable,
    /// AES-NI on x86-64: one lane to a register.
    AesNi,
    /// VAES with AVX-512 on x86-64: a whole state to a register.
    Vaes,
    /// The AES instructions of ARMv8.
    Armv8,
}

/// Makes the functions through which a backend is called: the shared loops, compiled for the CPU
/// features that it needs.
macro_rules! entry_points {
    ($lanes:ty $(, $features:literal)?) => {
        /// # Safety
        ///
        /// The CPU has the features of the backend.
        $(#[target_feature(enable = $features)])?
        pub(crate) unsafe fn permute(state: &crate::State) -> crate::State {
            // SAFETY: the condition of this function.
            unsafe { crate::walk::permute::<$lanes>(state) }
        }

        /// # Safety
        ///
        /// The CPU has the features of the backend.
        $(#[target_feature(enable = $features)])?
        pub(crate) unsafe fn walk(
            lines: &[crate::walk::Line],
            state: &mut crate::State,
            first: u64,
            iterations: u32,
        ) {
            // SAFETY: the condition of this function.
            unsafe { crate::walk::walk::<$lanes>(lines, state, first, iterations) }
        }

        /// # Safety
        ///
        /// The CPU has the features of the backend.
        $(#[target_feature(enable = $features)])?
        pub(crate) unsafe fn walk_many(
            lines: &[crate::walk::Line],
            states: &mut [crate::State],
            first: &[u64],
            iterations: u32,
        ) {
            // SAFETY: the condition of this function.
            unsafe { crate::walk::walk_many::<$lanes>(lines, states, first, iterations) }
        }
    };
}
pub(crate) use entry_points;

/// `true` if the CPU has a feature: asked of the CPU with `std`, else what the crate is compiled
/// for.
#[cfg(all(feature = "std", target_arch = "x86_64"))]
macro_rules! has {
    ($feature:tt) => {
        std::arch::is_x86_feature_detected!($feature)
    };
}
#[cfg(all(feature = "std", target_arch = "aarch64"))]
macro_rules! has {
    ($feature:tt) => {
        std::arch::is_aarch64_feature_detected!($feature)
    };
}
#[cfg(all(not(feature = "std"), any(target_arch = "x86_64", target_arch = "aarch64")))]
macro_rules! has {
    ($feature:tt) => {
        cfg!(target_feature = $feature)
    };
}

/// Calls the function of a backend with this name. It is unsafe: the backend has to be available.
macro_rules! call {
    ($backend:expr, $function:ident($($argument:ident),*)) => {
        match $backend {
            #[cfg(target_arch = "x86_64")]
            Backend::AesNi => x86_aes::$function($($argument),*),
            #[cfg(target_arch = "x86_64")]
            Backend::Vaes => x86_vaes::$function($($argument),*),
            #[cfg(target_arch = "aarch64")]
            Backend::Armv8 => armv8::$function($($argument),*),
            _ => portable::$function($($argument),*),
        }
    };
}

impl Backend {
    /// All backends, the fastest first.
    pub const ALL: [Self; 4] = [Self::Vaes, Self::AesNi, Self::Armv8, Self::Portable];

    /// `true` if this machine can run it.
    pub fn is_available(self) -> bool {
        match self {
            Self::Portable => true,
            #[cfg(target_arch = "x86_64")]
            Self::AesNi => has!("aes"),
            #[cfg(target_arch = "x86_64")]
            Self::Vaes => has!("avx512f") && has!("vaes"),
            #[cfg(target_arch = "aarch64")]
            Self::Armv8 => has!("aes") && has!("neon"),
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }

    /// The fastest backend of this machine.
    pub fn best() -> Self {
        Self::ALL
            .into_iter()
            .find(|backend| backend.is_available())
            .unwrap_or(Self::Portable)
    }

    /// The permutation of Haraka-512 v2; `None` where the backend is not available.
    pub fn permute(self, state: &State) -> Option<State> {
        if !self.is_available() {
            return None;
        }
        // SAFETY: the backend is available, as just checked.
        Some(unsafe { call!(self, permute(state)) })
    }

    /// See [`crate::walk::walk`].
    ///
    /// # Safety
    ///
    /// The backend is available.
    pub(crate) unsafe fn walk(self, lines: &[Line], state: &mut State, first: u64, count: u32) {
        // SAFETY: the condition of this function.
        unsafe { call!(self, walk(lines, state, first, count)) }
    }

    /// See [`crate::walk::walk_many`].
    ///
    /// # Safety
    ///
    /// The backend is available.
    pub(crate) unsafe fn walk_many(
        self,
        lines: &[Line],
        states: &mut [State],
        first: &[u64],
        count: u32,
    ) {
        // SAFETY: the condition of this function.
        unsafe { call!(self, walk_many(lines, states, first, count)) }
    }
}
