# SPDX-License-Identifier: Apache-2.0
"""Blocks with general transactions, for substrate-interface and async-substrate-interface.

Both take a general transaction (version byte 0x45) for a bare one, so that `get_block` raises for every block that holds one,
and a receipt of any other transaction in such a block raises when it is asked `is_success`, though the transaction is there.

    from substrateinterface import SubstrateInterface      # or from async_substrate_interface
    import tos_blocks

    receipt = substrate.submit_extrinsic(extrinsic, wait_for_inclusion=True)
    outcome = tos_blocks.outcome(substrate, receipt.block_hash, receipt.extrinsic_hash)
    print(outcome.success, outcome.error, outcome.events)

    for extrinsic in tos_blocks.extrinsics(substrate, block_hash):
        print(extrinsic.kind, extrinsic.hash, extrinsic.call)

`substrate` is the synchronous client of either library. The node must know the state of the block: others than archives forget
it (docs/rpc.md).
"""

import dataclasses
import hashlib

from scalecodec.base import ScaleBytes

#: The kinds of extrinsics, by the upper bits of their version byte.
BARE, GENERAL, SIGNED = "bare", "general", "signed"
KINDS = {0x00: BARE, 0x40: GENERAL, 0x80: SIGNED}
#: Format 5, general; then version 0 of the extensions, an immortal era, nonce, tip and mode of the metadata hash, all zero.
GENERAL_PREAMBLE = bytes([0x45, 0, 0, 0, 0, 0])


@dataclasses.dataclass(frozen=True)
class Extrinsic:
    """One extrinsic of a block."""

    #: The position in the block.
    index: int
    #: BLAKE2b-256 of its bytes, 0x-hex: the name that the node and explorers know it by.
    hash: str
    #: `bare`, `general` or `signed`.
    kind: str
    #: `call_module`, `call_function` and `call_args`, as the library gives them.
    call: dict


@dataclasses.dataclass(frozen=True)
class Outcome:
    """The outcome of an extrinsic that is in a block."""

    #: The position in the block.
    index: int
    #: `True` if it did what it was to do.
    success: bool
    #: The error by its name, such as `Tasks.RewardOutsideBand`; `None` after a success.
    error: str | None
    #: Its events in their order: the name, such as `Tasks.Published`, and the attributes.
    events: list[tuple[str, object]]


def extrinsics(substrate, block_hash):
    """All extrinsics of a block, decoded, as a list of `Extrinsic`."""
    raw = _raw(substrate, block_hash)
    # The library gives `None` for those that it cannot read.
    known = substrate.get_block(block_hash=block_hash, ignore_decoding_errors=True)["extrinsics"]
    found = []
    for index, (data, decoded) in enumerate(zip(raw, known, strict=True)):
        kind = _kind(data)
        call = _call_of_general(substrate, block_hash, data) if kind == GENERAL else decoded.value["call"]
        found.append(Extrinsic(index, _hash(data), kind, call))
    return found


def outcome(substrate, block_hash, extrinsic_hash):
    """The `Outcome` of an extrinsic in a block; `LookupError` if it is not in that block."""
    hashes = [_hash(data) for data in _raw(substrate, block_hash)]
    if extrinsic_hash not in hashes:
        raise LookupError(f"block {block_hash} has no extrinsic {extrinsic_hash}; is it in another one?")
    index = hashes.index(extrinsic_hash)
    events, success, error = [], False, None
    for record in substrate.get_events(block_hash=block_hash):
        record = getattr(record, "value", record)
        if record["extrinsic_idx"] != index:
            continue
        event = record["event"]
        name, attributes = f"{event['module_id']}.{event['event_id']}", event["attributes"]
        events.append((name, attributes))
        if name == "System.ExtrinsicSuccess":
            success = True
        elif name == "System.ExtrinsicFailed":
            error = _error(_metadata(substrate, block_hash), attributes["dispatch_error"])
    return Outcome(index, success, error, events)


def general(call):
    """A composed call as a general transaction, 0x-hex, for `author_submitExtrinsic`: for answers that the runtime admits without
    a sender, for the signature inside them (docs/rpc.md)."""
    body = GENERAL_PREAMBLE + bytes(call.encode().data)
    return "0x" + (_compact(len(body)) + body).hex()


def _raw(substrate, block_hash):
    """The extrinsics of a block as bytes."""
    reply = substrate.rpc_request("chain_getBlock", [block_hash])
    if reply.get("result") is None:
        raise LookupError(f"the node has no block {block_hash}")
    return [bytes.fromhex(data.removeprefix("0x")) for data in reply["result"]["block"]["extrinsics"]]


def _hash(data):
    return "0x" + hashlib.blake2b(data, digest_size=32).hexdigest()


def _body(data):
    """An extrinsic without the length in front of it."""
    return data[(1, 2, 4)[data[0] & 3]:]


def _kind(data):
    version = _body(data)[0] & 0xC0
    if version not in KINDS:
        raise ValueError(f"an extrinsic of an unknown kind: its version byte is {_body(data)[0]:#04x}")
    return KINDS[version]


def _compact(number):
    """SCALE's compact form of lengths below 2^30."""
    if number < 1 << 6:
        return (number << 2).to_bytes(1, "little")
    if number < 1 << 14:
        return (number << 2 | 1).to_bytes(2, "little")
    return (number << 2 | 2).to_bytes(4, "little")


def _metadata(substrate, block_hash):
    # One library keeps the runtime of the block and the other returns it.
    runtime = substrate.init_runtime(block_hash=block_hash)
    return runtime.metadata if runtime is not None else substrate.metadata


def _call_of_general(substrate, block_hash, data):
    metadata, types = _metadata(substrate, block_hash), substrate.runtime_config
    body = _body(data)
    if body[1] != 0:
        raise ValueError(f"version {body[1]} of the extensions is not known here")
    rest = ScaleBytes(body[2:])
    for extension in metadata.get_signed_extensions().values():
        types.create_scale_object(extension["extrinsic"], rest).decode(check_remaining=False)
    call = types.create_scale_object("Call", rest, metadata=metadata)
    # Fails where bytes are left.
    call.decode(check_remaining=True)
    return call.value


def _error(metadata, dispatch_error):
    """The name of a dispatch error."""
    if isinstance(dispatch_error, dict) and "Module" in dispatch_error:
        module = dispatch_error["Module"]
        number = module["error"]
        if isinstance(number, str):
            number = bytes.fromhex(number.removeprefix("0x"))[0]
        pallet = next(p for p in metadata.pallets if p.value["index"] == module["index"])
        return f"{pallet.value['name']}.{metadata.get_module_error(module_index=module['index'], error_index=number).name}"
    if isinstance(dispatch_error, dict):
        return ".".join(str(part) for part in next(iter(dispatch_error.items())))
    return str(dispatch_error)
