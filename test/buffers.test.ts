// Files as Node gives them: a Buffer is a Uint8Array whose slice() shares its memory, here in the middle of a larger one.
import { expect, test } from "vitest";
import {
  Linear,
  loadCheckpoint,
  loadSafetensors,
  ReLU,
  randn,
  Sequential,
  saveCheckpoint,
  saveSafetensors,
} from "../src/index";
import { loadNpy, loadNpz, saveNpy, saveNpz } from "../src/numpy/index";
import { fromOnnx, toOnnx } from "../src/onnx/index";

const buffer = (bytes: Uint8Array) =>
  Buffer.concat([new Uint8Array(5), bytes, new Uint8Array(7)]).subarray(5, 5 + bytes.length);
const make = () => new Sequential(new Linear(6, 5), new ReLU(), new Linear(5, 3));

test("a Buffer is read as the bytes it shows", () => {
  const [model, other, third] = [make(), make(), make()];
  const x = randn([4, 6]);
  const y = [...model.forward(x).data];
  expect([...fromOnnx(buffer(toOnnx(model, { input: [null, 6] }))).forward(x).data]).toEqual(y);
  other.loadStateDict(loadSafetensors(buffer(saveSafetensors(model.stateDict()))).tensors);
  expect([...other.forward(x).data]).toEqual(y);
  loadCheckpoint(buffer(saveCheckpoint({ model })), { model: third });
  expect([...third.forward(x).data]).toEqual(y);
  expect([...loadNpy(buffer(saveNpy(x))).data]).toEqual([...x.data]);
  for (const compress of [false, true])
    expect([...loadNpz(buffer(saveNpz({ x }, { compress }))).x!.data]).toEqual([...x.data]);
});
