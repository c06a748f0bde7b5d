// SPDX-License-Identifier: Apache-2.0

//! The origins that referenda act with: each may do one kind of thing, so that a decision about a
//! spend need not be trusted with the whole chain.
//!
//! They exist only within a dispatch; no transaction carries one.

pub use pallet::*;

use polkadot_sdk::*;

/// Origins below root, for referenda.
#[frame_support::pallet]
pub mod pallet {
    use super::*;
    use frame_support::pallet_prelude::*;

    /// The pallet.
    #[pallet::pallet]
    pub struct Pallet<T>(_);

    /// It needs nothing.
    #[pallet::config]
    pub trait Config: polkadot_sdk::frame_system::Config {}

    /// The origins that a referendum may act as.
    #[pallet::origin]
    #[derive(Clone, Copy, PartialEq, Eq, Debug)]
    #[derive(Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo)]
    pub enum Origin {
        /// Dispatches, as root, a call that the technical committee has whitelisted.
        #[codec(index = 0)]
        WhitelistedCaller,
        /// Sets the protocol's parameters: task types, splits, schedules, certificates.
        #[codec(index = 1)]
        Parameters,
        /// Spends from the treasury.
        #[codec(index = 2)]
        Treasurer,
        /// Cancels referenda and ends pauses.
        #[codec(index = 3)]
        Emergency,
    }

    /// Defines an `EnsureOrigin` for one of the origins.
    macro_rules! ensure {
        ($(#[$doc:meta])* $name:ident => $origin:ident) => {
            $(#[$doc])*
            pub struct $name;
            impl<O> EnsureOrigin<O> for $name
            where
                O: OriginTrait + From<Origin>,
                for<'a> &'a O::PalletsOrigin: TryInto<&'a Origin>,
            {
                type Success = ();
                fn try_origin(o: O) -> Result<(), O> {
                    let caller: Option<Origin> = o.caller().try_into().ok().copied();
                    match caller {
                        Some(Origin::$origin) => Ok(()),
                        _ => Err(o),
                    }
                }
                #[cfg(feature = "runtime-benchmarks")]
                fn try_successful_origin() -> Result<O, ()> {
                    Ok(Origin::$origin.into())
                }
            }
        };
    }
    use frame_support::traits::OriginTrait;

    ensure! {
        /// The call is one that the technical committee has whitelisted.
        EnsureWhitelistedCaller => WhitelistedCaller
    }
    ensure! {
        /// The protocol's parameters were decided on.
        EnsureParameters => Parameters
    }
    ensure! {
        /// A spend was decided on.
        EnsureTreasurer => Treasurer
    }
    ensure! {
        /// An emergency measure was decided on.
        EnsureEmergency => Emergency
    }
}
