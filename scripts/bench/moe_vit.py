"""Training steps of the MoE vision transformer, ours and PyTorch's in turn, so that a busy machine slows both alike.

    VENV/bin/python scripts/bench/moe_vit.py [--threads 2] [--rounds 5] [--set model.experts=8 ...]

Prints images per second of each (median over the rounds), their ratio, and PyTorch's peak memory. The model is the one
of 17 million parameters unless changed; batch 64, Adam, zero-sum.
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
from excitation_torch import MoEViT, excited_step    # noqa: E402

parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=5)
parser.add_argument("--batch", type=int, default=64)
parser.add_argument("--set", action="append", default=[], metavar="key=value", help="of the model: model.d=512")
parser.add_argument("--excite", default=str(ROOT / ".build/release/excite"))
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(0)
names = {"layers": "depth", "d": "d", "heads": "heads", "experts": "experts", "k": "k", "hidden": "hidden",
         "patch": "patch"}
sizes = {names[key.removeprefix("model.")]: int(value) for key, value in (item.split("=") for item in options.set)}
model = MoEViT(**sizes)
optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)
images, labels = torch.randn(options.batch, 3, 32, 32), torch.randint(10, (options.batch,))


def torch_step():
    start = time.perf_counter()
    optimizer.zero_grad()
    loss = F.cross_entropy(model(images), labels) + 0.01 * sum(block.moe.balance for block in model.blocks)
    loss.backward()
    excited_step(model, optimizer, "zero-sum")
    return time.perf_counter() - start


def our_step():
    command = [options.excite, "bench", "step", "--model", "moe_vit", "--optimizer", "adam", "--variant", "zero-sum",
               "--batch-size", str(options.batch), "--threads", str(options.threads), "--repetitions", "3", "--json"]
    for item in options.set:
        command += ["--set", item]
    result = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    return result["median_seconds"], result["gemm_fraction"]


torch_step()
ours, theirs, shares = [], [], []
for _ in range(options.rounds):
    seconds, share = our_step()
    ours.append(seconds)
    shares.append(share)
    theirs.append(torch_step())
rates = [options.batch / statistics.median(seconds) for seconds in (ours, theirs)]
ratios = [theirs / ours for ours, theirs in zip(ours, theirs)]
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
print(f"threads {options.threads}, batch {options.batch}, {sum(p.numel() for p in model.parameters()) / 1e6:.1f} M parameters")
print(f"excite   {rates[0]:.1f} images/s, {100 * statistics.median(shares):.0f} % of a large matrix product's speed")
print(f"PyTorch  {rates[1]:.1f} images/s, peak {peak:.1f} GB")
print(f"ratio    {statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f}) round by round")
