// The same seed gives the same bits in every engine and in both binaries, in each of which this runs.
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import {
  Dropout,
  dropout,
  Embedding,
  kaimingNormal,
  kaimingUniform,
  Linear,
  lecunNormal,
  lecunUniform,
  manualSeed,
  ones,
  orthogonal,
  rand,
  randn,
  rrelu,
  scope,
  type Tensor,
  xavierNormal,
  xavierUniform,
} from "../src/index";

const drawn: Record<string, [hash: string, draw: () => Tensor]> = {
  rand: ["7abb3e7c1e2bbf53", () => rand([1003])],
  randn: ["fdd8dfa126f83b57", () => randn([100_003])],
  xavierUniform: ["11fce7037c74e162", () => xavierUniform([30, 31], { gain: 5 / 3 })],
  xavierNormal: ["73cfdc0534d26e65", () => xavierNormal([30, 31], { gain: 5 / 3 })],
  kaimingUniform: ["60f877daecbca3a3", () => kaimingUniform([30, 31], { negativeSlope: 0.3 })],
  kaimingNormal: ["66d062480ef38665", () => kaimingNormal([30, 31], { negativeSlope: 0.3, mode: "fanOut" })],
  lecunUniform: ["62bb89b60876cca4", () => lecunUniform([30, 31])],
  lecunNormal: ["56ad178b4a340cbd", () => lecunNormal([30, 31])],
  orthogonal: ["18cd3be1f697508f", () => orthogonal([30, 31])],
  Linear: ["3813e8af88f1502d", () => new Linear(31, 30).weight],
  Embedding: ["184ce63a74789721", () => new Embedding(30, 31).weight],
  dropout: ["6841342be2c7527e", () => dropout(ones([1003]), { p: 0.3 })],
  Dropout: ["853bf1f71c342299", () => new Dropout({ p: 0.7 }).forward(randn([1003]))],
  rrelu: ["2be7f796cd4ae537", () => rrelu(randn([1003]), { training: true })],
};

const hash = ({ data }: Tensor): string =>
  createHash("sha256")
    .update(new Uint8Array(Float32Array.from(data).buffer))
    .digest("hex")
    .slice(0, 16);

test.each(Object.entries(drawn))("%s draws the same bits everywhere", (_, [want, draw]) => {
  manualSeed(7);
  expect(scope(() => hash(draw()))).toBe(want);
});
