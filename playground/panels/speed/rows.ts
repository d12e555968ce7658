// Which rows of the benchmark are measured.
import { computed } from "@preact/signals";
import { type Codec, choice, settings } from "../../settings";
import { machine } from "./machine";

/** Some of all kinds, which take a fraction of a minute: by their names in bench/rows. */
const SELECTION = [
  ...[64, 128, 256, 512].map((n) => `matmul ${n}x${n}x${n}`),
  "relu 1k",
  "relu 64k",
  "relu 1M",
  "gelu 64k",
  "gelu 1M",
  "tanh 1M",
  "softmax 1024x1000",
  "cross-entropy + grad 1024x1000",
  "eager step 2-8-1 b4",
  "compiled step 2-8-1 b4",
  "eager step 64-32-10 b32",
  "compiled step 64-32-10 b32",
  "compiled step 784-128-64-10 b64",
  "compiled inference 784-128-64-10 b1",
];

/** What people type. */
const typed: Codec<string> = { initial: "", parse: (text) => text.slice(0, 200), format: (value) => value };

export const chosen = settings("speed", {
  effort: choice<"quick" | "thorough">("quick", ["quick", "thorough"]),
  rows: choice<"selection" | "all">("selection", ["selection", "all"]),
  filter: typed,
});

/** Texts of which a name has to have one, in any case: what comes in a link is no pattern to be run. */
const parts = computed(() =>
  chosen.filter.value
    .split("|")
    .map((part) => part.trim().toLowerCase())
    .filter((part) => part !== ""),
);

/** The names of the rows to measure, in the order of the benchmark or of the selection. */
export const rows = computed<readonly string[]>(() => {
  const all = machine.value?.rows ?? [];
  const some = chosen.rows.value === "all" ? all : SELECTION.filter((name) => all.includes(name));
  const fits = (name: string) => parts.value.some((part) => name.toLowerCase().includes(part));
  return parts.value.length === 0 ? some : some.filter(fits);
});
