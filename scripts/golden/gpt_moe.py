"""Writes the golden fixtures of the MoE language model: what PyTorch computes, for the Swift tests.

    VENV/bin/python scripts/golden/gpt_moe.py              # writes Tests/GoldenTests/Fixtures/gpt_moe_*.safetensors

    gpt_moe_forward.safetensors      losses and every gradient of four small models, last logits
    gpt_moe_trajectory.safetensors   final weights after 10 excited steps of Adam and SGD

Sequences are drawn until every token's choice of experts is clear, weights are larger than the model's own
initialization, and |float32 - float64| is in the metadata: all as in moe_vit.py.
"""
import argparse
import json
import pathlib

import torch
import torch.nn.functional as F

from excitation_torch import GPTMoE, excited_step
from moe_vit import EPSILON, MARGIN, STEPS, TRAJECTORIES, difference, margin, require_same_picks
from safetensors_file import write
from topk_mlp import make_optimizer

SEED = 20260301

# Uneven sizes; "long" has more queries, rows and words than are taken at a time; in "masked" nothing is asked at the
# end of each sequence, as where a text is shorter than the context.
FORWARD_CASES = {
    "small": dict(vocab=37, context=9, d=24, depth=2, heads=3, hidden=20, experts=5, k=2, batch=6,
                  balance_weight=0.01, z_weight=0.0, asked=9),
    "long": dict(vocab=600, context=150, d=8, depth=2, heads=2, hidden=8, experts=4, k=2, batch=2,
                 balance_weight=0.3, z_weight=0.1, asked=150),
    "masked": dict(vocab=20, context=12, d=16, depth=2, heads=2, hidden=12, experts=6, k=3, batch=3,
                   balance_weight=0.05, z_weight=0.0, asked=5),
    "one-expert": dict(vocab=11, context=5, d=12, depth=1, heads=1, hidden=9, experts=4, k=1, batch=3,
                       balance_weight=0.3, z_weight=0.0, asked=5),
}
SIZES = dict(vocab=23, context=7, d=16, depth=2, heads=2, hidden=12, experts=8, k=2)
BATCH = 4
LOSSES = dict(balance_weight=0.05, z_weight=0.01)
MODEL_KEYS = ("vocab", "context", "d", "depth", "heads", "hidden", "experts", "k")


def build(case, dtype=torch.float32, state=None):
    model = GPTMoE(**{key: case[key] for key in MODEL_KEYS})
    if state is None:
        with torch.no_grad():
            for name, p in model.named_parameters():
                scale = p.shape[-1] ** -0.5 if p.dim() > 1 and not name.endswith((".b1", ".b2")) else 0.3
                p.add_(torch.randn_like(p) * (1.0 if "embed" in name else scale))
    else:
        model.load_state_dict(state)
    return model.to(dtype)


def total_loss(model, x, y, losses):
    """Cross entropy of the next tokens, those below 0 left out, and with balance and z-loss."""
    scores = []
    hooks = [b.moe.router.register_forward_hook(lambda _, __, out: scores.append(out)) for b in model.blocks]
    logits = model(x)
    for hook in hooks:
        hook.remove()
    model.scores = scores
    cross = F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=-1)
    balance = sum(b.moe.balance for b in model.blocks)
    z = sum(s.logsumexp(-1).square().mean() for s in scores)
    return logits, cross, cross + losses["balance_weight"] * balance + losses["z_weight"] * z


def draw(generator, batch, case):
    text = torch.randint(case["vocab"], (batch, case["context"] + 1), generator=generator)
    x, y = text[:, :-1].clone(), text[:, 1:].clone()
    y[:, case.get("asked", case["context"]):] = -1
    return x, y


def draw_clear(generator, batch, case, models):
    x, y = draw(generator, batch, case)
    while True:
        smallest = torch.full((batch,), 1.0, dtype=torch.float64)
        with torch.no_grad():
            for model in models:
                total_loss(model, x, y, case)
                smallest = torch.minimum(smallest, margin(model, batch).double())
        unclear = smallest < MARGIN
        if not unclear.any():
            return x, y
        x[unclear], y[unclear] = draw(generator, int(unclear.sum()), case)


def facts_of(case):
    renamed = {"depth": "layers", "vocab": "vocabulary"}
    return {renamed.get(key, key): value for key, value in case.items()}


def forward_fixture(metadata):
    tensors, cases = {}, {}
    for number, (name, case) in enumerate(FORWARD_CASES.items()):
        torch.manual_seed(SEED + number)
        generator = torch.Generator().manual_seed(SEED + 1000 + number)
        model = build(case)
        twin = build(case, torch.float64, model.state_dict())
        x, y = draw_clear(generator, case["batch"], case, [twin])
        results = []
        for m in (model, twin):
            logits, cross, total = total_loss(m, x, y, case)
            total.backward()
            results.append((logits, cross, total))
        require_same_picks(model, twin, name)
        (logits, cross, total), (logits64, cross64, total64) = results
        out = {"tokens": x.int(), "targets": y.int(), "last_logits": logits[:, -1], "cross_entropy": cross,
               "loss": total}
        errors = {}
        for (key, p), q in zip(model.named_parameters(), twin.parameters()):
            out[f"init.{key}"] = p
            out[f"grad.{key}"] = p.grad
            errors[key] = difference(p.grad, q.grad)
        for i, block in enumerate(model.blocks):
            out[f"utilization.{i}"] = block.moe.u
        tensors.update({f"{name}/{key}": value for key, value in out.items()})
        cases[name] = facts_of(case) | dict(
            float32_error=max(difference(logits, logits64), abs(total.item() - total64.item())),
            gradient_error=max(errors.values()), worst_gradient=max(errors, key=errors.get))
    meaning = (
        "CASE/tokens and targets [B, T] (-1: nothing is asked), init.* and grad.* by state_dict key, last_logits [B, V] "
        "of each sequence's last token, cross_entropy (mean, nats), loss (with balance and z-loss), utilization.i by "
        "block. float32_error: largest |float32 - float64| of logits and loss; gradient_error: of gradients.")
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
    tokens, targets = [], []
    idle = {label: 0 for label in runs}
    for _ in range(STEPS):
        x, y = draw_clear(generator, BATCH, case, [pair[1][0] for pair in runs.values()])
        tokens.append(x)
        targets.append(y)
        for label, (_, _, variant) in TRAJECTORIES.items():
            for model, optimizer, losses in runs[label]:
                optimizer.zero_grad()
                _, _, total = total_loss(model, x, y, case)
                total.backward()
                excited_step(model, optimizer, variant)
                losses.append(total.item())
            require_same_picks(runs[label][0][0], runs[label][1][0], label)
            idle[label] += sum(int((b.moe.u == 0).sum()) for b in runs[label][0][0].blocks)
    tensors = {f"init.{key}": value for key, value in initial.items()}
    tensors |= {"tokens": torch.stack(tokens).int(), "targets": torch.stack(targets).int()}
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
        "init.* are the weights before the first step, tokens and targets [10, B, T]. Per trajectory: CASE/* by "
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
    metadata = {"script": "scripts/golden/gpt_moe.py", "torch": torch.__version__, "seed": str(SEED)}
    for name, make in (("gpt_moe_forward", forward_fixture), ("gpt_moe_trajectory", trajectory_fixture)):
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
