import { erf } from "../erf";
import { activation, binary, type Rows } from "./row";

export const rows: Rows = {
  neg: activation({ reference: (x) => -x, domain: [-9, 9], ulp: 0 }),
  exp: activation({ reference: Math.exp, domain: [-20, 20], ulp: 1.5 }),
  log: activation({ reference: Math.log, domain: [0.01, 100], ulp: 1 }),
  erf: activation({ reference: erf, domain: [-5, 5], ulp: 2.5 }),
  sqrt: activation({ reference: Math.sqrt, domain: [0.01, 100], ulp: 0.5 }),
  square: activation({ reference: (x) => x * x, domain: [-9, 9], ulp: 0.5 }),
  abs: activation({ reference: Math.abs, domain: [-9, 9], ulp: 0, kinks: [0] }),
  add: binary({ reference: (a, b) => a + b, a: [-9, 9], b: [-9, 9], ulp: 0.5 }),
  sub: binary({ reference: (a, b) => a - b, a: [-9, 9], b: [-9, 9], ulp: 0.5 }),
  mul: binary({ reference: (a, b) => a * b, a: [-9, 9], b: [-9, 9], ulp: 0.5 }),
  div: binary({ reference: (a, b) => a / b, a: [-9, 9], b: [0.1, 9], ulp: 0.5 }),
  pow: binary({ reference: Math.pow, a: [0.1, 4], b: [-3, 3], ulp: 1 }),
};
