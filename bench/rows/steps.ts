import {
  compile,
  crossEntropyLoss,
  Linear,
  type Module,
  mseLoss,
  noGrad,
  ReLU,
  rand,
  randn,
  relu,
  Sequential,
  SGD,
  scope,
  type Tensor,
  tensor,
} from "nablas";
import * as plain from "../plain";
import { unary } from "../plain-elementwise";
import { PlainMlp } from "../plain-mlp";
import { copy, forward, gradient, type Row } from "./row";

const sgd = { lr: 0.01, momentum: 0.9 };

/** Layers of these sizes with ReLU between them; cross-entropy for several outputs, mean squared error for one. */
function trainingRow(sizes: number[], batch: number, compiled = false): Row {
  const inputs = sizes[0]!;
  const outputs = sizes.at(-1)!;
  const prepare = () => {
    const model = mlp(sizes);
    const optimizer = new SGD(model.parameters(), sgd);
    const plainModel = new PlainMlp(model.parameters().map(copy), { maxBatch: batch, ...sgd });
    const x = copy(rand([batch, inputs]));
    const labels = Int32Array.from({ length: batch }, (_, i) => i % outputs);
    const target = outputs > 1 ? labels : copy(rand([batch, 1]));
    const step = (input: Tensor, wanted: Tensor) => {
      const y = model.forward(input.reshape([batch, inputs]));
      const loss = outputs > 1 ? crossEntropyLoss(y, wanted) : mseLoss(y, wanted.reshape([batch, 1]));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    };
    const replayed = compile(step);
    const eager = () => scope(() => step(tensor(x), tensor(target)).item());
    const wasm = compiled ? () => replayed(x, target).item() : eager;
    const js = () => plainModel.step(x, target);
    // Three steps, so that the third loss depends on two updates.
    const check = () => ({ wasm: [wasm(), wasm(), wasm()], js: [js(), js(), js()] });
    return { wasm, js, check };
  };
  const name = `${compiled ? "compiled" : "eager"} step ${sizes.join("-")} b${batch}`;
  return { name, amount: 1, unit: "step", prepare };
}

/** The logits of one row or of several, from a plan. */
function inferenceRow(sizes: number[], batch: number): Row {
  const prepare = () => {
    const model = mlp(sizes);
    const plainModel = new PlainMlp(model.parameters().map(copy), { maxBatch: batch, ...sgd });
    const x = copy(rand([batch, sizes[0]!]));
    const infer = compile((input: Tensor) => noGrad(() => model.forward(input.reshape([batch, -1]))));
    const js = () => plainModel.forward(x, batch);
    return {
      wasm: () => infer(x),
      js,
      check: () => ({ wasm: copy(infer(x)), js: js().slice(0, batch * sizes.at(-1)!) }),
    };
  };
  return { name: `compiled inference ${sizes.join("-")} b${batch}`, amount: 1, unit: "call", prepare };
}

function mlp(sizes: number[]): Sequential {
  const layers: Module[] = [];
  for (let i = 1; i < sizes.length; i++) {
    layers.push(...(i > 1 ? [new ReLU()] : []), new Linear(sizes[i - 1]!, sizes[i]!));
  }
  return new Sequential(...layers);
}

/** An op so small that the call is what it costs. */
function callRow(elements: number): Row {
  const prepare = () => {
    const x = randn([elements]);
    const [X, Y] = [copy(x), new Float32Array(elements)];
    const js = () => {
      unary.relu(X, Y);
      return Y;
    };
    return forward(() => relu(x), js);
  };
  return { name: `call: relu of ${elements}`, amount: 1, unit: "call", prepare };
}

function recordedCallRow(elements: number): Row {
  const prepare = () => {
    const x = randn([elements]);
    const dy = randn([elements]);
    x.requiresGrad = true;
    const [X, DY, Y, DX] = [copy(x), copy(dy), new Float32Array(elements), new Float32Array(elements)];
    const js = () => {
      unary.relu(X, Y);
      DX.set(DY);
      plain.reluGradient(Y, DX, elements);
      return DX;
    };
    return gradient(x, () => relu(x).backward({ gradient: dy }), js);
  };
  return { name: `call: relu of ${elements} + backward`, amount: 1, unit: "call", prepare };
}

export const stepRows: Row[] = [
  callRow(64),
  recordedCallRow(64),
  callRow(1000),
  ...[false, true].flatMap((compiled) => [
    trainingRow([2, 8, 1], 4, compiled),
    trainingRow([2, 32, 32, 1], 4, compiled),
    trainingRow([64, 32, 10], 32, compiled),
    trainingRow([784, 128, 64, 10], 64, compiled),
    trainingRow([784, 512, 512, 10], 128, compiled),
  ]),
  inferenceRow([784, 128, 64, 10], 1),
  inferenceRow([784, 128, 64, 10], 64),
];
