#!/usr/bin/env python3
"""Times whole experiments: Table 1's grid cut to one epoch a run, here and in PyTorch, on real CIFAR-10.

    VENV/bin/pip install torch numpy                            # a virtual environment outside the project
    VENV/bin/python scripts/bench/throughput.py DATA_DIR        # the folder that holds cifar-10-batches-bin
    VENV/bin/python scripts/bench/throughput.py DATA_DIR --rounds 1 --optimizers sgd,adam

A round trains 6 optimizers × 3 variants with one seed, three times: `excite run --jobs 2`, `excite run --jobs 1`, and
two PyTorch processes with one thread each that share the runs. Every run has one epoch of 98 steps with flips and
crops, and one evaluation on all 10,000 test images. PyTorch's clock starts when its data lie in memory and a step is
warm; ours starts with the process. Then the start-up: seconds from `excite run` to the end of its first step, best
of five. Peak memory is that of the process (the largest resident set).
"""
import argparse
import csv
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
CONFIG = HERE.parents[1] / "configs" / "paper" / "table1.yaml"
OPTIMIZERS = ["sgd", "momentum", "adam", "adamw", "rmsprop", "adagrad"]
VARIANTS = ["vanilla", "zero-sum", "positive-sum"]
STARTS = 5


def peak_megabytes(pid):
    """The largest resident set so far of a live process, by its own count."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return float("nan")


def excite(options, optimizers, *flags):
    """-> seconds, peak MB, the folder of the runs"""
    out = tempfile.mkdtemp(dir=options.scratch)
    config = pathlib.Path(out) / "table1.yaml"
    config.write_text("\n".join(
        line.replace("extends: ", f"extends: {CONFIG.parent}/") for line in CONFIG.read_text().splitlines()
        if "- {name:" not in line or any(f"{{name: {name}," in line for name in optimizers)))
    command = [options.excite, "run", str(config), "--data-dir", options.data_dir, "--out", out, "--quiet", *flags]
    start = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
    unit = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return seconds, usage.ru_maxrss / unit, pathlib.Path(out)


def grid(options, seed, jobs):
    return excite(options, options.optimizers, "--set", "epochs=1", "--seeds", str(seed),
                  "--variants", ",".join(VARIANTS), "--jobs", str(jobs))


def torch_grid(options, seed):
    """-> seconds, peak MB of the larger process"""
    runs = [[optimizer, variant, seed] for optimizer in options.optimizers for variant in VARIANTS]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    workers = [subprocess.Popen([sys.executable, str(HERE / "torch_grid.py"), options.data_dir], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment) for _ in range(2)]

    def tell(worker, line):
        worker.stdin.write(line + "\n")
        worker.stdin.flush()

    def hear(worker, word):
        if worker.stdout.readline().strip() != word:
            raise SystemExit(f"torch_grid.py ended with code {worker.wait()}; its message is above")

    for number, worker in enumerate(workers):
        tell(worker, json.dumps(runs[number::2]))
    for worker in workers:
        hear(worker, "ready")
    start = time.perf_counter()
    for worker in workers:
        tell(worker, "go")
    peaks = []
    for worker in workers:
        hear(worker, "done")
        peaks.append(peak_megabytes(worker.pid) if sys.platform == "linux" else float("nan"))
    seconds = time.perf_counter() - start
    for worker in workers:
        worker.stdin.close()
        worker.wait()
    return seconds, max(peaks)


def start_up(options):
    """Seconds from the start of `excite run` to the end of its first step: all it takes but the evaluation."""
    seconds, _, out = excite(options, ["sgd"], "--seeds", "0", "--variants", "zero-sum", "--max-steps", "1")
    with open(next(out.glob("runs/*/timing.csv")), newline="") as file:
        row = next(csv.DictReader(file))
    return seconds - float(row["test_seconds"])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data_dir")
    parser.add_argument("--excite", default=".build/release/excite", help="the binary (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=3, help="seeds of the grid (default: %(default)s)")
    parser.add_argument("--optimizers", default=",".join(OPTIMIZERS), type=lambda text: text.split(","),
                        help="default: %(default)s")
    parser.add_argument("--without-torch", action="store_true", help="only our own side")
    options = parser.parse_args()
    unknown = [name for name in options.optimizers if name not in OPTIMIZERS]
    if unknown:
        parser.error(f"unknown optimizer {', '.join(unknown)}; Table 1 has {', '.join(OPTIMIZERS)}")

    with tempfile.TemporaryDirectory() as options.scratch:
        runs = len(options.optimizers) * len(VARIANTS)
        two_jobs, one_job, torch = [], [], []
        for seed in range(options.rounds):
            two_jobs.append(grid(options, seed, jobs=2)[:2])
            if not options.without_torch:
                torch.append(torch_grid(options, seed))
            one_job.append(grid(options, seed, jobs=1)[:2])
            print(f"round {seed + 1}: two jobs {two_jobs[-1][0]:.1f} s, one job {one_job[-1][0]:.1f} s"
                  + (f", PyTorch {torch[-1][0]:.1f} s" if torch else ""), file=sys.stderr, flush=True)
        starts = [start_up(options) for _ in range(STARTS)]

    def ratio(theirs):
        ratios = [a[0] / b[0] for a, b in zip(theirs, two_jobs)]
        return f"{statistics.median(ratios):.2f}× ({min(ratios):.2f}–{max(ratios):.2f})"

    def line(label, results):
        seconds = statistics.median(r[0] for r in results)
        print(f"{label:<38} {seconds:7.1f} s  {3600 * runs / seconds:7.0f} epochs/h  "
              f"{max(r[1] for r in results):5.0f} MB")

    print(f"{runs} runs of one epoch, median of {options.rounds} rounds; peak memory of one process")
    line("excite run --jobs 2", two_jobs)
    line("excite run --jobs 1", one_job)
    if torch:
        line("PyTorch, two processes of one thread", torch)
        print(f"PyTorch / excite --jobs 2              {ratio(torch)}")
    print(f"one job / two jobs                     {ratio(one_job)}")
    print(f"start-up to the end of the first step  {min(starts):.2f} s (best of {STARTS}; slowest {max(starts):.2f} s)")


if __name__ == "__main__":
    main()
