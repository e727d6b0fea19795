"""Writes the golden fixtures of the MoE vision transformer: what PyTorch computes, for the Swift tests.

    VENV/bin/python scripts/golden/moe_vit.py              # writes Tests/GoldenTests/Fixtures/moe_vit_*.safetensors

    moe_vit_forward.safetensors      logits, losses and every gradient of four small models
    moe_vit_trajectory.safetensors   final weights after 10 excited steps of Adam and SGD

Samples, weights and errors are as moe_golden.py says.
"""
import json

import torch
import torch.nn.functional as F

from excitation_torch import MoEViT
from moe_golden import Family, main

SEED = 20260222
INPUTS = 3 * 32 * 32

# Uneven sizes, so that every loop over vectors has a remainder.
FORWARD_CASES = {
    "small": dict(d=24, depth=2, heads=3, hidden=20, experts=5, k=2, classes=7, patch=16, batch=6,
                  balance_weight=0.01, z_weight=0.0),
    "z-loss": dict(d=16, depth=2, heads=2, hidden=16, experts=6, k=3, classes=5, patch=16, batch=5,
                   balance_weight=0.5, z_weight=0.1),
    "one-expert": dict(d=12, depth=1, heads=1, hidden=9, experts=4, k=1, classes=5, patch=8, batch=3,
                       balance_weight=0.3, z_weight=0.0),
    "all-experts": dict(d=10, depth=3, heads=5, hidden=7, experts=3, k=3, classes=4, patch=16, batch=5,
                        balance_weight=0.3, z_weight=0.01),
}
SIZES = dict(d=16, depth=2, heads=2, hidden=12, experts=8, k=2, classes=5, patch=16)
BATCH = 4
LOSSES = dict(balance_weight=0.05, z_weight=0.01)


def scale(name, p):
    """Products of order 1; biases and the norms' gains away from where they start."""
    return p.shape[-1] ** -0.5 if p.dim() > 1 and not name.endswith((".b1", ".b2")) else 0.3


def draw(generator, batch, case):
    return (torch.randn(batch, INPUTS, generator=generator),
            torch.randint(case["classes"], (batch,), generator=generator))


FAMILY = Family(
    MoEViT, ("d", "depth", "heads", "hidden", "experts", "k", "classes", "patch"), scale, draw,
    inputs=lambda x, dtype: x.to(dtype).view(-1, 3, 32, 32), cross_entropy=F.cross_entropy,
    renamed={"depth": "layers"})


def forward_fixture(metadata):
    tensors, cases = FAMILY.forward_fixture(
        FORWARD_CASES, SEED, lambda x, y, logits, model: {"inputs": x, "labels": y.int(), "logits": logits} | {
            f"balance.{i}": block.moe.balance for i, block in enumerate(model.blocks)})
    meaning = (
        "CASE/inputs [B, 3072], labels [B], init.* and grad.* by state_dict key, logits [B, classes], cross_entropy "
        "(mean, nats), loss (with balance and z-loss), utilization.i and balance.i by block. float32_error: largest "
        "|float32 - float64| of logits and loss; gradient_error: of gradients.")
    return tensors, metadata | {"meaning": meaning, "cases": json.dumps(cases, sort_keys=True)}


def trajectory_fixture(metadata):
    case = SIZES | LOSSES | dict(batch=BATCH)
    tensors, cases = FAMILY.trajectories(case, SEED, lambda x, y: {"inputs": x, "labels": y.int()})
    meaning = (
        "init.* are the weights before the first step, inputs [10, B, 3072], labels [10, B]. Per trajectory: CASE/* by "
        "state_dict key after 10 steps, CASE/losses [10] before each step, with balance and z-loss. float32_error: "
        "largest |float32 - float64| of the final weights; moved: largest change of a modulated weight; idle_experts: "
        "how often an expert got no token.")
    return tensors, metadata | {
        "meaning": meaning, "sizes": json.dumps(FAMILY.facts(case), sort_keys=True),
        "cases": json.dumps(cases, sort_keys=True)}


if __name__ == "__main__":
    main("moe_vit.py", __doc__.splitlines()[0], SEED,
         {"moe_vit_forward": forward_fixture, "moe_vit_trajectory": trajectory_fixture})
