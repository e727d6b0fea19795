"""Writes and reads safetensors files; a written file's bytes depend on its contents alone.

The official library writes `__metadata__` in random order, so that the same fixture has another hash each time;
here every key is sorted. Format: https://github.com/huggingface/safetensors#format
"""
import json

import numpy as np

DTYPES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64"}


def write(path, tensors, metadata):
    """tensors: name -> torch tensor or numpy array (float32, float64, int32, int64); metadata: str -> str."""
    arrays = {name: np.ascontiguousarray(as_numpy(t)) for name, t in tensors.items()}
    # Wider types first, so that each tensor starts aligned; then by name.
    names = sorted(arrays, key=lambda n: (-arrays[n].itemsize, n))
    header, offset = {"__metadata__": dict(sorted(metadata.items()))}, 0
    for name in names:
        a = arrays[name]
        header[name] = {
            "dtype": DTYPES[a.dtype.name], "shape": list(a.shape), "data_offsets": [offset, offset + a.nbytes]}
        offset += a.nbytes
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(len(text).to_bytes(8, "little"))
        file.write(text)
        for name in names:
            file.write(arrays[name].tobytes())


def as_numpy(tensor):
    return tensor if isinstance(tensor, np.ndarray) else tensor.detach().cpu().numpy()


def read(path):
    """name -> numpy array, of a file with the types above."""
    with open(path, "rb") as file:
        data = file.read()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    types = {short: name for name, short in DTYPES.items()}
    out = {}
    for name, entry in header.items():
        if name != "__metadata__":
            begin, end = entry["data_offsets"]
            values = np.frombuffer(data[start + begin : start + end], types[entry["dtype"]])
            out[name] = values.reshape(entry["shape"])
    return out
