// diagnose finds what people do wrong, and where; and not what is right.
import { expect, test } from "vitest";
import * as n from "../../src/index";
import { fine, mistakes } from "./mistakes";

test.each(mistakes)("finds %s: %s at %s", (what, code, layer, make) => {
  for (const seed of [1, 2, 3]) {
    n.manualSeed(seed);
    n.scope(() => {
      const { model, inputs, targets, loss } = make();
      const { findings } = n.diagnose(model, inputs, targets, loss, { lr: what === "lr 10" ? 10 : 0.01 });
      const found = findings.map((finding) => `${finding.code} ${finding.layer}`);
      expect(found, `seed ${seed}`).toContain(`${code} ${layer}`);
      expect(found.length, found.join()).toBeLessThan(8);
      expect(found.filter((one) => one.startsWith("bias-shift")).length, found.join()).toBeLessThan(2);
    });
  }
});

test.each(fine)("finds nothing wrong with %s", (_, make) => {
  for (const seed of [1, 2, 3]) {
    n.manualSeed(seed);
    n.scope(() => {
      const { model, inputs, targets, loss } = make();
      expect(n.diagnose(model, inputs, targets, loss).findings.map(({ advice }) => advice)).toEqual([]);
    });
  }
});
