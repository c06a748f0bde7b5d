# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the tests of what operators are given."""

import pytest

from tos_harness.templates import TemplateNode


@pytest.fixture
def template_node(program, folder):
    """Makes nodes from templates, none of them running yet, and stops them after the test."""
    made = []

    def make(role, chain="dev-fast", **changed):
        made.append(TemplateNode(program, folder, role, chain, **changed))
        return made[-1]

    yield make
    for node in made:
        node.stop()
