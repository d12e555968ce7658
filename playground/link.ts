// The address: #panel?setting=value&…, kept up to date, and followed when it changes.
import { effect, signal } from "@preact/signals";
import { format, parse } from "./settings";

export const PANELS = ["activations", "neuron", "train", "digits", "speed"] as const;
export type PanelName = (typeof PANELS)[number];

/** The panel that is shown. */
export const panel = signal<PanelName>("activations");

/** Milliseconds: browsers refuse more than some changes of the address a second. */
const PAUSE = 250;

/** Reads the address now and whenever it changes, and writes it when a setting changes. */
export function followLink(): void {
  read();
  addEventListener("hashchange", read);
  let timer: ReturnType<typeof setTimeout> | undefined;
  effect(() => {
    const hash = hashOf(panel.value);
    clearTimeout(timer);
    timer = setTimeout(() => {
      if (location.hash !== hash) history.replaceState(null, "", hash);
    }, PAUSE);
  });
}

/** The part of a link that restores a panel: what differs from its start. */
export function hashOf(name: PanelName): string {
  const parameters = format(name).toString();
  return `#${name}${parameters && `?${parameters}`}`;
}

function read(): void {
  const [name, parameters] = location.hash.slice(1).split("?", 2);
  const found = PANELS.find((candidate) => candidate === name);
  if (found === undefined) return;
  parse(found, new URLSearchParams(parameters));
  panel.value = found;
}
