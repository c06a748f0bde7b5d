# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What the scripts of this repository share. Source it; it prints nothing by itself.
#
#   stage NAME COMMAND...   run a command, show its progress, remember how long it took
#   beside NAME FUNCTION... run functions beside one another, each as a stage with its output in one piece
#   meanwhile NAME FUNCTION...  start functions one after another, each as a stage, and go on at once
#   meanwhile_over          wait for them, show what they wrote, and fail if one failed
#   summary                 print the time of every stage
#   say / warn / die        messages
#
# It also settles where builds go and which toolchain compiles the WASM runtime, so that
#   . scripts/lib.sh && cargo build --release
# does the same on every machine.

# Outside the checkout, so that a fresh clone finds what an earlier one compiled.
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$HOME/.cache/tos-target}"

# Where `setup` puts the packages of the test harness, and where `scripts/python` finds them.
export TOS_HARNESS="${TOS_HARNESS:-$HOME/.cache/tos-harness}"

# Where `setup` puts the Python clients of others that are tested, each in an environment of its own.
export TOS_PYTHON_CLIENTS="${TOS_PYTHON_CLIENTS:-$HOME/.cache/tos-python-clients}"

# The target of the runtime's second compilation, and the name under which `setup` links the
# distribution's Rust when rustup cannot provide that target.
TOS_WASM_TARGET=wasm32v1-none
TOS_LINKED_TOOLCHAIN=debian-web

TOS_ROOT="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
export TOS_ROOT

# The runtime's WASM is the same bytes wherever it is built (docs/releases.md). Cargo does not see what the wrapper does, so
# the mark has to change with it, or what is compiled already is taken as it is.
export WASM_BUILD_CARGO_ARGS="--config 'build.rustc-wrapper=\"$TOS_ROOT/scripts/rustc-anywhere\"'"
export WASM_BUILD_RUSTFLAGS="--cfg tos_anywhere_1"

if [ -t 2 ] && [ -z "${NO_COLOR:-}" ]; then
    TOS_BOLD=$'\033[1m' TOS_RED=$'\033[31m' TOS_GREEN=$'\033[32m' TOS_OFF=$'\033[0m'
else
    TOS_BOLD='' TOS_RED='' TOS_GREEN='' TOS_OFF=''
fi

say() { printf '%s\n' "$*" >&2; }
warn() { printf '%s%s%s\n' "$TOS_RED" "$*" "$TOS_OFF" >&2; }
die() {
    warn "$*"
    exit 1
}

# Does the toolchain $1 (rustup's choice when empty) have the WASM target?
wasm_target_in() {
    local sysroot
    sysroot="$(rustc ${1:++"$1"} --print sysroot 2>/dev/null)" || return 1
    compgen -G "$sysroot/lib/rustlib/$TOS_WASM_TARGET/lib/libcore-*.rlib" >/dev/null
}

# Set WASM_BUILD_TOOLCHAIN when the target lives in a toolchain of its own. Fails when there is none.
use_wasm_toolchain() {
    if [ -n "${WASM_BUILD_TOOLCHAIN:-}" ]; then return 0; fi
    if wasm_target_in ""; then return 0; fi
    if wasm_target_in "$TOS_LINKED_TOOLCHAIN" && command -v rust-lld >/dev/null; then
        export WASM_BUILD_TOOLCHAIN="$TOS_LINKED_TOOLCHAIN"
        return 0
    fi
    return 1
}

# C++ libraries take a quarter of a cold build. clang compiles them in two thirds to four fifths of gcc's time, and OpenSSL, which
# one transport of the network needs, is the distribution's where it is installed. What a release ships is built with both
# (scripts/release-node), on the distribution that it is for.
# Called again after `setup`, which installs both: without that a first build would go by what was there before, and the next one
# would compile every crate above a C library a second time.
use_native_tools() {
    if command -v clang >/dev/null && command -v clang++ >/dev/null; then
        export CC="${CC:-clang}" CXX="${CXX:-clang++}"
    fi
    if command -v pkg-config >/dev/null && pkg-config --exists openssl; then
        export OPENSSL_NO_VENDOR="${OPENSSL_NO_VENDOR:-1}"
    fi
}
use_native_tools

# Lints while it compiles: linting by itself would compile every dependency a second time. Warnings stay warnings here;
# scripts/test takes none.
if command -v clippy-driver >/dev/null; then
    export RUSTC_WORKSPACE_WRAPPER="${RUSTC_WORKSPACE_WRAPPER-clippy-driver}"
fi

# Sourcing works before `setup` has run; `setup` itself and builds say what is missing.
use_wasm_toolchain || true

TOS_STAGES=()
TOS_STARTED=$SECONDS

_tos_clock() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

# stage NAME COMMAND...: the command's exit code is the stage's. A function runs in a shell of its own, which ends with the first
# command that fails. Call it plainly, also what calls it: within `||` or `if` a shell goes on after a failure, and the last command
# alone would count.
stage() {
    local name="$1" from=$SECONDS code=0 took errexit="$-"
    shift
    say "${TOS_BOLD}==> ${name}${TOS_OFF}"
    set +e
    (
        set -e
        false
        exit 99
    )
    [ $? -ne 99 ] || die "    ${name}: called within \`||\` or \`if\`, where failures are not seen"
    (
        set -e
        trap - EXIT
        "$@"
    )
    code=$?
    case "$errexit" in *e*) set -e ;; esac
    took="$(_tos_clock $((SECONDS - from)))"
    if [ "$code" -eq 0 ]; then
        say "${TOS_GREEN}    ${name}: done in ${took}${TOS_OFF}"
        TOS_STAGES+=("$(printf '%8s  ok      %s' "$took" "$name")")
    else
        warn "    ${name}: failed after ${took} (exit code ${code})"
        TOS_STAGES+=("$(printf '%8s  FAILED  %s' "$took" "$name")")
    fi
    return "$code"
}

# Waits until no process of a group is left, a minute at most.
group_ended() {
    local _try
    for ((_try = 0; _try < 600; _try++)); do
        kill -0 -- "-$1" 2>/dev/null || return 0
        sleep 0.1
    done
}

# beside NAME FUNCTION [NAME FUNCTION]...: what mostly waits takes as long as the longest. All run to
# their end; fails when one did.
beside() {
    local dir name number=0 finished failed=0
    local -A names=() numbers=()
    dir="$(mktemp -d)"
    set -m
    # An interrupted run leaves nothing behind. Each has a process group of its own, and time to stop what it started.
    trap 'trap - INT TERM HUP
          for _pid in "${!names[@]}"; do kill -- "-$_pid" 2>/dev/null; done
          for _pid in "${!names[@]}"; do group_ended "$_pid"; done
          rm -rf "$dir"; exit 130' INT TERM HUP
    while [ $# -gt 0 ]; do
        name="$1"
        say "${TOS_BOLD}==> ${name} (beside others)${TOS_OFF}"
        (
            TOS_STAGES=()
            trap - EXIT INT TERM HUP
            set +e
            stage "$1" "$2" >"$dir/$number.log" 2>&1
            failed=$?
            printf '%s\n' "${TOS_STAGES[0]}" >"$dir/$number.stage"
            exit "$failed"
        ) </dev/null &
        names[$!]="$name" numbers[$!]="$number"
        number=$((number + 1))
        shift 2
    done
    while [ "${#names[@]}" -gt 0 ]; do
        # What each has written counts: `wait` knows nothing any more of one that ended while another's output was shown.
        wait -n "${!names[@]}" 2>/dev/null || true
        for finished in "${!names[@]}"; do
            ! kill -0 "$finished" 2>/dev/null || continue
            number="${numbers[$finished]}"
            [ -s "$dir/$number.stage" ] || printf '%8s  FAILED  %s\n' '?' "${names[$finished]}" >"$dir/$number.stage"
            cat "$dir/$number.log" >&2
            TOS_STAGES+=("$(cat "$dir/$number.stage")")
            grep -q '^ *[0-9:]*  ok ' "$dir/$number.stage" || failed=1
            unset "names[$finished]" "numbers[$finished]"
        done
    done
    trap - INT TERM HUP
    set +m
    rm -rf "$dir"
    if [ "$failed" -ne 0 ]; then return 1; fi
}

# meanwhile NAME FUNCTION [NAME FUNCTION]...: one after another, up to the first that fails, while the script goes on; whatever else
# wants the processor comes first. One at a time; `summary` stops what is still running when the script ends early.
TOS_MEANWHILE='' TOS_MEANWHILE_LOG=''
meanwhile() {
    [ -z "$TOS_MEANWHILE" ] || die "meanwhile: called before meanwhile_over"
    TOS_MEANWHILE_LOG="$(mktemp -d)"
    touch "$TOS_MEANWHILE_LOG"/{log,stages}
    set -m
    (
        TOS_MEANWHILE=''
        trap - EXIT INT TERM HUP
        renice -n 19 "$BASHPID" >/dev/null 2>&1 || true
        set +e
        failed=0
        while [ $# -gt 0 ] && [ "$failed" -eq 0 ]; do
            TOS_STAGES=()
            stage "$1" "$2"
            failed=$?
            printf '%s\n' "${TOS_STAGES[0]}" >>"$TOS_MEANWHILE_LOG/stages"
            shift 2
        done >"$TOS_MEANWHILE_LOG/log" 2>&1
        exit "$failed"
    ) </dev/null &
    TOS_MEANWHILE=$!
    set +m
    while [ $# -gt 0 ]; do
        say "${TOS_BOLD}==> ${1} (meanwhile)${TOS_OFF}"
        shift 2
    done
}

# The last part of what was written, and every stage that ended. None of its processes is left.
_tos_end_meanwhile() {
    local line
    kill -- "-$TOS_MEANWHILE" 2>/dev/null || true
    group_ended "$TOS_MEANWHILE"
    TOS_MEANWHILE=''
    tail -n "$1" "$TOS_MEANWHILE_LOG/log" >&2
    while IFS= read -r line; do TOS_STAGES+=("$line"); done <"$TOS_MEANWHILE_LOG/stages"
    rm -rf "$TOS_MEANWHILE_LOG"
}

meanwhile_over() {
    local code=0
    wait "$TOS_MEANWHILE" || code=$?
    if [ "$code" -ne 0 ] && ! grep -q FAILED "$TOS_MEANWHILE_LOG/stages"; then
        printf '%8s  FAILED  %s\n' '?' meanwhile >>"$TOS_MEANWHILE_LOG/stages"
    fi
    _tos_end_meanwhile +1
    return "$code"
}

# The time of every stage so far. Call it at the end, or trap it on EXIT.
summary() {
    local line
    if [ -n "$TOS_MEANWHILE" ]; then
        warn "    what ran meanwhile is stopped; the end of what it wrote:"
        _tos_end_meanwhile 40
    fi
    say ""
    say "${TOS_BOLD}stages (minutes:seconds)${TOS_OFF}"
    for line in "${TOS_STAGES[@]:-}"; do
        [ -z "$line" ] || say "$line"
    done
    say "$(printf '%8s  in all' "$(_tos_clock $((SECONDS - TOS_STARTED)))")"
}
