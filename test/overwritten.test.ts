// What a backward pass needs, and what has been written over it since the forward pass.
import { describe, expect, test } from "vitest";
import * as n from "../src/index";
import { compile, Linear, parameter, SGD, scope, type Tensor, tensor } from "../src/index";

const inScope = (fn: () => void) => () => scope(fn);
const REFUSED = /has been overwritten since the forward pass/;

/** Everything that the library writes into a parameter in place. */
const WRITERS: Record<string, (w: Tensor) => void> = {
  "optimizer.step": (w) => {
    w.grad = tensor([1, 1]);
    new SGD([w], { lr: 1 }).step();
  },
  "a compiled step": (w) => {
    const optimizer = new SGD([w], { lr: 1 });
    const step = compile(() => {
      optimizer.zeroGrad();
      w.sum().backward();
      optimizer.step();
    });
    step();
  },
  write: (w) => void w.write([5, 6]),
  "write of a tensor": (w) => void w.write(tensor([5, 6])),
  "write to a view": (w) => void w.detach().write([5, 6]),
  "Module.loadStateDict": (w) => {
    const model = new (class extends n.Module {
      w = w;
      forward = (x: Tensor) => x;
    })();
    model.loadStateDict({ w: [5, 6] });
  },
  loadCheckpoint: (w) => {
    const make = (t: Tensor) =>
      new (class extends n.Module {
        w = t;
        forward = (x: Tensor) => x;
      })();
    n.loadCheckpoint(n.saveCheckpoint({ model: make(parameter(tensor([5, 6]))) }), { model: make(w) });
  },
};

/** Graphs that need w on the way back to x. */
const READERS: Record<string, (x: Tensor, w: Tensor) => Tensor> = {
  mul: (x, w) => x.mul(w),
  div: (x, w) => x.div(w),
  pow: (x, w) => x.pow(w),
  matmul: (x, w) => x.reshape([1, 2]).matmul(w.reshape([2, 1])),
  linear: (x, w) => n.linear(x.reshape([1, 2]), w.reshape([1, 2])),
  prelu: (x, w) => n.prelu(x.sub(3).reshape([1, 2]), w),
  mseLoss: (x, w) => n.mseLoss(x, w),
  layerNorm: (x, w) => n.layerNorm(x, { normalizedShape: 2, weight: w }),
  softmax: (x, w) => x.add(w.softmax()).mul(w),
};

describe.each(Object.entries(READERS))("%s", (_, read) => {
  test.each(Object.entries(WRITERS))("refuses to go back after %s", (_, write) =>
    scope(() => {
      const [w, x] = [parameter(tensor([2, 3])), parameter(tensor([3, 4]))];
      const y = read(x, w).sum();
      write(w);
      expect(() => y.backward()).toThrow(REFUSED);
      expect(x.grad).toBeNull();
      // The next forward pass is on the new values.
      const z = read(x, w).sum();
      z.backward();
      expect(x.grad).not.toBeNull();
    }),
  );
});

test.each<[string, (x: Tensor, w: Tensor) => Tensor]>([
  ["add", (x, w) => x.add(w)],
  ["sub", (x, w) => w.sub(x)],
  ["a product with a constant", (x, w) => x.mul(2).add(w.mul(3))],
  ["neg", (x, w) => x.add(w.neg())],
  ["the first layer of a network", (x, w) => x.add(n.linear(tensor([[1, 2]]), w.reshape([1, 2])).sum())],
  ["concat", (x, w) => n.concat([x, w])],
  [
    "an embedding",
    (x, w) => x.add(n.embedding(tensor([1, 0], { dtype: "i32" }), w.reshape([2, 1])).reshape([2])),
  ],
])("%s reads no values that the step changes, and goes on", (_, graph) =>
  scope(() => {
    const [w, x] = [parameter(tensor([2, 3])), parameter(tensor([3, 4]))];
    const wanted = () => [x, w].map(({ grad }) => [...grad!.data]);
    graph(x, w).sum().backward();
    const right = wanted();
    for (const t of [x, w]) t.grad = null;
    const y = graph(x, w).sum();
    w.write([7, 8]);
    y.backward();
    expect(wanted()).toEqual(right);
  }),
);

test(
  "a second pass through a retained graph is refused after a step",
  inScope(() => {
    const model = new n.Sequential(new Linear(2, 3), new n.Tanh(), new Linear(3, 1));
    const optimizer = new SGD(model.parameters(), { lr: 0.1 });
    const loss = model.forward(tensor([[1, 2]])).sum();
    loss.backward({ retainGraph: true });
    loss.backward({ retainGraph: true });
    optimizer.step();
    expect(() => loss.backward()).toThrow(REFUSED);
  }),
);

test(
  "gradients are overwritten by clipping, by averages and by further passes",
  inScope(() => {
    const [w, x] = [parameter(tensor([2, 3])), parameter(tensor([3, 4]))];
    const makers: Record<string, () => void> = {
      clipGradNorm: () => n.clipGradNorm([w], 0.1).dispose(),
      clipGradValue: () => n.clipGradValue([w], 0.1),
      averageGradients: () => n.averageGradients([["w", w]], [{ w: tensor([1, 1]) }]),
      "another pass": () => w.sum().backward(),
    };
    for (const [name, change] of Object.entries(makers)) {
      w.zeroGrad();
      w.mul(2).sum().backward();
      const y = x.mul(w.grad!).sum();
      change();
      expect(() => y.backward(), name).toThrow(REFUSED);
    }
  }),
);

test(
  "running statistics that evaluation has read are overwritten by training",
  inScope(() => {
    const norm = new n.BatchNorm1d(2);
    const mean = norm.runningMean!;
    const x = parameter(tensor([3, 4]));
    const y = x.mul(mean).sum();
    norm.forward(
      tensor([
        [1, 2],
        [3, 5],
      ]),
    );
    expect(() => y.backward()).toThrow(REFUSED);
  }),
);

test(
  "what a plan returns is overwritten by its next call",
  inScope(() => {
    const features = compile((x: Tensor) => x.mul(2));
    const w = parameter(tensor([1, 1]));
    const y = w.mul(features(tensor([1, 2]))).sum();
    features(tensor([3, 4]));
    expect(() => y.backward()).toThrow(REFUSED);
    const z = w.mul(features(tensor([5, 6]))).sum();
    z.backward();
    expect(w.grad!.toArray()).toEqual([10, 12]);
  }),
);

test(
  "a plan that changes one parameter leaves the graphs of others alone",
  inScope(() => {
    const [teacher, student] = [parameter(tensor([2, 3])), parameter(tensor([1, 1]))];
    const optimizer = new SGD([student], { lr: 0.1 });
    const step = compile(() => {
      const loss = n.mseLoss(student.mul(teacher.detach()), tensor([1, 1]));
      optimizer.zeroGrad();
      loss.backward();
      optimizer.step();
      return loss;
    });
    step();
    const y = teacher.square().sum();
    const z = student.square().sum();
    step();
    y.backward();
    expect(teacher.grad!.toArray()).toEqual([4, 6]);
    expect(() => z.backward()).toThrow(REFUSED);
  }),
);
