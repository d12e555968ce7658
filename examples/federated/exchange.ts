// What workers exchange: each puts its newest state under its own key of a bucket of NATS, and watches those of the others.
import { EventEmitter, once } from "node:events";
import { jetstream } from "@nats-io/jetstream";
import { type KV, Kvm, type KvWatchEntry } from "@nats-io/kv";
import { connect, type NatsConnection } from "@nats-io/transport-node";
import { loadSafetensors, scope } from "nablas";

/** A worker's state after a round, as a safetensors file with `round` and `rows` in its metadata. */
export interface Contribution {
  worker: number;
  round: number;
  /** How many rows the worker trains on: its weight. */
  rows: number;
  file: Uint8Array;
}

export class Exchange {
  private readonly events = new EventEmitter();
  /** Those that have not been silent for longer than the patience. */
  private readonly living: Set<number>;
  private contributions: Contribution[] = [];

  private constructor(
    private readonly connection: NatsConnection,
    private readonly bucket: KV,
    private readonly self: number,
    workers: number,
    private readonly patience: number,
  ) {
    this.living = new Set(Array.from({ length: workers }, (_, worker) => worker).filter((k) => k !== self));
  }

  /**
   * @param name of the training: whoever uses the same takes part in it
   * @param patience how long to wait for a worker, in milliseconds
   */
  static async open(server: string, name: string, self: number, workers: number, patience: number) {
    const connection = await connect({ servers: server });
    const bucket = await new Kvm(jetstream(connection)).create(name);
    const exchange = new Exchange(connection, bucket, self, workers, patience);
    for await (const key of await bucket.keys("worker.*")) exchange.receive(await bucket.get(key));
    void exchange.watch();
    return exchange;
  }

  /** The furthest round that any worker has come to. */
  get newestRound(): number {
    return Math.max(0, ...this.contributions.map(({ round }) => round));
  }

  /** The states of that round; none at the beginning. */
  get newest(): readonly Contribution[] {
    return this.contributions.filter(({ round }) => round === this.newestRound);
  }

  async put({ worker, file }: Contribution): Promise<void> {
    await this.bucket.put(`worker.${worker}`, file);
  }

  /** What the others contribute to a round, or to the next that each has come to. Who says nothing for too long is left out. */
  async others(round: number): Promise<Contribution[]> {
    const tooLate = AbortSignal.timeout(this.patience);
    const first = (worker: number) =>
      this.contributions.find((one) => one.worker === worker && one.round >= round);
    const missing = () => [...this.living].filter((worker) => first(worker) === undefined);
    while (missing().length > 0 && !tooLate.aborted) {
      await once(this.events, "received", { signal: tooLate }).catch(() => {});
    }
    for (const worker of missing()) {
      this.living.delete(worker);
      console.error(`worker ${this.self}, round ${round}: worker ${worker} is silent, going on without it`);
    }
    this.contributions = this.contributions.filter((one) => one.round >= round);
    return [...this.living].map((worker) => first(worker)!);
  }

  async close(): Promise<void> {
    await this.connection.drain();
  }

  private async watch(): Promise<void> {
    for await (const entry of await this.bucket.watch({ key: "worker.*" })) this.receive(entry);
  }

  private receive(entry: Pick<KvWatchEntry, "key" | "value"> | null): void {
    if (entry === null) return;
    const { round, rows } = scope(() => loadSafetensors(entry.value).metadata);
    const worker = Number(entry.key.split(".")[1]);
    this.contributions.push({ worker, round: Number(round), rows: Number(rows), file: entry.value });
    if (worker !== this.self) this.living.add(worker);
    this.events.emit("received");
  }
}
