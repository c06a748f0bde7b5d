# SPDX-License-Identifier: Apache-2.0
"""The same upgrade as in `upgrade`, decided by a referendum on the root track and applied by an account that may do nothing
else, as on a network without a sudo key."""

from scenarios.upgrade import upgrade

QUICK = False


def run(binary, folder, options):
    upgrade(binary, folder, options, "referendum")
