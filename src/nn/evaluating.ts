import { noGrad } from "../autograd";
import { type AnyModule, modulesIn } from "./module";

/** Runs `fn` without recording, `model` being in evaluation; then every module has the mode again that it had. */
export function evaluating<T>(model: AnyModule, fn: () => T): T {
  const modes = [...modulesIn(model)].map(([, module]) => ({ module, training: module.training }));
  model.eval();
  try {
    return noGrad(fn);
  } finally {
    for (const { module, training } of modes) module.training = training;
  }
}
