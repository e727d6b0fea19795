#!/usr/bin/env python3
"""Check that PyTorch reads our checkpoints: a language model that excite trained gives the same perplexity there.

    VENV/bin/python scripts/check_checkpoint.py [--excite .build/release/excite]

VENV has torch and numpy. Trains a small model with `excite run --save` on this repository's own text, byte by byte,
loads its weights into the reference model (scripts/golden/excitation_torch.py) with `load_state_dict(strict=True)` and
compares the perplexities of the test and the validation text with those that excite printed. Then the way back: the
same weights, written from PyTorch's `state_dict`, are trained for one more step by both, `excite run --from` and
torch.optim.SGD, and every weight is compared. Exit code: 0 if all agree, 1 if not.
"""
import argparse
import json
import math
import pathlib
import subprocess
import sys
import tempfile

import torch
import torch.nn.functional as F

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "scripts/golden"))
import safetensors_file                              # noqa: E402
from excitation_torch import GPTMoE, excited_step    # noqa: E402

SIZES = dict(vocab=256, context=48, d=48, depth=2, heads=4, hidden=32, experts=8, k=2)
BATCH, RATE = 8, 0.1
# The weight of the load-balancing loss that a config has where it gives none.
BALANCE = 0.01
CONFIG = f"""
dataset: {{name: files, tokenizer: byte, train: train.txt, valid: valid.txt, test: test.txt}}
model: {{name: gpt_moe, layers: 2, d: 48, heads: 4, experts: 8, k: 2, hidden: 32, context: 48}}
optimizer: {{name: adam, lr: 0.002}}
excitation: {{variants: [zero-sum]}}
batch_size: {BATCH}
epochs: 1
seeds: [0]
"""
# Relative, of a perplexity: some hundred float32 roundings of a token's loss (6e-8 each) do not average out.
PERPLEXITY_BOUND = 1e-5
# Of a weight after one step of SGD, in units of the largest change: float32 sums in another order.
STEP_BOUND = 1e-4


def excite(program, folder, *arguments):
    command = [program, "run", "config.yaml", "--quiet", "--format", "json", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(command)}: exit code {done.returncode}\n{done.stderr}")


def only(folder, pattern):
    found = list(folder.glob(pattern))
    if len(found) != 1:
        raise SystemExit(f"{folder}/{pattern}: {len(found)} files, expected one")
    return found[0]


def model_of(path):
    model = GPTMoE(**SIZES)
    model.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in safetensors_file.read(path).items()},
                          strict=True)
    return model


def perplexity(model, text):
    """Of every token but the first, in sequences without overlap; the last may be shorter."""
    tokens, context = torch.tensor(list(text)), SIZES["context"]
    nats = 0.0
    with torch.no_grad():
        for start in range(0, len(tokens) - 1, context):
            x, y = tokens[start:start + context], tokens[start + 1:start + context + 1]
            nats += F.cross_entropy(model(x[:len(y)][None])[0], y, reduction="sum").double().item()
    return math.exp(nats / (len(tokens) - 1))


def step(model, text):
    """One step of SGD on the first sequences, as `excite run --order sequential` takes them."""
    tokens, context = torch.tensor(list(text)), SIZES["context"]
    x = tokens[:BATCH * context].view(BATCH, context)
    y = tokens[1:BATCH * context + 1].view(BATCH, context)
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE)
    optimizer.zero_grad()
    loss = F.cross_entropy(model(x).flatten(0, 1), y.flatten())
    (loss + BALANCE * sum(block.moe.balance for block in model.blocks)).backward()
    excited_step(model, optimizer, "zero-sum")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--excite", default=str(ROOT / ".build/release/excite"))
    program = parser.parse_args().excite
    torch.set_num_threads(1)
    good = True
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        texts = {"train": sorted(ROOT.glob("scripts/golden/*.py")), "valid": [ROOT / "CONTRIBUTING.md"],
                 "test": [ROOT / "CHANGELOG.md"]}
        texts = {split: b"".join(path.read_bytes() for path in paths) for split, paths in texts.items()}
        for split, text in texts.items():
            (folder / f"{split}.txt").write_bytes(text)
        (folder / "config.yaml").write_text(CONFIG)
        excite(program, folder, "--save", "kept")
        weights = only(folder, "kept/*/final.safetensors")
        result = json.loads(only(folder, "results/runs/*/result.json").read_text())
        model = model_of(weights)
        for split, key in (("test", "perplexity"), ("valid", "validation_perplexity")):
            ours, theirs = result[key], perplexity(model, texts[split])
            agrees = abs(ours - theirs) <= PERPLEXITY_BOUND * theirs
            good = good and agrees
            print(f"{key}: excite {ours:.6f}, PyTorch {theirs:.6f}, {'agrees' if agrees else 'DIFFERS'}")
        back = folder / "from_torch.safetensors"
        safetensors_file.write(back, model.state_dict(), {})
        excite(program, folder, "--from", str(back), "--save", "again", "--order", "sequential", "--max-steps", "1",
               "--set", f"optimizer={{name: sgd, lr: {RATE}}}", "--set", "schedule.name=constant",
               "--out", "once")
        ours = model_of(only(folder, "again/*/final.safetensors")).state_dict()
        before = {key: value.clone() for key, value in model.state_dict().items()}
        step(model, texts["train"])
        theirs = model.state_dict()
        distance = max((ours[key] - theirs[key]).abs().max().item() for key in theirs)
        moved = max((theirs[key] - before[key]).abs().max().item() for key in theirs)
        agrees = distance <= STEP_BOUND * moved
        good = good and agrees
        print(f"a step from PyTorch's file: weights moved by {moved:.2g}, differ by {distance:.2g}, "
              f"{'agrees' if agrees else 'DIFFERS'}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
