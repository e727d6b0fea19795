"""Writes the golden fixtures of the MoE vision transformer: what PyTorch computes, for the Swift tests.

    VENV/bin/python scripts/golden/moe_vit.py              # writes Tests/GoldenTests/Fixtures/moe_vit_*.safetensors

    moe_vit_forward.safetensors      logits, losses and every gradient of four small models
    moe_vit_trajectory.safetensors   final weights after 10 excited steps of Adam and SGD

As with the Top-K MLP (topk_mlp.py), which experts a token picks is a discrete choice: images are drawn until no token
of theirs has a gap at the K-th place of its router below MARGIN, in float64 and in any of the trajectories, and float32
must then pick the same experts. |float32 - float64| of each result is in the metadata: what float32 accuracy means
here. The weights are drawn larger than the model's own initialization, so that every part of it matters to the result.
"""
import argparse
import json
import pathlib

import torch
import torch.nn.functional as F

from excitation_torch import MoEViT, excited_step
from safetensors_file import write
from topk_mlp import make_optimizer

SEED = 20260222
# Scores are of order 1 and carry float32 errors of about 1e-6, after some steps up to 1e-5.
MARGIN = 5e-5
STEPS = 10
# A bias of the keys moves no softmax: its true gradient is 0, and Adam with PyTorch's 1e-8 would divide the rounding
# of it by its own size.
EPSILON = 1e-4
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
TRAJECTORIES = {
    f"{name} x {variant}": (name, constants, variant)
    for name, constants in (("sgd", dict(lr=0.1)), ("adam", dict(lr=0.003, eps=EPSILON)))
    for variant in ("vanilla", "zero-sum", "positive-sum", "inverted")
}
MODEL_KEYS = ("d", "depth", "heads", "hidden", "experts", "k", "classes", "patch")


def build(case, dtype=torch.float32, state=None):
    model = MoEViT(**{key: case[key] for key in MODEL_KEYS})
    if state is None:
        with torch.no_grad():
            for name, p in model.named_parameters():
                # Products of order 1; biases and the norms' gains away from where they start.
                scale = p.shape[-1] ** -0.5 if p.dim() > 1 and not name.endswith((".b1", ".b2")) else 0.3
                p.add_(torch.randn_like(p) * scale)
    else:
        model.load_state_dict(state)
    return model.to(dtype)


def total_loss(model, x, y, losses):
    """Cross entropy, and with balance and z-loss. The reference keeps the routers' probabilities; their logarithm
    plus log-sum-exp are the scores."""
    scores = []
    hooks = [b.moe.router.register_forward_hook(lambda _, __, out: scores.append(out)) for b in model.blocks]
    logits = model(x)
    for hook in hooks:
        hook.remove()
    model.scores = scores
    cross = F.cross_entropy(logits, y)
    balance = sum(b.moe.balance for b in model.blocks)
    z = sum(s.logsumexp(-1).square().mean() for s in scores)
    return logits, cross, cross + losses["balance_weight"] * balance + losses["z_weight"] * z


def margin(model, batch):
    """Per image of the last forward pass, the smallest gap at the K-th place of any token's router."""
    gaps = []
    for block, scores in zip(model.blocks, model.scores):
        k, experts = block.moe.k, scores.shape[1]
        if k < experts:
            ordered = scores.detach().sort(dim=1, descending=True).values
            gaps.append((ordered[:, k - 1] - ordered[:, k]).view(batch, -1).min(1).values)
    return torch.stack(gaps).min(0).values if gaps else torch.full((batch,), 1.0)


def draw(generator, batch, classes):
    return (torch.randn(batch, INPUTS, generator=generator), torch.randint(classes, (batch,), generator=generator))


def draw_clear(generator, batch, classes, models, losses):
    x, y = draw(generator, batch, classes)
    while True:
        smallest = torch.full((batch,), 1.0, dtype=torch.float64)
        with torch.no_grad():
            for model in models:
                total_loss(model, x.double().view(batch, 3, 32, 32), y, losses)
                smallest = torch.minimum(smallest, margin(model, batch).double())
        unclear = smallest < MARGIN
        if not unclear.any():
            return x, y
        x[unclear], y[unclear] = draw(generator, int(unclear.sum()), classes)


def picks(model):
    return [s.topk(b.moe.k, dim=-1).indices.sort(-1).values for b, s in zip(model.blocks, model.scores)]


def require_same_picks(single, double, name):
    if not all(torch.equal(a, b) for a, b in zip(picks(single), picks(double))):
        raise SystemExit(f"{name}: float32 and float64 pick different experts; raise MARGIN")


def difference(a, b):
    return (a.detach().double() - b.detach()).abs().max().item()


def facts_of(case):
    renamed = {"depth": "layers"}
    return {renamed.get(key, key): value for key, value in case.items()}


def forward_fixture(metadata):
    tensors, cases = {}, {}
    for number, (name, case) in enumerate(FORWARD_CASES.items()):
        torch.manual_seed(SEED + number)
        generator = torch.Generator().manual_seed(SEED + 1000 + number)
        model = build(case)
        twin = build(case, torch.float64, model.state_dict())
        x, y = draw_clear(generator, case["batch"], case["classes"], [twin], case)
        images = x.view(-1, 3, 32, 32)
        results = []
        for m, inputs in ((model, images), (twin, images.double())):
            logits, cross, total = total_loss(m, inputs, y, case)
            total.backward()
            results.append((logits, cross, total, m))
        require_same_picks(model, twin, name)
        (logits, cross, total, _), (logits64, cross64, total64, _) = results
        out = {"inputs": x, "labels": y.int(), "logits": logits, "cross_entropy": cross, "loss": total}
        errors = {}
        for (key, p), q in zip(model.named_parameters(), twin.parameters()):
            out[f"init.{key}"] = p
            out[f"grad.{key}"] = p.grad
            errors[key] = difference(p.grad, q.grad)
        for i, block in enumerate(model.blocks):
            out[f"utilization.{i}"] = block.moe.u
            out[f"balance.{i}"] = block.moe.balance
        tensors.update({f"{name}/{key}": value for key, value in out.items()})
        cases[name] = facts_of(case) | dict(
            float32_error=max(difference(logits, logits64), abs(total.item() - total64.item())),
            gradient_error=max(errors.values()), worst_gradient=max(errors, key=errors.get))
    meaning = (
        "CASE/inputs [B, 3072], labels [B], init.* and grad.* by state_dict key, logits [B, classes], cross_entropy "
        "(mean, nats), loss (with balance and z-loss), utilization.i and balance.i by block. float32_error: largest "
        "|float32 - float64| of logits and loss; gradient_error: of gradients.")
    return tensors, metadata | {"meaning": meaning, "cases": json.dumps(cases, sort_keys=True)}


def trajectory_fixture(metadata):
    generator = torch.Generator().manual_seed(SEED + 2000)
    torch.manual_seed(SEED + 3000)
    case = SIZES | LOSSES | dict(batch=BATCH)
    initial = {key: value.clone() for key, value in build(case).state_dict().items()}
    runs = {}
    for label, (name, constants, variant) in TRAJECTORIES.items():
        pair = []
        for dtype in (torch.float32, torch.float64):
            model = build(case, dtype, initial)
            pair.append((model, make_optimizer(name, model.parameters(), constants), []))
        runs[label] = pair
    inputs, labels = [], []
    idle = {label: 0 for label in runs}
    for _ in range(STEPS):
        x, y = draw_clear(generator, BATCH, SIZES["classes"], [pair[1][0] for pair in runs.values()], case)
        inputs.append(x)
        labels.append(y)
        for label, (_, _, variant) in TRAJECTORIES.items():
            for model, optimizer, losses in runs[label]:
                images = x.view(-1, 3, 32, 32).to(next(model.parameters()).dtype)
                optimizer.zero_grad()
                _, _, total = total_loss(model, images, y, case)
                total.backward()
                excited_step(model, optimizer, variant)
                losses.append(total.item())
            require_same_picks(runs[label][0][0], runs[label][1][0], label)
            idle[label] += sum(int((b.moe.u == 0).sum()) for b in runs[label][0][0].blocks)
    tensors = {f"init.{key}": value for key, value in initial.items()}
    tensors |= {"inputs": torch.stack(inputs), "labels": torch.stack(labels).int()}
    cases = {}
    for label, (name, constants, variant) in TRAJECTORIES.items():
        (single, _, losses), (double, _, double_losses) = runs[label]
        state, state64 = single.state_dict(), double.state_dict()
        tensors |= {f"{label}/{key}": value for key, value in state.items()}
        tensors[f"{label}/losses"] = torch.tensor(losses)
        moved = [key for key in state if ".moe." in key and "router" not in key]
        cases[label] = dict(
            optimizer=name, lr=constants["lr"], epsilon=EPSILON, variant=variant, idle_experts=idle[label],
            float32_error=max(difference(state[key], state64[key]) for key in state),
            float32_loss_error=max(abs(a - b) for a, b in zip(losses, double_losses)),
            moved=max((state[key] - initial[key]).abs().max().item() for key in moved))
    meaning = (
        "init.* are the weights before the first step, inputs [10, B, 3072], labels [10, B]. Per trajectory: CASE/* by "
        "state_dict key after 10 steps, CASE/losses [10] before each step, with balance and z-loss. float32_error: "
        "largest |float32 - float64| of the final weights; moved: largest change of a modulated weight; idle_experts: "
        "how often an expert got no token.")
    return tensors, metadata | {
        "meaning": meaning, "sizes": json.dumps(facts_of(case), sort_keys=True),
        "cases": json.dumps(cases, sort_keys=True)}


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "Tests/GoldenTests/Fixtures"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=default, help="folder of the fixtures")
    folder = parser.parse_args().out
    torch.set_num_threads(1)
    metadata = {"script": "scripts/golden/moe_vit.py", "torch": torch.__version__, "seed": str(SEED)}
    for name, make in (("moe_vit_forward", forward_fixture), ("moe_vit_trajectory", trajectory_fixture)):
        tensors, about = make(dict(metadata))
        path = folder / f"{name}.safetensors"
        write(path, tensors, about)
        print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes")
        for case, facts in json.loads(about["cases"]).items():
            print(f"  {case}: " + ", ".join(
                f"{key} {facts[key]:.2g}" if not isinstance(facts[key], str) else f"{key} {facts[key]}"
                for key in ("float32_error", "gradient_error", "worst_gradient", "float32_loss_error", "moved",
                            "idle_experts") if key in facts))


if __name__ == "__main__":
    main()
