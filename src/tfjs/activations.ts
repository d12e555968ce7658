import {
  ELU,
  GELU,
  LeakyReLU,
  LogSoftmax,
  Mish,
  type Module,
  ReLU,
  ReLU6,
  SELU,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Softsign,
  Tanh,
} from "../index";
import { snakeCase, told } from "./json";
import type { Layer } from "./layer";

/** By the names of Keras; linear is none at all. */
const ACTIVATIONS = new Map<string, () => Module[]>([
  ["linear", () => []],
  ["relu", () => [new ReLU()]],
  ["relu6", () => [new ReLU6()]],
  // The slope of Keras' function; its layer has 0.3.
  ["leaky_relu", () => [new LeakyReLU({ negativeSlope: 0.2 })]],
  ["elu", () => [new ELU()]],
  ["selu", () => [new SELU()]],
  ["gelu", () => [new GELU()]],
  ["gelu_new", () => [new GELU({ approximate: "tanh" })]],
  ["swish", () => [new SiLU()]],
  ["silu", () => [new SiLU()]],
  ["mish", () => [new Mish()]],
  ["sigmoid", () => [new Sigmoid()]],
  ["tanh", () => [new Tanh()]],
  ["softplus", () => [new Softplus()]],
  ["softsign", () => [new Softsign()]],
  ["softmax", () => [new Softmax()]],
  ["log_softmax", () => [new LogSoftmax()]],
]);

/** The modules of the function that a layer names under `activation`. */
export function activation(layer: Layer): () => Module[] {
  const name = layer.option("activation") ?? "linear";
  const known = typeof name === "string" ? ACTIVATIONS.get(snakeCase(name)) : undefined;
  if (known !== undefined) return known;
  const isHardSigmoid = typeof name === "string" && snakeCase(name) === "hard_sigmoid";
  const reason = isHardSigmoid ? ", 0.2 x + 0.5 from 0 to 1: Hardsigmoid has the slope 1/6" : "";
  layer.lacks(`the activation ${told(name)}${reason}`);
  return () => [];
}
