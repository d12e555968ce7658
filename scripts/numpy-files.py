"""Writes test/numpy.json: files as NumPy writes them, in base64, with what is in them.  python3 scripts/numpy-files.py"""
import base64
import io
import json
from pathlib import Path

import numpy as np

arrays = {
    "float32": np.arange(-3, 3, dtype="<f4").reshape(2, 3) / 7,
    "float32, Fortran order": np.asfortranarray(np.arange(24, dtype="<f4").reshape(2, 3, 4)),
    "float32, big-endian": np.array([0.1, -2.5, 3e38], dtype=">f4"),
    "float64": np.array([[0.1], [1e300]]),
    "float16": np.array([0.1, -2, 6e-8, 65504, np.inf], dtype="<f2"),
    "int64": np.array([-(2**31), 0, 2**31 - 1]),
    "int32": np.array([[1, -2]], dtype="<i4"),
    "uint8": np.arange(256, dtype="u1"),
    "int16, big-endian": np.array([258, -1], dtype=">i2"),
    "bool": np.array([True, False]),
    "a number": np.array(2.5, dtype="<f4"),
    "none": np.zeros((0, 3), dtype="<f4"),
}


def values(array):
    return [None if not np.isfinite(x) else x for x in np.asarray(array, dtype="f8").ravel().tolist()]


def text(write, *args, **kwargs):
    file = io.BytesIO()
    write(file, *args, **kwargs)
    return base64.b64encode(file.getvalue()).decode()


def version(array, number):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, version=number)
    return base64.b64encode(file.getvalue()).decode()


cases = {
    name: {"file": text(np.save, array), "shape": list(array.shape), "values": values(array)}
    for name, array in arrays.items()
}
for number in [(2, 0), (3, 0)]:
    array = arrays["float32"]
    cases[f"version {number[0]}"] = {
        "file": version(array, number),
        "shape": list(array.shape),
        "values": values(array),
    }
pair = {"weight": arrays["float32"], "bias": arrays["float64"]}
zips = {"savez": text(np.savez, **pair), "savez_compressed": text(np.savez_compressed, **pair)}
refused = {
    "complex": text(np.save, np.array([1j])),
    "text": text(np.save, np.array(["ab"])),
    "records": text(np.save, np.zeros(2, dtype=[("a", "<f4"), ("b", "<i4")])),
    "int64 beyond 32 bits": text(np.save, np.array([2**31])),
}
out = {"numpy": np.__version__, "npy": cases, "npz": zips, "refused": refused}
(Path(__file__).parent.parent / "test" / "numpy.json").write_text(json.dumps(out, indent=1) + "\n")
