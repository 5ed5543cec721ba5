#!/usr/bin/env python3
"""GPTQ of one layer by llm-compressor and by Quern, in turns on the same machine and data.

    pip install torch llmcompressor
    bench/beside-reference.py [SIZE [THREADS [ROUNDS]]]        defaults: 4096 2 3

Prints the times of each round, and at the end the best of each and Quern's share of the peak of multiply-adds.
Of the reference only `quantize_weight` is timed; scales were observed before, and the Hessian was copied. Quern's
times are of the whole call, scales included.

Taking turns does not make a busy machine fair. Where threads outnumber cores, those of OpenMP wait for each other,
and the reference was once twenty times slower than alone. So it also runs on one thread, the better of both counts,
the load is printed, and a ratio is void when the load before the first round exceeds half a core.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import time
import types

import torch
from compressed_tensors.quantization import QuantizationArgs
from llmcompressor.modifiers.gptq.gptq_quantize import quantize_weight
from llmcompressor.observers import Observer


def layer(file, n):
    data = bytearray(file.read_bytes())
    weight = torch.frombuffer(data, dtype=torch.bfloat16, count=n * n).reshape(n, n)
    lower = torch.frombuffer(data, dtype=torch.float32, offset=2 * n * n).reshape(n, n).tril()
    return weight, lower + lower.tril(-1).T


def reference(weight, hessian, threads):
    torch.set_num_threads(threads)
    args = QuantizationArgs(num_bits=4, symmetric=True, strategy="group", group_size=128, actorder="static")
    observer = Observer.load_from_registry("memoryless_minmax", base_name="weight", args=args)
    observer(weight)
    module = types.SimpleNamespace(weight=weight, weight_observer=observer)
    own = hessian.clone()
    start = time.perf_counter()
    with torch.no_grad():
        loss, _ = quantize_weight(module, args, own)
    return 1e3 * (time.perf_counter() - start), loss


def main(n=4096, threads=2, rounds=3):
    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} cores, load {load:.1f} before the run, torch {torch.__version__}", flush=True)
    run = pathlib.Path(__file__).resolve().parent / "run"
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "layer"
        command = [str(run), "gptq", str(n), str(threads), str(file)]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as quern:
            if quern.stdout.readline().strip() != "ready":
                sys.exit("bench/run gptq did not start")

            def ours():
                quern.stdin.write("\n")
                quern.stdin.flush()
                return [float(x) for x in quern.stdout.readline().split()]

            weight, hessian = layer(file, n)
            # Compilers and caches.
            for _ in range(4):
                ours()
            reference(weight, hessian, threads)
            theirs, mine = [], []
            for turn in range(rounds):
                theirs.append(min(reference(weight, hessian, t) for t in sorted({1, threads})))
                # As long as the reference had, or about.
                mine.append(min(ours() for _ in range(2)))
                print(
                    f"round {turn + 1}: reference {theirs[-1][0]:.0f} ms (loss {theirs[-1][1]:.6g}), "
                    f"quern {mine[-1][0]:.0f} ms (loss {mine[-1][3]:.6g}), ratio {theirs[-1][0] / mine[-1][0]:.2f}",
                    flush=True,
                )
            best_of_theirs = min(theirs)[0]
            best, _, operations, _ = min(mine)
            peak = max(m[1] for m in mine)
            print(
                f"n = {n}, {threads} threads: reference {best_of_theirs:.0f} ms, quern {best:.0f} ms, "
                f"ratio {best_of_theirs / best:.2f}; {operations / best / 1e6:.1f} of {peak:.1f} GFLOP/s, "
                f"share {operations / best / 1e6 / peak:.2f}"
            )
            if load > 0.5:
                print(f"VOID: other work was running (load {load:.1f}); take the figures on a quiet machine")
            quern.stdin.close()


if __name__ == "__main__":
    main(*(int(x) for x in sys.argv[1:]))
