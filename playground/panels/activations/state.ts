// What the panel shows: settings, and what the worker answers for them.
import { computed, effect, type Signal, signal } from "@preact/signals";
import { startEngine } from "../../engine";
import type { Curves, Point } from "../../engine/activations";
import { newest } from "../../newest";
import { type Codec, choice, settings } from "../../settings";
import { ACTIVATIONS, type Activation, OPTIONS, type Options } from "./kinds";

/** The x of the curves: from −8 to 8 in steps of 1/50. */
export const XS = Float64Array.from({ length: 801 }, (_, i) => (i - 400) / 50);

/** Any number, also NaN and ±Infinity, as people write them; undefined for other texts. */
export function readNumber(text: string): number | undefined {
  const plain = text.trim().toLowerCase().replaceAll("−", "-").replace("infinity", "∞").replace("inf", "∞");
  if (plain === "nan") return Number.NaN;
  const infinite = /^([+-]?)∞$/.exec(plain);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  const value = Number(plain);
  return plain === "" || Number.isNaN(value) ? undefined : value;
}

const anyNumber: Codec<number> = { initial: 1, parse: readNumber, format: String };

export const chosen = settings("activations", {
  f: choice<Activation>("sigmoid", ACTIVATIONS),
  with: choice<Activation | "none">("none", ["none", ...ACTIVATIONS]),
  x: anyNumber,
  ...OPTIONS,
});

export const options = computed(
  () =>
    Object.fromEntries(
      Object.keys(OPTIONS).map((name) => [name, chosen[name as keyof typeof OPTIONS].value]),
    ) as unknown as Options,
);

/** An activation with its answers. */
export interface Shown<T> {
  readonly name: Activation;
  readonly answer: T;
}

export const curves = signal<readonly Shown<Curves>[]>([]);
export const points = signal<readonly Shown<Point>[]>([]);
/** What the library objects to. */
export const problem = computed(() => problems.curves.value ?? problems.points.value);
const problems = {
  curves: signal<string | undefined>(undefined),
  points: signal<string | undefined>(undefined),
};

interface Question {
  names: readonly Activation[];
  options: Options;
}

/** The activation, and the one to compare it with. */
function names(): Activation[] {
  const other = chosen.with.value;
  return other === "none" || other === chosen.f.value ? [chosen.f.value] : [chosen.f.value, other];
}

/** Computes as the settings change; gives a function that ends it. */
export function start(): () => void {
  const { remote, end } = startEngine("activations");
  const xs = Float32Array.from(XS);
  const ask = <Q extends Question, T>(
    question: (name: Activation, asked: Q) => Promise<T>,
    to: Signal<readonly Shown<T>[]>,
    failure: Signal<string | undefined>,
  ) =>
    newest(
      async (asked: Q) => {
        const answer = async (name: Activation) => ({ name, answer: await question(name, asked) });
        to.value = await Promise.all(asked.names.map(answer));
      },
      (error) => {
        failure.value = error?.message;
      },
    );
  const askCurves = ask(
    (name, asked: Question) => remote.curves(name, asked.options, xs),
    curves,
    problems.curves,
  );
  const askPoints = ask(
    (name, asked: Question & { x: number }) => remote.at(name, asked.options, asked.x),
    points,
    problems.points,
  );
  const stops = [
    effect(() => askCurves({ names: names(), options: options.value })),
    effect(() => askPoints({ names: names(), options: options.value, x: chosen.x.value })),
  ];
  return () => {
    for (const stop of stops) stop();
    end();
  };
}
