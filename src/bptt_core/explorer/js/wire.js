// What Python sends: bptt_core/explorer/table.py declares the same keys and packs the numbers. All numbers come from
// Python, a table of path coordinates over the grid of settings, and with a kernel the exact curve. This script looks
// up, draws, and maps axes; it computes nothing else.

/**
 * n numbers at every setting, in the order of the grid: the last control changes fastest.
 * @typedef {object} Series
 * @property {number} n - numbers at one setting
 * @property {number[]} varies - the controls along which they change; stored once along the others
 * @property {number} along - numbers are differences along this control, then along n; -1: along n alone
 */

/**
 * A slider or a choice.
 * @typedef {object} Control
 * @property {string} name - in the address, and the trait in Python
 * @property {?string} symbol - another name in the address
 * @property {string} label - what the reader sees
 * @property {(number[]|string[])} values - its grid
 * @property {string[]} texts - the same as the page writes them
 * @property {number} start - number of the first setting
 * @property {boolean} options - whether it is a choice
 */

/**
 * An artist that moves or changes.
 * @typedef {object} Item
 * @property {string} gid - its element has the id {uid}-{panel}-{gid}
 * @property {number} panel - number of its picture
 * @property {("line"|"area"|"label"|"boxes")} kind
 * @property {number} radius - of its markers in points, or 0
 * @property {?object} set - of a text that changes: {offset, size, anchor, fill, halo}, in points
 * @property {?string} below - the colour of shades below 0
 * @property {boolean} time - Play lets it grow
 * @property {?number[]} drag - the controls that its markers drag
 * @property {?number[]} click - the controls that a click on its picture sets
 * @property {?number[]} at - x and y at the first setting; null but for texts, if it stays where it is
 * @property {Object<string, Series>} series - any of x, y, shade and word
 */

/**
 * One column of the table of numbers.
 * @typedef {object} Column
 * @property {string} name - its heading
 * @property {Series} series - numbers that `written` reads
 */

/**
 * The sentences and all other texts that change, as numbers of words.
 * @typedef {object} Words
 * @property {string[]} list - the words
 * @property {Series[]} places - for each word of a sentence
 */

/**
 * All that the script knows of a figure.
 * @typedef {object} Spec
 * @property {string} name - its address
 * @property {string} uid - the id of its element
 * @property {string} title - for the caption of what is saved
 * @property {Control[]} controls
 * @property {?number} play - the control that Play moves; -1: Play lets curves grow; null: no Play
 * @property {Item[]} items
 * @property {Column[]} columns
 * @property {Words} words
 * @property {string} table - all series: low bytes, then high bytes, deflated, base64
 */

/**
 * An item at one setting.
 * @typedef {object} Change
 * @property {?number[]} x - coordinates in 1/16 of a point, GAP for none; null if it stays where it is
 * @property {?number[]} y
 * @property {?number[]} shade - from -SHADES to SHADES
 * @property {?string} word - what a text says
 */

/**
 * A kernel's answer: one setting, exactly.
 * @typedef {object} Reply
 * @property {(number|string)[]} at - the settings, in the order of the controls
 * @property {string[]} texts - the same as the page writes them
 * @property {string} words - the sentence
 * @property {Change[]} items - in the order of the items
 * @property {number[][]} cells - the columns of the table of numbers
 * @property {?string} error - instead of all but `at`: what the function raised
 */

export const UNITS = 16; // coordinates per point
export const GAP = -32768; // a coordinate that is not drawn
export const SHADES = 200; // levels of a shade

/** A number of a column as text: the code ±(1 + 900 (e + 18) + m - 100) is ±m · 10^(e - 2). */
export function written(code) {
  if (code === GAP) return "";
  if (code === 0) return "0";
  const size = Math.abs(code) - 1;
  const digits = `${(size % 900) + 100}e${Math.floor(size / 900) - 20}`;
  return String(Math.sign(code) * Number(digits));
}
