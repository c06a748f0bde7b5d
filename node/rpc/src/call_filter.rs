// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `--rpc-call-allow`: the functions of the runtime that strangers may have executed.
//!
//! `state_call` and methods like it execute any function by its name. Some execute whole blocks, or make the state of a new chain; only
//! this node and its operator have a use for those, and each costs what a block costs. Callers that may use unsafe methods have all.

use polkadot_sdk::*;
use std::sync::Arc;

use futures::{future, FutureExt};
use jsonrpsee::{
    types::{ErrorObjectOwned, Id, Params},
    Extensions, MethodCallback, MethodResponse, RpcModule,
};
use sc_rpc_api::DenyUnsafe;
use serde::{de::IgnoredAny, Deserialize};

use super::pattern::Pattern;

/// The code of the error for a function that is not served.
const NOT_SERVED: i32 = 1_009;
/// The code of JSON-RPC for parameters that are none.
const INVALID_PARAMS: i32 = -32_602;

/// Functions that wallets, explorers and clients ask for; a chain need not have all of them.
const SERVED: &str = "AccountNonceApi_*,AuthorityDiscoveryApi_*,BabeApi_configuration,BabeApi_current_epoch,BabeApi_current_epoch_start,\
    BabeApi_next_epoch,BeaconApi_*,Core_version,GrandpaApi_current_set_id,GrandpaApi_grandpa_authorities,Metadata_*,\
    SessionKeys_decode_session_keys,StorageApi_*,TaggedTransactionQueue_validate_transaction,TosApi_*,TransactionPaymentApi_*,\
    TransactionPaymentCallApi_*";

/// Methods that execute a function of the runtime, the position of its name among the parameters, and what that is called where they
/// have names.
const METHODS: [(&str, usize, &str); 4] = [
    ("state_call", 0, "name"),
    ("state_callAt", 0, "name"),
    ("archive_v1_call", 1, "function"),
    ("chainHead_v1_call", 2, "function"),
];

/// Filter of the runtime's functions that are served.
#[derive(Clone, Debug, clap::Args)]
pub struct CallFilter {
    /// Execute no other functions of the runtime than these for `state_call`, `chainHead_v1_call` and `archive_v1_call`, unless the
    /// caller may use unsafe methods: a name, or the beginning of names and a star. Several by commas or by repetition.
    #[arg(long, value_name = "FUNCTION", value_delimiter = ',', default_value = SERVED)]
    pub rpc_call_allow: Vec<Pattern>,
}

impl Default for CallFilter {
    fn default() -> Self {
        let patterns = SERVED.split(',').map(str::trim).map(str::parse);
        Self {
            rpc_call_allow: patterns.filter_map(Result::ok).collect(),
        }
    }
}

/// The function that parameters name.
fn function(params: &Params<'_>, position: usize, name: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Named {
        name: Option<String>,
        function: Option<String>,
    }
    if params.is_object() {
        let named: Named = params.parse().ok()?;
        return if name == "name" {
            named.name
        } else {
            named.function
        };
    }
    let mut sequence = params.sequence();
    for _ in 0..position {
        sequence.next::<IgnoredAny>().ok()?;
    }
    sequence.next().ok()
}

impl CallFilter {
    /// Error of a call that is refused; `None` if it is served.
    fn refusal(
        &self,
        params: &Params<'_>,
        extensions: &Extensions,
        position: usize,
        name: &str,
    ) -> Option<ErrorObjectOwned> {
        // The server says of every request whether it may use unsafe methods.
        if matches!(extensions.get::<DenyUnsafe>(), Some(DenyUnsafe::No)) {
            return None;
        }
        let refuse = |code, text| Some(ErrorObjectOwned::owned(code, text, None::<()>));
        let Some(function) = function(params, position, name) else {
            return refuse(
                INVALID_PARAMS,
                "the parameters name no function of the runtime".to_owned(),
            );
        };
        if self.rpc_call_allow.iter().any(|it| it.fits(&function)) {
            return None;
        }
        refuse(
            NOT_SERVED,
            format!(
                "this node does not execute {function:?} for the public; its operator allows functions by --rpc-call-allow"
            ),
        )
    }

    /// Puts the filter before the methods of `module` that execute functions.
    pub fn guard(&self, module: &mut RpcModule<()>) -> Result<(), String> {
        let filter = Arc::new(self.clone());
        for (method, position, name) in METHODS {
            let Some(callback) = module.remove_method(method) else {
                continue;
            };
            let guarded = guarded(Arc::clone(&filter), callback, position, name);
            module
                .verify_and_insert(method, guarded)
                .map_err(|error| error.to_string())?;
        }
        Ok(())
    }
}

fn guarded(
    filter: Arc<CallFilter>,
    callback: MethodCallback,
    position: usize,
    name: &'static str,
) -> MethodCallback {
    match callback {
        MethodCallback::Sync(inner) => MethodCallback::Sync(Arc::new(
            move |id: Id<'_>, params: Params<'_>, size, extensions: Extensions| match filter
                .refusal(&params, &extensions, position, name)
            {
                None => inner(id, params, size, extensions),
                Some(error) => MethodResponse::error(id, error),
            },
        )),
        MethodCallback::Async(inner) => MethodCallback::Async(Arc::new(
            move |id: Id<'static>,
                  params: Params<'static>,
                  connection,
                  size,
                  extensions: Extensions| {
                match filter.refusal(&params, &extensions, position, name) {
                    None => inner(id, params, connection, size, extensions),
                    Some(error) => future::ready(MethodResponse::error(id, error)).boxed(),
                }
            },
        )),
        // No subscription executes a function by its name.
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{json, value::RawValue};

    /// Methods as the SDK has them, blocking and not, which answer with the function they would execute.
    fn module(filter: &CallFilter, unsafe_methods: DenyUnsafe) -> RpcModule<()> {
        let mut module = RpcModule::new(());
        module
            .register_blocking_method("state_call", |params, _, _| named(&params, 0))
            .expect("registers");
        module
            .register_alias("state_callAt", "state_call")
            .expect("registers");
        module
            .register_method("chainHead_v1_call", |params, _, _| named(&params, 2))
            .expect("registers");
        module
            .register_method("system_name", |_, _, _| "TOS")
            .expect("registers");
        filter.guard(&mut module).expect("guards");
        module.extensions_mut().insert(unsafe_methods);
        module
    }

    fn named(params: &Params<'_>, position: usize) -> String {
        let name = if position == 0 { "name" } else { "function" };
        function(params, position, name).expect("the guard has let it through")
    }

    /// The answer, or the code of the error.
    async fn ask(
        module: &RpcModule<()>,
        method: &str,
        params: serde_json::Value,
    ) -> Result<String, i64> {
        let params: Box<RawValue> = serde_json::value::to_raw_value(&params).expect("JSON");
        let request =
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{params}}}"#);
        let (reply, _) = module.raw_json_request(&request, 1).await.expect("JSON");
        let reply: serde_json::Value = serde_json::from_str(&reply).expect("JSON");
        match reply["result"].as_str() {
            Some(result) => Ok(result.to_owned()),
            None => Err(reply["error"]["code"].as_i64().expect("an error")),
        }
    }

    #[tokio::test]
    async fn the_public_executes_what_wallets_need_and_no_blocks() {
        let module = module(&CallFilter::default(), DenyUnsafe::Yes);
        for served in [
            "TosApi_chain",
            "Metadata_metadata_at_version",
            "AccountNonceApi_account_nonce",
        ] {
            for method in ["state_call", "state_callAt"] {
                assert_eq!(
                    ask(&module, method, json!([served, "0x"])).await,
                    Ok(served.into())
                );
            }
            let params = json!(["subscription", "0x00", served, "0x"]);
            assert_eq!(
                ask(&module, "chainHead_v1_call", params).await,
                Ok(served.into())
            );
        }
        let refused = Err(i64::from(NOT_SERVED));
        for name in [
            "Core_execute_block",
            "GenesisBuilder_build_state",
            "BlockBuilder_apply_extrinsic",
            "RuntimeViewFunction_execute_view_function",
            "tosApi_chain",
        ] {
            for method in ["state_call", "state_callAt"] {
                assert_eq!(ask(&module, method, json!([name, "0x"])).await, refused);
                assert_eq!(
                    ask(&module, method, json!({ "name": name, "bytes": "0x" })).await,
                    refused
                );
            }
            let params = json!(["subscription", "0x00", name, "0x"]);
            assert_eq!(ask(&module, "chainHead_v1_call", params).await, refused);
        }
        assert_eq!(
            ask(&module, "system_name", json!([])).await,
            Ok("TOS".into())
        );
    }

    #[tokio::test]
    async fn parameters_that_name_no_function_reach_nobody() {
        let module = module(&CallFilter::default(), DenyUnsafe::Yes);
        let invalid = Err(i64::from(INVALID_PARAMS));
        for params in [json!([]), json!([7]), json!({ "function": "TosApi_chain" })] {
            assert_eq!(ask(&module, "state_call", params).await, invalid);
        }
        let short = json!(["subscription", "0x00"]);
        assert_eq!(ask(&module, "chainHead_v1_call", short).await, invalid);
    }

    #[tokio::test]
    async fn the_operator_executes_everything_and_may_allow_more_or_less() {
        let own = module(&CallFilter::default(), DenyUnsafe::No);
        let block = json!(["Core_execute_block", "0x"]);
        assert_eq!(
            ask(&own, "state_call", block.clone()).await,
            Ok("Core_execute_block".into())
        );
        let core = CallFilter {
            rpc_call_allow: vec!["Core_*".parse().expect("a pattern")],
        };
        let public = module(&core, DenyUnsafe::Yes);
        assert_eq!(
            ask(&public, "state_call", block).await,
            Ok("Core_execute_block".into())
        );
        let chain = json!(["TosApi_chain", "0x"]);
        assert_eq!(
            ask(&public, "state_call", chain).await,
            Err(i64::from(NOT_SERVED))
        );
    }

    #[test]
    fn every_function_of_the_list_is_a_pattern() {
        let listed = SERVED.split(',').count();
        assert_eq!(CallFilter::default().rpc_call_allow.len(), listed);
        assert!(listed > 15);
    }
}
