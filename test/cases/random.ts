import type * as nablas from "../../src/index";
import type { Nd, Shape } from "../reference";
import * as ref from "../reference";
import { between, on, op, type Rows, SEED, SIZES } from "./row";

type Slopes = { lower?: number; upper?: number; training?: boolean };

export const rows: Rows = {
  // The slopes in training are the generator's: lower + (upper − lower) · u, three roundings.
  rrelu: op({
    inputs: [between(-9, 9, 0)],
    variants: SIZES.flatMap((n) => [
      on([n]),
      on([n]).with({ training: true }),
      on([n]).with({ lower: 0.5, upper: 2, training: true }),
    ]),
    reference: (x: Nd, { lower = 1 / 8, upper = 1 / 3, training = false }: Slopes = {}) => {
      const u = training ? ref.uniforms(SEED, x.data.length) : x.data.map(() => 0.5);
      return ref.nd(
        x.shape,
        x.data.map((v, i) => (v > 0 ? v : (lower + (upper - lower) * u[i]!) * v)),
      );
    },
    forward: { ulp: 4 },
  }),
  // Kept is what the generator's number reaches p for. Two roundings: of 1 / (1 − p), then of the product.
  dropout: op({
    variants: [{}, { p: 0.2 }, { p: 0 }, { p: 1 }, { training: false }].flatMap((options) =>
      SIZES.map((n) => on([n]).with(options)),
    ),
    reference: (x: Nd, { p = 0.5, training = true }: nablas.DropoutOptions) => {
      const u = ref.uniforms(SEED, x.data.length);
      const factor = (i: number) => (training ? (u[i]! < Math.fround(p) ? 0 : 1 / (1 - p)) : 1);
      return ref.nd(
        x.shape,
        x.data.map((v, i) => factor(i) * v),
      );
    },
    forward: { ulp: 1.5 },
  }),
  rand: op({
    inputs: [],
    variants: [on().with([7]), on().with([3, 41])],
    reference: (shape: Shape) => ref.nd(shape, ref.uniforms(SEED, ref.sizeOf(shape))),
    forward: { ulp: 0 },
    backward: null,
  }),
  // sin 2πv is a polynomial with an absolute error below 6e-8, times a radius below 6.
  randn: op({
    inputs: [],
    variants: [on().with([7]), on().with([3, 41])],
    reference: (shape: Shape) => ref.nd(shape, ref.normals(SEED, ref.sizeOf(shape))),
    forward: { rtol: 2e-6, atol: 1e-6 },
    backward: null,
  }),
};
