// The controls: their grids, the setting that holds now, and the fields that show it.

import { put } from "./elements.js";

/** Number of the entry of `list` that is nearest to a value. */
export function near(list, value) {
  return list.reduce(
    (best, x, i) => (Math.abs(x - value) < Math.abs(list[best] - value) ? i : best),
    0,
  );
}

/** Where a value lies on a control's grid: a fraction between two grid values for a slider. */
function place({ options, values }, value) {
  if (options) return Math.max(0, values.indexOf(value));
  const i = values.findIndex((x) => x >= value);
  if (i < 0) return values.length - 1;
  return i === 0 ? 0 : i - (values[i] - value) / (values[i] - values[i - 1]);
}

/** The value at a place on the grid. */
export function valueAt({ options, values }, index) {
  const i = Math.floor(index);
  if (i === index || options) return values[i];
  return Number((values[i] + (index - i) * (values[i + 1] - values[i])).toPrecision(6));
}

export class Controls {
  /**
   * @param {Control[]} list
   * @param {Element} root - the figure
   * @param {number} mounts - tells the radio buttons of two copies of one figure apart
   * @param {function(Object<number, (number|string)>)} change - told what the reader set: {number: value}
   */
  constructor(list, root, mounts, change) {
    this.list = list;
    this.start = list.map((control) => control.values[control.start]);
    this.now = [...this.start];
    this.step = 1; // of a slider, on its grid
    this.fields = list.map(({ name }) => {
      const within = root.querySelector(`[data-control="${name}"]`);
      return {
        inputs: [...within.querySelectorAll("input")],
        output: within.querySelector("output"),
      };
    });
    list.forEach((control, k) => {
      for (const input of this.fields[k].inputs) {
        if (control.options) input.name += `-${mounts}`;
        input.addEventListener("input", () => {
          change({ [k]: control.options ? input.value : valueAt(control, Number(input.value)) });
        });
      }
    });
  }

  /** The setting as name=value, each. */
  pairs() {
    return this.list.map(({ name }, k) => `${name}=${this.now[k]}`);
  }

  /** The place of every control on its grid. */
  at() {
    return this.list.map(({ options, values }, k) =>
      options ? values.indexOf(this.now[k]) : near(values, this.now[k]),
    );
  }

  /** Whether the setting is another one now. */
  set(changes) {
    let changed = false;
    for (const [k, value] of Object.entries(changes)) {
      if (this.now[k] !== value) changed = true;
      this.now[k] = value;
    }
    return changed;
  }

  /** Back to the nearest setting of the grid. */
  snap() {
    this.list.forEach(({ options, values }, k) => {
      if (!options) this.now[k] = values[near(values, this.now[k])];
    });
  }

  /** How far one step of a slider goes: 1 is the next setting of the grid. */
  stepBy(size) {
    this.step = size;
    this.list.forEach(({ options }, k) => {
      if (!options) this.fields[k].inputs[0].step = size;
    });
  }

  /** Show the setting, written as `texts`. */
  draw(texts) {
    this.list.forEach((control, k) => {
      const { inputs, output } = this.fields[k];
      if (control.options) {
        for (const input of inputs) input.checked = input.value === this.now[k];
        return;
      }
      const index = place(control, this.now[k]);
      if (Number(inputs[0].value) !== index) inputs[0].value = index;
      inputs[0].style.setProperty("--at", index / (control.values.length - 1));
      put(inputs[0], "aria-valuetext", texts[k]);
      if (output.textContent !== texts[k]) output.textContent = texts[k];
    });
  }
}
