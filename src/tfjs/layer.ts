import { show } from "../errors";
import type { Module, Tensor } from "../index";
import { field, type Json, refuse, told } from "./json";
import type { Weight } from "./manifest";
import type { LayerJson } from "./topology";

/** What a layer takes or gives; null stands for any size. */
export type Shape = readonly (number | null)[];

/** What makes the modules of a layer once the weights are there. */
export interface Plan {
  output: Shape;
  modules: (values: Values) => Module[];
}

/** The numbers of a weight. */
export type Values = (weight: Weight) => Float32Array;

/** Names, as that of the model, which may be in front of a layer's. */
const MOST_SCOPES = 3;

/** The weights of a file by name, with those that a layer has taken. */
export class Weights {
  readonly taken = new Set<Weight>();
  private readonly byName = new Map<string, Weight[]>();
  private readonly byEnd = new Map<string, Weight[]>();

  constructor(private readonly all: readonly Weight[]) {
    for (const weight of all) {
      if (weight.isForeign) continue;
      add(this.byName, weight.name, weight);
      let end = weight.name;
      for (let i = 0; i < MOST_SCOPES && end.includes("/"); i++) {
        end = end.slice(end.indexOf("/") + 1);
        add(this.byEnd, end, weight);
      }
    }
  }

  /** The weight "layer/variable", or the only one whose name ends so: converters write the model's name in front. */
  find(name: string): Weight | undefined {
    const found = this.byName.get(name) ?? this.byEnd.get(name) ?? [];
    if (found.length > 1) refuse(`${found.length} weights have the name "${name}"`);
    return found[0];
  }

  /** Those of no layer. */
  left(): Weight[] {
    return this.all.filter((weight) => !weight.isForeign && !this.taken.has(weight));
  }
}

function add<T>(lists: Map<string, T[]>, key: string, item: T): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [item]);
  else list.push(item);
}

/** One layer of a file, with what there is to ask of it. */
export class Layer {
  readonly label: string;
  private readonly config: Json;

  constructor(
    private readonly json: LayerJson,
    private readonly weights: Weights,
    private readonly missing: string[],
  ) {
    this.label = `"${json.name}" (${json.className})`;
    this.config = json.config;
  }

  /** Notes what this library has not. */
  lacks(what: string): void {
    this.missing.push(`${this.label}: ${what}`);
  }

  option(name: string): unknown {
    return field(this.config, name);
  }

  number(name: string, fallback?: number): number {
    const value = this.option(name) ?? fallback;
    if (typeof value === "number" && Number.isFinite(value)) return value;
    return refuse(`${this.label}: ${name} is a number, got ${told(value)}`);
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.option(name) ?? fallback;
    return typeof value === "boolean"
      ? value
      : refuse(`${this.label}: ${name} is a boolean, got ${told(value)}`);
  }

  /** One or several dimensions, counted from the front. */
  axes(name: string, fallback: number, rank: number): number[] {
    const value = this.option(name) ?? fallback;
    const axes = Array.isArray(value) ? value : [value];
    const fits = axes.length > 0 && axes.every((n) => Number.isInteger(n) && n >= -rank && n < rank);
    if (!fits) return refuse(`${this.label}: ${name} are dimensions of ${rank}, got ${told(value)}`);
    return axes.map((n: number) => (n < 0 ? n + rank : n));
  }

  /** @throws FormatError if there is no such weight, or not one of floats and this shape */
  weight(variable: string, shape: readonly number[]): Weight {
    const weight = this.anyWeight(variable);
    if (weight.shape.length === shape.length && shape.every((n, i) => weight.shape[i] === n)) return weight;
    return refuse(`${this.label}: expected ${variable} ${show(shape)}, got ${show(weight.shape)}`);
  }

  /** The same, whatever its shape. */
  anyWeight(variable: string): Weight {
    const weight = this.weights.find(`${this.json.name}/${variable}`);
    if (weight === undefined)
      return refuse(`${this.label}: there is no weight "${this.json.name}/${variable}"`);
    if (weight.read === undefined)
      refuse(`${this.label}: expected ${variable} as float32, got ${weight.dtype}`);
    if (this.weights.taken.has(weight)) refuse(`the weight "${weight.name}" would belong to two layers`);
    this.weights.taken.add(weight);
    return weight;
  }
}

/** Copies values into a parameter or buffer. */
export function fill(t: Tensor | null, values: Float32Array): void {
  t!.data.set(values);
}
