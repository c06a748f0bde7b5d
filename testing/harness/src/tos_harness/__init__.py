# SPDX-License-Identifier: Apache-2.0
"""Nodes, networks and clients of TOS for tests, the demo and measurements: started, asked, waited for and stopped in one place."""
