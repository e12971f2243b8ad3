/**
 * A headless Chromium for tests of pages, driven through its own protocol.
 *
 * @module
 */

/** Where a Chromium may be. */
const CANDIDATES: readonly string[] = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
];
const START_MS = 20_000;

/**
 * Why there is no browser to test with.
 *
 * @returns The reason, or its path after an empty one.
 */
export function findBrowser(): readonly [reason: string, path: string] {
  if (
    Deno.permissions.querySync({ name: "net", host: "127.0.0.1" }).state !==
      "granted"
  ) {
    return ["needs --allow-net=127.0.0.1", ""];
  }
  for (const path of CANDIDATES) {
    const run = { name: "run", command: path } as const;
    if (Deno.permissions.querySync(run).state !== "granted") {
      return [`needs --allow-run=${path}`, ""];
    }
    const read = { name: "read", path } as const;
    if (Deno.permissions.querySync(read).state !== "granted") continue;
    try {
      Deno.statSync(path);
      return ["", path];
    } catch {
      // Another one, then.
    }
  }
  return ["there is no Chromium", ""];
}

/** What the protocol answers. */
type Answer = Readonly<Record<string, unknown>>;

/** A browser with one page. */
export class Browser implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #profile: string;
  readonly #socket: WebSocket;
  readonly #waiting: Map<number, PromiseWithResolvers<Answer>> = new Map();
  #next = 0;
  #session = "";
  /** What the page has complained of. */
  readonly errors: string[] = [];

  private constructor(
    process: Deno.ChildProcess,
    profile: string,
    socket: WebSocket,
  ) {
    this.#process = process;
    this.#profile = profile;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#onMessage(JSON.parse(data));
  }

  /**
   * Starts a browser.
   *
   * @param path Where it is.
   * @returns The browser, with an empty page.
   */
  static async start(path: string): Promise<Browser> {
    const profile = await Deno.makeTempDir();
    const process = new Deno.Command(path, {
      args: [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--remote-debugging-port=0",
        `--user-data-dir=${profile}`,
        "about:blank",
      ],
      stdin: "null",
      stdout: "null",
      stderr: "piped",
    }).spawn();
    const url = await debuggerUrl(process.stderr);
    const socket = new WebSocket(url);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = () => reject(new Error("Cannot talk to the browser"));
    });
    const browser = new Browser(process, profile, socket);
    const { targetId } = await browser.send("Target.createTarget", {
      url: "about:blank",
    });
    const { sessionId } = await browser.send("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    browser.#session = String(sessionId);
    await browser.send("Page.enable");
    await browser.send("Runtime.enable");
    return browser;
  }

  /** Sends a command; gives its answer. */
  send(method: string, params: object = {}): Promise<Answer> {
    const id = ++this.#next;
    const waiting = Promise.withResolvers<Answer>();
    this.#waiting.set(id, waiting);
    const session = this.#session === "" ? {} : { sessionId: this.#session };
    this.#socket.send(JSON.stringify({ id, method, params, ...session }));
    return waiting.promise;
  }

  /** Opens a page, at a size and in light or dark. */
  async open(
    url: string,
    width: number,
    height: number,
    theme: "light" | "dark",
  ): Promise<void> {
    await this.send("Emulation.setDeviceMetricsOverride", {
      width,
      height,
      deviceScaleFactor: 1,
      mobile: false,
    });
    const features = [{ name: "prefers-color-scheme", value: theme }];
    await this.send("Emulation.setEmulatedMedia", { features });
    await this.send("Page.navigate", { url });
    await this.until("document.readyState === 'complete'");
    await this.frame();
  }

  /** Waits until the page has drawn. */
  async frame(): Promise<void> {
    await this.evaluate(
      "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))",
    );
  }

  /** Waits until something holds in the page. */
  async until(condition: string): Promise<void> {
    const end = performance.now() + START_MS;
    while (await this.evaluate(condition) !== true) {
      if (performance.now() > end) throw new Error(`Never: ${condition}`);
    }
  }

  /** The value of an expression in the page. */
  async evaluate(expression: string): Promise<unknown> {
    const answer = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    const { result, exceptionDetails } = answer as {
      result?: { value?: unknown };
      exceptionDetails?: { text: string };
    };
    if (exceptionDetails) this.errors.push(JSON.stringify(exceptionDetails));
    return result?.value;
  }

  /** Presses keys, one after the other. */
  async press(...keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      const text = key.length === 1 ? { text: key } : {};
      await this.send("Input.dispatchKeyEvent", {
        type: "keyDown",
        key,
        ...text,
      });
      await this.send("Input.dispatchKeyEvent", { type: "keyUp", key });
    }
    await this.frame();
  }

  /** A picture of the page, as PNG. */
  async screenshot(): Promise<Uint8Array> {
    const { data } = await this.send("Page.captureScreenshot");
    return Uint8Array.fromBase64(String(data));
  }

  #onMessage(message: Answer): void {
    const { id, method, params, result, error } = message as {
      id?: number;
      method?: string;
      params?: unknown;
      result?: Answer;
      error?: unknown;
    };
    if (method === "Runtime.exceptionThrown") {
      this.errors.push(JSON.stringify(params));
    }
    if (id === undefined) return;
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error) waiting?.reject(new Error(JSON.stringify(error)));
    else waiting?.resolve(result ?? {});
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.#socket.onclose = resolve);
    this.#session = "";
    this.#socket.send(JSON.stringify({ id: 0, method: "Browser.close" }));
    await closed;
    await this.#process.status;
    await Deno.remove(this.#profile, { recursive: true });
  }
}

/** Reads where to talk to a browser that has started. */
async function debuggerUrl(
  stderr: ReadableStream<Uint8Array<ArrayBuffer>>,
): Promise<string> {
  const reader = stderr.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) throw new Error(`Cannot start the browser: ${text}`);
    text += value;
    const url = /DevTools listening on (ws:\S+)/.exec(text)?.[1];
    if (url === undefined) continue;
    drain(reader);
    return url;
  }
}

/** Nobody reads the rest; it must not fill the pipe. */
async function drain(
  reader: ReadableStreamDefaultReader<string>,
): Promise<void> {
  while (!(await reader.read()).done);
}
