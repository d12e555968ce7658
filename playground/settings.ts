// What a link restores: settings by panel and name, each a signal with a form in text.
import { batch, type Signal, signal } from "@preact/signals";

/** How a value stands in a link; `parse` gives undefined for what is none. */
export interface Codec<T> {
  readonly initial: T;
  parse(text: string): T | undefined;
  format(value: T): string;
}

type Codecs = Record<string, Codec<unknown>>;
type Signals<C extends Codecs> = { readonly [K in keyof C]: Signal<C[K] extends Codec<infer T> ? T : never> };

const panels = new Map<string, { codecs: Codecs; signals: Record<string, Signal<unknown>> }>();

/** Signals of a panel that links carry, by name. */
export function settings<C extends Codecs>(panel: string, codecs: C): Signals<C> {
  const entries = Object.entries(codecs).map(([name, { initial }]) => [name, signal(initial)]);
  const signals = Object.fromEntries(entries);
  panels.set(panel, { codecs, signals });
  return signals;
}

/** All that differs from the start, for a link. */
export function format(panel: string): URLSearchParams {
  const parameters = new URLSearchParams();
  const { codecs = {}, signals = {} } = panels.get(panel) ?? {};
  for (const [name, codec] of Object.entries(codecs)) {
    const text = codec.format(signals[name]!.value);
    if (text !== codec.format(codec.initial)) parameters.set(name, text);
  }
  return parameters;
}

/** Takes over what the link has, and the start for what it has not, or wrongly: all at once. */
export function parse(panel: string, parameters: URLSearchParams): void {
  const { codecs = {}, signals = {} } = panels.get(panel) ?? {};
  batch(() => {
    for (const [name, codec] of Object.entries(codecs)) {
      const text = parameters.get(name);
      signals[name]!.value = (text === null ? undefined : codec.parse(text)) ?? codec.initial;
    }
  });
}

/** A number from min to max. */
export function number(
  initial: number,
  { min, max, integer = false }: { min: number; max: number; integer?: boolean },
): Codec<number> {
  const fits = (value: number) => value >= min && value <= max && (!integer || Number.isInteger(value));
  return {
    initial,
    parse: (text) => (text !== "" && fits(Number(text)) ? Number(text) : undefined),
    format: (value) => String(Number(value.toPrecision(7))),
  };
}

/** One of these. */
export function choice<T extends string>(initial: T, options: readonly T[]): Codec<T> {
  return { initial, parse: (text) => options.find((option) => option === text), format: (value) => value };
}

/** Yes or no. */
export function flag(initial: boolean): Codec<boolean> {
  return {
    initial,
    parse: (text) => (text === "1" ? true : text === "0" ? false : undefined),
    format: (value) => (value ? "1" : "0"),
  };
}
