// The table of a figure: for each series, how far one step along each control moves in it.

/** The int16 numbers of a table: low bytes first, then high bytes. */
async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  const planes = new Uint8Array(await new Response(stream).arrayBuffer());
  const n = planes.length / 2;
  return Int16Array.from({ length: n }, (_, i) => planes[i] | (planes[n + i] << 8));
}

/** Undo differences along an axis of `length` steps, `stride` numbers apart. */
function sum(data, stride, length) {
  for (let i = stride; i < data.length; i++)
    if (Math.floor(i / stride) % length) data[i] += data[i - stride];
}

/** One `Series` of the table. */
class Numbers {
  constructor(numbers, offset, { n, varies, along }, controls) {
    let size = n;
    this.n = n;
    this.strides = controls.map(() => 0);
    for (let k = controls.length - 1; k >= 0; k--) {
      if (!varies.includes(k)) continue;
      this.strides[k] = size;
      size *= controls[k].values.length;
    }
    this.data = numbers.subarray(offset, offset + size);
    if (along >= 0) sum(this.data, this.strides[along], controls[along].values.length);
    sum(this.data, 1, n);
  }

  /** Where the numbers of a setting begin; `at` holds the place of every control on its grid. */
  row(at) {
    return this.strides.reduce((offset, stride, k) => offset + at[k] * stride, 0);
  }

  /** A number at a setting between those of the grid, as if it went straight from one to the next. */
  between(at, number) {
    const low = this.row(at.map(Math.floor)) + number;
    return at.reduce((sum, place, k) => {
      const rise = this.data[low + this.strides[k]] - this.data[low];
      return place % 1 ? sum + (place % 1) * rise : sum;
    }, this.data[low]);
  }

  part(at) {
    return this.data.subarray(this.row(at), this.row(at) + this.n);
  }
}

export class Table {
  /** @param {Spec} spec  @param {Int16Array} numbers */
  constructor(spec, numbers) {
    let offset = 0;
    const next = (series) => {
      const found = new Numbers(numbers, offset, series, spec.controls);
      offset += found.data.length;
      return found;
    };
    this.controls = spec.controls;
    this.list = spec.words.list;
    this.items = spec.items.map(({ series }) =>
      Object.fromEntries(Object.entries(series).map(([part, each]) => [part, next(each)])),
    );
    this.columns = spec.columns.map(({ series }) => next(series));
    this.places = spec.words.places.map(next);
  }

  static async of(spec) {
    return new Table(spec, await unpack(spec.table));
  }

  /** What the figure shows at a setting of the grid: a `Reply` without `at`. */
  lookUp(at) {
    const word = (numbers) => this.list[numbers.data[numbers.row(at)]];
    return {
      texts: this.controls.map((control, k) => control.texts[at[k]]),
      words: this.places.map(word).join(" ").trim(),
      items: this.items.map(({ x, y, shade, word: said }) => ({
        x: x?.part(at),
        y: y?.part(at),
        shade: shade?.part(at),
        word: said && word(said),
      })),
      cells: this.columns.map((column) => column.part(at)),
    };
  }
}
