// SPDX-License-Identifier: Apache-2.0

//! Tests, by topic.

mod attacks;
mod bootstrap;
mod conformance;
mod draw;
mod line;
mod locks;
mod money;
mod periods;
mod properties;
mod reads;
mod registration;
