import { neuron } from "./01-neuron";
import { depth } from "./02-depth";
import { dying } from "./03-dying";
import { shift } from "./04-shift";
import { overflow } from "./05-overflow";
import { pairs } from "./06-pairs";
import { penalties } from "./07-penalties";
import { regression } from "./08-regression";
import { margins } from "./09-margins";
import { table } from "./10-table";
import type { Experiment } from "./experiment";

export const experiments: readonly Experiment[] = [
  neuron,
  depth,
  dying,
  shift,
  overflow,
  pairs,
  penalties,
  regression,
  margins,
  table,
];
