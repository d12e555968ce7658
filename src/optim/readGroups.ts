// What a state dict says of the groups of an optimizer, in PyTorch's layout.
import { text } from "../errors";
import { expectDict, type Loading, snakeCase } from "../stateDict";
import { copyOption, numbersOf, optionNames, type Rule } from "./groups";

/**
 * A group of a state dict: its options under PyTorch's names, and the indices of its parameters under
 * "params".
 */
export type GroupState = Readonly<
  Record<string, number | boolean | readonly number[] | readonly string[] | null>
>;

/**
 * What PyTorch's groups have besides: how it runs a step, which is not what the step is, names, and its
 * schedulers'.
 */
const PASSED_OVER = [
  ...["foreach", "fused", "capturable", "differentiable", "param_names"],
  ...["initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum"],
];

/**
 * The options that `dicts` has for each group; everything that does not fit becomes a fault of `loading`.
 * @param indices those of the parameters of each group
 */
export function readGroups<O extends object>(
  loading: Loading,
  rule: Rule<O>,
  indices: readonly (readonly number[])[],
  dicts: readonly GroupState[],
): O[] {
  const count = Array.isArray(dicts) ? dicts.length : text(dicts);
  if (count !== indices.length) loading.fault(`expected ${indices.length} param_groups, got ${count}`);
  loading.check();
  return dicts.map((dict, i) => {
    const path = `param_groups.${i}.`;
    loading.attempt(`param_groups.${i}`, () => expectDict("group", dict));
    loading.check();
    const names = optionNames(rule);
    const required = ["params", ...names.filter((name) => name !== "l1").map(snakeCase)];
    loading.keys(dict, required, ["l1", ...harmless(loading, rule, dict, path)], path);
    const [wanted, given] = [text(indices[i]), text([dict.params].flat())];
    if ("params" in dict && given !== wanted)
      loading.fault(`${path}params: expected ${wanted}, got ${given}`);
    const found = names.map((name) => [name, copyOption(dict[snakeCase(name)] ?? rule.defaults[name])]);
    const options = Object.fromEntries(found) as O;
    loading.attempt(`param_groups.${i}`, () => void numbersOf(rule, options, ""));
    return options;
  });
}

/** Keys that may be there since they do not change the step; a fault for each that asks for another one. */
function harmless<O extends object>(
  loading: Loading,
  { name, decoupled = false }: Rule<O>,
  dict: GroupState,
  path: string,
): string[] {
  const fixed: Record<string, boolean> = { maximize: false, decoupled_weight_decay: decoupled };
  for (const [key, value] of Object.entries(fixed)) {
    const given = dict[key] ?? value;
    if (given !== value) loading.fault(`${path}${key}: ${name} works with ${value}, got ${text(given)}`);
  }
  const off = Object.keys(dict).filter((key) => dict[key] === false || dict[key] === null);
  return [...PASSED_OVER, ...Object.keys(fixed), ...off];
}
