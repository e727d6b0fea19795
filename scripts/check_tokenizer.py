#!/usr/bin/env python3
"""Checks GPT-2's tokenizer against the references, on whole texts and with GPT-2's own vocabulary; and times it.

    python3 -m venv VENV                    # a virtual environment outside the project
    VENV/bin/pip install tiktoken tokenizers numpy
    VENV/bin/python scripts/check_tokenizer.py DATA_DIR wikitext-2/wiki.train.tokens …

DATA_DIR holds gpt2/ (`excite data fetch gpt2` puts it there); the texts are named by path, in it or not. A text of
hard Unicode, every code point in turn and 12,000 random strings, is made and checked beside them. The ids of
`excite tokenize` must be tiktoken's, one by one, and for the hard text also those of tokenizers.

Times are of encoding alone, of text that is in memory, the programs taking turns: ROUNDS rounds, the best of each.
tiktoken's `encode_ordinary` runs on one thread. Exit code: 0 if all ids agree, 1 if not.
"""
import argparse
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import time

import numpy as np
import tiktoken
import tokenizers
from tiktoken.load import data_gym_to_mergeable_bpe_ranks

PROGRAM = pathlib.Path(__file__).resolve().parents[1] / ".build/release/excite"
# GPT-2's pattern as tiktoken writes it, without the backtracking of the original; the same pieces.
PATTERN = r"""'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"""
SPACES = " \t\n\v\f\r\x85\xa0\u1680\u2000\u2003\u2028\u2029\u202f\u205f\u3000"


def hard_text(vocabulary):
    rng = random.Random(2602_21798)
    scalars = [c for c in map(chr, range(0x110000)) if not 0xD800 <= ord(c) < 0xE000]
    parts = [f"a{c}1{c}!{c} {c}" for c in scalars]
    tokens = [token.decode("utf-8", "ignore") for token in vocabulary]
    pools = [scalars, tokens, list(SPACES + "'sdtmrevl1é"), list("ab '"), list("etaoinshrdlu"), list("0123456789.,½٣")]
    for n in range(6_000):
        parts.append("".join(rng.choices(pools[n % len(pools)], k=rng.randint(1, 60))))
        parts.append(rng.choice("abz-=_.* \n") * rng.randint(1, 300))
    return "".join(parts)


def run(path, data, threads, ids=None):
    command = [PROGRAM, "tokenize", path, "--data-dir", data, "--threads", str(threads), "--json"]
    out = subprocess.run(command + (["--ids", ids] if ids else []), check=True, capture_output=True, text=True)
    return json.loads(out.stdout)[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=pathlib.Path, help="the data directory, with gpt2/")
    parser.add_argument("texts", nargs="*", type=pathlib.Path)
    parser.add_argument("--rounds", type=int, default=5, help="rounds of timing (5)")
    parser.add_argument("--threads", default="1,2", help="threads to time (1,2)")
    arguments = parser.parse_args()
    vocabulary, merges = (str(arguments.data / "gpt2" / name) for name in ("encoder.json", "vocab.bpe"))
    ranks = data_gym_to_mergeable_bpe_ranks(merges, vocabulary)
    reference = tiktoken.Encoding(
        "gpt2", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={"<|endoftext|>": 50256}, explicit_n_vocab=50257)
    second = tokenizers.Tokenizer(tokenizers.models.BPE.from_file(vocabulary, merges))
    second.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    print(f"tiktoken {tiktoken.__version__}, tokenizers {tokenizers.__version__}")

    failed = False
    with tempfile.TemporaryDirectory() as folder:
        hard = pathlib.Path(folder) / "hard Unicode"
        hard.write_text(hard_text(ranks), encoding="utf-8", newline="")
        texts = [text if text.exists() else arguments.data / text for text in arguments.texts]
        for path in [*texts, hard]:
            text = path.read_bytes().decode("utf-8")
            expected = {"tiktoken": reference.encode_ordinary(text)}
            if path == hard:
                expected["tokenizers"] = second.encode(text).ids
            for threads in map(int, arguments.threads.split(",")):
                run(path, arguments.data, threads, pathlib.Path(folder) / "ids")
                ours = np.fromfile(pathlib.Path(folder) / "ids", "<u4")
                for name, ids in expected.items():
                    agrees = len(ours) == len(ids) and bool((ours == np.array(ids, np.uint32)).all())
                    failed |= not agrees
                    verdict = "the same ids as" if agrees else "OTHER IDS THAN"
                    print(f"{path.name}: {len(ours):,} tokens, {threads} threads: {verdict} {name}")

        for path in texts[:1]:
            text = path.read_bytes().decode("utf-8")
            size = path.stat().st_size / 1e6
            best = {}
            for _ in range(arguments.rounds):
                start = time.perf_counter()
                reference.encode_ordinary(text)
                best.setdefault("tiktoken", []).append(time.perf_counter() - start)
                for threads in map(int, arguments.threads.split(",")):
                    best.setdefault(f"excite, {threads} threads", []).append(
                        run(path, arguments.data, threads)["seconds"])
            base = min(best["tiktoken"])
            print(f"{path.name}, {size:.1f} MB, best (and worst) of {arguments.rounds} rounds:")
            for name, seconds in best.items():
                low, high = min(seconds), max(seconds)
                print(f"  {name:18} {low:.3f} s ({high:.3f})  {size / low:6.1f} MB/s  {base / low:5.1f} x tiktoken")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
