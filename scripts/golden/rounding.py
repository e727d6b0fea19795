#!/usr/bin/env python3
"""How far float32 PyTorch ends from itself when its sums run in another order.

The golden tests compare another float32 program with PyTorch's float32. How far two such programs may part is a
fact about the arithmetic, not about either program: here PyTorch is compared with PyTorch, the second time with
samples, inputs and neurons in another order, which changes every sum's order and nothing else.

    python scripts/golden/rounding.py [--orders 10]

prints, over all trajectories and orders of the fixture's recipe, the largest distance of a final weight in units of
that trajectory's own |float32 - float64|, and as a share of the tests' bound; and for forward pass, loss and
gradients the largest distance as a share of their bound.
"""

import argparse
import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors import safe_open

import moe_vit
import topk_mlp as golden
from moe_golden import TRAJECTORIES

FACTOR, ALLOWANCE = 6.0, 2e-7  # OptimizerGoldenTests.bound, TransformerGolden.bound
TOLERANCE = 1e-6  # TopKMLPGoldenTests.atol and rtol


class Order:
    """An order of samples, inputs and of each layer's neurons."""

    def __init__(self, generator, batch, inputs, width, depth):
        self.batch = torch.randperm(batch, generator=generator)
        self.inputs = torch.randperm(inputs, generator=generator)
        self.neurons = [torch.randperm(width, generator=generator) for _ in range(depth)]

    def tensor(self, key, value):
        """A parameter, or its gradient, in this order."""
        kind, _, rest = key.partition(".")
        if kind == "head":
            return value[:, self.neurons[-1]] if rest == "weight" else value
        layer = int(rest.split(".")[0])
        value = value[self.neurons[layer]]
        if kind == "layers" and rest.endswith("weight"):
            value = value[:, self.inputs if layer == 0 else self.neurons[layer - 1]]
        return value

    def boosts(self, permutations):
        """random-boost gives neuron n the multiplier of neuron permutation[n]."""
        return torch.stack([p.argsort()[q[p]] for p, q in zip(self.neurons, permutations)])


def state(file, prefix):
    return {key[len(prefix):]: file.get_tensor(key) for key in file.keys() if key.startswith(prefix)}


def trajectories(path, orders, generator):
    worst_ratio, worst_share = (0.0, ""), (0.0, "")
    with safe_open(path, "pt") as file:
        cases = json.loads(file.metadata()["cases"])
        inputs, labels = file.get_tensor("inputs"), file.get_tensor("labels").long()
        permutations = file.get_tensor("permutations").long()
        initial = state(file, "init.")
        sizes = golden.SIZES
        for label, (name, constants, variant, gamma, layer_norm) in golden.trajectories().items():
            final = state(file, f"{label}/")
            final.pop("losses")
            error = cases[label]["float32_error"]
            for _ in range(orders):
                order = Order(generator, golden.BATCH, sizes["inputs"], sizes["width"], sizes["depth"])
                model = golden.NormalizedTopKMLP(**sizes, layer_norm=layer_norm)
                model.load_state_dict(
                    {key: order.tensor(key, initial[key]) for key in model.state_dict()})
                optimizer = golden.make_optimizer(name, model.parameters(), constants)
                for x, y, boosts in zip(inputs, labels, permutations):
                    golden.step(model, optimizer, x[order.batch][:, order.inputs], y[order.batch], variant, gamma,
                                order.boosts(boosts))
                distance = max(
                    (value - order.tensor(key, final[key])).abs().max().item()
                    for key, value in model.state_dict().items())
                worst_ratio = max(worst_ratio, (distance / error, label))
                worst_share = max(worst_share, (distance / (FACTOR * error + ALLOWANCE), label))
    print(f"final weights: at most {worst_ratio[0]:.1f} times |float32 - float64| ({worst_ratio[1]}), "
          f"{100 * worst_share[0]:.0f} % of the bound ({worst_share[1]})")


def forward(path, orders, generator):
    worst = (0.0, "")
    with safe_open(path, "pt") as file:
        for label, case in golden.FORWARD_CASES.items():
            sizes = {key: value for key, value in case.items() if key != "batch"}
            x, y = file.get_tensor(f"{label}/inputs"), file.get_tensor(f"{label}/labels").long()
            initial, gradients = state(file, f"{label}/init."), state(file, f"{label}/grad.")
            for _ in range(orders):
                order = Order(generator, case["batch"], case["inputs"], case["width"], case["depth"])
                model = golden.NormalizedTopKMLP(**sizes)
                model.load_state_dict({key: order.tensor(key, initial[key]) for key in model.state_dict()})
                logits = model(x[order.batch][:, order.inputs])
                loss = F.cross_entropy(logits, y[order.batch])
                loss.backward()
                pairs = {"logits": (logits, file.get_tensor(f"{label}/logits")[order.batch]),
                         "loss": (loss, file.get_tensor(f"{label}/loss"))}
                for i, neurons in enumerate(order.neurons):
                    for kind, value in (("preactivation", model.preactivations[i]),
                                        ("activation", model.activations[i])):
                        stored = file.get_tensor(f"{label}/{kind}.{i}")
                        pairs[f"{kind}.{i}"] = (value, stored[order.batch][:, neurons])
                for key, parameter in model.named_parameters():
                    pairs[f"grad.{key}"] = (parameter.grad, order.tensor(key, gradients[key]))
                for key, (value, stored) in pairs.items():
                    share = ((value - stored).abs() / (TOLERANCE + TOLERANCE * stored.abs())).max().item()
                    worst = max(worst, (share, f"{label}: {key}"))
    print(f"forward, loss, gradients: at most {100 * worst[0]:.0f} % of the bound ({worst[1]})")


class TransformerOrder:
    """An order of images, of the residual stream's width, of each block's experts and of their hidden units."""

    def __init__(self, generator, case):
        def order(size):
            return torch.randperm(size, generator=generator)

        self.batch, self.width = order(case["batch"]), order(case["d"])
        self.blocks = [(order(case["experts"]), order(case["hidden"])) for _ in range(case["depth"])]

    def tensor(self, key, value):
        parts = key.split(".")
        experts, hidden = self.blocks[int(parts[1])] if parts[0] == "blocks" else (None, None)
        name, width = ".".join(parts[2:]) if parts[0] == "blocks" else key, self.width
        axes = {
            "cls": (None, width), "pos_embed": (None, width), "patch_embed.weight": (width,),
            "patch_embed.bias": (width,), "norm1.weight": (width,), "norm1.bias": (width,), "norm2.weight": (width,),
            "norm2.bias": (width,), "norm.weight": (width,), "norm.bias": (width,), "qkv.weight": (None, width),
            "qkv.bias": (), "proj.weight": (width,), "proj.bias": (width,), "moe.w1": (experts, hidden, width),
            "moe.b1": (experts, hidden), "moe.w2": (experts, width, hidden), "moe.b2": (experts, width),
            "moe.router.weight": (experts, width), "head.weight": (None, width), "head.bias": ()}[name]
        for axis, order in enumerate(axes):
            value = value if order is None else value.index_select(axis, order)
        return value


def transformer_forward(path, orders, generator):
    worst = (0.0, "")
    with safe_open(path, "pt") as file:
        cases = json.loads(file.metadata()["cases"])
        for label, case in moe_vit.FORWARD_CASES.items():
            x, y = file.get_tensor(f"{label}/inputs"), file.get_tensor(f"{label}/labels").long()
            initial, gradients = state(file, f"{label}/init."), state(file, f"{label}/grad.")
            for _ in range(orders):
                order = TransformerOrder(generator, case)
                model = moe_vit.FAMILY.build(
                    case, state={key: order.tensor(key, value) for key, value in initial.items()})
                logits, _, loss = moe_vit.FAMILY.total_loss(model, x[order.batch], y[order.batch], case)
                loss.backward()
                error, slope = cases[label]["float32_error"], cases[label]["gradient_error"]
                pairs = [("logits", logits, file.get_tensor(f"{label}/logits")[order.batch], error),
                         ("loss", loss, file.get_tensor(f"{label}/loss"), error)]
                pairs += [(key, p.grad, order.tensor(key, gradients[key]), slope) for key, p in model.named_parameters()]
                for key, value, stored, unit in pairs:
                    distance = (value - stored).abs().max().item()
                    worst = max(worst, (distance / (FACTOR * unit + ALLOWANCE), f"{label}: {key}"))
    print(f"transformer, forward, loss, gradients: at most {100 * worst[0]:.0f} % of the bound ({worst[1]})")


def transformer_trajectories(path, orders, generator):
    worst = (0.0, "")
    with safe_open(path, "pt") as file:
        cases = json.loads(file.metadata()["cases"])
        case = moe_vit.SIZES | moe_vit.LOSSES | dict(batch=moe_vit.BATCH)
        inputs, labels = file.get_tensor("inputs"), file.get_tensor("labels").long()
        initial = state(file, "init.")
        for label, (name, constants, variant) in TRAJECTORIES.items():
            final = state(file, f"{label}/")
            for _ in range(orders):
                order = TransformerOrder(generator, case)
                model = moe_vit.FAMILY.build(
                    case, state={key: order.tensor(key, value) for key, value in initial.items()})
                optimizer = golden.make_optimizer(name, model.parameters(), constants)
                for x, y in zip(inputs, labels):
                    optimizer.zero_grad()
                    moe_vit.FAMILY.total_loss(model, x[order.batch], y[order.batch], case)[2].backward()
                    golden.excited_step(model, optimizer, variant)
                distance = max((value - order.tensor(key, final[key])).abs().max().item()
                               for key, value in model.state_dict().items())
                worst = max(worst, (distance / (FACTOR * cases[label]["float32_error"] + ALLOWANCE), label))
    print(f"transformer, final weights: at most {100 * worst[0]:.0f} % of the bound ({worst[1]})")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--orders", type=int, default=10, help="orders tried per trajectory")
    parser.add_argument("--fixtures", type=pathlib.Path,
                        default=pathlib.Path(__file__).resolve().parents[2] / "Tests/GoldenTests/Fixtures")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(1)
    forward(arguments.fixtures / "topk_mlp_forward.safetensors", arguments.orders, generator)
    trajectories(arguments.fixtures / "optimizers_x_phi.safetensors", arguments.orders, generator)
    transformer_forward(arguments.fixtures / "moe_vit_forward.safetensors", arguments.orders, generator)
    transformer_trajectories(arguments.fixtures / "moe_vit_trajectory.safetensors", arguments.orders, generator)


if __name__ == "__main__":
    main()
