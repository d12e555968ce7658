// The two languages of the page.
import { computed, effect, type ReadonlySignal } from "@preact/signals";
import { stored } from "./stored";

export const LANGUAGES = { en: "English", zh: "中文" } as const;
export type Language = keyof typeof LANGUAGES;

const preferred: Language = navigator.language.startsWith("zh") ? "zh" : "en";

/** The language that is shown: chosen here before, or the browser's. */
export const language = stored<Language>("language", preferred, Object.keys(LANGUAGES) as Language[]);
effect(() => {
  document.documentElement.lang = language.value === "zh" ? "zh-Hans" : "en";
});

/** Literal types of the English texts, as those of any language. */
type Texts<T> = T extends string
  ? string
  : T extends (...args: infer A) => string
    ? (...args: A) => string
    : { readonly [K in keyof T]: Texts<T[K]> };

/** Texts in the language that is shown; a text that one language lacks does not compile. */
export function translated<const T>(en: T, zh: Texts<T>): ReadonlySignal<Texts<T>> {
  return computed(() => (language.value === "zh" ? zh : (en as Texts<T>)));
}

/** A number as people read it, with so many digits. */
export function digits(x: number, count = 3): string {
  if (!Number.isFinite(x)) return Number.isNaN(x) ? "NaN" : x > 0 ? "∞" : "−∞";
  const rounded = Number(x.toPrecision(count));
  const size = Math.abs(rounded);
  const text =
    size !== 0 && (size < 1e-3 || size >= 1e6) ? rounded.toExponential().replace("e+", "e") : String(rounded);
  return text.replaceAll("-", "−");
}

/** A share as people read it: 98.2%, and 0% or 100% only where it is. */
export function percent(share: number): string {
  if (share === 0 || share === 1) return `${100 * share}%`;
  return share < 0.001 ? "<0.1%" : share > 0.999 ? ">99.9%" : `${(100 * share).toFixed(1)}%`;
}
