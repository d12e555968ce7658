// What the panel shows: settings, what the worker answers for them, and the epoch that is looked at.
import { computed, effect, signal } from "@preact/signals";
import { startEngine } from "../../engine";
import type { Descent } from "../../engine/neuron";
import { panel } from "../../link";
import { newest } from "../../newest";
import { choice, number, settings } from "../../settings";
import { type Rgb, rgb } from "../../theme";
import { EPOCHS, LOSSES, type Loss, REACH } from "./kinds";

export const SIDES = ["left", "right"] as const;
export type Side = (typeof SIDES)[number];

const place = { min: -REACH, max: REACH };

export const chosen = settings("neuron", {
  w: number(2, place),
  b: number(2, place),
  lr: number(0.15, { min: 0.01, max: 10 }),
  left: choice<Loss>("mse", LOSSES),
  right: choice<Loss>("bce", LOSSES),
  surface: choice<Side>("left", ["left", "right"]),
  epoch: number(100, { min: 0, max: EPOCHS, integer: true }),
});

/** Colours of style.css. */
export const COLORS: Readonly<Record<Side, string>> = { left: "orange", right: "blue" };

/** Both descents, and the losses that they descend. */
export const runs = signal<Readonly<Record<Side, Descent & { loss: Loss }>> | undefined>(undefined);

/** Pixels of the surface along w, and along b. */
export const SIZE = 256;
export const picture = signal<Uint8ClampedArray<ArrayBuffer> | undefined>(undefined);

/** What the library objects to. */
export const problem = computed(() => problems.runs.value ?? problems.picture.value);
const problems = {
  runs: signal<string | undefined>(undefined),
  picture: signal<string | undefined>(undefined),
};

export const playing = signal(false);

/** Milliseconds for all epochs. */
const DURATION = 3500;

/** Lets the epochs run, from the start if they are at their end; at once where people want no motion. */
export function play(): void {
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) {
    chosen.epoch.value = EPOCHS;
    return;
  }
  playing.value = true;
  let at = chosen.epoch.value === EPOCHS ? 0 : chosen.epoch.value;
  let before: number | undefined;
  const frame = (now: number) => {
    // Who looks at another epoch meanwhile stays there.
    if (before !== undefined && chosen.epoch.value !== Math.round(at)) playing.value = false;
    if (!playing.value) return;
    // A page in the background has no frames: what passed there does not count.
    at += (Math.min(100, now - (before ?? now)) * EPOCHS) / DURATION;
    before = now;
    chosen.epoch.value = Math.min(EPOCHS, Math.round(at));
    if (at >= EPOCHS || panel.value !== "neuron") playing.value = false;
    else requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}

/** Computes as the settings change; gives a function that ends it. */
export function start(): () => void {
  const { remote, end } = startEngine("neuron");
  const descend = newest(
    async ({ left, right, ...from }: Record<Side, Loss> & Record<"w" | "b" | "lr", number>) => {
      const run = async (loss: Loss) => ({ loss, ...(await remote.descend({ ...from, loss })) });
      runs.value = { left: await run(left), right: await run(right) };
    },
    (error) => {
      problems.runs.value = error?.message;
    },
  );
  const paint = newest(
    async ({ loss, colours }: { loss: Loss; colours: readonly [Rgb, Rgb] }) => {
      picture.value = await remote.picture(loss, REACH, SIZE, colours);
    },
    (error) => {
      problems.picture.value = error?.message;
    },
  );
  const { w, b, lr, left, right } = chosen;
  const stops = [
    effect(() => {
      descend({ w: w.value, b: b.value, lr: lr.value, left: left.value, right: right.value });
    }),
    effect(() => {
      paint({ loss: chosen[chosen.surface.value].value, colours: [rgb("card"), rgb("grey")] });
    }),
  ];
  return () => {
    playing.value = false;
    for (const stop of stops) stop();
    end();
  };
}
