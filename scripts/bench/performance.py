#!/usr/bin/env python3
"""Writes docs/PERFORMANCE.md: every model family here and in PyTorch, step time, memory and start-up.

    python3 -m venv VENV && VENV/bin/pip install torch numpy       # a virtual environment outside the project
    scripts/bench/performance.py --python VENV/bin/python          # any python3 runs this; that one has PyTorch

A round times a block of steps of either side, one after the other on the same CPUs, in an order that turns; the
ratio is the median over the rounds of (PyTorch / excite), so that only neighbours in time are divided. Memory is that of
the same processes, start-up that of fresh ones that build the model and do one step, in turn as well.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import time

from compare import CASES, HERE, Excite, Worker, cpu_name, measure_case, ratio, summarize

ROOT = HERE.parents[1]
STEPS = [
    # title, case, threads
    ("Top-K MLP, 4 × 128, SGD, batch 512", "sgd-zero-sum", 1),
    ("Top-K MLP, 4 × 128, Adam, batch 512", "adam-zero-sum", 1),
    ("MoE-ViT 17 M, Adam, batch 64", "vit-17m", 1),
    ("MoE-ViT 17 M, Adam, batch 64", "vit-17m", 2),
    ("MoE-ViT 4 M, Adam, batch 64", "vit-4m", 1),
    ("GPT-MoE 77 M, Adam, 4 × 256 tokens", "gpt-77m", 2),
]


def started(sides):
    """One fresh process of each side that does one step -> side -> seconds"""
    results = {}
    for name, start in sides.items():
        begin = time.perf_counter()
        start()
        results[name] = time.perf_counter() - begin
    return results


def typed(command):
    """As a person would type it: the program by its name, without --json."""
    return " ".join(["excite", *command[1:-1]])


def measure(title, name, threads, options):
    case = CASES[name]
    available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    cpus = ",".join(map(str, available[-threads:])) or "-"
    ours = Excite(options.excite, cpus, threads)

    def worker():
        return Worker("torch_step.py", cpus, threads, python=options.python)

    def start_ours():
        ours.run(ours.command("start", case))

    def start_torch():
        side = worker()
        side.measure(case | {"warm_up": 0}, 1)
        side.close()

    print(f"{title}, {threads} thread(s) …", file=sys.stderr, flush=True)
    torch = worker()
    blocks = measure_case({"excite": ours, "torch": torch}, case, options.rounds)
    about = torch.about
    share = ours.about["gemm_fraction"]
    peaks = {"excite": ours.about["peak_bytes"], "torch": about["peak_bytes"]}
    torch.close()
    starts = [started({"excite": start_ours, "torch": start_torch}) for _ in range(options.starts)]
    return {
        "title": title, "threads": threads, "about": about, "command": typed(ours.command("step", case)),
        "start_command": typed(ours.command("start", case)),
        "times": {side: summarize(block) for side, block in blocks.items()},
        "share": share, "ratio": ratio(blocks["torch"], blocks["excite"]),
        "ratios": sorted(statistics.median(a) / statistics.median(b)
                         for a, b in zip(blocks["torch"], blocks["excite"])),
        "start": {side: statistics.median(start[side] for start in starts) for side in ("excite", "torch")},
        "peak": peaks,
    }


def table(header, rows):
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def milliseconds(times):
    digits = 1 if times["median_ms"] < 100 else 0
    return (f"{times['median_ms']:.{digits}f} ms ({times['smallest_round_ms']:.{digits}f}–"
            f"{times['largest_round_ms']:.{digits}f})")


def megabytes(count):
    return f"{count / 1e6:.0f} MB"


def page(rows, machine, options):
    def titled(row, *cells):
        return [row["title"], str(row["threads"]), *cells]

    steps = table(
        ["one training step, zero-sum", "threads", "excite", "of a product's speed", "PyTorch", "PyTorch / excite"],
        [titled(row, milliseconds(row["times"]["excite"]), f"{100 * row['share']:.0f} %",
                milliseconds(row["times"]["torch"]),
                f"**{row['ratio']:.1f}×** ({row['ratios'][0]:.1f}–{row['ratios'][-1]:.1f})") for row in rows])
    starts = table(
        ["from the start of the process to the end of the first step", "threads", "excite", "PyTorch",
         "PyTorch / excite"],
        [titled(row, f"{row['start']['excite']:.2f} s", f"{row['start']['torch']:.2f} s",
                f"{row['start']['torch'] / row['start']['excite']:.1f}×") for row in rows])
    peaks = table(
        ["largest resident set", "threads", "excite", "PyTorch", "PyTorch / excite"],
        [titled(row, megabytes(row["peak"]["excite"]), megabytes(row["peak"]["torch"]),
                f"{row['peak']['torch'] / row['peak']['excite']:.1f}×") for row in rows])
    commands = "\n".join(dict.fromkeys(row["command"] for row in rows))
    start_commands = "\n".join(dict.fromkeys("time " + row["start_command"] for row in rows))
    return f"""# Performance

Written by `scripts/bench/performance.py --python VENV/bin/python --rounds {options.rounds} --starts {options.starts}`, VENV being a
Python environment with PyTorch; nothing in it is written by hand.

{machine}

PyTorch runs the reference of the golden tests (`scripts/golden/excitation_torch.py`), eagerly: the same models, sizes,
optimizers and Φ. Both sides train on random inputs in memory, one block of steps after the other, pinned to the same
CPUs, in {options.rounds} rounds. A time is the median over all rounds, in brackets the medians of the fastest and the slowest
round; a ratio is the median of the rounds' ratios, in brackets the smallest and the largest. The step's useful arithmetic,
over its time, is told as a share of the speed of a large matrix product (`excite bench gemm`). Other work on the machine
slows both, so that ratios say more than milliseconds.

## Step time

{steps}

```
{commands}
```

## Start-up

Median of {options.starts} fresh processes; PyTorch's import is part of its start.

{starts}

```
{start_commands}
```

## Memory

Of the processes that timed the steps: program, libraries, weights, gradients, the optimizer's moments, activations and
batches.

{peaks}

## What Φ costs

`excite bench overhead`: docs/COST.md has its table. `VENV/bin/python scripts/bench/compare.py` times more cases of the
Top-K MLP, also in JAX; `VENV/bin/python scripts/bench/throughput.py DATA_DIR` whole experiments.
"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", default=sys.executable, help="a Python with PyTorch (default: this one)")
    parser.add_argument("--excite", default=str(ROOT / ".build/release/excite"), help="the binary")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--only", default="", help="cases, separated by commas (default: all)")
    parser.add_argument("--out", default=str(ROOT / "docs/PERFORMANCE.md"), help="the page")
    options = parser.parse_args()
    if not os.access(options.excite, os.X_OK):
        parser.error(f"{options.excite}: not an executable file; build it or name it by --excite")
    known = list(dict.fromkeys(name for _, name, _ in STEPS))
    wanted = options.only.split(",") if options.only else known
    unknown = [name for name in wanted if name not in known]
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; the cases are {', '.join(known)}")

    cores = os.cpu_count()
    rows = [measure(title, name, threads, options) for title, name, threads in STEPS
            if name in wanted and threads <= cores]
    gemm = json.loads(subprocess.run([options.excite, "bench", "gemm", "--current", "--json"], check=True,
                                     stdout=subprocess.PIPE, text=True).stdout)
    core, speed = next(iter(gemm.items()))
    machine = (f"{cpu_name()}, {cores} core{'s' if cores != 1 else ''}, {platform.system()} on {platform.machine()}; "
               f"OpenBLAS with its kernels for {core} ({speed:.0f} GFLOP/s in a large product on one thread, at the\n"
               f"end); PyTorch {rows[0]['about']['torch']}. Load average at the end {os.getloadavg()[0]:.1f}, one of them "
               "the measurement's own.")
    out = pathlib.Path(options.out)
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page(rows, machine, options))
    print(f"wrote {out}", file=sys.stderr)


if __name__ == "__main__":
    main()
