// Light and dark, and the colours of style.css for what is drawn on canvases.
import { computed, effect, signal } from "@preact/signals";
import { stored } from "./stored";

export const THEMES = ["auto", "light", "dark"] as const;

/** The choice; auto follows the system. */
export const theme = stored("theme", "auto", THEMES);
effect(() => {
  document.documentElement.dataset.theme = theme.value;
});

const query = matchMedia("(prefers-color-scheme: dark)");
const system = signal(query.matches);
query.addEventListener("change", () => {
  system.value = query.matches;
});

/** Whether what is shown is dark: drawings that read it are drawn anew when it changes. */
export const dark = computed(() => (theme.value === "auto" ? system.value : theme.value === "dark"));

/** Of a colour, from 0 to 255. */
export type Rgb = readonly [red: number, green: number, blue: number];

const found = new Map<string, string>();

/** A colour of style.css as it is now: `color("accent")`. Asked of the page once, since the answer costs a layout. */
export function color(name: string): string {
  const key = `${name} ${dark.value}`;
  const known = found.get(key);
  if (known !== undefined) return known;
  const probe = document.body.appendChild(document.createElement("span"));
  // Canvases keep their colours also where the system sets those of the page.
  probe.style.cssText = `color: var(--${name}); forced-color-adjust: none`;
  const asked = getComputedStyle(probe).color;
  probe.remove();
  found.set(key, asked);
  return asked;
}

/** The channels of a colour of style.css as it is now. */
export function rgb(name: string): Rgb {
  const [red = 0, green = 0, blue = 0] = color(name)
    .match(/[\d.]+/g)!
    .map(Number);
  return [red, green, blue];
}
