import type { Env, InferenceSession, InferenceSessionFactory, TensorConstructor } from "onnxruntime-common";
import type { Options } from "./options";

/** What onnxruntime-web and onnxruntime-node have in common. */
export interface Engine {
  env: Env;
  InferenceSession: InferenceSessionFactory;
  Tensor: TensorConstructor;
}

/** The model, ready to run on one thread: the threads are ours. */
export async function openSession({
  engine: name,
  model,
}: Pick<Options, "engine" | "model">): Promise<{ engine: Engine; session: InferenceSession }> {
  const imported = (await import(name)) as Engine & { default?: Engine };
  const engine = imported.default?.InferenceSession === undefined ? imported : imported.default;
  engine.env.wasm.numThreads = 1;
  const session = await engine.InferenceSession.create(model, { intraOpNumThreads: 1, interOpNumThreads: 1 });
  return { engine, session };
}
