// Products, and what normalises.
import { add, batchNorm, layerNorm, matmul, mul, type Tensor } from "../index";
import { decimal, type Node, type Step, type Value } from "./node";
import type { Operator } from "./operators";

export const productOperators: Readonly<Record<string, Operator>> = {
  BatchNormalization: { attributes: ["epsilon", "momentum", "training_mode", "spatial"], step: batchNormal },
  Gemm: { attributes: ["alpha", "beta", "transA", "transB"], step: gemm },
  LayerNormalization: { attributes: ["axis", "epsilon", "stash_type"], step: layerNormal },
  MatMul: { step: (node) => ({ inputs: [node.input(0), node.input(1)], run: ([a, b]) => matmul(a!, b!) }) },
};

/** alpha · op(A) · op(B) + beta · C */
function gemm(node: Node): Step {
  const [alpha, beta] = [node.float("alpha", 1), node.float("beta", 1)];
  const [transposeA, transposeB] = [node.int("transA", 0) !== 0, node.int("transB", 0) !== 0];
  const scaled = (t: Tensor, by: number) => (by === 1 ? t : mul(t, by));
  return {
    inputs: [node.input(0), node.input(1), ...node.optional(2)],
    run([a, b, c]) {
      const product = scaled(matmul(a!, b!, { transposeA, transposeB }), alpha);
      return c === undefined ? product : add(product, scaled(c, beta));
    },
  };
}

/** Ones and zeros that are constants stand for a scale and a shift that the layer does not have. */
function isFilled(value: Value | undefined, wanted: number): boolean {
  if (value?.constant === undefined || value.isState) return false;
  return value.constant.data.every((x) => x === wanted);
}

/** In training the statistics move as PyTorch's do, by 1 − ONNX' momentum. */
function batchNormal(node: Node): Step {
  if (node.int("training_mode", 0) !== 0) node.refuse("is in training; export the model in evaluation");
  if (node.int("spatial", 1) !== 1) node.refuse("has spatial = 0");
  const [eps, momentum] = [
    node.float("epsilon", 1e-5),
    decimal(Math.fround(1 - node.float("momentum", 0.9))),
  ];
  if (!(eps >= 0 && eps < Infinity && momentum >= 0 && momentum <= 1)) {
    node.refuse(`epsilon is ${eps}, momentum ${1 - momentum}`);
  }
  const [x, scale, shift] = [node.input(0), node.input(1), node.input(2)];
  const [mean, variance] = [node.input(3), node.input(4)];
  const affine = [isFilled(scale, 1) ? [] : [scale], isFilled(shift, 0) ? [] : [shift]] as const;
  return {
    inputs: [x, mean, variance, ...affine.flat()],
    buffers: [mean, variance],
    run([input, runningMean, runningVar, ...rest], training) {
      const weight = affine[0].length > 0 ? rest.shift()! : null;
      const options = { weight, bias: rest[0] ?? null, momentum, eps, training };
      return batchNorm(input!, { runningMean: runningMean!, runningVar: runningVar!, ...options });
    },
  };
}

function layerNormal(node: Node): Step {
  const [axis, eps] = [node.int("axis", -1), node.float("epsilon", 1e-5)];
  if (!(eps >= 0 && eps < Infinity)) node.refuse(`epsilon is ${eps}`);
  if (node.int("stash_type", 1) !== 1) node.refuse("its statistics are not float");
  const [scale, shift] = [node.input(1), node.optional(2)];
  const weights = isFilled(scale, 1) ? [] : [scale];
  return {
    inputs: [node.input(0), ...weights, ...shift],
    run([x, ...rest]) {
      const normalizedShape = x!.shape.slice(axis);
      const weight = weights.length > 0 ? rest.shift()! : null;
      return layerNorm(x!, { normalizedShape, weight, bias: rest[0] ?? null, eps });
    },
  };
}
