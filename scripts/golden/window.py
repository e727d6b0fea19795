"""Writes the golden fixture of excitation accumulation: utilization averaged over the last W batches.

    VENV/bin/python scripts/golden/window.py                # writes Tests/GoldenTests/Fixtures/window.safetensors

The reference's `excited_step` reads the utilization that the forward pass left in the model; here the mean over the
last W batches (fewer at the start) is put there before it. All else is as in topk_mlp.py.
"""
import argparse
import json
import math
import pathlib

import torch
import torch.nn.functional as F

from excitation_torch import excited_step
from safetensors_file import write
from topk_mlp import (BATCH, OPTIMIZERS, SEED, SIZES, STEPS, NormalizedTopKMLP, draw_clear, largest_difference,
                      make_optimizer, require_same_winners)

TRAJECTORIES = {
    "sgd x zero-sum, window 3": ("sgd", "zero-sum", 1.0, 3),
    "momentum x positive-sum, gamma 2, window 5": ("momentum", "positive-sum", 2.0, 5),
    "adam x inverted, window 3": ("adam", "inverted", 1.0, 3),
    # Longer than the run: the mean over all batches so far.
    "adam x exp-diff, gamma 2, window 40": ("adam", "exp-diff", 2.0, 40),
}


def step(model, optimizer, x, y, variant, gamma, window, past):
    """past: the utilizations of the batches before, [layers, width] each."""
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    past.append(torch.stack(model.utilization))
    model.utilization = list(torch.stack(past[-window:]).mean(0))
    excited_step(model, optimizer, variant, gamma)
    return loss.item()


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "Tests/GoldenTests/Fixtures"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=default, help="folder of the fixture")
    folder = parser.parse_args().out
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED + 7000)
    torch.manual_seed(SEED + 8000)
    initial = NormalizedTopKMLP(**SIZES).state_dict()

    runs = {}
    for label, (name, *_) in TRAJECTORIES.items():
        pair = []
        for dtype in (torch.float32, torch.float64):
            model = NormalizedTopKMLP(**SIZES).to(dtype)
            model.load_state_dict(initial)
            pair.append((model, make_optimizer(name, model.parameters(), OPTIMIZERS[name]), []))
        runs[label] = pair
    inputs, labels, smallest = [], [], math.inf
    for _ in range(STEPS):
        twins = [double for _, (double, _, _) in runs.values()]
        x, y, margin = draw_clear(generator, BATCH, SIZES["inputs"], SIZES["classes"], twins)
        smallest = min(smallest, margin)
        inputs.append(x)
        labels.append(y)
        for label, (_, variant, gamma, window) in TRAJECTORIES.items():
            (single, single_optimizer, past), (double, double_optimizer, double_past) = runs[label]
            step(single, single_optimizer, x, y, variant, gamma, window, past)
            step(double, double_optimizer, x.double(), y, variant, gamma, window, double_past)
            require_same_winners(single, double, label)

    tensors = {f"init.{key}": value for key, value in initial.items()}
    tensors |= {"inputs": torch.stack(inputs), "labels": torch.stack(labels).int()}
    cases = {}
    for label, (name, variant, gamma, window) in TRAJECTORIES.items():
        (single, _, _), (double, _, _) = runs[label]
        state = single.state_dict()
        tensors |= {f"{label}/{key}": value for key, value in state.items()}
        cases[label] = dict(
            optimizer=name, lr=OPTIMIZERS[name]["lr"], variant=variant, gamma=gamma, window=window,
            float32_error=largest_difference(state.values(), double.state_dict().values()),
            moved=max((state[key] - initial[key]).abs().max().item() for key in initial if key.startswith("layers.")))
    meaning = (
        "init.*, inputs [20, B, inputs], labels [20, B]; per trajectory CASE/* by state_dict key after 20 steps. "
        "float32_error: largest |float32 - float64| of the final weights; moved: largest change of a modulated weight.")
    sizes = dict(inputs=SIZES["inputs"], width=SIZES["width"], hidden_layers=SIZES["depth"],
                 classes=SIZES["classes"], k=SIZES["k"], batch=BATCH, steps=STEPS)
    metadata = {
        "script": "scripts/golden/window.py", "torch": torch.__version__, "seed": str(SEED), "meaning": meaning,
        "sizes": json.dumps(sizes, sort_keys=True), "cases": json.dumps(cases, sort_keys=True),
        "smallest_gap": repr(smallest)}
    path = folder / "window.safetensors"
    write(path, tensors, metadata)
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes")
    for label, facts in cases.items():
        print(f"  {label}: float32 error {facts['float32_error']:.1e}, moved {facts['moved']:.2g}")


if __name__ == "__main__":
    main()
