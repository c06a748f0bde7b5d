// SPDX-License-Identifier: Apache-2.0

//! `tos`: see `tos --help`.

fn main() -> std::process::ExitCode {
    tos_cli::main()
}
