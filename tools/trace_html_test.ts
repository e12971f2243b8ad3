// The page of a trace, in a browser where there is one.

import {
  assert,
  assertEquals,
  assertNotEquals,
  assertStringIncludes,
} from "@std/assert";
import type { TraceEvent } from "../core/mod.ts";
import { runScenario, scenarioById } from "../conformance/mod.ts";
import { MODELS } from "../fs_models/mod.ts";
import { Browser, findBrowser } from "./testdata/browser.ts";
import type { Broken, Collected } from "./trace_collect.ts";
import { encodeHtml } from "./trace_html.ts";

const EXT4 = MODELS.find(({ name }) => name === "ext4")!;
const HEADER = { profile: "v6.1", fs: "ext4", scenario: "two" } as const;

function eventsOf(scenario: string): readonly TraceEvent[] {
  return runScenario(EXT4, scenarioById(scenario), { profile: "v6.1" }).events;
}

/** What breaks a rule that the page is to show. */
function brokenAt(events: readonly TraceEvent[], ...at: number[]): Broken {
  return {
    rule: "completion-order/free-last",
    sentence: "The free comes last.",
    expected: "</script> to be harmless",
    events: at.map((i) => events[i]!),
  };
}

function pageOf(trace: Pick<Collected, "events" | "broken">): string {
  return [
    ...encodeHtml(HEADER, { ...trace, error: null, queues: new Map() }, "t"),
  ].join("");
}

Deno.test("encodeHtml() makes a page that needs nothing else", () => {
  const events = eventsOf("aio-write");
  const page = pageOf({ events, broken: [brokenAt(events, 3)] });
  const outside = page.replaceAll("http://www.w3.org/2000/svg", "");
  assertEquals(/https?:|\bsrc=|@import|url\(|\bimport\b/.exec(outside), null);
  assertEquals(page.split("</script>").length, 3);
  assertStringIncludes(page, "default-src 'none'");
});

Deno.test("encodeHtml() of no events is a page", () => {
  assertStringIncludes(pageOf({ events: [], broken: [] }), "<main");
});

const [reason, browserPath] = findBrowser();

function browserTest(
  name: string,
  trace: () => Pick<Collected, "events" | "broken">,
  fn: (browser: Browser, url: string) => Promise<void>,
): void {
  const suffix = reason === "" ? "" : ` [ignored: ${reason}]`;
  Deno.test({
    name: name + suffix,
    ignore: reason !== "",
    async fn() {
      const file = await Deno.makeTempFile({ suffix: ".html" });
      try {
        await Deno.writeTextFile(file, pageOf(trace()));
        await using browser = await Browser.start(browserPath);
        await fn(browser, `file://${file}`);
        assertEquals(browser.errors, []);
      } finally {
        await Deno.remove(file);
      }
    },
  });
}

const textOf = (selector: string) =>
  `document.querySelector(${JSON.stringify(selector)})?.innerText ?? ""`;
const ROWS = "document.querySelectorAll('.row').length";
const SELECTED = "Number(location.hash.slice(1))";
const BACKGROUND = "getComputedStyle(document.body).backgroundColor";

function twoWrites(): Pick<Collected, "events" | "broken"> {
  const events = eventsOf("aio-two-writes");
  return { events, broken: [brokenAt(events, 5, 9), brokenAt(events, 20)] };
}

browserTest(
  "the page of a trace is stepped through, filtered and searched",
  twoWrites,
  async (browser, url) => {
    const { events } = twoWrites();
    await browser.open(url, 1400, 900, "light");
    assertEquals(
      await browser.evaluate(textOf("#status")),
      `${events.length} events`,
    );
    await browser.press("j", "j", "k", "j");
    assertEquals(await browser.evaluate(SELECTED), 2);
    assertStringIncludes(
      String(await browser.evaluate(textOf(".row.selected"))),
      events[2]!.ev,
    );
    await browser.press("G");
    assertEquals(await browser.evaluate(SELECTED), events.length - 1);
    const submit = events.findIndex(({ ev }) => ev === "submit_bio");
    await browser.evaluate(`location.hash = "#${submit}"`);
    await browser.frame();
    await browser.press("l");
    const end = Number(await browser.evaluate(SELECTED));
    assertEquals(events[end]!.ev, "bio_endio");
    assertEquals(events[end]!["bio"], events[submit]!["bio"]);
    await browser.press("f");
    const shown = Number(await browser.evaluate(ROWS));
    assert(shown > 5 && shown < events.length, `${shown} rows of a request`);
    const status = String(await browser.evaluate(textOf("#status")));
    assertStringIncludes(status, `${shown} of ${events.length} events of`);
    await browser.press("Escape", "/");
    for (const key of "inode_dio") await browser.press(key);
    const found = events.filter(({ ev }) => ev.includes("inode_dio")).length;
    assertEquals(await browser.evaluate(ROWS), found);
    await browser.press("Escape");
    assertEquals(
      await browser.evaluate(textOf("#status")),
      `${events.length} events`,
    );
  },
);

browserTest(
  "the page marks violations, and goes from one to the next",
  twoWrites,
  async (browser, url) => {
    await browser.open(url, 1400, 900, "dark");
    await browser.press("n");
    assertEquals(await browser.evaluate(SELECTED), 5);
    await browser.press("n", "n");
    assertEquals(await browser.evaluate(SELECTED), 20);
    const panel = String(await browser.evaluate(textOf("#panel")));
    assertStringIncludes(panel, "completion-order/free-last");
    assertStringIncludes(panel, "expected </script> to be harmless");
    const marked = await browser.evaluate(
      "document.querySelectorAll('.row.broken').length",
    );
    assertEquals(marked, 3);
  },
);

browserTest(
  "the page shows arguments where the mouse is",
  twoWrites,
  async (browser, url) => {
    const { events } = twoWrites();
    await browser.open(url, 1400, 900, "light");
    const at = events.findIndex(({ ev }) => ev === "submit_bio");
    const place = String(
      await browser.evaluate(
        `(() => { const { x, y } = document.getElementById("row-${at}")
          .querySelector(".label").getBoundingClientRect();
          return x + 5 + " " + (y + 5); })()`,
      ),
    );
    const [x, y] = place.split(" ").map(Number);
    await browser.send("Input.dispatchMouseEvent", {
      type: "mouseMoved",
      x,
      y,
    });
    await browser.frame();
    const tip = String(await browser.evaluate(textOf(".tip")));
    assertStringIncludes(tip, "submit_bio");
    assertStringIncludes(tip, `sector\n${events[at]!["sector"]}`);
  },
);

browserTest(
  "the page is light or dark",
  twoWrites,
  async (browser, url) => {
    await browser.open(url, 1400, 900, "light");
    const light = await browser.evaluate(BACKGROUND);
    const picture = await browser.screenshot();
    await browser.open(url, 1400, 900, "dark");
    const dark = await browser.evaluate(BACKGROUND);
    assertNotEquals(light, dark);
    assertNotEquals(await browser.screenshot(), picture);
    await browser.press("t");
    assertEquals(await browser.evaluate(BACKGROUND), light);
  },
);

/** Many events, as one run after the other. */
function manyEvents(count: number): TraceEvent[] {
  const one = eventsOf("aio-write-unwritten-many");
  const length = one.at(-1)!.ts + 1000;
  return Array.from({ length: count }, (_, seq) => {
    const event: TraceEvent = { ...one[seq % one.length]!, seq };
    const round = Math.floor(seq / one.length);
    event.ts += round * length;
    for (const id of ["dio", "iocb", "bio", "work"]) {
      if (Number(event[id]) > 0) event[id] = Number(event[id]) + round * 100;
    }
    return event;
  });
}

browserTest(
  "the page holds 10,000 events, and draws those in sight",
  () => ({ events: manyEvents(10_000), broken: [] }),
  async (browser, url) => {
    await browser.open(url, 1200, 800, "dark");
    assertEquals(await browser.evaluate(textOf("#status")), "10000 events");
    await browser.press("G", "PageUp", "j");
    const last = Number(await browser.evaluate(SELECTED));
    assert(last > 9_900 && last < 9_999, `at event ${last}`);
    const rows = Number(await browser.evaluate(ROWS));
    assert(rows > 20 && rows < 80, `${rows} rows`);
    const fits = "document.documentElement.scrollHeight <= innerHeight";
    assertEquals(await browser.evaluate(fits), true);
  },
);
