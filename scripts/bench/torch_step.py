"""The PyTorch side of compare.py: training steps of the reference model, eager or through torch.compile.

    python scripts/bench/torch_step.py CPUS THREADS [--compile] [--batch-preparation]      (started by compare.py)
"""
import argparse
import pathlib
import sys
import time

from worker import pin, serve

parser = argparse.ArgumentParser()
parser.add_argument("cpus")
parser.add_argument("threads", type=int)
parser.add_argument("--compile", action="store_true")
parser.add_argument("--batch-preparation", action="store_true")
options = parser.parse_args()
pin(options.cpus)

import torch                                    # noqa: E402  (after pinning)
import torch.nn.functional as F                 # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
from excitation_torch import GPTMoE, MoEViT, TopKMLP, excited_step    # noqa: E402
from images import prepare                                            # noqa: E402

torch.set_num_threads(options.threads)
INPUTS, CLASSES = 3072, 10
VOCABULARY = 50257      # GPT-2's
BALANCE_WEIGHT = 0.01   # of the load-balancing loss
POOL = 10_000           # images to gather from, as a training set would be
WARM_UP = 5


def classify(model, x, y):
    return F.cross_entropy(model(x), y)


def with_balance(model, x, y):
    loss = F.cross_entropy(model(x).flatten(0, -2), y.flatten())
    return loss + BALANCE_WEIGHT * sum(block.moe.balance for block in model.blocks)


# Of each family: -> model, step number -> (inputs, targets), the loss.
def topk_mlp(case, generator):
    model = TopKMLP(INPUTS, case["width"], case["hidden_layers"], CLASSES, case["sparsity"])
    batch = case["batch_size"]
    labels = torch.randint(CLASSES, (POOL,), generator=generator)
    if options.batch_preparation:
        images = torch.randint(256, (POOL, 3, 32, 32), dtype=torch.uint8, generator=generator)

        def prepared(number):
            indices = torch.randint(POOL, (batch,), generator=generator)
            return prepare(images, indices, generator), labels[indices]

        return model, prepared, classify
    inputs = [torch.randn(batch, INPUTS, generator=generator) for _ in range(4)]

    def ready(number):
        first = number * batch % (POOL - batch + 1)
        return inputs[number % len(inputs)], labels[first : first + batch]

    return model, ready, classify


def moe_vit(case, generator):
    images = torch.randn(case["batch_size"], 3, 32, 32, generator=generator)
    labels = torch.randint(CLASSES, (case["batch_size"],), generator=generator)
    return MoEViT(**case["sizes"]), lambda number: (images, labels), with_balance


def gpt_moe(case, generator):
    text = torch.randint(VOCABULARY, (case["batch_size"], case["sizes"]["context"] + 1), generator=generator)
    return GPTMoE(vocab=VOCABULARY, **case["sizes"]), lambda number: (text[:, :-1], text[:, 1:]), with_balance


def build(case):
    torch.manual_seed(0)
    model, batch, loss = {"topk_mlp": topk_mlp, "moe_vit": moe_vit, "gpt_moe": gpt_moe}[case["model"]](
        case, torch.Generator().manual_seed(0))
    optimizer = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, lr=1e-4),
        "adamw": lambda p: torch.optim.AdamW(p, lr=1e-4),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-4),
        "adagrad": lambda p: torch.optim.Adagrad(p, lr=5e-4),
    }[case["optimizer"]](model.parameters())

    def train(x, y):
        optimizer.zero_grad()
        loss(model, x, y).backward()
        if case["variant"] == "vanilla":
            optimizer.step()                     # without the copies that Φ needs
        else:
            excited_step(model, optimizer, case["variant"])

    step = torch.compile(train) if options.compile else train
    taken = 0

    def run(steps):
        nonlocal taken
        seconds = []
        for _ in range(steps):
            start = time.perf_counter()
            step(*batch(taken))
            seconds.append(time.perf_counter() - start)
            taken += 1
        return seconds

    run(case.get("warm_up", WARM_UP))
    return run, {"torch": torch.__version__, "threads": torch.get_num_threads(),
                 "parameters": sum(p.numel() for p in model.parameters())}


serve(build)
