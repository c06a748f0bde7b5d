// SPDX-License-Identifier: Apache-2.0

//! The constants of Haraka-512 v2 (Kölbl, Lauridsen, Mendel, Rechberger: "Haraka v2", IACR ePrint
//! 2016/098) in the layouts that the backends want.

/// Rounds of the permutation; each has two AES rounds per lane and one MIX4.
pub(crate) const ROUNDS: usize = 5;

/// The published round constants as 128-bit numbers; their bytes are used in little-endian order.
/// Constant `8 r + 4 h + l` is for lane `l` in half `h` of round `r`.
const CONSTANTS: [u128; 8 * ROUNDS] = [
    0x0684704c_e620c00a_b2c5fef0_75817b9d,
    0x8b66b4e1_88f3a06b_640f6ba4_2f08f717,
    0x3402de2d_53f28498_cf029d60_9f029114,
    0x0ed6eae6_2e7b4f08_bbf3bcaf_fd5b4f79,
    0xcbcfb0cb_4872448b_79eecd1c_be397044,
    0x7eeacdee_6e9032b7_8d5335ed_2b8a057b,
    0x67c28f43_5e2e7cd0_e2412761_da4fef1b,
    0x2924d9b0_afcacc07_675ffde2_1fc70b3b,
    0xab4d63f1_e6867fe9_ecdb8fca_b9d465ee,
    0x1c30bf84_d4b7cd64_5b2a404f_ad037e33,
    0xb2cc0bb9_941723bf_69028b2e_8df69800,
    0xfa0478a6_de6f5572_4aaa9ec8_5c9d2d8a,
    0xdfb49f2b_6b772a12_0efa4f2e_29129fd4,
    0x1ea10344_f449a236_32d611ae_bb6a12ee,
    0xaf044988_4b050084_5f9600c9_9ca8eca6,
    0x21025ed8_9d199c4f_78a2c7e3_27e593ec,
    0xbf3aaaf8_a759c9b7_b9282ecd_82d40173,
    0x6260700d_6186b017_37f2efd9_10307d6b,
    0x5aca45c2_21300443_81c29153_f6fc9ac6,
    0x9223973c_226b68bb_2caf92e8_36d1943a,
    0xd3bf9238_225886eb_6cbab958_e51071b4,
    0xdb863ce5_aef0c677_933dfddd_24e1128d,
    0xbb606268_ffeba09c_83e48de3_cb2212b1,
    0x734bd3dc_e2e4d19c_2db91a4e_c72bf77d,
    0x43bb47c3_61301b43_4b1415c4_2cb3924e,
    0xdba775a8_e707eff6_03b231dd_16eb6899,
    0x6df3614b_3c755977_8e5e2302_7eca472c,
    0xcda75a17_d6de7d77_6d1be5b9_b88617f9,
    0xec6b43f0_6ba8e9aa_9d6c069d_a946ee5d,
    0xcb1e6950_f957332b_a2531159_3bf327c1,
    0x2cee0c75_00da619c_e4ed0353_600ed0d9,
    0xf0b1a5a1_96e90cab_80bbbabc_63a4a350,
    0xae3db102_5e962988_ab0dde30_938dca39,
    0x17bb8f38_d554a40b_8814f3a8_2e75b442,
    0x34bb8a5b_5f427fd7_aeb6b779_360a16f6,
    0x26f65241_cbe55438_43ce5918_ffbaafde,
    0x4ce99a54_b9f3026a_a2ca9cf7_839ec978,
    0xae51a51a_1bdff7be_40c06e28_22901235,
    0xa0c1613c_ba7ed22b_c173bc0f_48a659cf,
    0x756acc03_02288288_4ad6bdfd_e9c59da1,
];

/// The round keys as sixteen words for each AES round over all four lanes.
#[repr(C, align(64))]
pub(crate) struct Keys(pub(crate) [[u32; 16]; 2 * ROUNDS]);

pub(crate) static KEYS: Keys = keys();

/// MIX4: word `i` of the result is word `MIX[i]` of the sixteen words of the state.
pub(crate) const MIX: [u8; 16] = [3, 11, 7, 15, 8, 0, 12, 4, 9, 1, 13, 5, 2, 10, 6, 14];

// Evaluated by the compiler: a mistake would not compile.
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
const fn keys() -> Keys {
    let mut keys = [[0; 16]; 2 * ROUNDS];
    let mut at = 0;
    while at < 40 {
        let mut word = 0;
        while word < 4 {
            keys[at / 4][at % 4 * 4 + word] = (CONSTANTS[at] >> (32 * word)) as u32;
            word += 1;
        }
        at += 1;
    }
    Keys(keys)
}
