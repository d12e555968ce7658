import {
  Adam,
  BatchNorm1d,
  crossEntropyLoss,
  dataset,
  FormatError,
  fit,
  Linear,
  loadCheckpoint,
  loadSafetensors,
  manualSeed,
  NablasError,
  Sequential,
  Standardise,
  saveCheckpoint,
  saveSafetensors,
  scope,
  tensor,
  zeros,
} from "../../src/index";
import { headerChanges } from "./json";
import { hold, type Reader, sizeOf } from "./reader";

export function safetensors(): Reader {
  manualSeed(2);
  const model = new Sequential(new Linear(3, 4), new BatchNorm1d(4));
  const files = [
    saveSafetensors(model.stateDict(), { format: "pt", note: "ü" }),
    saveSafetensors({ x: tensor([[1, 2]]), n: tensor([3], { dtype: "i32" }), none: zeros([0, 3]) }),
    half,
  ];
  const state = () => saveSafetensors(model.stateDict());
  const before = state();
  const read = (bytes: Uint8Array) =>
    scope(() => {
      const { tensors, metadata } = loadSafetensors(bytes);
      const again = loadSafetensors(saveSafetensors(tensors, metadata)).tensors;
      for (const [name, t] of Object.entries(tensors)) {
        hold(
          t.size === sizeOf(t.shape) && t.shape.every((n) => Object.is(n, Math.abs(n))),
          `the shape of ${name}`,
        );
        const [a, b] = [t, again[name]!].map(({ data }) =>
          Buffer.from(data.buffer, data.byteOffset, data.byteLength),
        );
        hold(a!.equals(b!), `${name} is the same when it is written again`);
      }
      try {
        model.loadStateDict(tensors);
        model.loadStateDict(loadSafetensors(before).tensors);
      } catch (error) {
        if (!(error instanceof NablasError)) throw error;
        hold(Buffer.from(state()).equals(before), "a state that does not fit changes nothing");
      }
    });
  return { name: "loadSafetensors", files, changes: headerChanges, read, throws: FormatError };
}

/** f16, bf16 and i64. */
export const half = (() => {
  const header = Buffer.from(
    '{"h":{"dtype":"F16","shape":[2],"data_offsets":[0,4]},"b":{"dtype":"BF16","shape":[1,2],"data_offsets":[4,8]},' +
      '"i":{"dtype":"I64","shape":[2],"data_offsets":[8,24]}}',
  );
  const length = Buffer.alloc(8);
  length.writeUInt32LE(header.length);
  return Buffer.concat([length, header, Buffer.alloc(10, 7), Buffer.alloc(14)]);
})();

export function checkpoint(): Reader {
  manualSeed(3);
  const model = new Sequential(new Linear(3, 2), new BatchNorm1d(2));
  const optimizer = new Adam(model.parameters(), { lr: 0.1 });
  const data = dataset(
    Array.from({ length: 12 }, (_, i) => [i, i % 5, 1]),
    Array.from({ length: 12 }, (_, i) => i % 2),
  );
  const loss = () => crossEntropyLoss(model.forward(data.batch([0, 1, 2]).x), [0, 1, 0]);
  scope(() => loss().backward());
  optimizer.step();
  const training = fit(() => loss(), data, { epochs: 3, batchSize: 4, seed: 5 });
  const scaler = new Standardise().fit(data);
  const parts = { model, optimizer, training, scaler };
  const good = saveCheckpoint({ ...parts, step: 3, best: Infinity, list: [{ deep: [-0, "text", null] }] });
  const state = () => Buffer.from(saveCheckpoint(parts));
  const before = state();
  const read = (bytes: Uint8Array) => {
    try {
      scope(() => void loadCheckpoint(bytes, parts));
    } catch (error) {
      hold(state().equals(before), "a checkpoint that is refused changes nothing");
      throw error;
    }
    scope(() => void loadCheckpoint(good, parts));
    hold(state().equals(before), "the good checkpoint is the state");
  };
  return { name: "loadCheckpoint", files: [good], changes: headerChanges, read, throws: NablasError };
}
