#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TSP solver: 2-opt.

Starts with the nearest-neighbour tour and, as long as two legs can be replaced by two shorter ones,
replaces them (turning round the part between). Ends in the first tour that no such exchange
improves: some per cent above the optimum.
"""

import tsp


def search(dist, start, out_of_time):
    return tsp.two_opt(tsp.nearest_neighbour(dist, start), dist, out_of_time)


if __name__ == "__main__":
    tsp.solve_from_start(__doc__, "2-opt from nearest neighbour", search)
