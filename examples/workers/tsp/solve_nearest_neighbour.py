#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TSP solver: nearest neighbour.

From where it stands, on to the nearest point not yet visited. One pass, no search: fast, and about
a quarter longer than need be, because the last legs have to collect what was passed by.
"""

import tsp


def search(dist, start, _out_of_time):
    return tsp.nearest_neighbour(dist, start)


if __name__ == "__main__":
    tsp.solve_from_start(__doc__, "nearest neighbour", search)
