#!/usr/bin/env python3
"""Times one training step here, in PyTorch and, of the Top-K MLP, in JAX, interleaved in one run.

    python3 -m venv VENV                    # a virtual environment outside the project
    VENV/bin/pip install torch jax numpy
    VENV/bin/python scripts/bench/compare.py                        # the default cases, one thread each
    VENV/bin/python scripts/bench/compare.py --cases sgd-zero-sum,batch-16 --rounds 3
    VENV/bin/python scripts/bench/compare.py --cases vit-17m,gpt-77m --peers excite,torch --threads 2
    VENV/bin/python scripts/bench/compare.py --batch-preparation    # PyTorch also gathers, standardizes, flips, crops

In each round every side runs one block of steps, one after the other on the same CPU, in an order that turns
from round to round; whatever else the machine does falls on all of them alike. A side's number is the median
over all rounds of the time of a step, the spread is that of the medians of its rounds (smallest to largest), and
the ratio is the median over the rounds of (theirs / ours), so that only neighbours in time are divided. All
sides train the same model on random inputs of the same shape that lie in memory; of the Top-K MLP classes 10, inputs 3072. Times are in
milliseconds.
"""
import argparse
import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys

from worker import peak_bytes

HERE = pathlib.Path(__file__).resolve().parent


def case(**changes):
    return dict(model="topk_mlp", batch_size=512, optimizer="sgd", variant="zero-sum", hidden_layers=4, width=128,
                sparsity=0.9) | changes


MLP_CASES = {
    "sgd-vanilla": case(variant="vanilla"),
    "sgd-zero-sum": case(),
    "adam-vanilla": case(optimizer="adam", variant="vanilla"),
    "adam-zero-sum": case(optimizer="adam"),
    "batch-16": case(batch_size=16),
    "width-1024": case(width=1024),
    "sparsity-0.1": case(sparsity=0.1),
}


def transformer(model, batch_size, **sizes):
    """Sizes are the reference's defaults, which are ours, unless given. A step takes seconds: one is enough to warm up."""
    return dict(model=model, batch_size=batch_size, optimizer="adam", variant="zero-sum", sizes=sizes, warm_up=1)


CASES = MLP_CASES | {
    "vit-17m": transformer("moe_vit", 64),
    "vit-4m": transformer("moe_vit", 64, depth=2, d=512, heads=8, experts=32, k=8, hidden=32),
    "gpt-77m": transformer("gpt_moe", 4, context=256),
}

# Steps per block: about a quarter of a second in PyTorch.
BLOCK_SECONDS, LEAST_STEPS, MOST_STEPS = 0.25, 3, 200


class Worker:
    """A peer in its own process, alive over all cases."""

    def __init__(self, script, cpus, threads, *flags, python=sys.executable):
        environment = os.environ | {
            "OMP_NUM_THREADS": str(threads), "MKL_NUM_THREADS": str(threads), "OPENBLAS_NUM_THREADS": str(threads)}
        self.process = subprocess.Popen(
            [python, str(HERE / script), cpus, str(threads), *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.about = {}

    def measure(self, case, steps):
        self.process.stdin.write(json.dumps({"case": case, "steps": steps}) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            raise SystemExit(f"{self.process.args[1]} ended with code {self.process.wait()}; its message is above")
        answer = json.loads(answer)
        self.about = answer["about"]
        return answer["seconds"]

    def close(self):
        self.process.stdin.close()
        self.process.wait()


class Excite:
    """Our side: `excite bench step`, started for each block; it warms up by itself and times single steps."""

    def __init__(self, path, cpus, threads):
        self.path, self.cpus, self.threads, self.about = path, cpus, threads, {}

    def command(self, bench, case):
        command = [self.path, "bench", bench, "--model", case["model"], "--batch-size", str(case["batch_size"]),
                   "--optimizer", case["optimizer"], "--variant", case["variant"], "--threads", str(self.threads)]
        for key in ("hidden_layers", "width", "sparsity"):
            if key in case:
                command += ["--" + key.replace("_", "-"), str(case[key])]
        for key, value in case.get("sizes", {}).items():
            command += ["--set", f"model.{'layers' if key == 'depth' else key}={value}"]
        return command + ["--json"]

    def measure(self, case, steps):
        self.about = self.run(self.command("step", case) + ["--repetitions", str(steps)])
        return [self.about["median_seconds"]]

    def run(self, command):
        """-> what it prints, and its peak memory in bytes"""
        def pin():
            if self.cpus != "-" and hasattr(os, "sched_setaffinity"):
                os.sched_setaffinity(0, {int(cpu) for cpu in self.cpus.split(",")})

        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, preexec_fn=pin)
        text = process.stdout.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: exit code {process.returncode}")
        return json.loads(text) | {"peak_bytes": peak_bytes(usage)}

    def close(self):
        pass


def measure_case(sides, shape, rounds):
    """-> side -> list over rounds of (list of seconds)"""
    names = list(sides)
    # Builds and warms up every peer, and finds how many steps fill a block.
    first = {name: sides[name].measure(shape, LEAST_STEPS) for name in names}
    steps = {name: max(LEAST_STEPS, min(MOST_STEPS, round(BLOCK_SECONDS / statistics.median(first[name]))))
             for name in names}
    results = {name: [] for name in names}
    for round_number in range(rounds):
        turn = round_number % len(names)
        for name in names[turn:] + names[:turn]:
            results[name].append(sides[name].measure(shape, steps[name]))
    return results


def summarize(blocks):
    medians = [statistics.median(block) for block in blocks]
    return {"median_ms": 1e3 * statistics.median([s for block in blocks for s in block]),
            "smallest_round_ms": 1e3 * min(medians), "largest_round_ms": 1e3 * max(medians)}


def ratio(theirs, ours):
    return statistics.median(statistics.median(a) / statistics.median(b) for a, b in zip(theirs, ours))


def cpu_name():
    try:
        for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def markdown(rows, peers):
    header = ["case", *peers, *(f"{peer} / excite" for peer in peers if peer != "excite" and "excite" in peers)]
    lines = [header, ["---"] + ["---:"] * (len(header) - 1)]
    for row in rows:
        cells = [row["case"]]
        for peer in peers:
            t = row["times"].get(peer)
            cells.append("–" if t is None else
                         f"{t['median_ms']:.2f} ({t['smallest_round_ms']:.2f}–{t['largest_round_ms']:.2f})")
        for peer in peers:
            if peer != "excite" and "excite" in peers:
                r = row["ratios"].get(peer)
                cells.append("–" if r is None else f"{r:.2f}×")
        lines.append(cells)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--excite", default=".build/release/excite", help="the binary (default: %(default)s)")
    parser.add_argument("--peers", default="excite,torch,jax",
                        help="of excite, torch, torch-compile, jax (default: %(default)s)")
    parser.add_argument("--cases", default=",".join(MLP_CASES),
                        help=f"of {', '.join(CASES)} (default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1, help="for each side (default: 1)")
    parser.add_argument("--cpus", help='CPUs to run on, "0" or "0,1", "-" for any (default: the last THREADS)')
    parser.add_argument("--batch-preparation", action="store_true",
                        help="PyTorch's step also gathers its batch from bytes, standardizes, flips and crops")
    parser.add_argument("--json", metavar="FILE", help="also write everything measured, as JSON")
    options = parser.parse_args()

    unknown = [name for name in options.cases.split(",") if name not in CASES]
    if unknown:
        parser.error(f"unknown case {', '.join(unknown)}; the cases are {', '.join(CASES)}")
    cpus = options.cpus
    if cpus is None:
        # Interrupts tend to fall on the first CPU.
        available = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        cpus = ",".join(map(str, available[-options.threads:])) or "-"
    preparation = ["--batch-preparation"] if options.batch_preparation else []
    makers = {
        "excite": lambda: Excite(options.excite, cpus, options.threads),
        "torch": lambda: Worker("torch_step.py", cpus, options.threads, *preparation),
        "torch-compile": lambda: Worker("torch_step.py", cpus, options.threads, "--compile", *preparation),
        "jax": lambda: Worker("jax_step.py", cpus, options.threads),
    }
    peers = options.peers.split(",")
    unknown = [name for name in peers if name not in makers]
    if unknown:
        parser.error(f"unknown peer {', '.join(unknown)}; the peers are {', '.join(makers)}")
    if "jax" in peers and any(name not in MLP_CASES for name in options.cases.split(",")):
        parser.error("JAX has the Top-K MLP alone; give --peers excite,torch")
    if "excite" in peers and not os.access(options.excite, os.X_OK):
        parser.error(f"{options.excite}: not an executable file; build it, name it by --excite, or leave excite "
                     "out of --peers")

    sides = {name: makers[name]() for name in peers}
    rows = []
    for name in options.cases.split(","):
        shape = CASES[name]
        print(f"{name} …", file=sys.stderr, flush=True)
        blocks = measure_case(sides, shape, options.rounds)
        rows.append({
            "case": name, "shape": shape, "times": {peer: summarize(b) for peer, b in blocks.items()},
            "ratios": {peer: ratio(b, blocks["excite"]) for peer, b in blocks.items()
                       if peer != "excite" and "excite" in blocks},
            "about": {peer: sides[peer].about for peer in peers}, "seconds": blocks})
    for side in sides.values():
        side.close()

    versions = {}
    for row in rows:
        for peer, about in row["about"].items():
            versions |= {key: about[key] for key in ("torch", "jax") if key in about}
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else float("nan")
    machine = {"cpu": cpu_name(), "cpus": os.cpu_count(), "pinned_to": cpus, "threads": options.threads,
               "python": platform.python_version(), "system": platform.platform(), "load_average": load, **versions}
    print("ms per training step: median (smallest–largest round); ratio: median over rounds of theirs / ours\n")
    print(markdown(rows, peers))
    print(f"\n{machine['cpu']}, {options.threads} thread(s) pinned to CPU {cpus} of {machine['cpus']}, "
          + ", ".join(f"{k} {v}" for k, v in versions.items())
          + f", {options.rounds} rounds, load average at the end {load:.1f}"
          + (", PyTorch with batch preparation" if options.batch_preparation else ""))
    if options.json:
        with open(options.json, "w") as file:
            json.dump({"machine": machine, "rounds": options.rounds,
                       "batch_preparation": options.batch_preparation, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()
