// SPDX-License-Identifier: Apache-2.0

//! Want of memory while a block is executed.

/// Ends the process, because this machine has not the `kib` that `what` takes. Whatever else a block's execution answered would
/// differ from what other machines answer: this one would refuse right blocks, or slash an honest provider in blocks of its own.
pub(crate) fn exhausted(what: &str, kib: u32) -> ! {
    let message = format!(
        "out of memory: {what} takes {kib} KiB, which this machine has not. The node ends, because it cannot check blocks as others \
         do. Give it more memory, or stop what else runs here, and start it again"
    );
    log::error!(target: "tos::host", "{message}");
    // The log may be written by a thread that dies with the process.
    eprintln!("{message}");
    std::process::abort()
}
