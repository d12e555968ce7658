// Links to the playground: whatever an address says, the settings are some that the panel offers.
import { expect, test } from "vitest";
import { set } from "../../playground/panels/train/state";
import { format, parse } from "../../playground/settings";
import { drawing } from "./mutate";

const VALUES = [
  ...[
    "",
    "0",
    "-0",
    "1",
    "1e9",
    "-1",
    "NaN",
    "Infinity",
    "0x10",
    "1_0",
    " 2 ",
    "٣",
    "__proto__",
    "constructor",
    "spiral",
  ],
  ...[
    "Linear:8,ReLU",
    "Linear:1e9",
    "Linear",
    "constructor:1",
    "__proto__",
    ",".repeat(99),
    "Dropout:0.2",
    "Linear:8:9",
  ],
  ...[
    "AAAA",
    "____",
    "A",
    "!!!!",
    "é",
    "A".repeat(40_000),
    "<img src=x onerror=alert(1)>",
    "javascript:alert(1)",
  ],
];
const NAMES = [...Object.keys(set), "__proto__", "constructor", "toString", ""];

test("5,000 links", () => {
  const { of, below } = drawing(4);
  parse("train", new URLSearchParams());
  const initial = JSON.stringify(Object.values(set).map(({ value }) => value));
  for (let i = 0; i < 5_000; i++) {
    const pairs = Array.from({ length: 1 + below(4) }, () => [of(NAMES), of(VALUES)]);
    parse("train", new URLSearchParams(pairs));
    const written = format("train").toString();
    // What is shown is what the link of it shows.
    parse("train", new URLSearchParams(written));
    if (format("train").toString() !== written) expect(format("train").toString()).toBe(written);
    const { count, lr, layers } = set;
    const fits = count.value >= 20 && count.value <= 1000 && lr.value > 0 && layers.value.length <= 16;
    if (!fits) expect.unreachable(written);
  }
  parse("train", new URLSearchParams());
  expect(JSON.stringify(Object.values(set).map(({ value }) => value))).toBe(initial);
  expect(Reflect.ownKeys({}).length).toBe(0);
});
