#!/usr/bin/env python3
"""A thousand tiny runs in one store through 8 jobs: do time per run and memory stay what they were?

    make build && scripts/reliability/soak.py        # some minutes

Prints CPU time per run and the process's memory for each tenth of the runs, then how long it takes to
find all of them done, and to list them. Python's standard library alone; exits 1 where a run is
missing or the last tenth takes more than twice the second's time or memory.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT = """\
dataset: {name: synthetic, limit: 64, test_limit: 16}
model: {name: topk_mlp, hidden_layers: 1, width: 16, sparsity: 0.5}
optimizer: {name: sgd, lr: 0.1}
excitation: {variants: [vanilla, zero-sum], gamma: 1}
batch_size: 32
epochs: 2
"""


def used(process):
    """Seconds of CPU time so far, which other work on the machine does not stretch, and megabytes in
    memory now."""
    folder = Path(f"/proc/{process.pid}")
    times = (folder / "stat").read_text().rpartition(")")[2].split()[11:13]
    pages = int((folder / "statm").read_text().split()[1])
    return sum(map(int, times)) / os.sysconf("SC_CLK_TCK"), pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--excite", type=Path, default=ROOT / ".build" / "release" / "excite")
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--jobs", type=int, default=8)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="excite-soak-") as folder:
        folder = Path(folder)
        (folder / "tiny.yaml").write_text(EXPERIMENT)
        command = [str(given.excite.resolve()), "run", "tiny.yaml", "--seeds",
                   f"0-{given.runs // 2 - 1}", "--jobs", str(given.jobs), "--quiet",
                   "--out", "store", "--format", "json"]

        def results():
            return sum(1 for _ in (folder / "store" / "runs").glob("*/result.json"))

        tenths = []
        with open(folder / "log", "w") as log:
            process = subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=log)
            while process.poll() is None:
                time.sleep(0.1)
                done = results()
                if done >= given.runs * (len(tenths) + 1) // 10 and process.poll() is None:
                    tenths.append((done, *used(process)))
        if process.returncode != 0 or results() != given.runs:
            sys.exit(f"soak: {results()} of {given.runs} runs, exit {process.returncode}: "
                     + (folder / "log").read_text()[-500:])
        before = (0, 0.0, 0.0)
        rows = []
        for done, seconds, memory in tenths:
            rows.append(((seconds - before[1]) / max(1, done - before[0]), memory))
            print(f"runs to {done:5}: {rows[-1][0] * 1000:6.1f} ms of CPU a run, {memory:6.1f} MB")
            before = (done, seconds, memory)
        for name, arguments in [("again, all in the store", command[1:]),
                                ("status", ["status", "--out", "store"]),
                                ("report", ["report", "store"])]:
            began = time.monotonic()
            subprocess.run([command[0], *arguments], cwd=folder, stdout=subprocess.DEVNULL,
                           check=True)
            print(f"{name}: {time.monotonic() - began:.2f} s")
        for column, what in enumerate(["time", "memory"]):
            if rows[-1][column] > 2 * rows[1][column]:
                sys.exit(f"soak: {what} grew")


if __name__ == "__main__":
    main()
