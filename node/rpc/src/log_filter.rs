// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `system_addLogFilter` and `system_resetLogFilter` for a log that is not the SDK's.

use polkadot_sdk::*;

use jsonrpsee::types::{error::INTERNAL_ERROR_CODE, ErrorObjectOwned};
use sc_rpc_api::check_if_safe;
use tos_node_logging::LogFilter;

use super::{Error, Extension};

const ADD: &str = "system_addLogFilter";
const RESET: &str = "system_resetLogFilter";

fn refusal(reason: String) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(INTERNAL_ERROR_CODE, reason, None::<()>)
}

/// Replaces the SDK's methods, which change the filter of its own log, by methods that change `filter`.
pub fn serve_log_filter(module: &mut Extension, filter: LogFilter) -> Result<(), Error> {
    for name in [ADD, RESET] {
        module.remove_method(name);
    }
    let changed = filter.clone();
    module.register_method(ADD, move |parameters, _, extensions| {
        check_if_safe(extensions)?;
        let directives: String = parameters.one()?;
        changed.add(&directives).map_err(refusal)
    })?;
    module.register_method(RESET, move |_, _, extensions| {
        check_if_safe(extensions)?;
        filter.reset().map_err(refusal)
    })?;
    Ok(())
}
