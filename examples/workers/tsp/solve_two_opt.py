#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""TSP solver: 2-opt.

Starts with the nearest-neighbour tour and, as long as two legs can be replaced by two shorter ones,
replaces them (turning round the part between). Ends in the first tour that no such exchange
improves: some per cent above the optimum.
"""

import tsp


def search(dist, options, _request, out_of_time):
    tour = tsp.nearest_neighbour(dist, options.start % len(dist))
    return tsp.two_opt(tour, dist, out_of_time)


def main():
    parser = tsp.worker.parser(__doc__)
    parser.add_argument("--start", type=int, default=0, metavar="N",
                        help="first point of the nearest-neighbour tour (default: 0)")
    tsp.solve(parser, "2-opt from nearest neighbour", search)


if __name__ == "__main__":
    main()
