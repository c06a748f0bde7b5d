// SPDX-License-Identifier: Apache-2.0

//! Builds the WASM binary where it is asked for: tests and lints do without.

#[cfg(feature = "wasm")]
fn main() {
    // The builder hands this crate's features on to the WASM build, and `wasm` would bring `std` there.
    std::env::remove_var("CARGO_FEATURE_WASM");
    // As in the runtime's own script.
    std::env::remove_var("RUSTC_WORKSPACE_WRAPPER");
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}

#[cfg(not(feature = "wasm"))]
fn main() {}
