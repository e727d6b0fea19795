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

PyTorch runs twice, in float32 and in float64. How far its own two results lie apart is what rounding does to this
very run, near-ties of Top-K included, which a rounding error can turn over. A tensor passes if its largest
difference from PyTorch's float32 is at most FACTOR times that plus FLOOR. The column "moved" is how far training
changed the tensor: what the differences must be small against.

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

# Two float32 programs lie up to twice as far apart as one lies from float64; their worst weights and their turned
# near-ties are different ones, which takes the rest.
FACTOR = 10
# Some roundings of a weight below 1 (6e-8 each), for a tensor whose own error happens to be small.
FLOOR = 5e-7

VARIANTS = ["vanilla", "zero-sum", "positive-sum", "exp-diff", "global-exp", "inverted"]
MEAN = [0.4914, 0.4822, 0.4465]
STD = [0.2470, 0.2435, 0.2616]
RECORD, RECORDS_PER_FILE, FILES = 1 + 3 * 32 * 32, 10_000, 5
LEARNING_RATES = {"sgd": 0.01, "momentum": 0.01, "adam": 1e-4, "adamw": 1e-4, "rmsprop": 1e-4, "adagrad": 5e-4}


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


def train(initial, pixels, labels, variant, options, dtype):
    """The same run in PyTorch -> final state_dict."""
    model = new_model(options).to(dtype)
    model.load_state_dict(initial)
    optimizer = torch_optimizer(options.optimizer, model.parameters(), options.lr)
    mean = torch.tensor(MEAN, dtype=dtype).view(1, 3, 1)
    std = torch.tensor(STD, dtype=dtype).view(1, 3, 1)
    batches = math.ceil(len(labels) / options.batch_size)
    for step in range(options.steps):
        epoch, batch = divmod(step, batches)
        for group in optimizer.param_groups:
            group["lr"] = options.lr * (1 + math.cos(math.pi * epoch / options.epochs)) / 2
        # The last batch of an epoch may be smaller.
        records = slice(batch * options.batch_size, (batch + 1) * options.batch_size)
        x = ((pixels[records].view(-1, 3, 1024).to(dtype) / 255 - mean) / std).view(-1, 3072)
        optimizer.zero_grad()
        F.cross_entropy(model(x), labels[records]).backward()
        excited_step(model, optimizer, variant, options.gamma)
    return {name: p.detach() for name, p in model.state_dict().items()}


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


def run_excite(options, variants, initial_path, folder):
    """-> variant -> name -> numpy array"""
    config, saved = folder / "check.yaml", folder / "saved"
    config.write_text(config_text(options, variants))
    command = [
        options.excite, "run", str(config), "--data-dir", str(options.data), "--from", str(initial_path),
        "--order", "sequential", "--max-steps", str(options.steps), "--seeds", "0", "--variants",
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


def compare(variant, ours, single, double, initial):
    """Prints the table of one variant -> whether all tensors agree."""
    print(f"\n{variant}")
    print(f"  {'tensor':<16} {'excite-torch32':>15} {'excite-torch64':>15} {'torch32-torch64':>16} "
          f"{'bound':>9} {'moved':>9}")
    if ours.keys() != single.keys():
        print(f"  FAIL: tensors {sorted(ours)}, expected {sorted(single)}")
        return False
    agree = True
    for name, reference in single.items():
        mine = torch.from_numpy(ours[name].copy()).double()
        if mine.shape != reference.shape:
            print(f"  {name:<16} FAIL: shape {list(mine.shape)}, expected {list(reference.shape)}")
            agree = False
            continue
        difference = (mine - reference.double()).abs().max().item()
        exact = (mine - double[name]).abs().max().item()
        rounding = (reference.double() - double[name]).abs().max().item()
        moved = (reference - initial[name]).abs().max().item()
        bound = FACTOR * rounding + FLOOR
        # Written so that NaN fails.
        fits = difference <= bound
        agree = agree and fits
        print(f"  {name:<16} {difference:15.1e} {exact:15.1e} {rounding:16.1e} {bound:9.1e} {moved:9.1e}"
              f"{'' if fits else '  FAIL'}")
    print(f"  {'PASS' if agree else 'FAIL'}")
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
    parser.add_argument("--epochs", type=int, default=300, help="of the schedule (default: %(default)s)")
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--hidden-layers", type=int, default=3)
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
    torch.manual_seed(options.seed)
    initial = new_model(options).state_dict()
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or pathlib.Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / "init.safetensors"
        safetensors_file.write(path, initial, {"torch": torch.__version__, "seed": str(options.seed)})
        ours = run_excite(options, variants, path, folder)
    print(f"PyTorch {torch.__version__}; {options.optimizer}, lr {options.lr:g}, {options.steps} steps of "
          f"{options.batch_size} records; largest absolute difference per tensor; bound = {FACTOR} × "
          f"|torch32 - torch64| + {FLOOR:g}")
    agree = True
    for variant in variants:
        single = train(initial, pixels, labels, variant, options, torch.float32)
        double = train(initial, pixels, labels, variant, options, torch.float64)
        agree = compare(variant, ours[variant], single, double, initial) and agree
    print("\nPASS: every weight agrees with PyTorch to float32 accuracy" if agree
          else "\nFAIL: see the tensors marked above")
    sys.exit(0 if agree else 1)


if __name__ == "__main__":
    main()
