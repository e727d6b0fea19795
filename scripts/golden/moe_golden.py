"""What the golden scripts of the two transformers share (moe_vit.py, gpt_moe.py).

Which experts a token picks is a discrete choice: samples are drawn until no token of theirs has a gap at the K-th place
of its router below MARGIN, in float64 and in any of the trajectories, and float32 must then pick the same experts.
|float32 - float64| of each result is in the metadata: what float32 accuracy means here. The weights are drawn larger
than the model's own initialization, so that every part of it matters to the result.
"""
import argparse
import json
import pathlib

import torch

from excitation_torch import excited_step
from safetensors_file import write
from topk_mlp import make_optimizer

# Scores are of order 1 and carry float32 errors of about 1e-6, after some steps up to 1e-5.
MARGIN = 5e-5
STEPS = 10
# A bias of the keys moves no softmax: its true gradient is 0, and Adam with PyTorch's 1e-8 would divide the rounding
# of it by its own size.
EPSILON = 1e-4
TRAJECTORIES = {
    f"{name} x {variant}": (name, constants, variant)
    for name, constants in (("sgd", dict(lr=0.1)), ("adam", dict(lr=0.003, eps=EPSILON)))
    for variant in ("vanilla", "zero-sum", "positive-sum", "inverted")
}


class Family:
    """A transformer as the fixtures need it: its class and the keys of its sizes, `scale(name, parameter)` of what is
    added to its initial weights, `draw(generator, batch, case)` of inputs and targets, `inputs(x, dtype)` as the model
    takes them, `cross_entropy(logits, y)`, and `renamed` keys of a case in the metadata."""

    def __init__(self, model, keys, scale, draw, inputs, cross_entropy, renamed):
        self.model, self.keys, self.scale, self.draw = model, keys, scale, draw
        self.inputs, self.cross_entropy, self.renamed = inputs, cross_entropy, renamed

    def build(self, case, dtype=torch.float32, state=None):
        model = self.model(**{key: case[key] for key in self.keys})
        if state is None:
            with torch.no_grad():
                for name, p in model.named_parameters():
                    p.add_(torch.randn_like(p) * self.scale(name, p))
        else:
            model.load_state_dict(state)
        return model.to(dtype)

    def total_loss(self, model, x, y, losses):
        """Cross entropy, and with balance and z-loss. The reference keeps the routers' probabilities; their logarithm
        plus log-sum-exp are the scores."""
        scores = []
        hooks = [b.moe.router.register_forward_hook(lambda _, __, out: scores.append(out)) for b in model.blocks]
        logits = model(self.inputs(x, next(model.parameters()).dtype))
        for hook in hooks:
            hook.remove()
        model.scores = scores
        cross = self.cross_entropy(logits, y)
        balance = sum(b.moe.balance for b in model.blocks)
        z = sum(s.logsumexp(-1).square().mean() for s in scores)
        return logits, cross, cross + losses["balance_weight"] * balance + losses["z_weight"] * z

    def draw_clear(self, generator, batch, case, models):
        x, y = self.draw(generator, batch, case)
        while True:
            smallest = torch.full((batch,), 1.0, dtype=torch.float64)
            with torch.no_grad():
                for model in models:
                    self.total_loss(model, x, y, case)
                    smallest = torch.minimum(smallest, margin(model, batch).double())
            unclear = smallest < MARGIN
            if not unclear.any():
                return x, y
            x[unclear], y[unclear] = self.draw(generator, int(unclear.sum()), case)

    def facts(self, case):
        return {self.renamed.get(key, key): value for key, value in case.items()}

    def forward_fixture(self, cases, seed, results):
        """Per case what results(x, y, logits, model) names, losses, utilization, initial weights and gradients."""
        tensors, about = {}, {}
        for number, (name, case) in enumerate(cases.items()):
            torch.manual_seed(seed + number)
            generator = torch.Generator().manual_seed(seed + 1000 + number)
            model = self.build(case)
            twin = self.build(case, torch.float64, model.state_dict())
            x, y = self.draw_clear(generator, case["batch"], case, [twin])
            computed = []
            for m in (model, twin):
                logits, cross, total = self.total_loss(m, x, y, case)
                total.backward()
                computed.append((logits, cross, total))
            require_same_picks(model, twin, name)
            (logits, cross, total), (logits64, _, total64) = computed
            out = results(x, y, logits, model) | {"cross_entropy": cross, "loss": total}
            errors = {}
            for (key, p), q in zip(model.named_parameters(), twin.parameters()):
                out[f"init.{key}"] = p
                out[f"grad.{key}"] = p.grad
                errors[key] = difference(p.grad, q.grad)
            for i, block in enumerate(model.blocks):
                out[f"utilization.{i}"] = block.moe.u
            tensors.update({f"{name}/{key}": value for key, value in out.items()})
            about[name] = self.facts(case) | dict(
                float32_error=max(difference(logits, logits64), abs(total.item() - total64.item())),
                gradient_error=max(errors.values()), worst_gradient=max(errors, key=errors.get))
        return tensors, about

    def trajectories(self, case, seed, results):
        """Final weights and losses of STEPS excited steps, with what results(xs, ys) names; sizes are in `case`."""
        generator = torch.Generator().manual_seed(seed + 2000)
        torch.manual_seed(seed + 3000)
        initial = {key: value.clone() for key, value in self.build(case).state_dict().items()}
        runs = {}
        for label, (name, constants, _) in TRAJECTORIES.items():
            pair = []
            for dtype in (torch.float32, torch.float64):
                model = self.build(case, dtype, initial)
                pair.append((model, make_optimizer(name, model.parameters(), constants), []))
            runs[label] = pair
        xs, ys = [], []
        idle = {label: 0 for label in runs}
        for _ in range(STEPS):
            x, y = self.draw_clear(generator, case["batch"], case, [pair[1][0] for pair in runs.values()])
            xs.append(x)
            ys.append(y)
            for label, (_, _, variant) in TRAJECTORIES.items():
                for model, optimizer, losses in runs[label]:
                    optimizer.zero_grad()
                    _, _, total = self.total_loss(model, x, y, case)
                    total.backward()
                    excited_step(model, optimizer, variant)
                    losses.append(total.item())
                require_same_picks(runs[label][0][0], runs[label][1][0], label)
                idle[label] += sum(int((b.moe.u == 0).sum()) for b in runs[label][0][0].blocks)
        tensors = {f"init.{key}": value for key, value in initial.items()} | results(torch.stack(xs), torch.stack(ys))
        about = {}
        for label, (name, constants, variant) in TRAJECTORIES.items():
            (single, _, losses), (double, _, double_losses) = runs[label]
            state, state64 = single.state_dict(), double.state_dict()
            tensors |= {f"{label}/{key}": value for key, value in state.items()}
            tensors[f"{label}/losses"] = torch.tensor(losses)
            moved = [key for key in state if ".moe." in key and "router" not in key]
            about[label] = dict(
                optimizer=name, lr=constants["lr"], epsilon=EPSILON, variant=variant, idle_experts=idle[label],
                float32_error=max(difference(state[key], state64[key]) for key in state),
                float32_loss_error=max(abs(a - b) for a, b in zip(losses, double_losses)),
                moved=max((state[key] - initial[key]).abs().max().item() for key in moved))
        return tensors, about


def margin(model, batch):
    """Per sample of the last forward pass, the smallest gap at the K-th place of any token's router."""
    gaps = []
    for block, scores in zip(model.blocks, model.scores):
        k, experts = block.moe.k, scores.shape[1]
        if k < experts:
            ordered = scores.detach().sort(dim=1, descending=True).values
            gaps.append((ordered[:, k - 1] - ordered[:, k]).view(batch, -1).min(1).values)
    return torch.stack(gaps).min(0).values if gaps else torch.full((batch,), 1.0)


def picks(model):
    return [s.topk(b.moe.k, dim=-1).indices.sort(-1).values for b, s in zip(model.blocks, model.scores)]


def require_same_picks(single, double, name):
    if not all(torch.equal(a, b) for a, b in zip(picks(single), picks(double))):
        raise SystemExit(f"{name}: float32 and float64 pick different experts; raise MARGIN")


def difference(a, b):
    return (a.detach().double() - b.detach()).abs().max().item()


def main(script, description, seed, fixtures):
    """Writes the fixtures, name -> function of the metadata that gives tensors and metadata."""
    default = pathlib.Path(__file__).resolve().parents[2] / "Tests/GoldenTests/Fixtures"
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--out", type=pathlib.Path, default=default, help="folder of the fixtures")
    folder = parser.parse_args().out
    torch.set_num_threads(1)
    metadata = {"script": f"scripts/golden/{script}", "torch": torch.__version__, "seed": str(seed)}
    for name, make in fixtures.items():
        tensors, about = make(dict(metadata))
        path = folder / f"{name}.safetensors"
        write(path, tensors, about)
        print(f"{path.name}: {len(tensors)} tensors, {path.stat().st_size} bytes")
        for case, facts in json.loads(about.get("cases", "{}")).items():
            print(f"  {case}: " + ", ".join(
                f"{key} {facts[key]:.2g}" if not isinstance(facts[key], str) else f"{key} {facts[key]}"
                for key in ("float32_error", "gradient_error", "worst_gradient", "float32_loss_error", "moved",
                            "idle_experts") if key in facts))
