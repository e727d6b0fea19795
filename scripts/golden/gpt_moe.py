"""Writes the golden fixtures of the MoE language model: what PyTorch computes, for the Swift tests.

    VENV/bin/python scripts/golden/gpt_moe.py              # writes Tests/GoldenTests/Fixtures/gpt_moe_*.safetensors

    gpt_moe_forward.safetensors      losses and every gradient of four small models, last logits
    gpt_moe_trajectory.safetensors   final weights after 10 excited steps of Adam and SGD
    gpt_moe_checkpoint.safetensors   a model that PyTorch trained on text, by the state_dict's keys and nothing else
    gpt_moe_checkpoint_says.safetensors   what PyTorch makes of a text with it: logits, loss

Samples, weights and errors are as moe_golden.py says.
"""
import json
import math
import random

import torch
import torch.nn.functional as F

from excitation_torch import GPTMoE, excited_step
from moe_golden import Family, difference, main

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


def scale(name, p):
    if "embed" in name:
        return 1.0
    return p.shape[-1] ** -0.5 if p.dim() > 1 and not name.endswith((".b1", ".b2")) else 0.3


def draw(generator, batch, case):
    text = torch.randint(case["vocab"], (batch, case["context"] + 1), generator=generator)
    x, y = text[:, :-1].clone(), text[:, 1:].clone()
    y[:, case.get("asked", case["context"]):] = -1
    return x, y


def cross_entropy(logits, y):
    """Of the next tokens, those below 0 left out."""
    return F.cross_entropy(logits.flatten(0, 1), y.flatten(), ignore_index=-1)


FAMILY = Family(
    GPTMoE, ("vocab", "context", "d", "depth", "heads", "hidden", "experts", "k"), scale, draw,
    inputs=lambda x, dtype: x, cross_entropy=cross_entropy, renamed={"depth": "layers", "vocab": "vocabulary"})


def forward_fixture(metadata):
    tensors, cases = FAMILY.forward_fixture(
        FORWARD_CASES, SEED, lambda x, y, logits, model: {
            "tokens": x.int(), "targets": y.int(), "last_logits": logits[:, -1]})
    meaning = (
        "CASE/tokens and targets [B, T] (-1: nothing is asked), init.* and grad.* by state_dict key, last_logits [B, V] "
        "of each sequence's last token, cross_entropy (mean, nats), loss (with balance and z-loss), utilization.i by "
        "block. float32_error: largest |float32 - float64| of logits and loss; gradient_error: of gradients.")
    return tensors, metadata | {"meaning": meaning, "cases": json.dumps(cases, sort_keys=True)}


def trajectory_fixture(metadata):
    case = SIZES | LOSSES | dict(batch=BATCH)
    tensors, cases = FAMILY.trajectories(case, SEED, lambda x, y: {"tokens": x.int(), "targets": y.int()})
    meaning = (
        "init.* are the weights before the first step, tokens and targets [10, B, T]. Per trajectory: CASE/* by "
        "state_dict key after 10 steps, CASE/losses [10] before each step, with balance and z-loss. float32_error: "
        "largest |float32 - float64| of the final weights; moved: largest change of a modulated weight; idle_experts: "
        "how often an expert got no token.")
    return tensors, metadata | {
        "meaning": meaning, "sizes": json.dumps(FAMILY.facts(case), sort_keys=True),
        "cases": json.dumps(cases, sort_keys=True)}


# Tokens are bytes, the vocabulary all 256.
CHECKPOINT = dict(vocab=256, context=16, d=24, depth=2, heads=3, hidden=16, experts=6, k=2)
CHECKPOINT_STEPS, CHECKPOINT_BATCH = 200, 16
WORDS = "the a expert moves when many tokens use it and rests else ; excitation is momentum for experts .".split()


def sentences(seed, count):
    """A text of so many words."""
    order = random.Random(seed)
    return " ".join(order.choice(WORDS) for _ in range(count)).encode()


def cut(text, context):
    """Sequences one behind the other without overlap, and the tokens that follow theirs; the end is left out."""
    tokens = torch.tensor(list(text))
    count = (len(tokens) - 1) // context
    return tokens[:count * context].view(count, context), tokens[1:count * context + 1].view(count, context)


def trained():
    torch.manual_seed(SEED + 4000)
    model = GPTMoE(**CHECKPOINT)
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3, betas=(0.9, 0.95))
    x, y = cut(sentences(1, 4000), CHECKPOINT["context"])
    for step in range(CHECKPOINT_STEPS):
        rows = torch.arange(step * CHECKPOINT_BATCH, (step + 1) * CHECKPOINT_BATCH) % len(x)
        optimizer.zero_grad()
        loss = cross_entropy(model(x[rows]), y[rows]) + 0.01 * sum(b.moe.balance for b in model.blocks)
        loss.backward()
        excited_step(model, optimizer, "zero-sum")
    return model.eval()


def checkpoint_fixtures():
    model = trained()
    text = sentences(2, 200)
    # As many whole sequences as there are, and one token to follow the last.
    text = text[:len(text) // CHECKPOINT["context"] * CHECKPOINT["context"] + 1]
    x, y = cut(text, CHECKPOINT["context"])
    with torch.no_grad():
        logits = model(x)
        loss = cross_entropy(logits, y)
        twin = GPTMoE(**CHECKPOINT)
        twin.load_state_dict(model.state_dict())
        logits64 = twin.double()(x)
    says = {"text": torch.tensor(list(text)).int(), "logits": logits[:2], "loss": loss}
    facts = FAMILY.facts(CHECKPOINT) | dict(
        float32_error=difference(logits, logits64), perplexity=math.exp(loss.item()), balance_weight=0.01, z_weight=0)
    return model.state_dict(), says, facts


def main_fixtures():
    weights, says, facts = checkpoint_fixtures()
    meaning = ("text: bytes; logits of its first two sequences [2, T, V]; loss, nats a token over all of it, cut into "
               "sequences without overlap. float32_error: largest |float32 - float64| of all logits.")
    return {
        "gpt_moe_forward": forward_fixture, "gpt_moe_trajectory": trajectory_fixture,
        "gpt_moe_checkpoint": lambda metadata: (weights, metadata),
        "gpt_moe_checkpoint_says": lambda metadata: (
            says, metadata | {"meaning": meaning, "cases": json.dumps({"checkpoint": facts}, sort_keys=True)})}


if __name__ == "__main__":
    main("gpt_moe.py", __doc__.splitlines()[0], SEED, main_fixtures())
