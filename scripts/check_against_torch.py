#!/usr/bin/env python3
"""Check us against PyTorch: both train from the same weights on the same records, then every weight is compared.

    python3 -m venv VENV                    # a virtual environment outside the project
    VENV/bin/pip install torch numpy
    VENV/bin/python scripts/check_against_torch.py DATA_DIR
    VENV/bin/python scripts/check_against_torch.py DATA_DIR --optimizer adam --steps 200 --variants zero-sum,inverted

DATA_DIR holds cifar-10-batches-bin/ (`excite data fetch cifar10` puts it there). The initial weights come from the
reference model, scripts/golden/excitation_torch.py, and go to both sides as a safetensors file. `excite run`
takes the records in file order without augmentation; the same is done here: batch b is records b·B … (b+1)·B−1, a
pixel is (x/255 − mean)/std, the rate of epoch e is lr·(1 + cos(π·e/epochs))/2. The optimizer is torch.optim's, the
excitation the reference's.

PyTorch runs twice, in float32 and in float64; how far its own two results lie apart is what rounding does to this
very run. Two tables are printed per variant:

  decided steps   up to the first step at which some winner is undecided: the gap between the K-th and the (K+1)-th
                  pre-activation, or a winner's distance from ReLU's kink, is less than UNDECIDED times the rounding
                  of that layer's pre-activations. So far two correct programs must agree, to rounding.
  all steps       from there on a rounding error can turn a winner over. With SGD and momentum that is of little
                  effect, and the bound holds. The other optimizers give a neuron's first gradient a full step however
                  small it is, so that any two runs may part, PyTorch's own two included: for them this table
                  is shown, and the decided steps are what is judged.

A tensor agrees if its largest difference from PyTorch's float32 is at most FACTOR times |torch32 - torch64| plus
FLOOR. "moved" is how far training changed the tensor: what differences must be small against.

random-boost is left out: its permutations come from our own random stream. Exit code: 0 if all agree, 1 if not.
"""
import argparse
import math
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import torch
import torch.nn.functional as F

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "golden"))
import safetensors_file                                    # noqa: E402
from excitation_torch import TopKMLP, excited_step         # noqa: E402

# Two float32 programs lie up to twice as far apart as one lies from float64; that their worst weights and the
# near-ties they turn over are different ones takes the rest.
FACTOR = 10
# Some roundings of a weight below 1 (6e-8 each), for a tensor whose own error happens to be small.
FLOOR = 5e-7
UNDECIDED = 4
# Optimizers whose step is proportional to the gradient.
PROPORTIONAL = ("sgd", "momentum")
# Initial weights are drawn anew, with the next seed, until at least so many steps are decided.
LEAST_DECIDED = 5
MOST_SEEDS = 50

VARIANTS = ["vanilla", "zero-sum", "positive-sum", "exp-diff", "global-exp", "inverted"]
MEAN = [0.4914, 0.4822, 0.4465]
STD = [0.2470, 0.2435, 0.2616]
RECORD, RECORDS_PER_FILE, FILES = 1 + 3 * 32 * 32, 10_000, 5
LEARNING_RATES = {"sgd": 0.01, "momentum": 0.01, "adam": 1e-4, "adamw": 1e-4, "rmsprop": 1e-4, "adagrad": 1e-4}


def torch_optimizer(name, parameters, lr):
    kind, constants = {
        "sgd": (torch.optim.SGD, {}), "momentum": (torch.optim.SGD, {"momentum": 0.9}),
        "adam": (torch.optim.Adam, {}), "adamw": (torch.optim.AdamW, {}),
        "rmsprop": (torch.optim.RMSprop, {}), "adagrad": (torch.optim.Adagrad, {})}[name]
    return kind(parameters, lr=lr, **constants)


def read_records(folder):
    """-> pixels uint8 [N, 3072], labels int64 [N]"""
    files = []
    for i in range(1, FILES + 1):
        path = folder / "cifar-10-batches-bin" / f"data_batch_{i}.bin"
        if not path.is_file():
            raise SystemExit(f"{path}: there is no such file; `excite data fetch cifar10 --data-dir {folder}` fetches it")
        data = np.fromfile(path, np.uint8)
        if data.size != RECORD * RECORDS_PER_FILE:
            raise SystemExit(f"{path}: {data.size} bytes, expected {RECORD * RECORDS_PER_FILE}")
        files.append(data.reshape(-1, RECORD))
    records = np.concatenate(files)
    return torch.from_numpy(records[:, 1:].copy()), torch.from_numpy(records[:, 0].astype(np.int64))


def new_model(options):
    return TopKMLP(3072, options.width, options.hidden_layers, 10, options.sparsity)


class Replay:
    """The run in PyTorch, in one precision."""

    def __init__(self, initial, variant, options, dtype):
        self.variant, self.options, self.dtype = variant, options, dtype
        self.model = new_model(options).to(dtype)
        self.model.load_state_dict(initial)
        self.optimizer = torch_optimizer(options.optimizer, self.model.parameters(), options.lr)
        self.mean = torch.tensor(MEAN, dtype=dtype).view(1, 3, 1)
        self.std = torch.tensor(STD, dtype=dtype).view(1, 3, 1)
        self.preactivations = []
        for layer in self.model.layers:
            layer.register_forward_hook(lambda module, inputs, z: self.preactivations.append(z.detach()))

    def forward(self, pixels):
        self.preactivations.clear()
        x = (pixels.view(-1, 3, 1024).to(self.dtype) / 255 - self.mean) / self.std
        return self.model(x.view(-1, 3072))

    def learn(self, logits, labels, epoch):
        for group in self.optimizer.param_groups:
            group["lr"] = self.options.lr * (1 + math.cos(math.pi * epoch / self.options.epochs)) / 2
        self.optimizer.zero_grad()
        F.cross_entropy(logits, labels).backward()
        excited_step(self.model, self.optimizer, self.variant, self.options.gamma)

    def weights(self):
        return {name: p.detach().double().clone() for name, p in self.model.state_dict().items()}


def is_decided(single, double):
    """Whether no winner of the last forward pass is within rounding of losing, or of ReLU's kink."""
    k = single.model.k
    for a, b in zip(single.preactivations, double.preactivations):
        rounding = (a.double() - b).abs().max()
        ordered = b.sort(dim=1, descending=True).values
        gap = ordered[:, :k].abs().min()
        if k < b.shape[1]:
            gap = torch.minimum(gap, (ordered[:, k - 1] - ordered[:, k]).min())
        if gap < UNDECIDED * rounding:
            return False
    return True


def replay(initial, pixels, labels, variant, options, steps):
    """-> decided steps, weights (float32, float64) after them, weights (float32, float64) after all steps"""
    pair = [Replay(initial, variant, options, dtype) for dtype in (torch.float32, torch.float64)]
    batches = math.ceil(len(labels) / options.batch_size)
    decided, after = 0, None
    for step in range(steps):
        epoch, batch = divmod(step, batches)
        # The last batch of an epoch may be smaller.
        records = slice(batch * options.batch_size, (batch + 1) * options.batch_size)
        logits = [side.forward(pixels[records]) for side in pair]
        if after is None:
            if is_decided(*pair):
                decided += 1
            else:
                after = [side.weights() for side in pair]
        for side, outputs in zip(pair, logits):
            side.learn(outputs, labels[records], epoch)
    final = [side.weights() for side in pair]
    return decided, after or final, final


def config_text(options, variants):
    return "\n".join([
        "dataset: {name: cifar10, normalization: standard, augmentation: none}",
        f"model: {{name: topk_mlp, hidden_layers: {options.hidden_layers}, width: {options.width}, "
        f"sparsity: {options.sparsity}}}",
        f"optimizer: {{name: {options.optimizer}, lr: {options.lr:.17g}}}",
        "schedule: {name: cosine, per: epoch}",
        f"excitation: {{variants: [{', '.join(variants)}], gamma: {options.gamma}}}",
        f"batch_size: {options.batch_size}",
        f"epochs: {options.epochs}",
        "seeds: [0]", ""])


def run_excite(options, variants, steps, initial_path, folder):
    """-> variant -> name -> numpy array"""
    config, saved = folder / "check.yaml", folder / f"saved-{'-'.join(variants)}-{steps}"
    config.write_text(config_text(options, variants))
    command = [
        options.excite, "run", str(config), "--data-dir", str(options.data), "--from", str(initial_path),
        "--order", "sequential", "--max-steps", str(steps), "--seeds", "0", "--variants",
        ",".join(variants), "--save", str(saved), "--out", str(folder / "out"), "--quiet"]
    print("$", " ".join(command), flush=True)
    try:
        done = subprocess.run(command, stdout=subprocess.DEVNULL)
    except OSError as error:
        raise SystemExit(f"{options.excite}: cannot be started: {error.strerror}; build it, or name it by --excite")
    if done.returncode != 0:
        raise SystemExit(f"excite ended with exit code {done.returncode}")
    results = {}
    for variant in variants:
        found = [p for p in saved.glob("*/final.safetensors") if f"-{variant}-seed0" in f"-{p.parent.name}"]
        if len(found) != 1:
            present = ", ".join(sorted(p.parent.name for p in saved.glob("*/final.safetensors"))) or "nothing"
            raise SystemExit(f"{saved}: expected one folder of {variant}, found {present}")
        results[variant] = safetensors_file.read(found[0])
    return results


def compare(title, ours, single, double, initial, is_judged=True):
    """Prints one table -> whether all tensors agree, or none is judged."""
    print(f"  {title}")
    print(f"    {'tensor':<16} {'excite-torch32':>15} {'excite-torch64':>15} {'torch32-torch64':>16} "
          f"{'bound':>9} {'moved':>9}")
    if ours.keys() != single.keys():
        print(f"    FAIL: tensors {sorted(ours)}, expected {sorted(single)}")
        return False
    agree = True
    for name, reference in single.items():
        mine = torch.from_numpy(ours[name].copy()).double()
        if mine.shape != reference.shape:
            print(f"    {name:<16} FAIL: shape {list(mine.shape)}, expected {list(reference.shape)}")
            agree = False
            continue
        difference = (mine - reference).abs().max().item()
        exact = (mine - double[name]).abs().max().item()
        rounding = (reference - double[name]).abs().max().item()
        moved = (double[name] - initial[name]).abs().max().item()
        bound, note = FACTOR * rounding + FLOOR, ""
        # Written so that NaN fails.
        if not difference <= bound:
            note = "  FAIL" if is_judged else "  parted"
            agree = agree and not is_judged
        print(f"    {name:<16} {difference:15.1e} {exact:15.1e} {rounding:16.1e} {bound:9.1e} {moved:9.1e}{note}")
    return agree


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=pathlib.Path, metavar="DATA_DIR", help="holds cifar-10-batches-bin/")
    parser.add_argument("--excite", default=".build/release/excite", help="the binary (default: %(default)s)")
    parser.add_argument("--variants", default=",".join(VARIANTS), help="default: %(default)s")
    parser.add_argument("--optimizer", choices=list(LEARNING_RATES), default="sgd")
    parser.add_argument("--lr", type=float, help="default: that of excite's configs for the optimizer")
    parser.add_argument("--gamma", type=float, default=1.0)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--epochs", type=int, default=150, help="of the schedule (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--hidden-layers", type=int, default=2)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--sparsity", type=float, default=0.9)
    parser.add_argument("--seed", type=int, default=0, help="of the initial weights")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="leave all files there")
    options = parser.parse_args()
    options.lr = LEARNING_RATES[options.optimizer] if options.lr is None else options.lr
    variants = options.variants.split(",")
    unknown = [v for v in variants if v not in VARIANTS]
    if unknown:
        parser.error(f"--variants: {', '.join(unknown)} cannot be checked; {', '.join(VARIANTS)} can")

    pixels, labels = read_records(options.data)
    least = min(LEAST_DECIDED, options.steps)
    for seed in range(options.seed, options.seed + MOST_SEEDS):
        torch.manual_seed(seed)
        initial = new_model(options).state_dict()
        if all(replay(initial, pixels, labels, v, options, least)[0] == least for v in variants):
            break
    else:
        raise SystemExit(f"no seed of {MOST_SEEDS} gives {least} steps without an undecided winner; "
                         "try a smaller --batch-size")
    print(f"PyTorch {torch.__version__}; initial weights from seed {seed}; {options.optimizer}, lr {options.lr:g}, "
          f"{options.steps} steps of {options.batch_size} records; bound = {FACTOR} × |torch32 - torch64| + {FLOOR:g}")
    agree = True
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "init.safetensors"
        safetensors_file.write(path, initial, {"torch": torch.__version__, "seed": str(seed)})
        ours = run_excite(options, variants, options.steps, path, folder)
        for variant in variants:
            decided, prefix, final = replay(initial, pixels, labels, variant, options, options.steps)
            print(f"\n{variant}")
            if decided < options.steps:
                early = run_excite(options, [variant], decided, path, folder)[variant]
                agree = compare(f"the {decided} decided steps", early, *prefix, initial) and agree
            is_judged = decided == options.steps or options.optimizer in PROPORTIONAL
            title = f"all {options.steps} steps" + ("" if is_judged else ", not judged")
            agree = compare(title, ours[variant], *final, initial, is_judged) and agree
    print("\nPASS: every judged weight agrees with PyTorch to float32 accuracy" if agree
          else "\nFAIL: see the tensors marked above")
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
