/**
 * Suites while they are registered, and how they run as steps of one test.
 *
 * @module
 */

/** What `describe` returns. */
export interface TestSuite<T> {
  /** Tells suites apart. */
  readonly symbol: symbol;
  /** Never there: carries the type of `this`. */
  readonly context?: T;
}

/** The hooks a suite may have. */
export type HookName = "beforeAll" | "afterAll" | "beforeEach" | "afterEach";

/** Hooks given as options: one each, or several. */
export type Hooks<T> = Record<HookName, Hook<T> | Hook<T>[]>;

type Hook<T> = (this: T) => void | Promise<void>;

/** What a test and a suite may be given. */
interface Options {
  name: string;
  ignore?: boolean;
  only?: boolean;
  permissions?: Deno.PermissionOptions;
  sanitizeExit?: boolean;
  sanitizeOps?: boolean;
  sanitizeResources?: boolean;
}

/** A registered test case. */
export interface Case extends Options {
  /** The test itself. */
  fn: (this: object, t: Deno.TestContext) => void | Promise<void>;
}

interface SuiteOptions extends Options, Partial<Hooks<object>> {
  fn?: () => unknown;
}

class Suite implements TestSuite<object> {
  readonly symbol = Symbol();
  readonly options: SuiteOptions;
  readonly hooks: Record<HookName, Hook<object>[]>;
  readonly #members: (Suite | Case)[] = [];

  constructor(options: SuiteOptions) {
    this.options = options;
    this.hooks = {
      beforeAll: [options.beforeAll ?? []].flat(),
      afterAll: [options.afterAll ?? []].flat(),
      beforeEach: [options.beforeEach ?? []].flat(),
      afterEach: [options.afterEach ?? []].flat(),
    };
  }

  add(member: Suite | Case): void {
    this.#members.push(member);
  }

  /** The members to run: if some are marked `only`, those. */
  get members(): readonly (Suite | Case)[] {
    const marked = this.#members.filter(isMarked);
    return marked.length > 0 ? marked : this.#members;
  }

  get isMarked(): boolean {
    return this.options.only === true || this.#members.some(isMarked);
  }
}

function isMarked(member: Suite | Case): boolean {
  return member instanceof Suite ? member.isMarked : member.only === true;
}

let current: Suite | undefined;
let started = false;
let running = 0;

/** Registers a suite: its function runs at once. */
export function addSuite(options: SuiteOptions): TestSuite<object> {
  refuseWhileRunning("test suites");
  started = true;
  const suite = new Suite(options);
  if (options.ignore) {
    Deno.test({ ...testOptions(options), fn() {} });
    return suite;
  }
  const outer = current;
  current = suite;
  try {
    if (options.fn?.() instanceof Promise) {
      throw new Error(
        'Returning a Promise from "describe" is not supported: tests must be defined synchronously',
      );
    }
  } finally {
    current = outer;
  }
  if (outer) outer.add(suite);
  else register(suite);
  return suite;
}

/** Registers a test case in the suite being registered, or by itself. */
export function addCase(options: Case): void {
  refuseWhileRunning("test cases");
  started = true;
  if (current) {
    current.add(options);
    return;
  }
  Deno.test({
    ...testOptions(options),
    fn: (t) => whileRunning(() => options.fn.call({}, t)),
  });
}

/** Adds a hook to the suite being registered, or to the whole file. */
export function addHook(name: HookName, hook: Hook<object>): void {
  if (!current) {
    if (started) {
      throw new Error(
        "Cannot add global hooks after a global test is registered",
      );
    }
    current = new Suite({ name: "global" });
    register(current);
  }
  current.hooks[name].push(hook);
}

function refuseWhileRunning(what: string): void {
  if (running === 0) return;
  throw new Error(
    `Cannot register new ${what} after already registered test cases start running`,
  );
}

async function whileRunning(run: () => void | Promise<void>): Promise<void> {
  running++;
  try {
    await run();
  } finally {
    running--;
  }
}

function register(suite: Suite): void {
  Deno.test({
    ...testOptions(suite.options),
    ...(suite.isMarked ? { only: true } : {}),
    fn: (t) => whileRunning(() => runSuite([suite], {}, t)),
  });
}

/** Runs the last suite of a path, within those before it. */
async function runSuite(
  path: readonly Suite[],
  context: object,
  t: Deno.TestContext,
): Promise<void> {
  const suite = path.at(-1)!;
  await callAll(suite.hooks.beforeAll, context);
  try {
    for (const member of suite.members) {
      await t.step({
        ...stepOptions(member instanceof Suite ? member.options : member),
        fn: (t) => runMember(member, path, { ...context }, t),
      });
    }
  } finally {
    await callAll(suite.hooks.afterAll, context);
  }
}

function runMember(
  member: Suite | Case,
  path: readonly Suite[],
  context: object,
  t: Deno.TestContext,
): Promise<void> {
  const { permissions } = member instanceof Suite ? member.options : member;
  if (permissions !== undefined) {
    throw new Error("permissions option not available for nested tests");
  }
  return member instanceof Suite
    ? runSuite([...path, member], context, t)
    : runCase(member, path, context, t);
}

/** Runs a test inside the `beforeEach` and `afterEach` of its suites. */
async function runCase(
  member: Case,
  path: readonly Suite[],
  context: object,
  t: Deno.TestContext,
): Promise<void> {
  const [outermost, ...inner] = path;
  if (!outermost) return await member.fn.call(context, t);
  await callAll(outermost.hooks.beforeEach, context);
  try {
    await runCase(member, inner, context, t);
  } finally {
    await callAll(outermost.hooks.afterEach, context);
  }
}

async function callAll(
  hooks: readonly Hook<object>[],
  context: object,
): Promise<void> {
  for (const hook of hooks) await hook.call(context);
}

/** The options that a test and a step share, as far as they were given. */
function stepOptions(
  options: Options,
): Omit<Deno.TestStepDefinition, "fn"> {
  const { name, ignore, sanitizeExit, sanitizeOps, sanitizeResources } =
    options;
  return {
    name,
    ...(ignore === undefined ? {} : { ignore }),
    ...(sanitizeExit === undefined ? {} : { sanitizeExit }),
    ...(sanitizeOps === undefined ? {} : { sanitizeOps }),
    ...(sanitizeResources === undefined ? {} : { sanitizeResources }),
  };
}

/** The options of a test of its own, as far as they were given. */
function testOptions(options: Options): Omit<Deno.TestDefinition, "fn"> {
  const { only, permissions } = options;
  return {
    ...stepOptions(options),
    ...(only === undefined ? {} : { only }),
    ...(permissions === undefined ? {} : { permissions }),
  };
}
