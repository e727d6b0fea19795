"""The PyTorch side of throughput.py: trains runs of Table 1's grid on CIFAR-10, one after the other, on one thread.

    python scripts/bench/torch_grid.py DATA_DIR        (started by throughput.py)

Reads one JSON line [[optimizer, variant, seed], …], says "ready" once the data lie in memory and a step is warm,
trains each run for one epoch with its evaluation when the next line comes, and says "done".
"""
import json
import pathlib
import sys

import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "golden"))
from excitation_torch import TopKMLP, excited_step    # noqa: E402
from images import MEAN, STD, prepare                 # noqa: E402

torch.set_num_threads(1)
BATCH, TEST_BATCH, RECORD = 512, 512, 1 + 3072
OPTIMIZERS = {
    "sgd": lambda p: torch.optim.SGD(p, lr=0.01),
    "momentum": lambda p: torch.optim.SGD(p, lr=0.01, momentum=0.9),
    "adam": lambda p: torch.optim.Adam(p, lr=1e-4),
    "adamw": lambda p: torch.optim.AdamW(p, lr=1e-4),
    "rmsprop": lambda p: torch.optim.RMSprop(p, lr=1e-4),
    "adagrad": lambda p: torch.optim.Adagrad(p, lr=5e-4),
}


def read(folder, names):
    """-> images uint8 [N, 3, 32, 32], labels [N]"""
    records = torch.cat([torch.frombuffer(bytearray((folder / name).read_bytes()), dtype=torch.uint8)
                         for name in names]).view(-1, RECORD)
    return records[:, 1:].reshape(-1, 3, 32, 32).contiguous(), records[:, 0].long()


def train(optimizer_name, variant, seed, training, test, most_batches=None):
    torch.manual_seed(seed)
    generator = torch.Generator().manual_seed(seed)
    model = TopKMLP(3072, 128, 3, 10, 0.9)
    optimizer = OPTIMIZERS[optimizer_name](model.parameters())
    images, labels = training
    for indices in torch.randperm(len(labels), generator=generator).split(BATCH)[:most_batches]:
        optimizer.zero_grad()
        F.cross_entropy(model(prepare(images, indices, generator)), labels[indices]).backward()
        if variant == "vanilla":
            optimizer.step()
        else:
            excited_step(model, optimizer, variant)
    if most_batches:
        return
    correct = 0
    with torch.no_grad():
        for x, y in zip(test[0].split(TEST_BATCH), test[1].split(TEST_BATCH)):
            x = ((x.float() / 255 - MEAN) / STD).flatten(1)
            correct += (model(x).argmax(1) == y).sum().item()


runs = json.loads(sys.stdin.readline())
folder = pathlib.Path(sys.argv[1]) / "cifar-10-batches-bin"
training = read(folder, [f"data_batch_{i}.bin" for i in range(1, 6)])
test = read(folder, ["test_batch.bin"])
train("sgd", "zero-sum", 0, training, test, most_batches=3)
print("ready", flush=True)
sys.stdin.readline()
for run in runs:
    train(*run, training, test)
print("done", flush=True)
