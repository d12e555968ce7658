# Writes test/torch.json: models as torch.onnx.export writes them, with inputs and what PyTorch computes for them, and trainings:
# state dicts before, and losses of ten steps.  Debian: apt-get install python3-torch; /usr/bin/python3 scripts/torch-models.py
import base64
import io
import json
import warnings

import torch
import torch.nn.functional as F
from torch import nn

warnings.filterwarnings("ignore")
cases, trainings = [], []
ACTIVATIONS = """Identity Sigmoid Tanh ReLU LeakyReLU PReLU RReLU ELU CELU SELU GELU SiLU Mish Softplus Softsign Hardtanh
Hardsigmoid Hardswish ReLU6 LogSigmoid""".split()


def numbers(t):
    return {"shape": list(t.shape), "data": [float(f"{v:.9g}") for v in t.flatten().tolist()]}


def add(name, model, *inputs, training=False, opset=None):
    for parameter in model.parameters():  # what is 1 or 0 at the start would hide what is left out
        parameter.data.add_(0.3 * torch.rand_like(parameter))
    model.eval()
    file = io.BytesIO()
    names = [f"x{i}" for i in range(len(inputs))]
    axes = {name: {0: "rows"} for name in [*names, "y"]}
    options = {"training": torch.onnx.TrainingMode.TRAINING, "do_constant_folding": False} if training else {}
    torch.onnx.export(
        model, inputs, file, input_names=names, output_names=["y"], dynamic_axes=axes, opset_version=opset, **options
    )
    model.eval()
    onnx = base64.b64encode(file.getvalue()).decode()
    y = model(*inputs)
    cases.append({"name": name, "onnx": onnx, "inputs": [numbers(x) for x in inputs], "y": numbers(y)})


torch.manual_seed(0)
x = torch.randn(3, 6) * 2
for name in ACTIVATIONS:
    layer = getattr(nn, name)
    add(f"MLP with {name}", nn.Sequential(nn.Linear(6, 5), layer(), nn.Linear(5, 4)), x)
for name in ["Softmax", "LogSoftmax"]:
    add(f"MLP with {name}", nn.Sequential(nn.Linear(6, 4), getattr(nn, name)(dim=1)), x)
add("GELU by tanh", nn.Sequential(nn.Linear(6, 4), nn.GELU(approximate="tanh")), x)
add("PReLU for each feature", nn.Sequential(nn.Linear(6, 5), nn.PReLU(5)), x)
add("Linear without bias", nn.Linear(6, 4, bias=False), x)
add("Linear of rank 3", nn.Sequential(nn.Linear(6, 4), nn.Tanh()), torch.randn(2, 3, 6))
add("Flatten", nn.Sequential(nn.Flatten(), nn.Linear(6, 4)), torch.randn(3, 2, 3))


def normalised(features):
    layer = nn.BatchNorm1d(features)
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.5, 2)
    return layer


add("BatchNorm1d", nn.Sequential(nn.Linear(6, 5), normalised(5), nn.ReLU()), x)
add("BatchNorm1d first", nn.Sequential(normalised(6), nn.Linear(6, 4)), x)
add("BatchNorm1d of rank 3", normalised(4), torch.randn(2, 4, 5))
add("LayerNorm", nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 4)), x)
add("LayerNorm, opset 17", nn.Sequential(nn.LayerNorm(6), nn.Linear(6, 4)), x, opset=17)
add("LayerNorm over two", nn.LayerNorm([3, 4]), torch.randn(2, 3, 4))
add("LayerNorm without weights", nn.LayerNorm(6, elementwise_affine=False), x)
add("Dropout", nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.4), nn.Linear(5, 4)), x)
add("Dropout, for training", nn.Sequential(nn.Linear(6, 5), nn.Dropout(0.4), nn.Linear(5, 4)), x, training=True)
add("BatchNorm1d, for training", nn.Sequential(nn.Linear(6, 5), normalised(5)), x, training=True)


class Embedded(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.linear = nn.Embedding(7, 4), nn.Linear(4, 3)

    def forward(self, indices):
        return self.linear(self.embedding(indices))


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b, self.norm = nn.Linear(6, 6), nn.Linear(6, 6), nn.LayerNorm(6)

    def forward(self, x):
        return self.norm(x + self.b(F.silu(self.a(x))))


class Mean(nn.Module):
    def __init__(self):
        super().__init__()
        self.embedding, self.linear = nn.Embedding(7, 4), nn.Linear(4, 3)

    def forward(self, indices):
        return self.linear(self.embedding(indices).mean(dim=1))


class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(10, 3)

    def forward(self, a, b):
        return torch.softmax(self.linear(torch.cat([a, b], dim=1)), dim=-1)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.q, self.k, self.v = nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4)

    def forward(self, x):
        scores = self.q(x) @ self.k(x).transpose(1, 2) / 2
        return torch.softmax(scores, dim=-1) @ self.v(x)


add("Embedding", Embedded(), torch.tensor([1, 6, 0]))
add("Embedding and a mean", Mean(), torch.tensor([[1, 6, 0], [2, 2, 5]]))
add("a residual block", Residual(), x)
add("two inputs", Two(), torch.randn(3, 6), torch.randn(3, 4))
add("attention", Attention(), torch.randn(2, 3, 4))
for opset in [9, 11, 13, 15]:
    model = nn.Sequential(nn.Linear(6, 5), normalised(5), nn.LeakyReLU(0.2), nn.Dropout(), nn.Linear(5, 4), nn.Softmax(dim=-1))
    add(f"opset {opset}", model, x, opset=opset)

for name, lr, make in [
    ("SGD", 0.1, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9, weight_decay=1e-3)),
    ("Adam", 0.02, lambda p: torch.optim.Adam(p, lr=0.02, weight_decay=1e-3)),
]:
    torch.manual_seed(1)
    model = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.SiLU(), nn.LayerNorm(8), nn.Linear(8, 3))
    rows, labels = torch.randn(12, 6), torch.arange(12) % 3
    before = {key: numbers(value) for key, value in model.state_dict().items()}
    optimizer, losses = make(model.parameters()), []
    for _ in range(10):
        loss = F.cross_entropy(model(rows), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    after = {key: numbers(value) for key, value in model.state_dict().items()}
    trainings.append({"name": name, "x": numbers(rows), "labels": labels.tolist(), "before": before, "losses": losses, "after": after})

with open("test/torch.json", "w") as out:
    out.write(json.dumps({"version": torch.__version__, "cases": cases, "trainings": trainings}, separators=(",", ":")) + "\n")
