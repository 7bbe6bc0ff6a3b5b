// Playing: curves grow along their axis, or a slider goes through its grid; with reduced motion in a few jumps.

import { GAP } from "./wire.js";

const JUMPS = 6;

/** How far each picture has come along its axis: Infinity where a curve is no function of x. */
function limits(artists, changes, reveal) {
  const shown = new Map();
  artists.forEach(({ item, svg }, j) => {
    if (!item.time) return;
    if (!shown.has(svg)) shown.set(svg, []);
    shown.get(svg).push([...changes[j].x].filter((x) => x !== GAP));
  });
  for (const [svg, curves] of shown) {
    const first = Math.min(...curves.map((xs) => xs[0]));
    const last = Math.max(...curves.map((xs) => xs[xs.length - 1]));
    const turns = curves.some((xs) => xs.some((x, i) => x < xs[i - 1]));
    shown.set(svg, turns ? Number.POSITIVE_INFINITY : first + reveal * (last - first));
  }
  return shown;
}

/** The points of a curve up to a limit on its axis. */
function upTo(limit, x, y) {
  const i = x.findIndex((v) => v > limit);
  if (i < 1 || y[i] === GAP || y[i - 1] === GAP) return { x: x.slice(0, Math.max(i, 0)), y };
  const cut = y[i - 1] + ((limit - x[i - 1]) / (x[i] - x[i - 1])) * (y[i] - y[i - 1]);
  return { x: [...x.slice(0, i), limit], y: [...y.slice(0, i), cut] };
}

/** Draw changes of which only the share `reveal` of the growing curves has come yet. */
export function drawGrown(artists, changes, reveal) {
  const reached = reveal < 1 ? limits(artists, changes, reveal) : new Map();
  artists.forEach((artist, j) => {
    const change = changes[j];
    const limit = artist.item.time ? reached.get(artist.svg) : undefined;
    if (limit === Number.POSITIVE_INFINITY) {
      artist.draw(change, Math.ceil(change.x.length * reveal));
    } else if (change.x?.some((v) => v > limit)) {
      artist.draw({ ...change, ...upTo(limit, change.x, change.y) });
    } else {
      artist.draw(change);
    }
  });
}

export class Player {
  /**
   * @param {?HTMLButtonElement} button
   * @param {function()} draw - draws what has been played, the share of it
   * @param {number} length - of it all, in milliseconds
   * @param {?function(): number} place - how far the slider has come that is played; curves have none
   */
  constructor(button, draw, length, place) {
    this.button = button;
    this.draw = draw;
    this.length = length;
    this.place = place;
    this.share = 1;
    this.request = 0;
    this.paused = false;
    button?.addEventListener("click", () => (this.request ? this.stop() : this.run()));
  }

  run() {
    const still = matchMedia("(prefers-reduced-motion: reduce)").matches;
    const from = this.paused ? this.place() % 1 : 0;
    let begun;
    const tick = (time) => {
      begun ??= time;
      const done = Math.min(from + (time - begun) / (still ? 6000 : this.length), 1);
      this.share = still ? Math.ceil(done * JUMPS) / JUMPS : done;
      if (done === 1) return this.stop();
      this.request = requestAnimationFrame(tick);
      this.draw();
    };
    this.button.textContent = this.place ? "Pause" : "Stop";
    this.request = requestAnimationFrame(tick);
  }

  /** Whoever stops it sees all of the curves; a slider stays where it is. */
  stop() {
    if (!this.request) return;
    cancelAnimationFrame(this.request);
    this.request = 0;
    this.button.textContent = "Play";
    this.paused = this.place && this.share < 1;
    if (!this.place) this.share = 1;
    this.draw();
  }
}
