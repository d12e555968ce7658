import type * as nablas from "../../src/index";
import type { Nd } from "../reference";
import * as ref from "../reference";
import { between, binary, on, op, type Rows, SIZES } from "./row";

export const rows: Rows = {
  clip: op({
    inputs: [between(-3, 3, -1, 0.5, 2)],
    variants: [
      { min: -1, max: 2 },
      { min: 0.5 },
      { max: 0.5 },
      { min: -Infinity, max: 0.5 },
      { min: -Infinity, max: Infinity },
    ].flatMap((bounds) => SIZES.map((n) => on([n]).with(bounds))),
    reference: (x: Nd, { min = -Infinity, max = Infinity }: nablas.ClipOptions) =>
      ref.elementwise((v) => Math.min(Math.max(v!, min), max))(x),
    forward: { ulp: 0 },
    elementwise: true,
  }),
  maximum: binary({ reference: Math.max, a: [-9, 9], b: [-9, 9], ulp: 0 }),
  minimum: binary({ reference: Math.min, a: [-9, 9], b: [-9, 9], ulp: 0 }),
};
