"""Training steps of the MoE language model, ours and PyTorch's in turn, so that a busy machine slows both alike.

    VENV/bin/python scripts/bench/gpt_moe.py [--threads 2] [--rounds 5] [--set model.experts=8 ...]

Prints tokens per second of each (median over the rounds), their ratio and PyTorch's peak memory. The model is Table 2's of 77
million parameters unless changed, with a context of 256; 4 sequences a step, Adam, zero-sum.
"""
import argparse
import json
import pathlib
import resource
import statistics
import subprocess
import sys
import time

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "scripts/golden"))
from excitation_torch import GPTMoE, excited_step    # noqa: E402

VOCABULARY = 50257
NAMES = {"layers": "depth", "d": "d", "heads": "heads", "experts": "experts", "k": "k", "hidden": "hidden",
         "context": "context"}

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--batch", type=int, default=4)
parser.add_argument("--set", action="append", default=[], metavar="key=value", help="of the model: model.d=256")
parser.add_argument("--excite", default=str(ROOT / ".build/release/excite"))
options = parser.parse_args()
settings = {"model.context": "256"} | dict(item.split("=") for item in options.set)
sizes = {NAMES[key.removeprefix("model.")]: int(value) for key, value in settings.items()}

torch.set_num_threads(options.threads)
torch.manual_seed(0)
model = GPTMoE(vocab=VOCABULARY, **sizes)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-9)
text = torch.randint(VOCABULARY, (options.batch, sizes["context"] + 1))


def torch_step():
    start = time.perf_counter()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(text[:, :-1]).flatten(0, 1), text[:, 1:].flatten())
    (loss + 0.01 * sum(block.moe.balance for block in model.blocks)).backward()
    excited_step(model, optimizer, "zero-sum")
    return time.perf_counter() - start


def our_step():
    command = [options.excite, "bench", "step", "--model", "gpt_moe", "--optimizer", "adam", "--variant", "zero-sum",
               "--batch-size", str(options.batch), "--threads", str(options.threads), "--repetitions", "3", "--json"]
    for key, value in settings.items():
        command += ["--set", f"{key}={value}"]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return result["median_seconds"], result["gemm_fraction"]


torch_step()
ours, theirs, shares = [], [], []
for _ in range(options.rounds):
    seconds, share = our_step()
    ours.append(seconds)
    shares.append(share)
    theirs.append(torch_step())
tokens = options.batch * sizes["context"]
rates = [tokens / statistics.median(seconds) for seconds in (ours, theirs)]
ratios = [theirs / ours for ours, theirs in zip(ours, theirs)]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
parameters = sum(p.numel() for p in model.parameters()) / 1e6
print(f"threads {options.threads}, {tokens} tokens a step, {parameters:.1f} M parameters")
print(f"excite   {rates[0]:.0f} tokens/s, {100 * statistics.median(shares):.0f} % of a large matrix product's speed")
print(f"PyTorch  {rates[1]:.0f} tokens/s, peak {peak:.1f} GB")
print(f"ratio    {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) round by round")
