import {
  crossEntropyLoss,
  elu,
  gelu,
  hardmax,
  identity,
  Linear,
  leakyRelu,
  logSoftmax,
  matmul,
  maxout,
  prelu,
  ReLU,
  rand,
  randn,
  relu,
  rrelu,
  Sequential,
  SGD,
  scope,
  sigmoid,
  silu,
  softmax,
  softplus,
  type Tensor,
  tanh,
  tensor,
} from "nablas";
import type { Answers } from "./harness";
import * as plain from "./plain";
import { PlainMlp } from "./plain-mlp";

/** One line of the benchmark. */
export interface Row {
  name: string;
  /** What one call works off, for the speed beside the time: 2e6 and "FLOP", say. */
  amount: number;
  unit: "FLOP" | "element" | "step";
  /** Makes the operands: only the rows that are run take memory. */
  prepare: () => Contest;
}

export interface Contest {
  wasm: () => void;
  js: () => void;
  check: () => Answers;
}

export const rows: Row[] = [
  ...[64, 128, 256, 512].map(matmulRow),
  ...activationRows("64K", 65_536),
  ...activationRows("1M", 1_048_576).filter(({ name }) => /^(relu|sigmoid|tanh)/.test(name)),
  maxoutRow(256, 1000, 4),
  hardmaxRow(256, 1000),
  logSoftmaxRow(256, 1000),
  softmaxRow(64, 10),
  softmaxRow(256, 1000),
  crossEntropyRow(64, 10),
  crossEntropyRow(256, 1000),
  trainingRow(),
];

/** `wasm` makes a tensor, which its scope frees; `js` fills an array of its own. */
function forward(wasm: () => Tensor, js: () => Float32Array): Contest {
  return {
    wasm: () => scope(() => void wasm()),
    js,
    check: () => ({ wasm: scope(() => copy(wasm())), js: js() }),
  };
}

/** `wasm` adds to the gradient of `leaf`, zero before the check; `js` overwrites its own. */
function gradient(leaf: Tensor, wasm: () => void, js: () => Float32Array): Contest {
  const run = () => scope(wasm);
  const check = () => {
    run();
    return { wasm: copy(leaf.grad!), js: js() };
  };
  return { wasm: run, js, check };
}

function copy(tensor: Tensor): Float32Array {
  return Float32Array.from(tensor.data);
}

function matmulRow(n: number): Row {
  const prepare = () => {
    const a = randn([n, n]);
    const b = randn([n, n]);
    const [A, B, out] = [copy(a), copy(b), new Float32Array(n * n)];
    const js = () => {
      plain.matmul(A, B, out, n, n, n);
      return out;
    };
    return forward(() => matmul(a, b), js);
  };
  return { name: `matmul ${n} x ${n} x ${n}`, amount: 2 * n ** 3, unit: "FLOP", prepare };
}

function activationRows(label: string, elements: number): Row[] {
  const cols = 64;
  const row = (
    name: string,
    wasm: (x: Tensor, slope: Tensor) => Tensor,
    js: (x: Float32Array, y: Float32Array, slope: Float32Array) => void,
  ): Row => {
    const prepare = () => {
      const x = randn([elements / cols, cols]);
      const slope = rand([cols]);
      const [X, Y, SLOPE] = [copy(x), new Float32Array(elements), copy(slope)];
      const run = () => {
        js(X, Y, SLOPE);
        return Y;
      };
      return forward(() => wasm(x, slope), run);
    };
    return { name: `${name} ${label}`, amount: elements, unit: "element", prepare };
  };
  return [
    row(
      "identity",
      (x) => identity(x),
      (x, y) => y.set(x),
    ),
    row(
      "relu",
      (x) => relu(x),
      (x, y) => plain.relu(x, y),
    ),
    row("leakyRelu", (x) => leakyRelu(x), plain.leakyRelu),
    row("prelu", prelu, plain.prelu),
    row("rrelu (evaluation)", (x) => rrelu(x), plain.rrelu),
    row("elu", (x) => elu(x), plain.elu),
    row("softplus", (x) => softplus(x), plain.softplus),
    row("sigmoid", (x) => sigmoid(x), plain.sigmoid),
    row("tanh", (x) => tanh(x), plain.tanh),
    row("silu", (x) => silu(x), plain.silu),
    row("gelu (tanh)", (x) => gelu(x, { approximate: "tanh" }), plain.geluTanh),
  ];
}

function maxoutRow(rows: number, cols: number, k: number): Row {
  const prepare = () => {
    const x = randn([rows, cols]);
    const [X, Y] = [copy(x), new Float32Array(x.size / k)];
    const js = () => {
      plain.maxout(X, Y, k);
      return Y;
    };
    return forward(() => maxout(x, { k }), js);
  };
  return { name: `maxout k = ${k}, ${rows} x ${cols}`, amount: rows * cols, unit: "element", prepare };
}

function hardmaxRow(rows: number, cols: number): Row {
  const prepare = () => {
    const x = randn([rows, cols]);
    const [X, Y] = [copy(x), new Float32Array(x.size)];
    const js = () => {
      plain.hardmax(X, Y, cols);
      return Y;
    };
    return forward(() => hardmax(x), js);
  };
  return { name: `hardmax ${rows} x ${cols}`, amount: rows * cols, unit: "element", prepare };
}

function logSoftmaxRow(rows: number, cols: number): Row {
  const prepare = () => {
    const x = randn([rows, cols]);
    const [X, Y] = [copy(x), new Float32Array(x.size)];
    const js = () => {
      plain.logSoftmax(X, Y, rows, cols);
      return Y;
    };
    return forward(() => logSoftmax(x), js);
  };
  return { name: `logSoftmax ${rows} x ${cols}`, amount: rows * cols, unit: "element", prepare };
}

function softmaxRow(rows: number, cols: number): Row {
  const prepare = () => {
    const x = randn([rows, cols]);
    const dy = randn([rows, cols]);
    x.requiresGrad = true;
    const [X, DY, Y, DX] = [copy(x), copy(dy), new Float32Array(x.size), new Float32Array(x.size)];
    const js = () => {
      plain.softmax(X, Y, rows, cols);
      plain.softmaxGradient(Y, DY, DX, rows, cols);
      return DX;
    };
    return gradient(x, () => softmax(x).backward({ gradient: dy }), js);
  };
  return { name: `softmax + gradient ${rows} x ${cols}`, amount: rows * cols, unit: "element", prepare };
}

function crossEntropyRow(rows: number, cols: number): Row {
  const prepare = () => {
    const x = randn([rows, cols]);
    const labels = Int32Array.from({ length: rows }, (_, i) => (7 * i) % cols);
    x.requiresGrad = true;
    const [X, DX] = [copy(x), new Float32Array(x.size)];
    const js = () => {
      plain.crossEntropy(X, labels, DX, cols);
      return DX;
    };
    return gradient(x, () => crossEntropyLoss(x, labels).backward(), js);
  };
  return {
    name: `cross-entropy + gradient ${rows} x ${cols}`,
    amount: rows * cols,
    unit: "element",
    prepare,
  };
}

function trainingRow(): Row {
  const sgd = { lr: 0.01, momentum: 0.9 };
  const prepare = () => {
    const model = new Sequential(new Linear(64, 32), new ReLU(), new Linear(32, 10));
    const optimizer = new SGD(model.parameters(), sgd);
    const mlp = new PlainMlp(model.parameters().map(copy), { maxBatch: 32, ...sgd });
    const x = copy(rand([32, 64]));
    const labels = Int32Array.from({ length: 32 }, (_, i) => i % 10);
    const wasm = () =>
      scope(() => {
        const loss = crossEntropyLoss(model.forward(tensor(x, { shape: [32, 64] })), labels);
        optimizer.zeroGrad();
        loss.backward();
        optimizer.step();
        return loss.item();
      });
    const js = () => mlp.step(x, labels);
    // Three steps, so that the third loss depends on two updates.
    const check = () => ({ wasm: [wasm(), wasm(), wasm()], js: [js(), js(), js()] });
    return { wasm, js, check };
  };
  return { name: "training step 64-32-10, batch 32", amount: 1, unit: "step", prepare };
}
