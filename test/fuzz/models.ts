import { FormatError, manualSeed, memory, NablasError, type Sequential, scope, zeros } from "../../src/index";
import { fromOnnx, toOnnx } from "../../src/onnx/index";
import { fromTfjs } from "../../src/tfjs/index";
import { bytesOf, named, cases as tfjsCases } from "../tfjsCases";
import { jsonChanges } from "./json";
import { protobufChanges } from "./protobuf";
import { hold, type Reader } from "./reader";

export function onnx(name: string, model: Sequential, input: (number | null)[]): Reader {
  manualSeed(1);
  const read = (bytes: Uint8Array) => {
    const before = memory().bytes;
    scope(() => {
      const read = fromOnnx(bytes);
      hold(
        memory().bytes - before <= 4 * bytes.length + 64,
        "at most four bytes of memory for each of the file",
      );
      const x = input.map((size) => size ?? 3);
      try {
        read.forward(...read.inputs.map(({ dtype }) => zeros(x, { dtype })));
      } catch (error) {
        // The weights need not fit each other, nor this input.
        if (!(error instanceof NablasError)) throw error;
      }
    });
  };
  return {
    ...{ name: `fromOnnx, ${name}`, files: [toOnnx(model, { input })], changes: protobufChanges, read },
    throws: FormatError,
  };
}

export function tfjs(): Reader {
  const names = ["several layers", "functional", "as uint8", "embedding"];
  const read = async (bytes: Uint8Array) => {
    // Those of the model that it was once: the paths are theirs.
    const text = new TextDecoder().decode(bytes);
    const shards = named(names.find((_, i) => text.includes(`fuzz${i}`)) ?? names[0]!).shards;
    (await fromTfjs(bytes, shards)).dispose();
  };
  const files = names.map((name, i) =>
    new TextEncoder().encode(JSON.stringify({ ...named(name).model, generatedBy: `fuzz${i}` })),
  );
  return { name: "fromTfjs", files, changes: jsonChanges, read, throws: FormatError };
}

export function tfjsShards(): Reader {
  const { model, shards } = tfjsCases.find(({ name }) => name === "several layers")!;
  const read = async (bytes: Uint8Array) => (await fromTfjs(structuredClone(model), bytes)).dispose();
  return {
    name: "fromTfjs, shards",
    files: shards.map(bytesOf),
    changes: [(b) => b],
    read,
    throws: FormatError,
  };
}
