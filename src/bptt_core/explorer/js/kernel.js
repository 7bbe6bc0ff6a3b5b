// With a kernel: the table answers at once, the exact curve replaces it, and if none comes the table stays.

const PATIENCE = 2500; // milliseconds

export class Kernel {
  /** @param {object} model - of anywidget  @param {Figure} figure */
  constructor(model, figure) {
    this.model = model;
    this.controls = figure.controls;
    this.root = figure.root;
    this.figure = figure;
    this.timer = 0;
    this.telling = false; // one setting at a time reaches the model: it is not read back half changed
    const heard = this.controls.list.map(({ name }) => [`change:${name}`, () => this.hear()]);
    heard.push(["change:_frame", () => this.answer()]);
    for (const [event, listener] of heard) model.on(event, listener);
    this.end = () => {
      for (const [event, listener] of heard) model.off(event, listener);
    };
    this.controls.stepBy(0.1);
    this.hear();
    this.answer();
  }

  /** The reader moved: ask for the exact curve. */
  tell() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.root.classList.add("gtt-offline");
      this.controls.snap();
      this.controls.stepBy(1);
      this.figure.show();
    }, PATIENCE);
    this.telling = true;
    try {
      this.controls.list.forEach(({ name }, k) => {
        this.model.set(name, this.controls.now[k]);
      });
      this.model.save_changes();
    } catch {
      // a dead kernel: the timer takes over
    }
    this.telling = false;
  }

  /** Python moved. */
  hear() {
    if (this.telling) return;
    this.figure.set(
      this.controls.list.map(({ name }) => this.model.get(name)),
      false,
    );
  }

  answer() {
    const reply = this.model.get("_frame");
    this.root.querySelector(".gtt-error").textContent = reply.error || "";
    if (!reply.at || reply.at.some((value, k) => value !== this.controls.now[k])) return; // already left
    clearTimeout(this.timer);
    this.root.classList.remove("gtt-offline");
    this.controls.stepBy(0.1);
    if (!reply.error) this.figure.show(reply);
  }
}
