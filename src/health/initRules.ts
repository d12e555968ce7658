// What weights tell of how they were drawn.
import { type Finding, findingAt, weightOf } from "./report";
import type { Trace } from "./trace";

/** Times beyond the widest and the narrowest of the usual ones: signals then change tenfold in two layers, or in one. */
const FAR = 3;
const VERY_FAR = 10;
/** |mean| / deviation, beyond which more of what a layer gives is common to its units than not; initialisers have 0. */
const LEAN = 1;
/** Inputs from which a deviation says something: a few weights may well have grown large by learning. */
const INPUTS = 8;

/** Deviations of weights [out, in] as usual initialisers draw them: LeCun's, Glorot's, He's, and PyTorch's default. */
function usualStds(
  fanIn: number,
  fanOut: number,
): Record<"lecun" | "xavier" | "kaiming" | "default", number> {
  return {
    lecun: Math.sqrt(1 / fanIn),
    xavier: Math.sqrt(2 / (fanIn + fanOut)),
    kaiming: Math.sqrt(2 / fanIn),
    default: Math.sqrt(1 / (3 * fanIn)),
  };
}

/** Weights far from what any usual initialiser gives, or all alike. */
export function initFindings({ layers }: Trace): Finding[] {
  const products = layers.filter((stage) => stage.fans !== undefined && weightOf(stage)!.tensor.size > 1);
  return products.flatMap((stage, i): Finding[] => {
    const [fanIn, fanOut] = stage.fans!;
    const { mean, std } = weightOf(stage)!.values;
    const usual = Object.values(usualStds(fanIn, fanOut));
    // Orthogonal rows or columns have 1 / √max; tanh has the largest gain, 5/3.
    const low = Math.min(...usual, 1 / Math.sqrt(fanOut)) / VERY_FAR;
    const high = (5 / 3) * Math.max(...usual) * FAR;
    const advise = (threshold: number, what: string, value = std) => {
      const advice = `${what}; use kaimingNormal with relu, xavierNormal else`;
      return findingAt(stage, "bad-init", [value, threshold], advice);
    };
    if (std === 0) return [advise(low, "all weights are alike, and so will be what the units learn")];
    if (fanIn < INPUTS) return [];
    const text = `the weights have a deviation of ${std.toPrecision(2)}`;
    if (std < low) return [advise(low, `${text}, and signals die out below ${low.toPrecision(2)}`)];
    // A class loss makes the weights of the output layer as large as the network is certain.
    if (i === products.length - 1) return [];
    if (std > high) return [advise(high, `${text}, and signals grow above ${high.toPrecision(2)}`)];
    const lean = Math.abs(mean) / std;
    const alike = `the weights have a mean of ${mean.toPrecision(2)}, not 0, and all units will be much alike`;
    return lean > LEAN ? [advise(LEAN, alike, lean)] : [];
  });
}

/** By how many of its own standard errors, √(1 / 2n), a deviation may differ from what was drawn from. */
const ERRORS = 3;

/** Weights as Glorot draws them in front of a relu, which halves what He makes up for. */
export function xavierBeforeRelu({ layers }: Trace): Finding[] {
  return layers.flatMap((stage, i): Finding[] => {
    if (stage.fans === undefined || (stage.activation ?? layers[i + 1]?.activation) !== "relu") return [];
    const { xavier, kaiming, default: plain } = usualStds(...stage.fans);
    const { values, tensor } = weightOf(stage)!;
    const error = ERRORS / Math.sqrt(2 * tensor.size);
    const near = (usual: number) => Math.abs(values.std / usual - 1) < error;
    if (!near(xavier) || near(kaiming) || near(plain)) return [];
    const advice =
      `the weights before relu are as xavier draws them, deviation ${values.std.toPrecision(2)}, not ` +
      `${kaiming.toPrecision(2)}; use kaimingNormal or kaimingUniform`;
    return [findingAt(stage, "bad-init", [values.std, kaiming], advice)];
  });
}
