/* Python in the page, on request: nothing of it is loaded before the first click.

   gttPython.megabytes          what that click loads
   gttPython.run(task, tell)    task {setup, code, check, limit} → {out, value, checked, error, ms}; tell(words, share) while it loads
   gttPython.stop()             ends what runs; the next run starts Python anew

   Python runs in a worker made from a Blob, so that a book opened from disk has one too. The files come as scripts
   (book/_ext/gtt/python.py writes them), because a page from disk may load a script and nothing else. */
(() => {
  "use strict";
  const SCRIPTS = /* scripts */ [];
  const HERE = new URL("python/", document.currentScript.src).href;
  const TOTAL = SCRIPTS.reduce((sum, { size }) => sum + size, 0);
  const LIMIT = 10; // seconds for a run, if the task names none

  function load(name) {
    return new Promise((resolve, reject) => {
      const script = document.createElement("script");
      script.src = HERE + name;
      script.onload = () => { script.remove(); resolve(); };
      script.onerror = () => { script.remove(); reject(new Error(`${name} could not be loaded`)); };
      document.head.append(script);
    });
  }

  async function unpack(parts) {
    const bytes = Uint8Array.from(atob(parts.join("")), (letter) => letter.charCodeAt(0));
    const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
    return new Response(stream).arrayBuffer();
  }

  let files; // a promise of {name: ArrayBuffer}
  async function fetchFiles(tell) {
    let done = 0;
    const next = [...SCRIPTS];
    const worker = async () => {
      for (let item = next.shift(); item; item = next.shift()) {
        await load(item.script);
        done += item.size;
        tell(`Loading Python: ${(done / 1e6).toFixed(1)} of ${gttPython.megabytes} MB`, (0.8 * done) / TOTAL);
      }
    };
    await Promise.all([worker(), worker(), worker()]);
    const found = {};
    for (const [name, parts] of Object.entries(self.gttPythonFiles)) found[name] = await unpack(parts);
    delete self.gttPythonFiles;
    return found;
  }

  /* --- what runs in the worker: this function's text is its program */
  function program() {
    const RUN = `
import ast, contextlib, io, linecache, sys, traceback
_spaces = {}

def _gtt_space(setup):
    if setup not in _spaces:
        space = {"__name__": "__main__"}
        with contextlib.redirect_stdout(io.StringIO()):  # the page has shown what these cells say
            exec(compile(setup, "<before>", "exec"), space)
        _spaces[setup] = space
    return dict(_spaces[setup])

def _gtt_said(error):
    name = "<your code>"
    if isinstance(error, SyntaxError):
        return "".join(traceback.format_exception_only(error)).strip()
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == name]
    lines = [f"line {f.lineno}: {f.line}" for f in frames[-2:]]
    return "\\n".join([*lines, "".join(traceback.format_exception_only(error)).strip()])

def _gtt_run(setup, code, check):
    name = "<your code>"
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    out, value, checked = io.StringIO(), None, None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
        try:
            space = _gtt_space(setup)
            tree = ast.parse(code, name)
            last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
            exec(compile(tree, name, "exec"), space)
            if last is not None:
                value = eval(compile(ast.Expression(last.value), name, "eval"), space)
            if check:
                exec(compile(check, "<check>", "exec"), space)
                checked = space["checked"]
        except BaseException as error:
            return out.getvalue(), None, None, _gtt_said(error)
    return out.getvalue(), None if value is None else repr(value), None if checked is None else str(checked), None
`;
    let python;
    async function begin(files) {
      const kinds = { wasm: "application/wasm", json: "application/json" };
      const real = self.fetch;
      self.fetch = (what, ...rest) => {
        const name = String(what.url || what).split("/").pop();
        if (!(name in files)) return real(what, ...rest);
        const type = kinds[name.split(".").pop()] || "application/octet-stream";
        return Promise.resolve(new Response(files[name], { headers: { "Content-Type": type } }));
      };
      const text = (name) => new TextDecoder().decode(files[name]);
      for (const name of ["pyodide.asm.js", "pyodide.js"]) (0, eval)(text(name)); // WebKit refuses importScripts here
      python = await self.loadPyodide({ indexURL: "https://python.invalid/" });
      python.unpackArchive(files["numpy.whl"], "wheel");
      python.unpackArchive(files["bptt_core.zip"], "zip", { extractDir: "/home/pyodide" });
      await python.runPythonAsync(RUN);
    }
    self.onmessage = async ({ data: { id, files, task } }) => {
      try {
        if (files) await begin(files);
        if (!task) { self.postMessage({ id, ready: true }); return; }
        const run = python.globals.get("_gtt_run");
        const begun = performance.now();
        const answer = run(task.setup || "", task.code, task.check || "");
        const [out, value, checked, error] = answer.toJs();
        answer.destroy();
        run.destroy();
        self.postMessage({ id, out, value, checked, error, ms: performance.now() - begun });
      } catch (error) {
        self.postMessage({ id, out: "", error: String(error.message || error).trim() });
      }
    };
  }

  let worker; // a promise of a Worker in which Python is ready
  let running; // what ends the present run
  let count = 0;

  function post(to, message) {
    const id = ++count;
    return new Promise((resolve, reject) => {
      to.addEventListener("message", function listen({ data }) {
        if (data.id !== id) return;
        to.removeEventListener("message", listen);
        resolve(data);
      });
      to.addEventListener("error", (event) => reject(new Error(event.message)), { once: true });
      to.postMessage({ id, ...message });
    });
  }

  async function begin(tell) {
    files ??= fetchFiles(tell);
    let loaded;
    try {
      loaded = await files;
    } catch (error) {
      files = undefined;
      throw error;
    }
    tell("Starting Python", 0.85);
    const address = URL.createObjectURL(new Blob([`(${program})()`], { type: "text/javascript" }));
    const made = new Worker(address);
    const answer = await post(made, { files: loaded });
    URL.revokeObjectURL(address); // not before: WebKit may still be reading it
    if (answer.error) throw new Error(answer.error);
    tell("Python is ready", 1);
    return made;
  }

  function end() {
    worker?.then((made) => made.terminate(), () => {});
    worker = undefined;
  }

  async function run(task, tell = () => {}) {
    running?.("stopped: something else was run");
    worker ??= begin(tell);
    let made;
    try {
      made = await worker;
    } catch (error) {
      worker = undefined;
      return { out: "", error: `Python did not start: ${error.message}` };
    }
    tell("Running", 1);
    const limit = task.limit || LIMIT;
    const stopped = new Promise((resolve) => {
      const halt = (why) => { end(); resolve({ out: "", error: why, stopped: true }); };
      const timer = setTimeout(() => halt(`stopped after ${limit} seconds: is there a loop without an end?`), 1000 * limit);
      running = (why) => { clearTimeout(timer); halt(why); };
      running.clear = () => clearTimeout(timer);
    });
    const mine = running;
    const answer = await Promise.race([post(made, { task }).catch((error) => ({ out: "", error: error.message })), stopped]);
    mine.clear();
    if (running === mine) running = undefined;
    return answer;
  }

  const gttPython = {
    megabytes: (TOTAL / 1e6).toFixed(1),
    run,
    stop: () => running?.("stopped"),
  };
  globalThis.gttPython = gttPython;
})();
