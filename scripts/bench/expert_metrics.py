#!/usr/bin/env python3
"""Times what the metrics of each expert layer (experts.csv) cost: the same run with and without them, in turn.

    scripts/bench/expert_metrics.py DATA_DIR                                   # the folder of `excite data list`
    scripts/bench/expert_metrics.py DATA_DIR --pairs 3 --config configs/cifar10_moe_vit.yaml --set dataset.limit=1024

One job, one thread, one seed, zero-sum. CPU time is the whole process's, so that what else the machine does weighs
little; each pair's order changes, and the result is the median of the pairs' differences, in percent of a run without.
"""
import argparse
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]


def run(options, *flags):
    """-> wall seconds, CPU seconds of one run"""
    with tempfile.TemporaryDirectory() as out:
        command = [options.excite, "run", options.config, "--data-dir", options.data_dir, "--out", out, "--quiet",
                   "--jobs", "1", "--seeds", "0", "--variants", "zero-sum", "--set", f"epochs={options.epochs}", *flags]
        for change in options.set:
            command += ["--set", change]
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
        return time.perf_counter() - start, usage.ru_utime + usage.ru_stime


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir")
    parser.add_argument("--excite", default=str(ROOT / ".build/release/excite"))
    parser.add_argument("--config", default=str(ROOT / "configs/cifar10_topk.yaml"))
    parser.add_argument("--set", action="append", default=[], help="a change of the config, as of excite run")
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--pairs", type=int, default=10)
    options = parser.parse_args()
    run(options)
    differences = []
    for pair in range(options.pairs):
        orders = [[], ["--no-expert-metrics"]]
        times = {len(flags): run(options, *flags) for flags in (orders if pair % 2 else orders[::-1])}
        differences.append([100 * (on / off - 1) for on, off in zip(times[0], times[1])])
        print(f"pair {pair + 1}: " + ", ".join(
            f"{name} {times[0][i]:.2f} s with, {times[1][i]:.2f} s without: {differences[-1][i]:+.2f} %"
            for i, name in enumerate(["elapsed", "CPU"])), flush=True)
    for name, values in zip(["elapsed", "CPU"], zip(*differences)):
        values = sorted(values)
        print(f"{name}: median {statistics.median(values):+.2f} %, from {values[0]:+.2f} to {values[-1]:+.2f} "
              f"over {len(values)} pairs")


if __name__ == "__main__":
    main()
