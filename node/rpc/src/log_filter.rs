// SPDX-License-Identifier: GPL-3.0-or-later WITH Classpath-exception-2.0

//! `system_addLogFilter` and `system_resetLogFilter` for a log that is not the SDK's.

use polkadot_sdk::*;

use jsonrpsee::types::{error::INTERNAL_ERROR_CODE, ErrorObjectOwned};
use sc_rpc_api::check_if_safe;

use super::{Error, Extension};
use crate::logging::Levels;

const ADD: &str = "system_addLogFilter";
const RESET: &str = "system_resetLogFilter";

fn refusal(reason: String) -> ErrorObjectOwned {
    ErrorObjectOwned::owned(INTERNAL_ERROR_CODE, reason, None::<()>)
}

/// What the SDK's methods of these names do to its log, these do to `levels`.
pub fn change_levels(module: &mut Extension, levels: Levels) -> Result<(), Error> {
    for name in [ADD, RESET] {
        module.remove_method(name);
    }
    let changed = levels.clone();
    module.register_method(ADD, move |parameters, _, extensions| {
        check_if_safe(extensions)?;
        let directives: String = parameters.one()?;
        changed.add(&directives).map_err(refusal)
    })?;
    module.register_method(RESET, move |_, _, extensions| {
        check_if_safe(extensions)?;
        levels.reset().map_err(refusal)
    })?;
    Ok(())
}
