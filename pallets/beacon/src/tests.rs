// SPDX-License-Identifier: Apache-2.0

//! Tests of the beacon. Every slot in them is really walked.

mod advance;
mod attacks;
mod disputes;
mod epochs;
mod randomness;
mod vectors;
