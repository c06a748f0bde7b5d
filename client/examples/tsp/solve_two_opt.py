#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TSP solver: 2-opt.

Starts with the nearest-neighbour tour and, as long as two legs can be replaced by two shorter ones,
replaces them (turning round the part between). Ends in the first tour that no such exchange
improves: some per cent above the optimum.
"""

import argparse
import time

import tsp


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--start", type=int, default=0, metavar="N",
                        help="first point of the nearest-neighbour tour (default: 0)")
    options = parser.parse_args()
    began = time.monotonic()
    request, dist = tsp.request_for_solver()
    allowed = tsp.worker.seconds(request)
    tour = tsp.nearest_neighbour(dist, options.start % len(dist))
    tour = tsp.two_opt(tour, dist, lambda: time.monotonic() - began > allowed)
    tsp.worker.write_answer(tsp.answer(tour, dist), note="2-opt from nearest neighbour")


if __name__ == "__main__":
    main()
