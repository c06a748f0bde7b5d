# SPDX-License-Identifier: Apache-2.0
"""The scenarios: each says in its first lines what it proves."""
