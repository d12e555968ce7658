import * as nablas from "../../src/index";
import type { Nd } from "../reference";
import * as ref from "../reference";
import { between, constant, type LossOptions, on, op, type Rows } from "./row";

export const rows: Rows = {
  customLoss: op({
    inputs: [between(-2, 2), constant(between(-2, 2))],
    variants: [on([7, 3], [7, 3]), on([5], [5]).with({ reduction: "none" })],
    call: nablas.customLoss({
      forward: (p, t) => nablas.square(nablas.sub(p, t)),
      backward: (p, t) => nablas.mul(nablas.sub(p, t), 2),
    }),
    reference: (p: Nd, t: Nd, { reduction }: LossOptions = {}) =>
      ref.reduced(ref.elementwise((a, b) => (a! - b!) ** 2)(p, t), reduction),
    forward: { rtol: 1e-6 },
  }),
};

export const more: Record<string, Rows> = {
  customLoss: {
    "of rows, differentiated by autograd": op({
      inputs: [between(-2, 2), between(-2, 2)],
      variants: [on([7, 3], [7, 3]), on([5, 3], [5, 3]).with({ reduction: "none" })],
      call: nablas.customLoss({
        forward: (p, t) => nablas.sum(nablas.square(nablas.sub(p, t)), { dim: 1 }),
      }),
      reference: (p: Nd, t: Nd, { reduction }: LossOptions = {}) => {
        const squares = ref.elementwise((a, b) => (a! - b!) ** 2)(p, t);
        return ref.reduced(ref.reduction(ref.total)(squares, { dim: 1 }), reduction);
      },
      forward: { rtol: 1e-6 },
    }),
  },
};
