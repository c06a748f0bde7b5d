// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! The `tos_*` methods that read the chain, made from the table of `tos_runtime_api::reads!`.
//!
//! Every method answers from one block: the best one, or the block named by `at`. A page names the
//! block it was read from; pass that block and the page's `next` to read on, and tasks published
//! meanwhile neither repeat nor hide anything.

use crate::{
    answers::{ChainStatus, Continuity, Page, Permission},
    computed, query,
};
use polkadot_sdk::*;

use std::sync::Arc;

use jsonrpsee::{
    core::{RegisterMethodError, RpcResult},
    proc_macros::rpc,
    RpcModule,
};
use sp_api::ProvideRuntimeApi;
use sp_blockchain::HeaderBackend;
use tos_runtime::{opaque::Block, AccountId, Hash};
use tos_runtime_api::shapes::*;

/// Answers from a client.
pub struct Reads<C> {
    client: Arc<C>,
}

/// The trait of an API's methods, from its reads: one read after the other moves its signature into the brackets.
macro_rules! methods {
    ([$($methods:tt)*]) => {
        /// Methods.
        #[rpc(server, namespace = "tos")]
        pub trait Methods {
            $($methods)*
        }
    };
    // With the function's own signature.
    ([$($methods:tt)*]
        $(#[$($attribute:tt)*])*
        fn $name:ident($($($argument:tt)+)?) -> $out:ty {
            json $method:tt, $text:tt $(, since $version:tt $subject:tt)?
        }
        $($rest:tt)*
    ) => {
        methods! {
            [$($methods)*
                #[doc = $text]
                #[method(name = $method, blocking)]
                fn $name(&self, $($($argument)+,)? at: Option<Hash>) -> RpcResult<$out>;
            ]
            $($rest)*
        }
    };
    // With a signature of its own.
    ([$($methods:tt)*]
        $(#[$($attribute:tt)*])*
        fn $name:ident $arguments:tt -> $out:ty {
            json $method:tt $(list $limit_:ident $first_:tt $most_:tt)? $(page $limit:ident $first:tt $most:tt)?
                $(computed)? ($($($argument:tt)+)?) -> $answer:ty, $text:tt $(, since $version:tt $subject:tt)?
        }
        $($rest:tt)*
    ) => {
        methods! {
            [$($methods)*
                #[doc = $text]
                #[method(name = $method, blocking)]
                fn $name(&self, $($($argument)+,)? at: Option<Hash>) -> RpcResult<$answer>;
            ]
            $($rest)*
        }
    };
    // Without a method.
    ($methods:tt
        $(#[$($attribute:tt)*])*
        fn $name:ident $arguments:tt -> $out:ty { $($served:tt)* }
        $($rest:tt)*
    ) => {
        methods! { $methods $($rest)* }
    };
}

/// The answer of one method. `Api` is the API that has the function, and `$subject` what a chain without it has none of.
macro_rules! answer {
    ($subject:tt fn $name:ident($($argument:ident: $ty:ty),*) -> $out:ty {
        json $method:tt, $text:tt $(, since $version:tt $what:tt)?
    }) => {
        fn $name(&self $(, $argument: $ty)*, at: Option<Hash>) -> RpcResult<$out> {
            let at = query::block(&*self.client, at)?;
            $(query::offered_since::<Api>(&*self.client, at, $version, $what)?;)?
            query::read::<Api, _, _>(&*self.client, $subject, at, |api, hash| {
                api.$name(hash $(, $argument)*)
            })
        }
    };
    ($subject:tt fn $name:ident $arguments:tt -> $out:ty {
        json $method:tt($($argument:ident: $ty:ty),*) -> $answer:ty, $text:tt
            $(, since $version:tt $what:tt)?
    }) => {
        fn $name(&self $(, $argument: $ty)*, at: Option<Hash>) -> RpcResult<$answer> {
            let at = query::block(&*self.client, at)?;
            $(query::offered_since::<Api>(&*self.client, at, $version, $what)?;)?
            let answer = query::read::<Api, _, _>(&*self.client, $subject, at, |api, hash| {
                api.$name(hash $(, $argument.into())*)
            })?;
            Ok(answer.into())
        }
    };
    ($subject:tt fn $name:ident $arguments:tt -> $out:ty {
        json $method:tt list $limit:ident $first:tt $most:tt ($($argument:ident: $ty:ty),*) -> $answer:ty, $text:tt
    }) => {
        fn $name(&self $(, $argument: $ty)*, at: Option<Hash>) -> RpcResult<$answer> {
            let at = query::block(&*self.client, at)?;
            let $limit = $limit.unwrap_or($first).clamp(1, $most);
            query::read::<Api, _, _>(&*self.client, $subject, at, |api, hash| {
                api.$name(hash $(, $argument)*)
            })
        }
    };
    ($subject:tt fn $name:ident $arguments:tt -> $out:ty {
        json $method:tt page $limit:ident $first:tt $most:tt ($($argument:ident: $ty:ty),*) -> $answer:ty, $text:tt
    }) => {
        fn $name(&self $(, $argument: $ty)*, at: Option<Hash>) -> RpcResult<$answer> {
            let at = query::block(&*self.client, at)?;
            let size = $limit.unwrap_or($first).clamp(1, $most);
            // One more than the page was asked for: it tells whether there is a next one.
            let $limit = size + 1;
            let items = query::read::<Api, _, _>(&*self.client, $subject, at, |api, hash| {
                api.$name(hash $(, $argument)*)
            })?;
            Ok(Page::new(at, size, items, |item| item.id))
        }
    };
    ($subject:tt fn $name:ident $arguments:tt -> $out:ty {
        json $method:tt computed ($($argument:ident: $ty:ty),*) -> $answer:ty, $text:tt
    }) => {
        fn $name(&self $(, $argument: $ty)*, at: Option<Hash>) -> RpcResult<$answer> {
            computed::$name(&*self.client, $subject $(, $argument)*, at)
        }
    };
    // Without a method.
    ($subject:tt fn $name:ident $arguments:tt -> $out:ty { $($served:tt)* }) => {};
}

/// Answers of all methods of one API.
macro_rules! answers {
    ($subject:tt $(
        $(#[$($attribute:tt)*])*
        fn $name:ident $arguments:tt -> $out:ty { $($served:tt)* }
    )*) => {
        $(answer! { $subject fn $name $arguments -> $out { $($served)* } })*
    };
}

macro_rules! serve {
    ($(
        $(#[doc = $doc:tt])*
        #[api_version($version:tt)]
        api $module:ident: $Api:ident $(<$account:ident>)?, $subject:tt { $($reads:tt)* }
    )*) => {
        $(
            $(#[doc = $doc])*
            mod $module {
                use super::*;
                use tos_runtime_api::$Api;

                type Api = dyn $Api<Block $(, $account)?>;

                methods! { [] $($reads)* }

                impl<C> MethodsServer for Reads<C>
                where
                    C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
                    C::Api: $Api<Block $(, $account)?>,
                {
                    answers! { $subject $($reads)* }
                }
            }
        )*

        /// Methods of all APIs, answered from `client`.
        pub fn module<C>(client: &Arc<C>) -> Result<RpcModule<()>, RegisterMethodError>
        where
            C: ProvideRuntimeApi<Block> + HeaderBackend<Block> + Send + Sync + 'static,
            $(C::Api: tos_runtime_api::$Api<Block $(, $account)?>,)*
        {
            let mut all = RpcModule::new(());
            $(
                let reads = Reads { client: Arc::clone(client) };
                all.merge($module::MethodsServer::into_rpc(reads))?;
            )*
            Ok(all)
        }
    };
}

tos_runtime_api::reads! { serve }

#[cfg(test)]
#[path = "reads_tests.rs"]
mod tests;
