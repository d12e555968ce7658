// test/tfjs.json: models that tfjs has saved, with what it predicts (scripts/tfjs-models.mjs).
import { readFileSync } from "node:fs";

export interface Plain {
  shape: number[];
  data: number[];
}

export interface LayerJson {
  class_name: string;
  config: Record<string, unknown>;
  inbound_nodes?: unknown;
}

export interface ModelJson {
  format?: string;
  modelTopology: { class_name: string; config: { layers: LayerJson[] } & Record<string, unknown> };
  weightsManifest: {
    paths: string[];
    weights: { name: string; shape: number[]; dtype: string; group?: string; quantization?: object }[];
  }[];
}

export interface Case {
  name: string;
  model: ModelJson;
  shards: string[];
  x: Plain;
  y: Plain;
}

export const cases = JSON.parse(readFileSync(new URL("tfjs.json", import.meta.url), "utf8")) as Case[];
export const bytesOf = (text: string) => new Uint8Array(Buffer.from(text, "base64"));

/** A case with its shards, for changing. */
export function named(name: string): {
  model: ModelJson;
  shards: Uint8Array[];
  layers: LayerJson[];
  x: Plain;
  y: Plain;
} {
  const { model, shards, x, y } = structuredClone(cases.find((one) => one.name === name)!);
  return { model, shards: shards.map(bytesOf), layers: model.modelTopology.config.layers, x, y };
}
