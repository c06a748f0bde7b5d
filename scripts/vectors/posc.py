# SPDX-License-Identifier: Apache-2.0
"""Slow, independent versions of the primitives under the beacon and the storage proofs.

BLAKE3 (hash, XOF, key derivation), Argon2d (RFC 9106) and the permutation of Haraka-512 v2, from their
published descriptions, in the Python standard library alone. They share no code with the Rust crates; the
scripts beside this one make test vectors with them, and `self_check` compares them with published values.

    blake3(data, length=32)                      BLAKE3 hash; a longer length is its XOF
    blake3_keyed(key, data, length=32)           keyed hash
    blake3_derive_key(context, material, length=32)
    argon2d_fill(password, salt, kib, passes)    the memory of Argon2d with one lane and tag length 0, kib * 1024 bytes
    argon2d_tag(...)                             a whole Argon2d, for the vector of the RFC
    haraka512_permute(state)                     64 bytes to 64 bytes: five rounds of 2 AESENC per lane and MIX4
    haraka512(message)                           the published hash of 64 bytes, for its vector
"""

import hashlib
import struct

M32 = 0xFFFFFFFF
M64 = 0xFFFFFFFFFFFFFFFF

# ---------------------------------------------------------------------------------------------
# BLAKE3

IV = [
    0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A,
    0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19,
]  # fmt: skip
PERMUTATION = [2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8]
CHUNK_START, CHUNK_END, PARENT, ROOT = 1, 2, 4, 8
KEYED_HASH, DERIVE_KEY_CONTEXT, DERIVE_KEY_MATERIAL = 16, 32, 64
CHUNK_LEN = 1024
# The word order of each of the seven rounds.
SCHEDULE = [list(range(16))]
while len(SCHEDULE) < 7:
    SCHEDULE.append([SCHEDULE[-1][i] for i in PERMUTATION])
MIXES = [
    (0, 4, 8, 12), (1, 5, 9, 13), (2, 6, 10, 14), (3, 7, 11, 15),
    (0, 5, 10, 15), (1, 6, 11, 12), (2, 7, 8, 13), (3, 4, 9, 14),
]  # fmt: skip


def _compress(cv, words, counter, length, flags):
    """The sixteen output words."""
    v = cv[:8] + IV[:4] + [counter & M32, counter >> 32, length, flags]
    for order in SCHEDULE:
        for i, (ia, ib, ic, id_) in enumerate(MIXES):
            a, b, c, d = v[ia], v[ib], v[ic], v[id_]
            a = (a + b + words[order[2 * i]]) & M32
            d ^= a
            d = (d >> 16) | (d << 16) & M32
            c = (c + d) & M32
            b ^= c
            b = (b >> 12) | (b << 20) & M32
            a = (a + b + words[order[2 * i + 1]]) & M32
            d ^= a
            d = (d >> 8) | (d << 24) & M32
            c = (c + d) & M32
            b ^= c
            b = (b >> 7) | (b << 25) & M32
            v[ia], v[ib], v[ic], v[id_] = a, b, c, d
    return [v[i] ^ v[i + 8] for i in range(8)] + [v[i + 8] ^ cv[i] for i in range(8)]


class _Node:
    """A node whose compression waits until it is known whether it is the root."""

    def __init__(self, cv, words, counter, length, flags):
        self.cv, self.words, self.counter, self.length, self.flags = cv, words, counter, length, flags

    def chain(self):
        return _compress(self.cv, self.words, self.counter, self.length, self.flags)[:8]

    def root(self, length):
        out = b""
        while len(out) < length:
            at = len(out) // 64
            words = _compress(self.cv, self.words, at, self.length, self.flags | ROOT)
            out += struct.pack("<16I", *words)
        return out[:length]


def _chunk(data, counter, key, flags):
    cv = list(key)
    blocks = [data[i : i + 64] for i in range(0, len(data), 64)] or [b""]
    for i, block in enumerate(blocks):
        words = list(struct.unpack("<16I", block.ljust(64, b"\0")))
        mark = flags | (CHUNK_START if i == 0 else 0)
        if i == len(blocks) - 1:
            return _Node(cv, words, counter, len(block), mark | CHUNK_END)
        cv = _compress(cv, words, counter, 64, mark)[:8]


def _tree(data, counter, key, flags):
    if len(data) <= CHUNK_LEN:
        return _chunk(data, counter, key, flags)
    # The left side takes the largest power of two of chunks that leaves the right one a byte.
    chunks = (len(data) - 1) // CHUNK_LEN
    left = 1 << (chunks.bit_length() - 1)
    at = left * CHUNK_LEN
    words = _tree(data[:at], counter, key, flags).chain() + _tree(data[at:], counter + left, key, flags).chain()
    return _Node(list(key), words, 0, 64, flags | PARENT)


def blake3(data, length=32):
    return _tree(bytes(data), 0, IV, 0).root(length)


def blake3_keyed(key, data, length=32):
    return _tree(bytes(data), 0, list(struct.unpack("<8I", key)), KEYED_HASH).root(length)


def blake3_derive_key(context, material, length=32):
    context = context.encode() if isinstance(context, str) else context
    key = _tree(context, 0, IV, DERIVE_KEY_CONTEXT).root(32)
    return _tree(bytes(material), 0, list(struct.unpack("<8I", key)), DERIVE_KEY_MATERIAL).root(length)


# ---------------------------------------------------------------------------------------------
# Argon2d, version 0x13 (RFC 9106)


def _le32(x):
    return struct.pack("<I", x)


def _long_hash(data, length):
    """H' of RFC 9106, 3.3."""
    data = _le32(length) + data
    if length <= 64:
        return hashlib.blake2b(data, digest_size=length).digest()
    part = hashlib.blake2b(data).digest()
    out = part[:32]
    while length - len(out) > 64:
        part = hashlib.blake2b(part).digest()
        out += part[:32]
    return out + hashlib.blake2b(part, digest_size=length - len(out)).digest()


def _permute_words(v, at):
    """P of RFC 9106, 3.6, on the sixteen words of the list at the given places."""
    x = [v[i] for i in at]
    for ia, ib, ic, id_ in MIXES:
        a, b, c, d = x[ia], x[ib], x[ic], x[id_]
        for first, second in ((32, 24), (16, 63)):
            a = (a + b + 2 * (a & M32) * (b & M32)) & M64
            d ^= a
            d = (d >> first) | (d << (64 - first)) & M64
            c = (c + d + 2 * (c & M32) * (d & M32)) & M64
            b ^= c
            b = (b >> second) | (b << (64 - second)) & M64
        x[ia], x[ib], x[ic], x[id_] = a, b, c, d
    for i, word in zip(at, x):
        v[i] = word


ROWS = [[16 * row + i for i in range(16)] for row in range(8)]
COLUMNS = [[16 * row + 2 * column + i for row in range(8) for i in (0, 1)] for column in range(8)]


def _block(x, y):
    """G of RFC 9106, 3.5: two blocks of 128 words to one."""
    r = [a ^ b for a, b in zip(x, y)]
    z = list(r)
    for at in ROWS + COLUMNS:
        _permute_words(z, at)
    return [a ^ b for a, b in zip(r, z)]


def _argon2d_memory(password, salt, kib, passes, lanes, tag, secret, data):
    h0 = hashlib.blake2b(
        b"".join(map(_le32, (lanes, tag, kib, passes, 0x13, 0)))
        + b"".join(_le32(len(x)) + x for x in (password, salt, secret, data))
    ).digest()
    segment = kib // (4 * lanes)
    columns = 4 * segment
    memory = [[None] * columns for _ in range(lanes)]
    for lane in range(lanes):
        for column in (0, 1):
            raw = _long_hash(h0 + _le32(column) + _le32(lane), 1024)
            memory[lane][column] = list(struct.unpack("<128Q", raw))
    for turn in range(passes):
        for piece in range(4):
            for lane in range(lanes):
                for i in range(2 if turn == 0 and piece == 0 else 0, segment):
                    column = piece * segment + i
                    before = memory[lane][(column - 1) % columns]
                    j1, j2 = before[0] & M32, before[0] >> 32
                    other = lane if turn == 0 and piece == 0 else j2 % lanes
                    # The blocks that may be referred to: 3.4.1.2.
                    done = piece * segment if turn == 0 else columns - segment
                    if other == lane:
                        area = done + i - 1
                    else:
                        area = done - (1 if i == 0 else 0)
                    start = 0 if turn == 0 else (piece + 1) * segment % columns
                    back = area * (j1 * j1 >> 32) >> 32
                    reference = memory[other][(start + area - 1 - back) % columns]
                    new = _block(before, reference)
                    if turn > 0:
                        new = [a ^ b for a, b in zip(new, memory[lane][column])]
                    memory[lane][column] = new
    return memory


def argon2d_fill(password, salt, kib, passes):
    (lane,) = _argon2d_memory(password, salt, kib, passes, 1, 0, b"", b"")
    return b"".join(struct.pack("<128Q", *block) for block in lane)


def argon2d_tag(password, salt, kib, passes, lanes, tag, secret=b"", data=b""):
    memory = _argon2d_memory(password, salt, kib, passes, lanes, tag, secret, data)
    last = [0] * 128
    for lane in memory:
        last = [a ^ b for a, b in zip(last, lane[-1])]
    return _long_hash(struct.pack("<128Q", *last), tag)


# ---------------------------------------------------------------------------------------------
# AES round and the permutation of Haraka-512 v2


def _times(a, b):
    """The product in GF(2^8) modulo x^8 + x^4 + x^3 + x + 1."""
    out = 0
    while b:
        out ^= a if b & 1 else 0
        a = a << 1 ^ (0x11B if a & 0x80 else 0)
        b >>= 1
    return out


def _sbox(x):
    inverse = next((y for y in range(256) if _times(x, y) == 1), 0)
    out = 0x63
    for turn in range(5):
        out ^= (inverse << turn | inverse >> (8 - turn)) & 0xFF
    return out


SBOX = [_sbox(x) for x in range(256)]
# What one byte of a column becomes in MixColumns, for each of the four rows it may stand in.
MIXED = []
for _row in range(4):
    _factors = [(2, 1, 1, 3)[(i - _row) % 4] for i in range(4)]
    MIXED.append([sum(_times(s, f) << 8 * i for i, f in enumerate(_factors)) for s in SBOX])


def _aesenc(columns, key):
    """SubBytes, ShiftRows, MixColumns, AddRoundKey on four little-endian column words."""
    t0, t1, t2, t3 = MIXED
    return [
        t0[columns[c] & 0xFF]
        ^ t1[columns[(c + 1) % 4] >> 8 & 0xFF]
        ^ t2[columns[(c + 2) % 4] >> 16 & 0xFF]
        ^ t3[columns[(c + 3) % 4] >> 24]
        ^ key[c]
        for c in range(4)
    ]


# Round constants of Haraka v2, as 128-bit numbers (their bytes are used in little-endian order).
RC = [
    0x0684704CE620C00AB2C5FEF075817B9D, 0x8B66B4E188F3A06B640F6BA42F08F717,
    0x3402DE2D53F28498CF029D609F029114, 0x0ED6EAE62E7B4F08BBF3BCAFFD5B4F79,
    0xCBCFB0CB4872448B79EECD1CBE397044, 0x7EEACDEE6E9032B78D5335ED2B8A057B,
    0x67C28F435E2E7CD0E2412761DA4FEF1B, 0x2924D9B0AFCACC07675FFDE21FC70B3B,
    0xAB4D63F1E6867FE9ECDB8FCAB9D465EE, 0x1C30BF84D4B7CD645B2A404FAD037E33,
    0xB2CC0BB9941723BF69028B2E8DF69800, 0xFA0478A6DE6F55724AAA9EC85C9D2D8A,
    0xDFB49F2B6B772A120EFA4F2E29129FD4, 0x1EA10344F449A23632D611AEBB6A12EE,
    0xAF0449884B0500845F9600C99CA8ECA6, 0x21025ED89D199C4F78A2C7E327E593EC,
    0xBF3AAAF8A759C9B7B9282ECD82D40173, 0x6260700D6186B01737F2EFD910307D6B,
    0x5ACA45C22130044381C29153F6FC9AC6, 0x9223973C226B68BB2CAF92E836D1943A,
    0xD3BF9238225886EB6CBAB958E51071B4, 0xDB863CE5AEF0C677933DFDDD24E1128D,
    0xBB606268FFEBA09C83E48DE3CB2212B1, 0x734BD3DCE2E4D19C2DB91A4EC72BF77D,
    0x43BB47C361301B434B1415C42CB3924E, 0xDBA775A8E707EFF603B231DD16EB6899,
    0x6DF3614B3C7559778E5E23027ECA472C, 0xCDA75A17D6DE7D776D1BE5B9B88617F9,
    0xEC6B43F06BA8E9AA9D6C069DA946EE5D, 0xCB1E6950F957332BA25311593BF327C1,
    0x2CEE0C7500DA619CE4ED0353600ED0D9, 0xF0B1A5A196E90CAB80BBBABC63A4A350,
    0xAE3DB1025E962988AB0DDE30938DCA39, 0x17BB8F38D554A40B8814F3A82E75B442,
    0x34BB8A5B5F427FD7AEB6B779360A16F6, 0x26F65241CBE5543843CE5918FFBAAFDE,
    0x4CE99A54B9F3026AA2CA9CF7839EC978, 0xAE51A51A1BDFF7BE40C06E2822901235,
    0xA0C1613CBA7ED22BC173BC0F48A659CF, 0x756ACC03022882884AD6BDFDE9C59DA1,
]  # fmt: skip
KEYS = [struct.unpack("<4I", key.to_bytes(16, "little")) for key in RC]


def _unpack_low(a, b):
    return [a[0], b[0], a[1], b[1]]


def _unpack_high(a, b):
    return [a[2], b[2], a[3], b[3]]


def _mix4(s0, s1, s2, s3):
    low01, high01 = _unpack_low(s0, s1), _unpack_high(s0, s1)
    low23, high23 = _unpack_low(s2, s3), _unpack_high(s2, s3)
    return (
        _unpack_high(high01, high23),
        _unpack_low(low23, low01),
        _unpack_high(low23, low01),
        _unpack_low(high01, high23),
    )


def haraka512_permute(state):
    words = struct.unpack("<16I", state)
    lanes = [list(words[i : i + 4]) for i in range(0, 16, 4)]
    for turn in range(5):
        for step in range(2):
            at = 8 * turn + 4 * step
            lanes = [_aesenc(lane, KEYS[at + i]) for i, lane in enumerate(lanes)]
        lanes = _mix4(*lanes)
    return struct.pack("<16I", *(word for lane in lanes for word in lane))


def haraka512(message):
    mixed = bytes(a ^ b for a, b in zip(haraka512_permute(message), message))
    return mixed[8:16] + mixed[24:32] + mixed[32:40] + mixed[48:56]


# ---------------------------------------------------------------------------------------------
# Published values


def self_check():
    """Fails unless all of the above give the values their authors published."""
    pattern = bytes(i % 251 for i in range(3073))
    context = "BLAKE3 2019-12-27 16:29:52 test vectors context"
    checks = [
        (blake3(b""), "af1349b9f5f9a1a6a0404dea36dcc9499bcb25c9adc112b7cc9a93cae41f3262"),
        (blake3(pattern[:1]), "2d3adedff11b61f14c886e35afa036736dcd87a74d27b5c1510225d0f592e213"),
        (blake3(pattern[:1025]), "d00278ae47eb27b34faecf67b4fe263f82d5412916c1ffd97c8cb7fb814b8444"),
        (blake3(pattern), "7124b49501012f81cc7f11ca069ec9226cecb8a2c850cfe644e327d22d3e1cd3"),
        (
            blake3_keyed(b"whats the Elvish word for friend", b""),
            "92b2b75604ed3c761f9d6f62392c8a9227ad0ea3f09573e783f1498a4ed60d26",
        ),
        (
            blake3_derive_key(context, b""),
            "2cc39783c223154fea8dfb7c1b1660f2ac2dcbd1c1de8277b0b0dd39b7e50d7d",
        ),
        (
            argon2d_tag(b"\1" * 32, b"\2" * 16, 32, 3, 4, 32, b"\3" * 8, b"\4" * 12),
            "512b391b6f1162975371d30919734294f868e3be3984f3c1a13a4db9fabe4acb",
        ),
        (haraka512(bytes(range(64))), "be7f723b4e80a99813b292287f306f625a6d57331cae5f34dd9277b0945be2aa"),
    ]
    for at, (got, published) in enumerate(checks):
        if got.hex() != published:
            raise SystemExit(f"published value {at}: got {got.hex()}, expected {published}")


if __name__ == "__main__":
    self_check()
    print("all published values agree")
