"""Writes the golden fixtures of the Top-K MLP: what PyTorch computes, for the Swift tests to compare with.

    python3 -m venv VENV                    # a virtual environment outside the project
    VENV/bin/pip install torch numpy
    VENV/bin/python scripts/golden/topk_mlp.py              # writes Tests/GoldenTests/Fixtures/*.safetensors

    topk_mlp_forward.safetensors   forward pass, loss and every gradient of five small models
    optimizers_x_phi.safetensors   final weights after 20 steps, for every optimizer x excitation function
    phi.safetensors                the excitation functions by themselves

The tests need no Python: the fixtures are kept in git. The same torch version on the same kind of CPU writes
the same bytes; elsewhere the last bits of a float may differ.

Which neurons win is a discrete choice: two correct float32 programs may disagree where the K-th and the
(K+1)-th pre-activation differ by less than rounding, and from there on their weights differ by much more. So
samples are drawn until none of them, in any of the trajectories, has a gap at the K-th place or a winner's
distance from ReLU's kink below MARGIN, in float64. The float32 trajectory must then pick the same winners,
which is checked, and |float32 - float64| of the final weights says what float32 accuracy means here. It is in
the metadata, per trajectory.
"""
import argparse
import json
import math
import pathlib

import torch
import torch.nn as nn
import torch.nn.functional as F

from excitation_torch import TopKMLP, excited_step, phi
from safetensors_file import write

VARIANTS = ["vanilla", "zero-sum", "positive-sum", "exp-diff", "global-exp", "random-boost", "inverted"]
# Smallest allowed gap of a discrete choice. Pre-activations are of order 1 and carry float32 errors of
# about 1e-6, at the end of a trajectory up to 1e-5.
MARGIN = 5e-5
SEED = 20260221
STEPS = 20


class NormalizedTopKMLP(TopKMLP):
    """TopKMLP, with LayerNorm between Linear and Top-K where asked. The norms' parameters are not experts'.

    It keeps each layer's Linear outputs, pre-activations (what Top-K sees) and activations.
    """

    def __init__(self, inputs, width, depth, classes, k, layer_norm=False):
        super().__init__(inputs, width, depth, classes)
        self.k = k
        if layer_norm:
            self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(depth))

    def forward(self, x):
        self.utilization, self.masks, self.linear, self.preactivations, self.activations = [], [], [], [], []
        for i, layer in enumerate(self.layers):
            h = layer(x)
            z = self.norms[i](h) if hasattr(self, "norms") else h
            mask = torch.zeros_like(z).scatter_(1, z.topk(self.k, dim=1).indices, 1.0)
            x = F.relu(z) * mask
            self.linear.append(h)
            self.preactivations.append(z)
            self.activations.append(x)
            self.masks.append(mask)
            self.utilization.append(mask.mean(0))
        return self.head(x)

    def margin(self):
        """Per sample of the last forward pass, the smallest gap of any of its discrete choices [B]."""
        gaps = []
        for z in self.preactivations:
            ordered = z.detach().sort(dim=1, descending=True).values
            if self.k < z.shape[1]:
                gaps.append(ordered[:, self.k - 1] - ordered[:, self.k])
            gaps.append(ordered[:, : self.k].abs().min(1).values)
        return torch.stack(gaps).min(0).values


def draw(generator, batch, inputs, classes):
    """Inputs of mean 0 and standard deviation 1, like standardized pixels, and labels."""
    return (torch.randn(batch, inputs, generator=generator),
            torch.randint(classes, (batch,), generator=generator))


def draw_clear(generator, batch, inputs, classes, models):
    """A batch on which no model has a near-tie. The models are float64."""
    x, y = draw(generator, batch, inputs, classes)
    while True:
        smallest = torch.full((batch,), math.inf, dtype=torch.float64)
        with torch.no_grad():
            for model in models:
                model(x.double())
                smallest = torch.minimum(smallest, model.margin())
        unclear = smallest < MARGIN
        if not unclear.any():
            return x, y, smallest.min().item()
        x[unclear], y[unclear] = draw(generator, int(unclear.sum()), inputs, classes)


def as_double(model, sizes):
    twin = NormalizedTopKMLP(**sizes).double()
    twin.load_state_dict(model.state_dict())
    return twin


def require_same_winners(single, double, name):
    for i, (a, b) in enumerate(zip(single.masks, double.masks)):
        if not torch.equal(a.double(), b):
            raise SystemExit(f"{name}: layer {i}: float32 and float64 pick different winners; raise MARGIN")


def largest_difference(single, double):
    return max((a.detach().double() - b.detach()).abs().max().item() for a, b in zip(single, double))


# ---------------------------------------------------------------- forward, loss and gradients
FORWARD_CASES = {
    "small": dict(inputs=40, width=32, depth=3, classes=10, k=8, batch=24),
    "uneven": dict(inputs=37, width=21, depth=2, classes=7, k=5, batch=13),
    "layer-norm": dict(inputs=40, width=32, depth=3, classes=10, k=8, batch=24, layer_norm=True),
    "dense": dict(inputs=19, width=17, depth=2, classes=5, k=17, batch=11),
    "one-winner": dict(inputs=19, width=17, depth=2, classes=5, k=1, batch=11),
}


def forward_fixture(metadata):
    tensors, cases = {}, {}
    for number, (name, case) in enumerate(FORWARD_CASES.items()):
        torch.manual_seed(SEED + number)
        generator = torch.Generator().manual_seed(SEED + 1000 + number)
        sizes = {key: value for key, value in case.items() if key != "batch"}
        model = NormalizedTopKMLP(**sizes)
        if case.get("layer_norm"):
            # At their initial 1 and 0 a wrong use of the scale and the shift would go unseen.
            with torch.no_grad():
                for norm in model.norms:
                    norm.weight.uniform_(0.5, 1.5)
                    norm.bias.uniform_(-0.3, 0.3)
        twin = as_double(model, sizes)
        x, y, margin = draw_clear(generator, case["batch"], case["inputs"], case["classes"], [twin])
        results = []
        for m, inputs in ((model, x), (twin, x.double())):
            logits = m(inputs)
            loss = F.cross_entropy(logits, y)
            loss.backward()
            results.append([logits, loss] + [p.grad for p in m.parameters()])
        require_same_winners(model, twin, name)

        out = {"inputs": x, "labels": y.int(), "logits": results[0][0], "loss": results[0][1]}
        for key, p in model.named_parameters():
            out[f"init.{key}"] = p
            out[f"grad.{key}"] = p.grad
        for i in range(case["depth"]):
            out[f"linear.{i}"] = model.linear[i]
            out[f"preactivation.{i}"] = model.preactivations[i]
            out[f"activation.{i}"] = model.activations[i]
            out[f"utilization.{i}"] = model.utilization[i]
        tensors.update({f"{name}/{key}": value for key, value in out.items()})
        cases[name] = dict(
            inputs=case["inputs"], width=case["width"], hidden_layers=case["depth"], classes=case["classes"],
            k=case["k"], batch=case["batch"], layer_norm=case.get("layer_norm", False), smallest_gap=margin,
            float32_error=largest_difference(*results))
    meaning = (
        "CASE/inputs [B, inputs], labels [B], init.* and grad.* by state_dict key, linear.i [B, width] (Linear's "
        "output), preactivation.i (what Top-K sees: after LayerNorm where there is one), activation.i, "
        "utilization.i [width], logits [B, classes], loss (mean cross entropy, nats). float32_error: largest "
        "|float32 - float64| of logits, loss and gradients.")
    return tensors, metadata | {"meaning": meaning, "cases": json.dumps(cases, sort_keys=True)}


# ---------------------------------------------------------------- optimizers x excitation functions
# Uneven sizes, so that every loop of a vectorized update has a remainder.
SIZES = dict(inputs=37, width=21, depth=3, classes=7, k=5)
BATCH = 24

# Large enough that 20 steps move the weights by a good part of their size.
OPTIMIZERS = {
    "sgd": dict(lr=0.5),
    "momentum": dict(lr=0.1, momentum=0.9),
    "adam": dict(lr=0.005),
    "adamw": dict(lr=0.005, weight_decay=0.01),
    "rmsprop": dict(lr=0.001),
    "adagrad": dict(lr=0.01),
}

# Other constants than the defaults. The decays are strong, to be seen after 20 steps.
OTHER_CONSTANTS = {
    "sgd, weight decay": ("sgd", dict(lr=0.5, weight_decay=0.05)),
    "momentum, nesterov": ("momentum", dict(lr=0.1, momentum=0.8, nesterov=True)),
    "momentum, nesterov, weight decay": (
        "momentum", dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05)),
    "momentum, dampening": ("momentum", dict(lr=0.1, momentum=0.9, dampening=0.3)),
    "momentum, dampening, weight decay": (
        "momentum", dict(lr=0.1, momentum=0.7, dampening=0.5, weight_decay=0.05)),
    "adam, weight decay": ("adam", dict(lr=0.005, weight_decay=0.1)),
    "adam, betas, epsilon": ("adam", dict(lr=0.005, betas=(0.8, 0.95), eps=1e-3)),
    "adamw, strong decay": ("adamw", dict(lr=0.005, weight_decay=3.0)),
    "adamw, no decay": ("adamw", dict(lr=0.005, weight_decay=0.0)),
    "rmsprop, weight decay": ("rmsprop", dict(lr=0.001, weight_decay=0.1)),
    "rmsprop, alpha, epsilon": ("rmsprop", dict(lr=0.001, alpha=0.9, eps=1e-3)),
    "adagrad, all": (
        "adagrad", dict(lr=0.01, lr_decay=0.05, initial_accumulator_value=0.1, weight_decay=0.1, eps=1e-6)),
    "adagrad, accumulator": ("adagrad", dict(lr=0.02, initial_accumulator_value=0.01)),
    "adagrad, decay of the rate": ("adagrad", dict(lr=0.02, lr_decay=0.1)),
}

# PyTorch's names of the constants -> those of our configs.
CONFIG_KEYS = {"eps": "epsilon", "initial_accumulator_value": "initial_accumulator"}


def make_optimizer(name, parameters, constants):
    kind = {"sgd": torch.optim.SGD, "momentum": torch.optim.SGD, "adam": torch.optim.Adam,
            "adamw": torch.optim.AdamW, "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad}[name]
    return kind(parameters, **constants)


def trajectories():
    """label -> (optimizer, constants, variant, gamma, layer_norm)"""
    out = {}
    for name, constants in OPTIMIZERS.items():
        for variant in VARIANTS:
            out[f"{name} x {variant}"] = (name, constants, variant, 1.0, False)
    for gamma in (0.5, 2.0):
        for variant in ("zero-sum", "exp-diff", "inverted"):
            for name in ("sgd", "adam"):
                out[f"{name} x {variant}, gamma {gamma:g}"] = (name, OPTIMIZERS[name], variant, gamma, False)
    for variant in ("positive-sum", "global-exp", "random-boost"):
        out[f"sgd x {variant}, gamma 2"] = ("sgd", OPTIMIZERS["sgd"], variant, 2.0, False)
    for label, (name, constants) in OTHER_CONSTANTS.items():
        for variant in ("vanilla", "zero-sum"):
            out[f"{label} x {variant}"] = (name, constants, variant, 1.0, False)
    for name in ("sgd", "adamw"):
        out[f"{name} x zero-sum, layer norm"] = (name, OPTIMIZERS[name], "zero-sum", 1.0, True)
    return out


def step(model, optimizer, x, y, variant, gamma, permutations):
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x), y)
    loss.backward()
    excited_step(model, optimizer, variant, gamma, permutations)
    return loss.item()


def optimizer_fixture(metadata):
    generator = torch.Generator().manual_seed(SEED + 2000)
    torch.manual_seed(SEED + 3000)
    initial = NormalizedTopKMLP(**SIZES, layer_norm=True).state_dict()
    plain = {key: value for key, value in initial.items() if not key.startswith("norms.")}

    runs = {}
    for label, (name, constants, variant, gamma, layer_norm) in trajectories().items():
        pair = []
        for dtype in (torch.float32, torch.float64):
            model = NormalizedTopKMLP(**SIZES, layer_norm=layer_norm).to(dtype)
            model.load_state_dict(initial if layer_norm else plain)
            pair.append((model, make_optimizer(name, model.parameters(), constants), []))
        runs[label] = pair

    # All trajectories walk in step, so that each batch can be drawn clear of near-ties for all of them.
    inputs, labels, permutations, smallest = [], [], [], math.inf
    for _ in range(STEPS):
        x, y, margin = draw_clear(
            generator, BATCH, SIZES["inputs"], SIZES["classes"], [pair[1][0] for pair in runs.values()])
        order = torch.stack(
            [torch.randperm(SIZES["width"], generator=generator) for _ in range(SIZES["depth"])])
        smallest = min(smallest, margin)
        inputs.append(x)
        labels.append(y)
        permutations.append(order)
        for label, (_, _, variant, gamma, _) in trajectories().items():
            (single, single_optimizer, losses), (double, double_optimizer, double_losses) = runs[label]
            losses.append(step(single, single_optimizer, x, y, variant, gamma, order))
            double_losses.append(step(double, double_optimizer, x.double(), y, variant, gamma, order))
            require_same_winners(single, double, label)

    tensors = {f"init.{key}": value for key, value in initial.items()}
    tensors |= {"inputs": torch.stack(inputs), "labels": torch.stack(labels).int(),
                "permutations": torch.stack(permutations).int()}
    cases = {}
    for label, (name, constants, variant, gamma, layer_norm) in trajectories().items():
        (single, _, losses), (double, _, double_losses) = runs[label]
        state = single.state_dict()
        tensors |= {f"{label}/{key}": value for key, value in state.items()}
        tensors[f"{label}/losses"] = torch.tensor(losses)
        settings = {CONFIG_KEYS.get(key, key): value for key, value in constants.items() if key != "betas"}
        if "betas" in constants:
            settings |= dict(zip(("beta1", "beta2"), constants["betas"]))
        start = initial if layer_norm else plain
        cases[label] = dict(
            optimizer=dict(name=name, **settings), variant=variant, gamma=gamma, layer_norm=layer_norm,
            float32_error=largest_difference(state.values(), double.state_dict().values()),
            float32_loss_error=max(abs(a - b) for a, b in zip(losses, double_losses)),
            moved=max((state[key] - start[key]).abs().max().item() for key in start if key.startswith("layers.")))
    meaning = (
        "init.* are the weights before the first step, inputs [20, B, inputs], labels [20, B], permutations "
        "[20, layers, width] (random-boost: multiplier n is the zero-sum multiplier permutation[n]). Per trajectory: "
        "CASE/* by state_dict key after 20 steps, CASE/losses [20] before each step (mean cross entropy, nats). "
        "float32_error: largest |float32 - float64| of the final weights; moved: largest change of a modulated weight.")
    sizes = dict(inputs=SIZES["inputs"], width=SIZES["width"], hidden_layers=SIZES["depth"],
                 classes=SIZES["classes"], k=SIZES["k"], batch=BATCH, steps=STEPS)
    return tensors, metadata | {
        "meaning": meaning, "sizes": json.dumps(sizes, sort_keys=True), "cases": json.dumps(cases, sort_keys=True),
        "smallest_gap": repr(smallest)}


# ---------------------------------------------------------------- the excitation functions
PHI_BATCH = 512
GAMMAS = (0.0, 0.5, 1.0, 2.0, 3.0)


def phi_fixture(metadata):
    """Utilizations are counts / batch, as they are in training: no other value of u is possible."""
    generator = torch.Generator().manual_seed(SEED + 4000)
    counts = {
        # Every sample picks all neurons, K = width.
        "all-ones": torch.full((8,), PHI_BATCH),
        # K = 2 of 8, spread evenly.
        "all-equal": torch.full((8,), PHI_BATCH // 4),
        # K = 1, and every sample picks the same neuron: all others have u = 0.
        "one-hot": torch.tensor([0, 0, 0, PHI_BATCH, 0, 0, 0]),
        # Half of the neurons never win.
        "half-dead": torch.tensor([0, 256, 0, 512, 0, 128, 0, 128]),
        # One neuron wins once.
        "rare": torch.tensor([1, 511, 512, 256, 256]),
        "random": torch.randint(PHI_BATCH + 1, (33,), generator=generator),
        "single": torch.tensor([PHI_BATCH]),
    }
    tensors, largest = {}, 0.0
    for name, c in counts.items():
        permutation = torch.randperm(len(c), generator=generator)
        tensors[f"{name}/counts"] = c.int()
        tensors[f"{name}/permutation"] = permutation.int()
        for variant in VARIANTS:
            for gamma in GAMMAS:
                exact = phi(c.double() / PHI_BATCH, variant, gamma, permutation)
                single = phi(c.float() / PHI_BATCH, variant, gamma, permutation)
                largest = max(largest, ((single - exact).abs() / exact.abs().clamp_min(1.0)).max().item())
                tensors[f"{name}/{variant}/{gamma:g}"] = exact.view(torch.int64)
    meaning = (
        "CASE/counts [E] of a batch of 512, CASE/permutation [E] (random-boost), CASE/VARIANT/GAMMA [E] are the "
        "multipliers in float64, as the integers of the same bits. float32_error: largest |float32 - float64| / max(1, |float64|).")
    return tensors, metadata | {
        "meaning": meaning, "batch": str(PHI_BATCH), "gammas": json.dumps(GAMMAS), "variants": json.dumps(VARIANTS),
        "cases": json.dumps(list(counts)), "float32_error": repr(largest)}


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "Tests/GoldenTests/Fixtures"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=default, help="folder of the fixtures")
    folder = parser.parse_args().out
    torch.set_num_threads(1)
    metadata = {"script": "scripts/golden/topk_mlp.py", "torch": torch.__version__, "seed": str(SEED)}
    for name, make in (("topk_mlp_forward", forward_fixture), ("optimizers_x_phi", optimizer_fixture),
                       ("phi", phi_fixture)):
        tensors, about = make(dict(metadata))
        path = folder / f"{name}.safetensors"
        write(path, tensors, about)
        print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes")
        if "cases" in about and name != "phi":
            for case, facts in json.loads(about["cases"]).items():
                print(f"  {case}: float32 error {facts['float32_error']:.1e}"
                      + (f", moved {facts['moved']:.2g}" if "moved" in facts else ""))


if __name__ == "__main__":
    main()
