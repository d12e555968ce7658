// What is measured within a worker of a page in Chromium.
import type { CDPSession } from "playwright-core";

/**
 * In a worker: remembers the linear memories that it makes, while they live. The protocol's Runtime.queryObjects finds them
 * without help, but crashes Chromium 156.
 */
const REMEMBER = `{
  const { Memory } = WebAssembly;
  const memories = [];
  const bytesOf = (memory) => memory.deref()?.buffer.byteLength ?? 0;
  globalThis.soakBytes = () => memories.reduce((sum, memory) => sum + bytesOf(memory), 0);
  WebAssembly.Memory = class extends Memory {
    constructor(descriptor) {
      super(descriptor);
      memories.push(new WeakRef(this));
    }
  };
}`;

/** In a page, before all else: the workers that it makes of text remember. */
export const REMEMBER_IN_WORKERS = `
  globalThis.Blob = class extends Blob {
    constructor(parts, options) {
      const isScript = options?.type?.startsWith("text/javascript");
      super(isScript ? [${JSON.stringify(REMEMBER)}, ...parts] : parts, options);
    }
  };`;

interface Answer {
  id: number;
  result?: unknown;
  error?: { message: string };
}

/** The protocol of a worker, by way of its page's. */
export class InWorker {
  private last = 0;
  private readonly waiting = new Map<number, (answer: Omit<Answer, "id">) => void>();

  private constructor(
    private readonly session: CDPSession,
    private readonly id: string,
  ) {
    session.on("Target.receivedMessageFromTarget", ({ message, sessionId }) => {
      if (sessionId !== this.id) return;
      const { id, ...answer }: Answer = JSON.parse(message);
      this.waiting.get(id)?.(answer);
      this.waiting.delete(id);
    });
    session.on("Target.detachedFromTarget", ({ sessionId }) => {
      if (sessionId !== this.id) return;
      for (const answer of this.waiting.values()) answer({ error: { message: "the worker has ended" } });
    });
  }

  /** The first worker that starts after `open`. */
  static async of(session: CDPSession, open: () => Promise<unknown>): Promise<InWorker> {
    const attached = new Promise<string>((resolve) => {
      session.on("Target.attachedToTarget", ({ sessionId, targetInfo }) => {
        if (targetInfo.type === "worker") resolve(sessionId);
      });
    });
    await session.send("Target.setAutoAttach", {
      autoAttach: true,
      waitForDebuggerOnStart: false,
      flatten: false,
    });
    await open();
    return new InWorker(session, await attached);
  }

  /** @throws Error if the worker refuses, or has ended */
  async send<T>(method: string, params: object = {}): Promise<T> {
    const id = ++this.last;
    const answered = new Promise<Omit<Answer, "id">>((resolve) => this.waiting.set(id, resolve));
    const message = JSON.stringify({ id, method, params });
    await this.session.send("Target.sendMessageToTarget", { sessionId: this.id, message });
    const { result, error } = await answered;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result as T;
  }

  /** Bytes of all linear memories that it has made and that can be reached, after a collection of garbage. */
  async wasm(): Promise<number> {
    const evaluated = await this.send<{ result: { value: number } }>("Runtime.evaluate", {
      expression: "soakBytes()",
      returnByValue: true,
    });
    return evaluated.result.value;
  }
}
