"""Writes Sources/Text/UnicodeRanges.swift: which code points GPT-2's pre-tokenizer takes for letters, numbers, spaces.

    VENV/bin/python scripts/unicode_classes.py

The classes are asked of the reference tokenizer itself, code point by code point, so that they are those of its
Unicode version and not of the machine's. Needs tiktoken.
"""
import argparse
import pathlib

import tiktoken

CLASSES = {"letters": r"\p{L}", "numbers": r"\p{N}", "spaces": r"\s"}
SURROGATES = range(0xD800, 0xE000)


def members(pattern):
    """The code points that match `pattern`; an encoder drops what its pattern does not match."""
    ranks = {bytes([byte]): byte for byte in range(256)}
    encoding = tiktoken.Encoding("class", pat_str=pattern, mergeable_ranks=ranks, special_tokens={})
    return [c for c in range(0x110000) if c not in SURROGATES and encoding.encode_ordinary(chr(c))]


def ranges(points):
    """Sorted code points -> (first, last) pairs."""
    out = []
    for point in points:
        if out and out[-1][1] == point - 1:
            out[-1][1] = point
        else:
            out.append([point, point])
    return out


def main():
    default = pathlib.Path(__file__).resolve().parents[1] / "Sources/Text/UnicodeRanges.swift"
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=pathlib.Path, default=default, help="the file to write")
    path = parser.parse_args().out
    lines = [
        f"// Written by scripts/unicode_classes.py from tiktoken {tiktoken.__version__}.", "",
        "/// First and last code point of each range, in turn.",
        "enum UnicodeRanges {",
    ]
    for name, pattern in CLASSES.items():
        points = members(pattern)
        numbers = [f"0x{n:X}" for pair in ranges(points) for n in pair]
        print(f"{name} {pattern}: {len(points)} code points in {len(numbers) // 2} ranges")
        lines += [f"  /// `{pattern}`: {len(points)} code points.", f"  static let {name}: [UInt32] = ["]
        line = "   "
        for number in numbers:
            if len(line) + len(number) + 2 > 100:
                lines.append(line)
                line = "   "
            line += f" {number},"
        lines += [line, "  ]"]
    path.write_text("\n".join(lines + ["}", ""]))
    print(path)


if __name__ == "__main__":
    main()
