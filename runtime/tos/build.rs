// SPDX-License-Identifier: Apache-2.0

//! Builds the runtime a second time, for WASM, when the native build is asked for.

fn main() {
    // What lints the native build (scripts/lib.sh) is not the compiler of the WASM one.
    std::env::remove_var("RUSTC_WORKSPACE_WRAPPER");

    #[cfg(all(feature = "std", feature = "metadata-hash"))]
    substrate_wasm_builder::WasmBuilder::init_with_defaults()
        .enable_metadata_hash("TOS", 18)
        .build();

    #[cfg(all(feature = "std", not(feature = "metadata-hash")))]
    substrate_wasm_builder::WasmBuilder::build_using_defaults();
}
