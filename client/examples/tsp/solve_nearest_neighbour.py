#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TSP solver: nearest neighbour.

From where it stands, on to the nearest point not yet visited. One pass, no search: fast, and about
a quarter longer than need be, because the last legs have to collect what was passed by.
"""

import argparse

import tsp


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=int, default=0, metavar="N",
                        help="number of the first point (default: 0)")
    options = parser.parse_args()
    _, dist = tsp.request_for_solver()
    tour = tsp.nearest_neighbour(dist, options.start % len(dist))
    tsp.worker.write_answer(tsp.answer(tour, dist), note="nearest neighbour")


if __name__ == "__main__":
    main()
