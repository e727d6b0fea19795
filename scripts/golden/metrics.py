"""Writes the golden fixture of the expert metrics: what the reference and NumPy make of small cases.

    VENV/bin/python scripts/golden/metrics.py               # writes Tests/GoldenTests/Fixtures/expert_metrics.safetensors

Per routing case N samples, each of T tokens, pick K of E experts by scores: counts [classes, E] and specialization
as `specialization` of excitation_torch.py, routing entropy as its `MoE` computes it, in float64. The scores are
float32 numbers. Per load case u [E] and NumPy's minimum, percentiles and maximum of it. The models are the reference's
Top-K MLPs, with LayerNorm and without, on one batch: metrics of each layer, the scores being what Top-K sees.
"""
import argparse
import json
import pathlib

import numpy as np
import torch

from excitation_torch import MoE, specialization
from safetensors_file import write
from topk_mlp import SEED, NormalizedTopKMLP, as_double, draw_clear

ROUTING_CASES = {
    # name: samples, tokens, experts, picked, classes, scale of the scores
    "even": dict(samples=60, tokens=1, experts=16, picked=4, classes=10, scale=0.1),
    "peaked": dict(samples=60, tokens=1, experts=128, picked=13, classes=10, scale=6.0),
    "one-pick": dict(samples=40, tokens=1, experts=33, picked=1, classes=7, scale=1.0),
    "tokens": dict(samples=24, tokens=5, experts=8, picked=2, classes=4, scale=2.0),
    # Most scores are out of reach: their probability is 0 in float32, and their experts are never used.
    "dead": dict(samples=30, tokens=1, experts=20, picked=3, classes=5, scale=1.0, dead=12),
}
MODEL_CASES = {
    "plain": dict(inputs=40, width=32, depth=3, classes=10, k=8, batch=48),
    "layer-norm": dict(inputs=37, width=21, depth=2, classes=7, k=5, batch=31, layer_norm=True),
}
PERCENTILES = (0, 5, 25, 50, 75, 95, 100)


def entropy(scores):
    """What the reference's router says of scores [N, E]: its weight is the identity here."""
    experts = scores.shape[1]
    layer = MoE(experts, 1, experts, 1).double()
    with torch.no_grad():
        layer.router.weight.copy_(torch.eye(experts))
        for p in (layer.w1, layer.w2):
            p.zero_()
        layer(scores.double())
    return layer.entropy.item()


def class_counts(picks, labels, experts, classes):
    """picks [N, K], labels [N] -> how often each expert was active on samples of each class, [E, C]."""
    counts = torch.zeros(experts, classes, dtype=torch.int64)
    for row, label in zip(picks.tolist(), labels.tolist()):
        for expert in row:
            counts[expert, label] += 1
    return counts


def bits(values):
    return torch.tensor(values, dtype=torch.float64).view(torch.int64)


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "Tests/GoldenTests/Fixtures"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=default, help="folder of the fixture")
    folder = parser.parse_args().out
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(SEED + 5000)
    tensors = {}

    for name, case in ROUTING_CASES.items():
        rows = case["samples"] * case["tokens"]
        scores = torch.randn(rows, case["experts"], generator=generator) * case["scale"]
        scores[:, : case.get("dead", 0)] -= 200
        labels = torch.randint(case["classes"], (case["samples"],), generator=generator)
        picks = scores.topk(case["picked"], dim=1).indices
        counts = class_counts(picks, labels.repeat_interleave(case["tokens"]), case["experts"], case["classes"])
        tensors |= {
            f"{name}/scores": scores, f"{name}/labels": labels.int(), f"{name}/picks": picks.int(),
            f"{name}/counts": counts.T.int(), f"{name}/results": bits([specialization(counts), entropy(scores)])}

    for number, (name, case) in enumerate(MODEL_CASES.items()):
        torch.manual_seed(SEED + 6000 + number)
        sizes = {key: value for key, value in case.items() if key != "batch"}
        model = NormalizedTopKMLP(**sizes)
        twin = as_double(model, sizes)
        x, labels, _ = draw_clear(generator, case["batch"], case["inputs"], case["classes"], [twin])
        with torch.no_grad():
            twin(x.double())
        tensors |= {f"{name}/init.{key}": p for key, p in model.named_parameters()}
        tensors |= {f"{name}/inputs": x, f"{name}/labels": labels.int()}
        for layer, (mask, z) in enumerate(zip(twin.masks, twin.preactivations)):
            counts = class_counts(mask.topk(case["k"], dim=1).indices, labels, case["width"], case["classes"])
            tensors[f"{name}/results.{layer}"] = bits([specialization(counts), entropy(z)])

    for experts in (1, 2, 7, 128):
        u = torch.rand(experts, generator=generator, dtype=torch.float64).numpy()
        tensors[f"load-{experts}/utilization"] = u.view(np.int64)
        tensors[f"load-{experts}/percentiles"] = np.percentile(u, PERCENTILES).view(np.int64)

    meaning = (
        "Routing cases: scores [N*T, E], labels [N], picks [N*T, K], counts [C, E]. Models: init.*, inputs, labels. "
        "results: specialization and routing entropy (nats); these, utilization and percentiles (of "
        f"{', '.join(map(str, PERCENTILES))} %) are float64, as the integers of the same bits.")
    renamed = {"depth": "hidden_layers"}
    models = {name: {renamed.get(key, key): value for key, value in case.items()} | {
        "layer_norm": case.get("layer_norm", False)} for name, case in MODEL_CASES.items()}
    metadata = {
        "script": "scripts/golden/metrics.py", "torch": torch.__version__, "numpy": np.__version__,
        "seed": str(SEED), "meaning": meaning, "routing": json.dumps(ROUTING_CASES, sort_keys=True),
        "cases": json.dumps(models, sort_keys=True)}
    path = folder / "expert_metrics.safetensors"
    write(path, tensors, metadata)
    print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes")


if __name__ == "__main__":
    main()
