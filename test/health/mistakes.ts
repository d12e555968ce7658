// Mistakes as people make them, in networks as they write them.
import { generateDigits } from "../../examples/digits/generate";
import type { Module, Tensor } from "../../src/index";
import * as n from "../../src/index";
import { bitsOf, clouds, drawn, kaiming, layers, type Patient, train, valuesOf, xavier } from "./networks";

const crossEntropy: Patient["loss"] = (p, t) => n.crossEntropyLoss(p, t);
const squares = (p: Tensor, t: Tensor) => p.sub(t).square().mean();
const mlp = (sizes: number[], activation: () => Module, init = kaiming, ...last: Module[]) =>
  new n.Sequential(...layers(sizes, activation, init), ...last);
const relu = () => new n.ReLU();
const tanh = () => new n.Tanh();
/** As PyTorch starts: no initialiser, and biases. */
const plain = (sizes: number[], activation: () => Module) =>
  new n.Sequential(
    ...sizes.slice(1).flatMap((size, i) => {
      const linear = new n.Linear(sizes[i]!, size);
      return i === sizes.length - 2 ? [linear] : [linear, activation()];
    }),
  );

/** A network without modules inside: two products, with any activation and output. */
class Functions extends n.Module {
  readonly w1: Tensor;
  readonly b1 = n.parameter(n.zeros([32]));
  readonly w2: Tensor;
  constructor(
    std: number,
    private readonly activation: (x: Tensor) => Tensor,
    private readonly output: (x: Tensor) => Tensor = (x) => x,
  ) {
    super();
    this.w1 = n.parameter(n.randn([32, 8]).mul(std));
    this.w2 = n.parameter(n.randn([32, 3]).mul(0.2));
  }
  forward(x: Tensor): Tensor {
    return this.output(this.activation(n.linear(x, this.w1, this.b1)).matmul(this.w2));
  }
}

function digits(): [pixels: Tensor, labels: Tensor] {
  const { pixels, labels } = generateDigits(128, 1);
  return [n.tensor(pixels, { shape: [128, 64] }), n.tensor(labels)];
}

function classes(model: Module, change = (x: Tensor) => x, loss = crossEntropy): Patient {
  const [x, targets] = clouds(128, 8, 3);
  return { model, inputs: change(x), targets, loss };
}

function regression(
  model: Module,
  change: (y: Tensor) => Tensor,
  loss: Patient["loss"] = n.mseLoss,
): Patient {
  const inputs = n.randn([128, 8]);
  return { model, inputs, targets: change(valuesOf(inputs, 1)), loss };
}

function trained(patient: Patient, lr: number, steps: number): Patient {
  train(patient, new n.SGD(patient.model.parameters(), { lr }), steps);
  return patient;
}

/** Digits from 0 to 1. */
function ink(init: typeof kaiming, activation = relu): Patient {
  const [inputs, targets] = digits();
  const model = mlp([64, 64, 64, 10], activation, init);
  return { model, inputs: inputs.div(16), targets, loss: crossEntropy };
}

function oneHot(targets: Tensor, numClasses: number): Tensor {
  return n.oneHot(targets, { numClasses });
}

const [rows, sizes] = [
  [128, 8],
  [8, 32, 32, 3],
] as const;
const net = (activation = relu, init = kaiming, ...last: Module[]) =>
  mlp([...sizes], activation, init, ...last);

/** What is wrong, the code and the layer that it is found at, and the network. */
export const mistakes: [what: string, code: n.FindingCode, layer: string, make: () => Patient][] = [
  ["20 steps at lr 10", "dead-relu", "3", () => trained(ink(kaiming), 10, 20)],
  ["lr 10", "exploding-gradient", "4", () => classes(net())],
  [
    "a deep relu net as PyTorch starts",
    "bias-shift",
    "9",
    () => classes(plain([8, 64, 64, 64, 64, 64, 64, 3], relu)),
  ],
  [
    "a deep sigmoid net",
    "vanishing-gradient",
    "0",
    () => classes(plain([8, 32, 32, 32, 32, 32, 32, 3], () => new n.Sigmoid())),
  ],
  ["weights of randn", "bad-init", "2", () => ink(drawn(1), tanh)],
  ["weights of rand", "bad-init", "2", () => ink((shape) => n.rand(shape))],
  ["weights of zeros", "bad-init", "0", () => classes(net(relu, (shape) => n.zeros(shape)))],
  [
    "pixels from 0 to 16",
    "not-normalised",
    "inputs",
    () => {
      const [inputs, targets] = digits();
      return { model: plain([64, 32, 10], relu), inputs, targets, loss: crossEntropy };
    },
  ],
  ["years as they are", "not-normalised", "inputs", () => classes(net(), (x) => x.add(1980))],
  [
    "prices as they are",
    "not-normalised",
    "targets",
    () => regression(mlp([8, 32, 1], relu), (y) => y.mul(5e4).add(2e5)),
  ],
  [
    "labels from 1",
    "labels-out-of-range",
    "targets",
    () => {
      const patient = classes(net());
      return { ...patient, targets: n.tensor(Int32Array.from(patient.targets.data, (c) => c + 1)) };
    },
  ],
  [
    "bits 1 and 2",
    "labels-out-of-range",
    "targets",
    () => {
      const inputs = n.randn([...rows]);
      return {
        model: mlp([8, 16, 1], relu),
        inputs,
        targets: bitsOf(inputs, 1).add(1),
        loss: n.bceWithLogitsLoss,
      };
    },
  ],
  [
    "targets below 0 behind a relu",
    "labels-out-of-range",
    "targets",
    () => regression(mlp([8, 32, 1], relu, kaiming, relu()), (y) => y),
  ],
  [
    "targets to 4 behind a tanh",
    "labels-out-of-range",
    "targets",
    () => regression(mlp([8, 32, 1], relu, kaiming, tanh()), (y) => y.mul(3)),
  ],
  ["softmax twice", "loss-mismatch", "5", () => classes(net(relu, kaiming, new n.Softmax()))],
  ["softmax as a function", "loss-mismatch", "softmax", () => classes(new Functions(0.5, n.relu, n.softmax))],
  [
    "squares written out behind a sigmoid",
    "loss-mismatch",
    "5",
    () => classes(net(relu, kaiming, new n.Sigmoid()), undefined, (p, t) => squares(p, oneHot(t, 3))),
  ],
  [
    "a loss of one's own behind softmax",
    "loss-mismatch",
    "5",
    () =>
      classes(net(relu, kaiming, new n.Softmax()), undefined, (p, t) =>
        n.customLoss({ forward: (a, b) => a.sub(b).abs() })(p, oneHot(t, 3)),
      ),
  ],
  [
    "a column minus a row",
    "loss-mismatch",
    "2",
    () => regression(mlp([8, 16, 1], relu), (y) => y.reshape([128]), squares),
  ],
  [
    "the same, behind a reshape",
    "loss-mismatch",
    "2",
    () =>
      regression(
        mlp([8, 16, 1], relu),
        (y) => y,
        (p, t) => p.reshape([-1]).sub(t).square().mean(),
      ),
  ],
  ["saturated functions", "saturated", "tanh", () => classes(new Functions(5, n.tanh))],
  ["functions with wide weights", "bad-init", "linear", () => classes(new Functions(20, n.relu))],
  [
    "a fused function that is dead",
    "dead-relu",
    "linear",
    () => {
      const fused = new (class extends Functions {
        override forward(x: Tensor): Tensor {
          return n.linear(x, this.w1, this.b1, { activation: "relu" }).matmul(this.w2);
        }
      })(0.5, n.relu);
      fused.b1.data.fill(-20);
      return classes(fused);
    },
  ],
  ["the log of scores", "non-finite", "log", () => classes(new Functions(0.5, n.relu, n.log))],
  [
    "the log of softmax",
    "non-finite",
    "log",
    () => classes(net(relu, drawn(30)), undefined, (p, t) => n.log(n.softmax(p)).mul(oneHot(t, 3)).mean()),
  ],
  [
    "softmax written out",
    "non-finite",
    "exp",
    () =>
      classes(net(relu, drawn(30)), undefined, (p, t) =>
        n
          .exp(p)
          .div(n.exp(p).sum({ dim: 1, keepdim: true }))
          .sub(oneHot(t, 3))
          .square()
          .mean(),
      ),
  ],
  [
    "a root at 0",
    "non-finite",
    "sqrt",
    () => ({
      model: new n.Linear(4, 1, { bias: false }),
      inputs: n.zeros([16, 4]),
      targets: n.zeros([16, 1]),
      loss: (p, t) => n.sqrt(squares(p, t)),
    }),
  ],
  [
    "a single class",
    "loss-mismatch",
    "2",
    () => ({ ...classes(mlp([8, 16, 1], relu)), targets: n.zeros([128], { dtype: "i32" }) }),
  ],
];

/** What is none, though it looks like one. */
export const fine: [string, () => Patient][] = [
  [
    "a binary cross-entropy written out",
    () => {
      const inputs = n.randn([...rows]);
      const loss = (p: Tensor, t: Tensor) =>
        n
          .sub(1, t)
          .mul(n.log(n.sub(1, p)))
          .add(t.mul(n.log(p)))
          .mean()
          .neg();
      return {
        model: mlp([8, 16, 1], relu, xavier, new n.Sigmoid()),
        inputs,
        targets: bitsOf(inputs, 1),
        loss,
      };
    },
  ],
  [
    "differences of all pairs of predictions",
    () =>
      regression(
        mlp([8, 16, 1], relu, xavier),
        (y) => y,
        (p) => p.sub(n.transpose(p)).square().mean(),
      ),
  ],
  [
    "targets at the bounds of a tanh",
    () => regression(mlp([8, 16, 1], relu, xavier, tanh()), (y) => n.clip(y, { min: -1, max: 1 })),
  ],
  [
    "one relu module that is used twice",
    () => {
      class Twice extends n.Module {
        readonly first = new n.Linear(8, 32, { init: kaiming });
        readonly second = new n.Linear(32, 32, { init: kaiming });
        readonly act = new n.ReLU();
        readonly last = new n.Linear(32, 3, { init: xavier });
        forward(x: Tensor): Tensor {
          return this.last.forward(
            this.act.forward(this.second.forward(this.act.forward(this.first.forward(x)))),
          );
        }
      }
      return classes(new Twice());
    },
  ],
];
