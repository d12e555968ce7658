import { FormatError } from "../index";

/** An object of a JSON text. */
export type Json = Record<string, unknown>;

/** @throws FormatError with this message */
export function refuse(message: string): never {
  throw new FormatError(`fromTfjs: ${message}`);
}

/** Whether it is an object, and no array. */
export function isObject(value: unknown): value is Json {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Whether it is an array of sizes: integers ≥ 0, and not −0. */
export function isSizes(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && 1 / n > 0);
}

/** A value as errors tell it: files may nest theirs deeper than JSON.stringify goes. */
export function told(value: unknown): string {
  if (typeof value === "string")
    return JSON.stringify(value.length > 100 ? `${value.slice(0, 100)}…` : value);
  if (typeof value !== "object" || value === null) return String(value);
  return Array.isArray(value) ? `an array of ${value.length}` : "an object";
}

/** use_bias for useBias, as Python writes it. */
export function snakeCase(name: string): string {
  return name.replaceAll(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase();
}

/** A field by its name in Python, or as JavaScript spells that; undefined for null. */
export function field(object: Json, name: string): unknown {
  const camelCase = name.replaceAll(/_(\w)/g, (_, letter: string) => letter.toUpperCase());
  const key = [name, camelCase].find((key) => Object.hasOwn(object, key));
  return key === undefined ? undefined : (object[key] ?? undefined);
}
