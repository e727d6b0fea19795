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
from excitation_torch import TopKMLP, excited_step    # noqa: E402
from images import prepare                            # noqa: E402

torch.set_num_threads(options.threads)
INPUTS, CLASSES = 3072, 10
POOL = 10_000           # images to gather from, as a training set would be
WARM_UP = 5


def build(case):
    torch.manual_seed(0)
    model = TopKMLP(INPUTS, case["width"], case["hidden_layers"], CLASSES, case["sparsity"])
    optimizer = {
        "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
        "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
        "adam": lambda p: torch.optim.Adam(p, lr=1e-4),
        "adamw": lambda p: torch.optim.AdamW(p, lr=1e-4),
        "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-4),
        "adagrad": lambda p: torch.optim.Adagrad(p, lr=5e-4),
    }[case["optimizer"]](model.parameters())
    generator = torch.Generator().manual_seed(0)
    batch = case["batch_size"]
    images = torch.randint(256, (POOL, 3, 32, 32), dtype=torch.uint8, generator=generator)
    inputs = [torch.randn(batch, INPUTS, generator=generator) for _ in range(4)]
    labels = torch.randint(CLASSES, (POOL,), generator=generator)

    def train(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        if case["variant"] == "vanilla":
            optimizer.step()                     # without the copies that Φ needs
        else:
            excited_step(model, optimizer, case["variant"])
        return loss

    step = torch.compile(train) if options.compile else train
    taken = 0

    def run(steps):
        nonlocal taken
        seconds = []
        for _ in range(steps):
            first = taken * batch % (POOL - batch + 1)
            start = time.perf_counter()
            if options.batch_preparation:
                indices = torch.randint(POOL, (batch,), generator=generator)
                step(prepare(images, indices, generator), labels[indices])
            else:
                step(inputs[taken % len(inputs)], labels[first : first + batch])
            seconds.append(time.perf_counter() - start)
            taken += 1
        return seconds

    run(WARM_UP)
    return run, {"torch": torch.__version__, "threads": torch.get_num_threads()}


serve(build)
