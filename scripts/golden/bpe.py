"""Writes the golden fixtures of byte-pair encoding: a small vocabulary, hard texts and their ids, character classes.

    VENV/bin/python scripts/golden/bpe.py                   # writes Tests/TextTests/Fixtures/bpe.*

The vocabulary is trained here, on a text made here, and has the format of GPT-2's two files. What its ids are is asked
of tiktoken and of tokenizers, which must agree; GPT-2's own vocabulary gives the same pieces of a text, since its
pre-tokenizer is theirs. The classes of all code points are asked of tiktoken through GPT-2's whole pattern.
Needs tiktoken and tokenizers.
"""
import argparse
import collections
import itertools
import json
import pathlib
import random
import sys

import numpy as np
import tiktoken
import tokenizers

from safetensors_file import write

SEED = 2602_21798
MERGES = 600
PATTERN = r"""'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"""
CLASSES = ["other", "letter", "number", "space"]
# A character of each class but space, put before every character to see whether they go together.
PROBES = {"letter": b"a", "number": b"1", "other": b"!"}
LEAD_BYTES = [bytes([byte]) for byte in range(0xC2, 0xF5)]


def byte_alphabet():
    """byte -> the character that stands for it in the files."""
    printable = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in printable]
    return {byte: chr(byte) for byte in printable} | {byte: chr(256 + n) for n, byte in enumerate(others)}


ALPHABET = byte_alphabet()


def spelled(token):
    return "".join(ALPHABET[byte] for byte in token)


def training_text(rng):
    """Words of a small made-up language and others of several scripts, as often as 1/rank."""
    syllables = [a + b for a in "bdfgklmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "ing", "er")]
    words = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(300)]
    words += "the of and to in don't it's we'll they've I'm you're he'd 1999 2026 3.14 10,000 -- ... @-@".split()
    words += ["naïve", "Zürich", "привет", "мир", "東京", "日本語", "مرحبا", "नमस्ते", "한국어", "👍🏽", "🇫🇷", "aaaaaaaa"]
    rng.shuffle(words)
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    lines = [" ".join(rng.choices(words, weights, k=rng.randint(3, 14))) for _ in range(3000)]
    return "\n".join(line.capitalize() if rng.random() < 0.5 else "  " + line for line in lines) + "\n"


def train(text):
    """The merges of `text`, most frequent pair first (of equals the one of the lower tokens)."""
    split = tiktoken.Encoding(
        "pieces", pat_str=PATTERN, mergeable_ranks={bytes([b]): b for b in range(256)}, special_tokens={})
    # An encoder does not tell its pieces; those of tokenizers are by the same pattern.
    pieces = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)
    assert sum(len(piece) for piece, _ in pieces) == len(split.encode_ordinary(text)) == len(text.encode())
    back = {character: byte for byte, character in ALPHABET.items()}
    counts = collections.Counter(tuple(bytes([back[c]]) for c in piece) for piece, _ in pieces)
    merges = []
    for _ in range(MERGES):
        pairs = collections.Counter()
        for word, count in counts.items():
            for pair in itertools.pairwise(word):
                pairs[pair] += count
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        merges.append(best)
        counts = collections.Counter({merged(word, best): count for word, count in counts.items()})
    return merges


def merged(word, pair):
    out, i = [], 0
    while i < len(word):
        if word[i : i + 2] == pair:
            out.append(word[i] + word[i + 1])
            i += 2
        else:
            out.append(word[i])
            i += 1
    return tuple(out)


def hard_texts(rng, text, merges):
    spaces = [" ", "\t", "\n", "\v", "\f", "\r", "\x85", "\xa0", "\u1680", *map(chr, range(0x2000, 0x200B)),
              "\u2028", "\u2029", "\u202f", "\u205f", "\u3000"]
    texts = [
        "", " ", "  ", "\n", " \n", "\n ", "a", " a", "a ", "  a", "a  ", "a  b", "a\n\nb", "a \n b", "\r\n", "a\r\nb\r\n",
        "\0", "a\0b", " \0", "\x01\x02\x1f\x7f", "'", "''", "' '", "'s", " 's", "''s", "'S", "it's", "it’s", "we'll've'd'm't're",
        "'l", "'r", "'v", "'ll", "'lll", "'sx", "a'", "'\u0301s", "<|endoftext|>", "a<|endoftext|>b", "e\u0301", "\u0301", " \u0301a",
        "\u0301\u0302\u0303", "👩‍👩‍👧‍👦", "👍🏽", "🇫🇷🇩🇪", "\u200d", "\ufe0f", "a\u200bb", "\ufeffa", "\u180e", "½", "Ⅷ", "x²", "٣٤", "１２", "𝟘𝟙",
        "𝒳𝒴", "𐍈", "漢字かな交じり文", "ไทย", "नमस्ते", "مرحبا", "한국어", "ǅ", "ª", "ʰ", "_a_", "a_b-c.d", "3.14", "1e-5", "10,000",
        "\u0378", "\ue000", "\uffff", "\ufffe", "\ufffd", "\U0010ffff", "\U000e0001", "\U0001fffe", "@-@ @,@", " @-@ ",
        "".join(spaces), "a".join(spaces), " ".join(spaces), "".join(s + s for s in spaces) + "z", "x" + "".join(spaces),
        "a" * 15, "a" * 16, "a" * 17, "a" * 63, "a" * 64, "a" * 65, "a" * 1000, " " * 100, " " * 100 + "x", "\n" * 65,
        "aaaaaaaaab" * 50, "ab" * 400, "." * 200, "é" * 90, "東京" * 60,
    ]
    scalars = [c for c in map(chr, range(0x110000)) if not 0xD800 <= ord(c) < 0xE000]
    tokens = [left + right for left, right in merges]
    latin = [chr(c) for c in range(0x250)]
    pools = [scalars, list("ab '"), spaces + ["'", "s", "1", "é"], latin, list("abdeginrst "), list("01٣½ .")]
    for n in range(240):
        pool = pools[n % (len(pools) + 1)] if n % (len(pools) + 1) < len(pools) else None
        if pool:
            texts.append("".join(rng.choices(pool, k=rng.randint(1, 90))))
        else:
            texts.append(b"".join(rng.choices(tokens, k=rng.randint(1, 40))).decode("utf-8", "ignore"))
    return texts + [text[:20000]]


def probed_classes():
    """[first code point, class] of each run of code points from U+0080 on, surrogates left out."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    for probe in PROBES.values():
        for lead in LEAD_BYTES:
            ranks[probe + lead] = len(ranks)
    encoding = tiktoken.Encoding("probe", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
    runs = []
    for start in range(0x80, 0x110000, 0x1000):
        points = [c for c in range(start, min(start + 0x1000, 0x110000)) if not 0xD800 <= c < 0xE000]
        text = "".join(probe.decode() + chr(c) for c in points for probe in PROBES.values())
        ids = iter(encoding.encode_ordinary(text))
        for c in points:
            found = "space"
            for name, probe in PROBES.items():
                character = chr(c).encode()
                first = next(ids)
                if first == ranks[probe + character[:1]]:
                    assert found == "space", f"U+{c:04X} is of two classes"
                    found = name
                    rest = character[1:]
                else:
                    assert first == probe[0]
                    rest = character
                assert bytes(next(ids) for _ in rest) == rest
            if not runs or runs[-1][1] != CLASSES.index(found):
                runs.append([c, CLASSES.index(found)])
    return runs


def main():
    default = pathlib.Path(__file__).resolve().parents[2] / "Tests/TextTests/Fixtures"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=default, help="folder of the fixtures")
    folder = parser.parse_args().out
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    text = training_text(rng)
    merges = train(text)

    # Ids as GPT-2's are: bytes in the order of their characters, merges, one special token.
    ordered = sorted(range(256), key=lambda byte: (ord(ALPHABET[byte]) > 0xFF, byte))
    tokens = [bytes([byte]) for byte in ordered] + [left + right for left, right in merges]
    assert len(set(tokens)) == len(tokens)
    ranks = {token: rank for rank, token in enumerate(tokens)}
    encoder = {spelled(token): rank for token, rank in ranks.items()} | {"<|endoftext|>": len(tokens)}
    (folder / "bpe.encoder.json").write_text(json.dumps(encoder))
    lines = ["#version: 0.2"] + [f"{spelled(left)} {spelled(right)}" for left, right in merges]
    (folder / "bpe.vocab.bpe").write_text("\n".join(lines) + "\n", encoding="utf-8")

    first = tiktoken.Encoding("small", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens={})
    second = tokenizers.Tokenizer(
        tokenizers.models.BPE.from_file(str(folder / "bpe.encoder.json"), str(folder / "bpe.vocab.bpe")))
    second.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    texts = hard_texts(rng, text, merges)
    ids = []
    for hard in texts:
        ids.append(first.encode_ordinary(hard))
        assert first.decode_bytes(ids[-1]) == hard.encode()
        if second.encode(hard).ids != ids[-1]:
            sys.exit(f"tiktoken and tokenizers disagree on {hard!r}")

    runs = probed_classes()
    tensors = {
        "ids": np.array([i for row in ids for i in row], np.int32),
        "counts": np.array([len(row) for row in ids], np.int32),
        "class_runs": np.array(runs, np.int32),
    }
    metadata = {
        "script": "scripts/golden/bpe.py", "tiktoken": tiktoken.__version__, "tokenizers": tokenizers.__version__,
        "seed": str(SEED), "classes": json.dumps(CLASSES), "texts": json.dumps(texts),
        "meaning": "ids of all texts, one after the other; counts: ids of each text; class_runs: [code point from which "
                   "on the class is so, number of the class], from U+0080 on.",
    }
    path = folder / "bpe.safetensors"
    write(path, tensors, metadata)
    print(f"{path.name}: {len(texts)} texts, {tensors['ids'].size} ids, {len(runs)} runs of a class, "
          f"{path.stat().st_size} bytes; vocabulary {len(encoder)}")


if __name__ == "__main__":
    main()
