"""What the PyTorch and JAX sides of compare.py share: one process, asked over stdin, answering on stdout.

A request is one JSON line {"case": {...}, "steps": N}; the answer is {"seconds": [N numbers], "about": {...}}.
The process stays alive between requests, so that the peers can alternate without paying for a start each time,
and it sleeps while another one is measured. The first request of a case also builds and warms up. "about" gets the
process's peak memory in bytes.
"""
import json
import os
import resource
import sys


def pin(argument):
    """Keeps this process on the given CPUs ("0" or "0,1"; "-" for all). Call before importing torch or jax."""
    if argument != "-" and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {int(cpu) for cpu in argument.split(",")})


def peak_bytes(usage):
    """The largest resident set that a resource usage tells of."""
    return usage.ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def serve(build):
    """build(case) -> (run, about); run(steps) -> seconds of each step. Keeps only the last case built."""
    current, run, about = None, None, None
    out = os.fdopen(os.dup(1), "w")
    # Libraries print warnings to stdout; only answers may go there.
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        if request["case"] != current:
            current = request["case"]
            run = None                       # frees the old case before the new one is built
            run, about = build(current)
        seconds = run(request["steps"])
        about["peak_bytes"] = peak_bytes(resource.getrusage(resource.RUSAGE_SELF))
        print(json.dumps({"seconds": seconds, "about": about}), file=out, flush=True)
