#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves a GGUF file with llama.cpp on 127.0.0.1, OpenAI-compatible: model_server.py FILE PORT"""

import signal
import sys

import xllamacpp


def main():
    path, port = sys.argv[1:]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = path
    parameters.port = int(port)
    parameters.n_ctx = 4096
    parameters.n_parallel = 1
    server = xllamacpp.Server(parameters)
    print(f"listening on {server.listening_address}", flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
