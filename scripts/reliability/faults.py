#!/usr/bin/env python3
"""Does real harm to excite and writes down what became of it: docs/RELIABILITY.md.

    make build && scripts/reliability/faults.py            # some 15 minutes, needs root for some
    scripts/reliability/faults.py --only kill-run --share 5

Every fault is injected for real: SIGKILL at random moments, a file system that is full or cannot be
written, files that vanish, a clock that jumps back, several processes on one store, one core, too
little memory. After each, the same command is given again and must end with the same bytes as a run
that nothing disturbed. Python's standard library alone; exits 1 where anything was lost.
"""

import argparse
import json
import os
import platform
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import faulty_server

ROOT = Path(__file__).resolve().parents[2]
EXPERIMENT = """\
dataset: {name: synthetic, augmentation: flip+crop, limit: 600, test_limit: 100}
model: {name: topk_mlp, hidden_layers: 2, width: 32, sparsity: 0.8}
optimizer: {name: adam, lr: 0.001}
excitation: {variants: [vanilla, random-boost], gamma: 1}
batch_size: 32
epochs: 30
seeds: [0, 1]
"""
# What a run must end with; timing.csv is a clock's.
KEPT = ["config.yaml", "metrics.csv", "experts.csv", "result.json"]
CRASHES = ["Fatal error", "Backtrace", "precondition", "Segmentation", "SIGSEGV"]
# A busy disk makes each checkpoint wait.
LIMIT = 600


class Skip(Exception):
    """The fault cannot be injected here."""


class Lost(Exception):
    """Something that must not happen did."""


class Lab:
    """A folder of stores, and excite in it."""

    def __init__(self, excite, folder, data, seed):
        self.excite, self.folder, self.data = str(excite), folder, data
        self.random = random.Random(seed)
        (folder / "small.yaml").write_text(EXPERIMENT)
        before = time.monotonic()
        self.must(self.run_arguments("whole"))
        self.seconds = time.monotonic() - before
        self.whole = self.digest("whole")

    def run_arguments(self, store, *more):
        return ["run", "small.yaml", "--out", store, "--save", f"{store}/weights", "--quiet",
                "--jobs", "2", "--checkpoint-seconds", "0.02", *more]

    def start(self, arguments, prefix=()):
        return subprocess.Popen(
            [*prefix, self.excite, *arguments], cwd=self.folder, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            # A trap must end the program at once, not have it explained at length; a clock that
            # jumps back leaves the times of files as they are.
            env={**os.environ, "SWIFT_BACKTRACE": "enable=no", "NO_FAKE_STAT": "1"})

    def finish(self, process, arguments):
        try:
            out, err = process.communicate(timeout=LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            raise Lost(f"hangs: excite {' '.join(arguments)}")
        if process.returncode < 0 and process.returncode != -signal.SIGKILL \
                or process.returncode > 128 or any(word in err for word in CRASHES):
            raise Lost(f"crashes ({process.returncode}): excite {' '.join(arguments)}: {err[:300]}")
        return process.returncode, out, err

    def do(self, arguments, **how):
        """Exit status, standard output and error of a command that may fail but not crash or hang."""
        return self.finish(self.start(arguments, **how), arguments)

    def must(self, arguments, **how):
        status, out, err = self.do(arguments, **how)
        if status != 0:
            raise Lost(f"fails: excite {' '.join(arguments)}: {err.strip()[:300]}")
        return out

    def refused(self, arguments, word, **how):
        """The message of a command that must fail and name `word`."""
        status, out, err = self.do(arguments, **how)
        text = out + err
        if status == 0 or word not in text:
            raise Lost(f"expected a message with {word!r}, exit {status}: {text.strip()[-300:]}")
        return next(line.strip() for line in reversed(text.splitlines()) if word in line)

    def digest(self, store):
        """The bytes of every finished run, by name."""
        runs = self.folder / store / "runs"
        found = {}
        for run in sorted(runs.iterdir()) if runs.exists() else []:
            if (run / "result.json").exists():
                json.loads((run / "result.json").read_text())
                found[run.name] = [(run / name).read_bytes() for name in KEPT]
                weights = self.folder / store / "weights" / run.name / "final.safetensors"
                found[run.name].append(weights.read_bytes())
        return found

    def must_be_whole(self, store):
        if self.digest(store) != self.whole:
            raise Lost(f"{store} has not the bytes of an undisturbed run")

    def must_keep(self, store, before):
        """Every result of `before` is still there, to the bit."""
        now = self.digest(store)
        for name, files in before.items():
            if now.get(name) != files:
                raise Lost(f"{store}: the finished run {name} is gone or changed")
        return now


def spread(least, most, count):
    """So many whole numbers from least to most, evenly."""
    return [least + (most - least) * i // max(1, count - 1) for i in range(count)]


def kill_run(lab, times):
    """SIGKILL at a random moment of a run that writes a checkpoint every 20 ms"""
    done, killed, store = 0, 0, "kill-run"
    while killed < times:
        process = lab.start(lab.run_arguments(store))
        time.sleep(lab.random.uniform(0, lab.seconds))
        before = lab.digest(store)
        if process.poll() is None:
            process.kill()
            killed += 1
        status, _, err = lab.finish(process, ["run"])
        lab.must_keep(store, before)
        if status == 0:
            lab.must_be_whole(store)
            shutil.rmtree(lab.folder / store)
            done += 1
    lab.must(lab.run_arguments(store))
    lab.must_be_whole(store)
    return f"killed {killed} times; {done + 1} experiments ended with the undisturbed bytes"


def kill_report(lab, times):
    """SIGKILL at a random moment of writing a page and pictures"""
    arguments = ["report", "whole/experiments/small", "--html", "page.html", "--plot", "curves"]
    before = time.monotonic()
    lab.must(arguments)
    seconds = time.monotonic() - before
    folders = [lab.folder, lab.folder / "whole" / "experiments" / "small"]

    def written():
        return {path: path.read_bytes() for folder in folders for path in sorted(folder.rglob("*"))
                if path.suffix in (".html", ".svg", ".png") and path.is_file()}

    whole = written()
    killed = 0
    for _ in range(times):
        for path in whole:
            path.unlink(missing_ok=True)
        process = lab.start(arguments)
        time.sleep(lab.random.uniform(0, seconds))
        if process.poll() is None:
            process.kill()
            killed += 1
        lab.finish(process, arguments)
        for path, content in written().items():
            if whole.get(path) != content:
                raise Lost(f"{path.name} is half-written after a kill")
    lab.must(arguments)
    if written() != whole:
        raise Lost("the page is another one after kills")
    return f"killed {killed} times; every page and picture was whole or absent"


def kill_download(lab, times):
    """SIGKILL at a random moment of a download from a slow server that breaks off"""
    vocabulary = lab.data and lab.data / "gpt2"
    if not vocabulary or not (vocabulary / "encoder.json").exists():
        raise Skip("needs --data DIR with gpt2/encoder.json and vocab.bpe")
    killed = whole = 0
    with faulty_server.serving(vocabulary, lab.random) as address:
        store = lab.folder / "downloads"
        arguments = ["data", "fetch", "gpt2", "--data-dir", str(store), "--source", address]
        while killed < times:
            process = lab.start(arguments)
            time.sleep(lab.random.uniform(0, 0.6))
            if process.poll() is None:
                process.kill()
                killed += 1
            lab.finish(process, arguments)
            arrived = sorted(path.name for path in (store / "gpt2").glob("*.*")
                             if path.name in ("encoder.json", "vocab.bpe"))
            for name in arrived:
                if (store / "gpt2" / name).read_bytes() != (vocabulary / name).read_bytes():
                    raise Lost(f"{name} is half-written after a kill")
            if len(arrived) == 2:
                whole += 1
                shutil.rmtree(store)
        for _ in range(40):
            if lab.do(arguments)[0] == 0:
                break
        else:
            raise Lost("the download never ends, in 40 tries")
    return f"killed {killed} times; {whole + 1} downloads ended whole, no file was ever half-written"


class Mounted:
    """A small file system of its own."""

    def __init__(self, lab, name, options):
        self.path = lab.folder / name
        self.path.mkdir(exist_ok=True)
        if platform.system() != "Linux" or os.geteuid() != 0:
            raise Skip("needs root on Linux, to mount a tmpfs")
        self.call("mount", "-t", "tmpfs", "-o", options, "tmpfs", str(self.path))

    def call(self, *command):
        if subprocess.run(command, stderr=subprocess.DEVNULL).returncode != 0:
            raise Skip(f"{command[0]} is not allowed here")

    def remount(self, options):
        self.call("mount", "-o", f"remount,{options}", str(self.path))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", str(self.path)])


def disk_full(lab, times):
    """Disk full, at sizes from nearly nothing to nearly enough"""
    sizes = spread(8, 272, times)
    for size in sizes:
        with Mounted(lab, "full", f"size={size}k") as disk:
            status, out, err = lab.do(lab.run_arguments("full"))
            before = lab.digest("full")
            if status != 0:
                text = out + err
                if "No space left" not in text:
                    raise Lost(f"{size} KB: no word of the full disk: {text[-300:]}")
            disk.remount("size=50m")
            lab.must_keep("full", before)
            lab.must(lab.run_arguments("full"))
            lab.must_be_whole("full")
    return (f"{len(sizes)} sizes from {sizes[0]} to {sizes[-1]} KB: the file is named with "
            "“No space left on device”; with room made, the same command ended with the same bytes")


def read_only(lab, times):
    """A store that cannot be written"""
    with Mounted(lab, "locked", "size=50m") as disk:
        lab.must(lab.run_arguments("locked"))
        disk.remount("ro")
        message = lab.refused(lab.run_arguments("locked", "--seeds", "5"), "Read-only file system")
        lab.must(["status", "--out", "locked"])
        lab.must(["report", "locked"])
        lab.must_be_whole("locked")
    return f"“{message}”; `status` and `report` still read it"


def vanishing(lab, times):
    """Files of a store vanish and come back while it is listed and read"""
    shutil.copytree(lab.folder / "whole", lab.folder / "vanishing")
    files = [path for path in (lab.folder / "vanishing").rglob("*") if path.is_file()]
    stop = threading.Event()

    def disturb():
        while not stop.is_set():
            path = lab.random.choice(files)
            aside = path.with_name(path.name + ".aside")
            path.rename(aside)
            time.sleep(lab.random.uniform(0, 0.01))
            aside.rename(path)

    thread = threading.Thread(target=disturb)
    thread.start()
    failed = 0
    try:
        for turn in range(times):
            arguments = [["status", "--out", "vanishing"], ["report", "vanishing"]][turn % 2]
            status, _, err = lab.do(arguments)
            if status != 0:
                failed += 1
                if not err.startswith("error: "):
                    raise Lost(f"no message: {err[:200]}")
    finally:
        stop.set()
        thread.join()
    lab.must(["report", "vanishing"])
    return f"{times} listings and reports; {failed} ended with a message, none crashed"


def clock_back(lab, times):
    """The clock jumps a day back between kill and restart, and again during the run"""
    if not shutil.which("faketime"):
        raise Skip("needs faketime: apt-get install faketime")
    for turn in range(times):
        process = lab.start(lab.run_arguments("clock"))
        time.sleep(lab.random.uniform(0.2, 0.8) * lab.seconds)
        process.kill()
        lab.finish(process, ["run"])
        jump = lab.start(lab.run_arguments("clock"), prefix=["faketime", "-f", "-1d"])
        time.sleep(lab.random.uniform(0.1, 0.5) * lab.seconds)
        jump.kill()
        lab.finish(jump, ["run"])
        # Back to an earlier day, and two days a second from there.
        lab.must(lab.run_arguments("clock"), prefix=["faketime", "-f", "-2d x172800"])
        lab.must_be_whole("clock")
        shutil.rmtree(lab.folder / "clock")
    return f"{times} times: the restart took over the killed run and ended with the same bytes"


def many_processes(lab, times):
    """Two and eight processes on one store, some of them killed"""
    killed = 0
    for turn in range(times):
        for count in (2, 8):
            store = f"many{count}"
            processes = [lab.start(lab.run_arguments(store)) for _ in range(count)]
            time.sleep(lab.random.uniform(0, lab.seconds))
            for process in processes[: count // 2]:
                if process.poll() is None:
                    process.kill()
                    killed += 1
            for process in processes:
                status, out, err = lab.finish(process, ["run"])
                if status not in (0, -signal.SIGKILL):
                    raise Lost(f"{count} processes: exit {status}: {(out + err)[-300:]}")
            lab.must_be_whole(store)
            shutil.rmtree(lab.folder / store)
    return (f"{times} times 2 and 8 processes, {killed} killed: "
            "the survivors ended all runs with the same bytes")


def one_core(lab, times):
    """A machine with one core"""
    if not shutil.which("taskset"):
        raise Skip("needs taskset")
    lab.must(lab.run_arguments("core"), prefix=["taskset", "-c", "0"])
    lab.must_be_whole("core")
    return "two jobs on one core: the same bytes"


def memory_limit(lab, times):
    """Memory limit hit, at limits from far too little to enough"""
    if not shutil.which("prlimit"):
        raise Skip("needs prlimit")
    enough = 0
    limits = spread(100, 1200, times)
    for megabytes in limits:
        prefix = ["prlimit", f"--as={megabytes * 1_000_000}"]
        status, out, err = lab.do(lab.run_arguments("memory"), prefix=prefix)
        before = lab.digest("memory")
        if status == 0:
            enough += 1
        elif status != 127 and "error: " not in out + err and "Not finished" not in out:
            # 127: the loader's own message.
            raise Lost(f"{megabytes} MB: exit {status} without a message: {(out + err)[-300:]}")
        lab.must(lab.run_arguments("memory"))
        lab.must_keep("memory", before)
        lab.must_be_whole("memory")
        shutil.rmtree(lab.folder / "memory")
    others = [["doctor"], ["bench", "step", "--threads", "2", "--width", "64"], ["bench", "gemm"]]
    if not lab.data:
        raise Skip("needs --data DIR with gpt2/encoder.json and vocab.bpe")
    with faulty_server.serving(lab.data / "gpt2", lab.random) as address:
        others.append(["data", "fetch", "gpt2", "--data-dir", "memory", "--source", address])
        for arguments in others:
            for megabytes in limits:
                shutil.rmtree(lab.folder / "memory", ignore_errors=True)
                prefix = ["prlimit", f"--as={megabytes * 1_000_000}"]
                status, out, err = lab.do(arguments, prefix=prefix)
                if status not in (0, 127) and "error: " not in out + err:
                    raise Lost(f"{arguments} in {megabytes} MB: exit {status}: {(out + err)[-300:]}")
    shutil.rmtree(lab.folder / "memory", ignore_errors=True)
    return (f"{len(limits)} limits of address space from {limits[0]} to {limits[-1]} MB: "
            f"{enough} were enough, the others ended with a message; nothing half-written; "
            "doctor, bench and data fetch end well or with a message too")


def soak(lab, times):
    """Many tiny runs through eight jobs into one store"""
    done = subprocess.run(
        [sys.executable, str(ROOT / "scripts/reliability/soak.py"), "--excite", lab.excite,
         "--runs", str(times)], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Lost((done.stdout + done.stderr).strip().splitlines()[-1])
    lines = done.stdout.splitlines()
    tenths = [" ".join(line.partition(":")[2].split()) for line in lines if line.startswith("runs to")]
    again = next(line.rpartition(" ")[0].rpartition(" ")[2] for line in lines if "again" in line)
    return (f"{times} runs: in the second tenth {tenths[1]} of memory; in the last {tenths[-1]}; all "
            f"found again in {again} s")


# name: what is done, times by default
FAULTS = {
    "kill-run": (kill_run, 200),
    "kill-report": (kill_report, 100),
    "kill-download": (kill_download, 100),
    "disk-full": (disk_full, 12),
    "read-only": (read_only, 1),
    "vanishing-files": (vanishing, 60),
    "clock-back": (clock_back, 5),
    "many-processes": (many_processes, 5),
    "one-core": (one_core, 1),
    "memory-limit": (memory_limit, 16),
    "soak": (soak, 1000),
}


def page(rows, version, command, seed, seconds):
    lines = [
        "# What excite survives",
        "",
        f"Written by `{command}`, which injects each fault for real and then gives the same command",
        "again: the results, metrics and weights must have the bytes of a run that nothing disturbed.",
        "",
        f"{version}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores, "
        f"seed {seed}, {seconds / 60:.0f} minutes.",
        "",
        "| fault | outcome |",
        "|---|---|",
    ]
    lines += [f"| {what} | {outcome} |" for what, outcome in rows]
    return "\n".join(lines) + "\n"


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--excite", type=Path, default=ROOT / ".build" / "release" / "excite")
    parser.add_argument("--data", type=Path, help="data directory, for gpt2/ (downloads)")
    parser.add_argument("--only", action="append", choices=FAULTS, help="may be repeated")
    parser.add_argument("--share", type=float, default=1,
                        help="of the usual number of times, such as 0.1 or 5")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--page", type=Path, help="write the table there")
    given = parser.parse_args()
    if not given.excite.exists():
        sys.exit(f"faults: {given.excite} is missing: make build")
    began, rows, failures = time.monotonic(), [], 0
    with tempfile.TemporaryDirectory(prefix="excite-faults-") as folder:
        lab = Lab(given.excite.resolve(), Path(folder), given.data and given.data.resolve(),
                  given.seed)
        version = lab.must(["--version"]).strip().splitlines()[0]
        for name in given.only or FAULTS:
            fault, times = FAULTS[name]
            try:
                outcome = fault(lab, max(1, round(times * given.share)))
            except Skip as why:
                outcome = f"not tried: {why}"
            except Lost as what:
                outcome = f"**FAILS**: {what}"
                failures += 1
            rows.append((fault.__doc__, outcome))
            print(f"{name}: {outcome}", flush=True)
    if given.page:
        share = "" if given.share == 1 else f" --share {given.share:g}"
        command = f"scripts/reliability/faults.py{share} --data DIR --page docs/RELIABILITY.md"
        given.page.parent.mkdir(parents=True, exist_ok=True)
        given.page.write_text(page(rows, version, command, given.seed, time.monotonic() - began))
    sys.exit(1 if failures else 0)


if __name__ == "__main__":
    main()
