// One sigmoid neuron, a = σ(wx + b), that is to learn y from x: its descent by SGD, and the surface that it descends.
import {
  bceLoss,
  bceWithLogitsLoss,
  focalLoss,
  huberLoss,
  type LossOptions,
  l1Loss,
  linear,
  logCoshLoss,
  mseLoss,
  mul,
  ones,
  SGD,
  scope,
  sigmoid,
  type Tensor,
  tensor,
} from "nablas";
import { EPOCHS, type Loss, OF_LOGITS } from "../panels/neuron/kinds";
import type { Rgb } from "../theme";

const X = 1;
const Y = 0;

const LOSS: Readonly<Record<Loss, (prediction: Tensor, y: Tensor, options?: LossOptions) => Tensor>> = {
  mse: (a, y, options) => mul(mseLoss(a, y, options), 0.5),
  l1: l1Loss,
  huber: (a, y, options) => huberLoss(a, y, { delta: 0.25, ...options }),
  logCosh: logCoshLoss,
  bce: bceLoss,
  bceWithLogits: bceWithLogitsLoss,
  focal: (z, y, options) => focalLoss(z, y, { alpha: -1, ...options }),
};

/** The loss of logits z. */
function lossOf(loss: Loss, z: Tensor, a: Tensor, y: Tensor, options?: LossOptions): Tensor {
  return LOSS[loss](OF_LOGITS.includes(loss) ? z : a, y, options);
}

export interface Setup {
  readonly w: number;
  readonly b: number;
  readonly lr: number;
  readonly loss: Loss;
}

/** What was after 0 … EPOCHS updates. */
export interface Descent {
  readonly w: Float32Array;
  readonly b: Float32Array;
  readonly a: Float32Array;
  readonly cost: Float32Array;
  /** ∂C/∂w. */
  readonly gradient: Float32Array;
  /** σ′(z). */
  readonly slope: Float32Array;
  /** C′(a); of losses of z, ∂C/∂z. */
  readonly push: Float32Array;
}

/** d Σ f(x) / dx at each of these x. */
function derivative(f: (x: Tensor) => Tensor, xs: Float32Array): Float32Array {
  return scope(() => {
    const x = tensor(xs, { requiresGrad: true });
    f(x).backward({ gradient: ones([xs.length]) });
    return x.grad!.data.slice() as Float32Array;
  });
}

function descend({ w: w0, b: b0, lr, loss }: Setup): Descent {
  const columns = () => new Float32Array(EPOCHS + 1);
  const [ws, bs, zs, as, cost, gradient] = [columns(), columns(), columns(), columns(), columns(), columns()];
  scope(() => {
    const [x, y] = [tensor([[X]]), tensor([[Y]])];
    const [w, b] = [tensor([[w0]], { requiresGrad: true }), tensor([b0], { requiresGrad: true })];
    const optimizer = new SGD([w, b], { lr });
    for (let epoch = 0; epoch <= EPOCHS; epoch++) {
      scope(() => {
        const z = linear(x, w, b);
        const a = sigmoid(z);
        const c = lossOf(loss, z, a, y);
        [ws[epoch], bs[epoch], zs[epoch], as[epoch]] = [w.item(), b.item(), z.item(), a.item()];
        cost[epoch] = c.item();
        optimizer.zeroGrad();
        c.backward();
        gradient[epoch] = w.grad!.item();
        optimizer.step();
      });
    }
  });
  const target = new Float32Array(EPOCHS + 1).fill(Y);
  const ofLogits = OF_LOGITS.includes(loss);
  const push = derivative((x) => LOSS[loss](x, tensor(target), { reduction: "none" }), ofLogits ? zs : as);
  return { w: ws, b: bs, a: as, cost, gradient, slope: derivative(sigmoid, zs), push };
}

/** C over w (from left to right) and b (from top, `reach`, to bottom), size × size, from −reach to reach. */
function surface(loss: Loss, reach: number, size: number): Float32Array {
  const way = (i: number) => -reach + (2 * reach * i) / (size - 1);
  const zs = Float32Array.from(
    { length: size * size },
    (_, i) => way(i % size) * X - way(Math.floor(i / size)),
  );
  return scope(() => {
    const z = tensor(zs);
    const y = tensor(new Float32Array(zs.length).fill(Y));
    return lossOf(loss, z, sigmoid(z), y, { reduction: "none" }).data.slice() as Float32Array;
  });
}

/** Heights of the lines in the picture of a surface. */
const LEVELS = 14;

/** The surface as the pixels of a picture, from the colour of 0 towards that of the largest, with lines of equal height. */
function picture(loss: Loss, reach: number, size: number, [low, high]: readonly [Rgb, Rgb]) {
  const values = surface(loss, reach, size);
  const top = values.reduce((most, value) => Math.max(most, value), 0);
  const level = (i: number) => Math.floor((LEVELS * values[i]!) / top);
  const pixels = new Uint8ClampedArray(4 * values.length).fill(255);
  for (let i = 0; i < values.length; i++) {
    const onLine = (i + 1) % size !== 0 && level(i) !== level(i + 1);
    const share = 0.55 * (values[i]! / top) + (onLine ? 0.3 : 0);
    for (let c = 0; c < 3; c++) pixels[4 * i + c] = low[c]! + share * (high[c]! - low[c]!);
  }
  return pixels;
}

export const neuron = { descend, picture };
