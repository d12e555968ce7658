// ONNX files in onnxruntime-web, the judge of what they mean.
import { env, InferenceSession, Tensor as OrtTensor } from "onnxruntime-web";
import type { Tensor } from "../src/index";

env.wasm.numThreads = 1;
env.logLevel = "error";

/** The values and shape of the only output of a file, for inputs in the file's order. */
export async function runtime(
  bytes: Uint8Array,
  inputs: readonly Tensor[],
): Promise<{ data: Float32Array; shape: readonly number[] }> {
  const session = await InferenceSession.create(bytes);
  try {
    const feeds = session.inputNames.map((name, i) => {
      const { type } = session.inputMetadata[i] as { type: string };
      return [name, ortTensor(inputs[i]!, type)] as const;
    });
    const outputs = await session.run(Object.fromEntries(feeds));
    const { data, dims } = outputs[session.outputNames[0]!]!;
    return { data: data as Float32Array, shape: dims };
  } finally {
    await session.release();
  }
}

function ortTensor({ data, shape }: Tensor, type: string): OrtTensor {
  if (type === "int64") return new OrtTensor("int64", BigInt64Array.from(data, BigInt), shape);
  if (type === "int32") return new OrtTensor("int32", Int32Array.from(data), shape);
  return new OrtTensor("float32", Float32Array.from(data), shape);
}

/** The largest |a − b| / max(1, |b|). */
export function deviation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let most = 0;
  for (let i = 0; i < a.length; i++) {
    most = Math.max(most, Math.abs(a[i]! - b[i]!) / Math.max(1, Math.abs(b[i]!)));
  }
  return most;
}

/** The bits of a tensor, as integers. */
export const bitsOf = ({ data, size }: Tensor): number[] => [
  ...new Int32Array(data.slice().buffer).subarray(0, size),
];
