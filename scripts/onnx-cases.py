"""Writes test/onnx.json: ONNX's own node tests of the ops that nablas has.

    pip install "onnx==1.12" && python scripts/onnx-cases.py

The cases are those of onnx.backend.test.case.node (Apache-2.0), which make their inputs with seeded random numbers and
their outputs with numpy in float32. test/onnx.ts says how each op is written with nablas.

Half and double ones are rounded to float32. Left out are cases without a float32 answer (integer arithmetic, sequences,
optionals), dropout that draws random numbers, the `_expanded` twins, which spell the same op out in others, and cases of
more than LIMIT numbers, which repeat a smaller one; `--all FILE` writes those as well.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np

# The names that onnx 1.12 still uses and numpy 1.24 has dropped.
for name, kind in {"float": float, "int": int, "bool": bool, "object": object}.items():
    if name not in np.__dict__:
        setattr(np, name, kind)

import onnx
from onnx.backend.test.case import node as node_cases

OPS = """
    Abs Adagrad Adam Add ArgMax ArgMin BatchNormalization Celu Clip Concat Div Dropout Elu Exp Flatten Gather
    GatherElements Gemm HardSigmoid HardSwish Hardmax Identity LayerNormalization LeakyRelu Log LogSoftmax MatMul Max
    Mean Min Momentum Mul Neg NegativeLogLikelihoodLoss OneHot PRelu Pow Reciprocal ReduceL1 ReduceL2 ReduceLogSum
    ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceSum ReduceSumSquare Relu Reshape Selu Sigmoid Slice Softmax
    SoftmaxCrossEntropyLoss Softplus Softsign Split Sqrt Squeeze Sub Sum Tanh Transpose Unsqueeze
""".split()

# Ops whose outputs may be integers.
INTEGERS = {"ArgMax", "ArgMin", "OneHot"}

# What the outputs were made with, but the node does not say.
FORGOTTEN = {"test_adam_multiple": {"epsilon": 0.01}}

# Numbers of a case, inputs and outputs together.
LIMIT = 2100


def number(v):
    """The shortest decimal of a float32; non-finite ones as strings."""
    if not math.isfinite(v):
        return "NaN" if math.isnan(v) else "Infinity" if v > 0 else "-Infinity"
    return int(v) if float(v).is_integer() and abs(v) < 1e7 else float(str(np.float32(v)))


class Tensors:
    """The tensors of all cases, each once, as lines of JSON: many cases share their inputs."""

    def __init__(self):
        self.numbers = {}

    def add(self, values):
        """The number of a tensor."""
        values = np.asarray(values)
        flat = values.reshape(-1)
        if values.dtype.kind in "iub":
            t = {"shape": list(values.shape), "dtype": "i32", "data": [int(v) for v in flat]}
        else:
            t = {"shape": list(values.shape), "data": [number(v) for v in flat]}
        return self.numbers.setdefault(line(t), len(self.numbers))


def line(value):
    return json.dumps(value, separators=(",", ":"), allow_nan=False)


def is_wanted(node, inputs, outputs):
    if any(not hasattr(v, "dtype") or v.dtype.kind not in "fiub" for v in inputs + outputs):
        return False
    if node.op_type == "Dropout" and len(inputs) > 2 and inputs[2] and inputs[1] > 0:
        return False
    return node.op_type in INTEGERS or outputs[0].dtype.kind == "f"


def attribute(a):
    value = onnx.helper.get_attribute_value(a)
    if isinstance(value, bytes):
        return value.decode()
    return number(value) if isinstance(value, float) else value


def main(path, limit):
    cases, tensors = [], Tensors()
    for case in node_cases.collect_testcases(""):
        nodes = case.model.graph.node
        if len(nodes) != 1 or nodes[0].op_type not in OPS or case.name.endswith("_expanded"):
            continue
        node, (inputs, outputs) = nodes[0], map(list, case.data_sets[0])
        if not is_wanted(node, inputs, outputs):
            print("left out:", case.name, file=sys.stderr)
            continue
        # The second output of dropout is its mask.
        outputs = outputs[:1] if node.op_type == "Dropout" else outputs
        if sum(v.size for v in inputs + outputs) > limit:
            continue
        given = iter(inputs)
        # Optional inputs that a node leaves out have an empty name.
        slots = [tensors.add(next(given)) if name else None for name in node.input]
        cases.append(
            {
                "name": case.name.removeprefix("test_"),
                "op": node.op_type,
                "attributes": {a.name: attribute(a) for a in node.attribute} | FORGOTTEN.get(case.name, {}),
                "inputs": slots,
                "outputs": [tensors.add(v) for v in outputs],
            }
        )
    about = "Node tests of ONNX 1.12 (onnx.backend.test.case.node), Apache-2.0; written by scripts/onnx-cases.py"
    lists = {"tensors": tensors.numbers, "cases": map(line, cases)}
    parts = [f'"{name}":[\n' + ",\n".join(lines) + "\n]" for name, lines in lists.items()]
    path.write_text("{" + ",\n".join([f'"about":{line(about)}', *parts]) + "}\n")
    print(f"{len(cases)} cases, {path.stat().st_size} bytes")


if sys.argv[1:2] == ["--all"]:
    main(Path(sys.argv[2]), math.inf)
else:
    main(Path(__file__).parent.parent / "test" / "onnx.json", LIMIT)
